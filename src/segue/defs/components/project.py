"""Where a project keeps its folder of definitions, as its `pyproject.toml` says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from segue.errors import LoadError

_OWN_FILES = ("dg.toml", ".dg.toml")


class ProjectConfig(msgspec.Struct, frozen=True):
    """Where a project keeps its definitions.

    Attributes:
        root: the folder of the project.
        root_module: the package of the project.
        defs_module: the package that is the folder of definitions.
        code_location_name: the name of the project.
    """

    root: Path
    root_module: str
    defs_module: str
    code_location_name: str


def find_project(path: Path) -> ProjectConfig:
    """The project that a path lies in: the nearest folder above whose `pyproject.toml` has a table `[tool.dg.project]`.

    Raises:
        LoadError: there is none.
    """
    start = path.resolve()
    for folder in [start, *start.parents]:
        table = _project_table(folder)
        if table is not None:
            module = str(table.get("root_module") or folder.name.replace("-", "_"))
            return ProjectConfig(
                root=folder,
                root_module=module,
                defs_module=str(table.get("defs_module") or f"{module}.defs"),
                code_location_name=str(table.get("code_location_name") or folder.name),
            )
    raise LoadError(
        f"{path} is not in a project: no folder above it has a pyproject.toml with [tool.dg.project]. Add one with "
        "root_module set to the name of your package."
    )


def _project_table(folder: Path) -> Mapping[str, Any] | None:
    for name in _OWN_FILES:
        if (folder / name).is_file():
            return _table(_read(folder / name), "project")
    if (folder / "pyproject.toml").is_file():
        tool = _table(_read(folder / "pyproject.toml"), "tool") or {}
        return _table(_table(tool, "dg") or {}, "project")
    return None


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise LoadError(f"{file} is not valid TOML: {error}.") from error


def _table(of: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    found = of.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None
