"""Write `src/segue/__init__.py` and `src/segue/__init__.pyi` from `tools/public_names.toml`.

With `--check` nothing is written, and the exit code is 1 when one of them is out of date.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

ROOT = Path(__file__).resolve().parent.parent

LINE_LENGTH = 120  # as of the formatter
RUNTIME_HEAD = '''"""Segue: a data orchestrator. Each public name is imported from its module when it is first used.

Generated from tools/public_names.toml by tools/generate_public.py (`make docs`): change the table, not this file.
"""
# pyright: reportUnsupportedDunderAll=false
# reason: the names of __all__ come from __getattr__; __init__.pyi declares them for type checkers.

_MODULES = {"components"}  # modules that are attributes without being imported first

'''

RUNTIME_TAIL = """

def __getattr__(name: str) -> object:
    if name in _MODULES:
        return __import__(f"segue.{name}", fromlist=["_"])  # which binds the name
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(_unknown(name), name=name, obj=None)  # no obj: the message names near ones itself
    module, _, attribute = place.partition(":")
    attribute = attribute or name
    from segue.defs.collecting import collector_paused

    with collector_paused():  # what is imported stays
        value = getattr(__import__(module, fromlist=[attribute]), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})


def _unknown(name: str) -> str:
    message = f"module 'segue' has no attribute {name!r}."
    if name.startswith("_"):
        return message
    from difflib import get_close_matches

    near = get_close_matches(name, __all__)
    return f"{message} Did you mean {' or '.join(map(repr, near))}?" if near else message
"""

STUB_HEAD = '''"""The public names of Segue, for type checkers.

Generated from tools/public_names.toml by tools/generate_public.py (`make docs`): change the table, not this file.
"""

'''


class PublicName(NamedTuple):
    """One row of the table."""

    name: str
    module: str  # the module that defines it: segue.model.keys
    attribute: str  # what it is called there; nearly always the name itself
    page: str  # the page of the reference it stands on


class Table(NamedTuple):
    """The whole table."""

    names: tuple[PublicName, ...]  # sorted by name
    titles: dict[str, str]  # page -> title, in the order of the file


def read_table(root: Path) -> Table:
    """The table of public names below `root`.

    Raises:
        ValueError: a section without a title, a name in two sections, a module outside segue, or a name that a
            module or package right below segue bears too (importing it would hide the name).
    """
    sections = tomllib.loads((root / "tools" / "public_names.toml").read_text(encoding="utf-8"))
    titles: dict[str, str] = {}
    found: dict[str, PublicName] = {}
    taken = {path.stem for path in (root / "src" / "segue").iterdir() if path.name != "__pycache__"}
    for page, section in sections.items():
        rows = cast("dict[str, str]", section)
        if "title" not in rows:
            raise ValueError(f"public_names.toml: section [{page}] has no title")
        titles[page] = rows.pop("title")
        for name, place in rows.items():
            module, _, attribute = place.partition(":")
            if name in found:
                raise ValueError(f"public_names.toml: {name} stands in [{found[name].page}] and in [{page}]")
            if not module.startswith("segue."):
                raise ValueError(f"public_names.toml: {name} is said to live in {module}, outside segue")
            if name in taken:
                raise ValueError(f"public_names.toml: {name} is also the name of a module, segue.{name}")
            found[name] = PublicName(name, module, attribute or name, page)
    return Table(tuple(found[name] for name in sorted(found)), titles)


def render_runtime(table: Table) -> str:
    """The text of `__init__.py`."""
    lines = ["_PLACES = {"]
    for row in table.names:
        place = row.module if row.attribute == row.name else f"{row.module}:{row.attribute}"
        lines.append(f'    "{row.name}": "{place}",')
    lines += ["}", "", "__all__ = ["]
    lines += [f'    "{row.name}",' for row in table.names]
    lines += ["]", ""]
    return RUNTIME_HEAD + "\n".join(lines) + RUNTIME_TAIL


def render_stub(table: Table) -> str:
    """The text of `__init__.pyi`."""
    by_module: dict[str, list[PublicName]] = {}
    for row in table.names:
        by_module.setdefault(row.module, []).append(row)
    lines = [_import_line(module, row) for module in sorted(by_module) for row in by_module[module]]
    return STUB_HEAD + "from . import components as components\n" + "\n".join(lines) + "\n"


def _import_line(module: str, row: PublicName) -> str:
    """The import of one name, broken as the formatter breaks it."""
    source, names = f"from .{module.removeprefix('segue.')} import", f"{row.attribute} as {row.name}"
    line = f"{source} {names}"
    return line if len(line) <= LINE_LENGTH else f"{source} (\n    {names},\n)"


def write_or_compare(files: Mapping[Path, str], root: Path, check: bool) -> int:
    """Write the files, or with `check` only say which differ. The exit code: 1 when one differs, else 0."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(root)
        if check:
            print(f"{name} is out of date: run `make docs`")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and stale else 0


def parse_arguments(description: str | None) -> argparse.Namespace:
    """`--check` and `--root`, the same for every generator."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: the one this file lies in)")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments(__doc__)
    root: Path = arguments.root.resolve()
    table = read_table(root)
    package = root / "src" / "segue"
    files = {package / "__init__.py": render_runtime(table), package / "__init__.pyi": render_stub(table)}
    return write_or_compare(files, root, arguments.check)


if __name__ == "__main__":
    sys.exit(main())
