"""Limits on the size of files and functions, and on the names of modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE_LINES = 400
FILE_LINES_WITH_REASON = 500
FUNCTION_LINES = 60  # of its body, docstring not counted: the compatible API dictates some long signatures
EMPTY_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "core", "misc", "base2"})

# Files between 400 and 500 lines: path -> why one file is better than two.
LONG_FILES: Mapping[str, str] = {
    "src/segue/errors.py": "the whole tree of errors, drawn on top of it",
    "src/segue/model/metadata_values.py": "one tagged union: its base class and its members need each other",
}
# Written by a generator: as long as the table they are made from.
GENERATED = frozenset({"src/segue/__init__.py"})


def check_file(file: Path, root: Path, long_files: Mapping[str, str] = LONG_FILES) -> Iterator[str]:
    """What is too long in a Python file, or empty in its name, one line per offence."""
    relative = file.relative_to(root).as_posix()
    names = {part.removesuffix(".py") for part in file.relative_to(root).parts}
    for name in sorted(names & EMPTY_NAMES):
        yield f"{relative}: the name {name!r} says nothing: name it after what it does"
    if relative in GENERATED:
        return
    text = file.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    limit = FILE_LINES_WITH_REASON if relative in long_files else FILE_LINES
    if lines > limit:
        yield f"{relative}: {lines} lines, at most {limit}"
    for node in ast.walk(ast.parse(text, filename=str(file))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _lines_of(node)
            if length > FUNCTION_LINES:
                yield f"{relative}:{node.lineno}: {node.name}() has {length} lines, at most {FUNCTION_LINES}"


def _lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0
