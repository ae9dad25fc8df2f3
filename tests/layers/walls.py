"""Who may import whom: the arrows of ARCHITECTURE.md, and a checker that reads the source without running it.

A *floor* is what stands right below `segue`: `segue.model.keys` lies on the floor `model`, `segue/errors.py` is the
floor `errors`. An import counts wherever it stands: at the top, inside a function, under `TYPE_CHECKING`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from checkout import python_files

# floor -> the floors it stands on. It may import those and whatever they stand on, and nothing else of Segue.
STANDS_ON: Mapping[str, frozenset[str]] = {
    floor: frozenset(below.split())
    for floor, below in {
        # shared and pure
        "version": "",
        "errors": "",
        "late": "",
        "model": "errors version late",
        "plan": "model",
        "decide": "model",
        # between processes: it knows nobody and stands beside the sides
        "channel": "",
        "output_copies": "model",
        # the user side
        "defs": "model",
        "execute": "defs plan channel output_copies",
        # the control side: it never imports defs, execute or host
        "storage": "model",
        "location": "model channel",
        "launch": "model",
        "settings": "model",
        "deployment": "storage location launch settings output_copies",
        "monitor": "decide",
        "approval": "model",
        "cancel": "decide",
        "retention": "decide output_copies",
        "observe": "deployment plan monitor approval cancel retention",
        "daemon": "deployment plan monitor approval cancel retention",
        "server": "deployment plan monitor approval cancel retention",
        # the only place where the sides meet
        "host": "execute storage location deployment monitor approval cancel",
        # what other orchestrators recorded, taken over through the public instance
        "migrate": "defs plan deployment",
    }.items()
}
# These may import anything; nobody may import them.
TOPS = frozenset({"cli", "testing", "integrations", "compat", "components"})

# Where modules may be imported by name. importlib.resources is free: it reads files and runs no code.
LOADERS = frozenset(
    {"late.py", "defs/bindings.py", "host/source.py", "storage/opening.py", "storage/artifacts.py", "output_copies.py"}
)
LOADING_FLOORS = frozenset({"cli", "compat"})  # compat looks old names up; it is loaded only by who asks for it
LATE_IMPORTS = frozenset({"cli", "integrations"})  # floors on which a function may import


class Import(NamedTuple):
    """One import of one module: `from segue.model.keys import AssetKey` imports `segue.model.keys.AssetKey`."""

    line: int
    target: str  # the full dotted name of what is imported
    inside_function: bool


def floor_of(file: Path, source: Path) -> str:
    """The floor on which a file lies."""
    floor = file.relative_to(source).parts[0].removesuffix(".py")
    return "cli" if floor == "__main__" else floor  # `python -m segue` is the command line


def reachable(floor: str) -> frozenset[str]:
    """The floor itself and all below it."""
    below = STANDS_ON[floor]
    return frozenset({floor}).union(*(reachable(other) for other in below))


def imports_of(tree: ast.Module, package: tuple[str, ...]) -> Iterator[Import]:
    """Every import in a file; relative ones resolved against the package that holds it."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, inside = stack.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, inside)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module) if node.module else base)
            for alias in node.names:
                yield Import(node.lineno, f"{module}.{alias.name}", inside)
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        stack.extend((child, inside) for child in ast.iter_child_nodes(node))


def check_file(file: Path, source: Path) -> Iterator[str]:
    """What a file imports and may not, one line per offence."""
    relative = file.relative_to(source)
    if relative.parts == ("__init__.py",):
        return
    floor = floor_of(file, source)
    if floor not in STANDS_ON and floor not in TOPS:
        yield f"{relative}: the floor {floor!r} is not in the table: add it to walls.py and ARCHITECTURE.md"
        return
    tree = ast.parse(file.read_bytes(), filename=str(file))
    floors = {path.name.removesuffix(".py") for path in source.iterdir()}
    for found in sorted(set(imports_of(tree, ("segue", *relative.parts[:-1])))):
        where = f"{relative}:{found.line}"
        parts = found.target.split(".")
        if parts[0] == "segue":
            yield from (f"{where}: {offence}" for offence in _within_segue(floor, parts, floors))
        if found.inside_function and floor not in LATE_IMPORTS:
            yield f"{where}: imports {found.target} inside a function"
        if _loads_by_name(found.target) and floor not in LOADING_FLOORS and relative.as_posix() not in LOADERS:
            yield f"{where}: uses {parts[0]}: modules are named only in {' and '.join(sorted(LOADERS))}"
    for line in _calls_of_import(tree):
        if floor not in LOADING_FLOORS and relative.as_posix() not in LOADERS:
            yield f"{relative}:{line}: calls __import__"


def _within_segue(floor: str, parts: list[str], floors: set[str]) -> Iterator[str]:
    target = parts[1] if len(parts) > 1 else ""
    if target not in floors or target == "__init__":
        if floor not in TOPS:
            yield "imports the public names of segue: import from the module that defines the name"
    elif target == floor:
        return
    elif target in TOPS:
        yield f"{floor} imports {target}, which nobody may import"
    elif floor not in TOPS and target not in reachable(floor):
        yield f"{floor} imports {target}: it may import {', '.join(sorted(reachable(floor) - {floor})) or 'nothing'}"


def _loads_by_name(target: str) -> bool:
    parts = target.split(".")
    return parts[0] in {"importlib", "runpy", "pkgutil", "imp"} and parts[:2] != ["importlib", "resources"]


def _calls_of_import(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            yield node.lineno


def check_tree(source: Path) -> list[str]:
    """Every offence below the folder of the package."""
    return [offence for file in python_files(source) for offence in check_file(file, source)]
