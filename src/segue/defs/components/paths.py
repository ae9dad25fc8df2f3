"""What stands in a folder of definitions, found by looking at names of files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

YAML_FILES = ("defs.yaml", "defs.yml", "component.yaml")
_DEFINITIONS_FILE = "definitions.py"
_COMPONENT_FILE = "component.py"


class ComponentPath(msgspec.Struct, frozen=True):
    """The address of a component in a folder of definitions.

    Attributes:
        file_path: the folder or Python file that holds it.
        instance_key: which of the components there: a number in a YAML file, a name in a Python file; None for them all.
    """

    file_path: Path
    instance_key: int | str | None = None

    @staticmethod
    def from_path(path: Path, instance_key: int | str | None = None) -> ComponentPath:
        """The address of what stands at a path."""
        return ComponentPath(path, instance_key)

    @staticmethod
    def from_resolvable(root_path: Path, resolvable: ResolvableToComponentPath) -> ComponentPath:
        """The address that people write: a path, as seen from the root of the folder where it is relative."""
        if isinstance(resolvable, ComponentPath):
            return ComponentPath(_absolute(root_path, resolvable.file_path), resolvable.instance_key)
        return ComponentPath(_absolute(root_path, Path(resolvable)))

    def get_relative_key(self, parent_path: Path) -> str:
        """The address as text, as seen from a folder."""
        shown = self.file_path.relative_to(parent_path).as_posix()
        return shown if self.instance_key is None else f"{shown}[{self.instance_key}]"


ResolvableToComponentPath: TypeAlias = Path | ComponentPath | str


def _absolute(root_path: Path, path: Path) -> Path:
    return path if path.is_absolute() else Path(root_path, path)


class PythonFileDecl(msgspec.Struct, frozen=True):
    """A Python file with definitions."""

    path: Path


class YamlFileDecl(msgspec.Struct, frozen=True):
    """A folder that a YAML file describes."""

    path: Path
    file: Path


class DefsFolderDecl(msgspec.Struct, frozen=True):
    """A folder whose files and folders are gone through."""

    path: Path
    children: tuple[ComponentDecl, ...]


ComponentDecl: TypeAlias = PythonFileDecl | YamlFileDecl | DefsFolderDecl


def find_defs_or_component_yaml(folder: Path) -> Path | None:
    """The YAML file that describes a folder."""
    return next((folder / name for name in YAML_FILES if (folder / name).is_file()), None)


def find_decl(path: Path, stop_at_definitions: bool) -> ComponentDecl | None:
    """What stands at a path; None for what holds no definitions.

    Args:
        path: a folder or a file.
        stop_at_definitions: whether a folder with a `definitions.py` (and no `component.py`) is that file alone.
    """
    if path.is_dir():
        yaml_file = find_defs_or_component_yaml(path)
        if yaml_file is not None:
            return YamlFileDecl(path, yaml_file)
        if stop_at_definitions and (path / _DEFINITIONS_FILE).is_file() and not (path / _COMPONENT_FILE).is_file():
            return PythonFileDecl(path / _DEFINITIONS_FILE)
        return folder_decl(path, stop_at_definitions)
    return PythonFileDecl(path) if path.suffix == ".py" else None


def folder_decl(path: Path, stop_at_definitions: bool) -> DefsFolderDecl | None:
    """A folder with all that stands in it, in the order of names; None when that is nothing."""
    found = [find_decl(each, stop_at_definitions) for each in sorted(path.iterdir()) if not _is_ignored(each)]
    children = tuple(each for each in found if each is not None)
    return DefsFolderDecl(path, children) if children else None


def _is_ignored(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__pycache__"


def walk(decl: ComponentDecl) -> Iterator[ComponentDecl]:
    """A declaration and all below it."""
    yield decl
    if isinstance(decl, DefsFolderDecl):
        for child in decl.children:
            yield from walk(child)
