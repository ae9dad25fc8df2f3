"""What pure code may not do: read or write anything, look at a clock, throw dice.

Read from the source: a checker cannot prove purity, but it sees every ordinary way of losing it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from checkout import python_files

PURE_FLOORS = ("model", "plan", "decide")

# module -> the names of it that pure code may use
FORBIDDEN: Mapping[str, frozenset[str]] = {
    "os": frozenset({"PathLike", "fspath"}),
    "pathlib": frozenset({"PurePath", "PurePosixPath", "PureWindowsPath"}),
    **dict.fromkeys(
        (
            "asyncio concurrent ctypes fcntl fileinput getpass glob http importlib inspect io locale logging mmap "
            "multiprocessing platform posix random runpy secrets select selectors shutil signal socket sqlite3 ssl "
            "subprocess tempfile threading time urllib uuid webbrowser"
        ).split(),
        frozenset[str](),
    ),
    "urllib": frozenset({"parse"}),
    "uuid": frozenset({"UUID", "uuid5"}),  # names made from texts
}
FORBIDDEN_BUILTINS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval", "compile", "__import__"})
CLOCK_METHODS = frozenset({"now", "utcnow", "today"})

# Methods of the users' own classes that fill in the present moment: (file, function) -> why. Nothing else may.
READS_THE_CLOCK: Mapping[tuple[str, str], str] = {
    ("model/partitions/loading.py", "current_time_or_now"): "partition methods of the users' classes default to now",
}


def check_file(file: Path, source: Path, excused: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """What a file does that pure code may not, one line per offence."""
    relative = file.relative_to(source).as_posix()
    stack: list[tuple[ast.AST, str]] = [(ast.parse(file.read_bytes(), filename=str(file)), "")]
    while stack:
        node, function = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        stack.extend((child, function) for child in ast.iter_child_nodes(node))
        offence = _forbidden_import(node) or _forbidden_use(node) or _forbidden_call(node)
        if offence and not ("clock" in offence and (relative, function) in excused):
            yield f"{relative}:{getattr(node, 'lineno', 0)}: {offence}" + (f" in {function}()" if function else "")


def _forbidden_import(node: ast.AST) -> str | None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            root, _, rest = alias.name.partition(".")
            if root in FORBIDDEN and rest not in FORBIDDEN[root]:
                if alias.name == (alias.asname or alias.name) and FORBIDDEN[root] and not rest:
                    continue  # `import os`: judged by what is taken from it
                return f"imports {alias.name}"
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        root, _, rest = node.module.partition(".")
        if root in FORBIDDEN and rest not in FORBIDDEN[root]:
            for alias in node.names:
                if rest or alias.name not in FORBIDDEN[root]:
                    return f"imports {alias.name} from {node.module}"
    return None


def _forbidden_use(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        allowed = FORBIDDEN.get(node.value.id)
        if allowed and node.attr not in allowed:
            return f"uses {node.value.id}.{node.attr}"
    return None


def _forbidden_call(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_BUILTINS:
        return f"calls {node.func.id}()"
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        arguments = len(node.args) + len(node.keywords)
        if name in CLOCK_METHODS:
            return f"reads the clock: {name}()"
        if (name == "astimezone" and arguments == 0) or (name == "fromtimestamp" and arguments == 1):
            return f"takes the machine's own time zone: {name}() without a zone"
    return None


def check_tree(source: Path, excused: Mapping[tuple[str, str], str] = READS_THE_CLOCK) -> list[str]:
    """Every offence on the pure floors."""
    return [
        offence
        for floor in PURE_FLOORS
        for file in python_files(source / floor)
        for offence in check_file(file, source, excused)
    ]
