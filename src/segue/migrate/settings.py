"""What Dagster's settings are in `segue.toml`, and which of them have no counterpart."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from segue.defs.bindings import extra_module
from segue.errors import LoadError
from segue.migrate.dagster_yaml import counterparts
from segue.migrate.toml import toml_text

_ARTIFACTS = "local_artifact_storage"


class NewSettings(msgspec.Struct, frozen=True):
    """Settings for a project that ran on Dagster.

    Attributes:
        text: that of a `segue.toml`.
        left: what it does not carry over: one line each, with the file it stands in.
        storage: the folder in which Dagster keeps values, if there is one: they are read in place.
        locations: the names of the code locations.
    """

    text: str
    left: tuple[str, ...]
    storage: Path | None
    locations: tuple[str, ...]


def new_settings(project: Path, home: Path | None) -> NewSettings:
    """The settings of a project that ran on Dagster.

    Args:
        project: the folder of its `workspace.yaml` or `pyproject.toml`.
        home: the folder of its `dagster.yaml`, if it has one.

    Raises:
        LoadError: a file that is not valid YAML or TOML, or one in YAML without the extra `segue[components]`.
    """
    left: list[str] = []
    targets = _targets(project, left)
    settings: dict[str, object] = {"dagster_compat": True}
    if len(targets) == 1 and not targets[0].keys() & {"name", "python"}:
        settings |= targets[0]
    elif targets:
        settings["locations"] = [_from_its_folder(each) for each in targets]
    storage = None if home is None else home / "storage"
    if home is not None and (file := home / "dagster.yaml").exists():
        read = _yaml(file)
        given = _artifacts(read)
        storage = home / given / "storage" if given else storage
        known, rest = counterparts(read)
        settings |= known
        left += [f"{file.name}: {path}" for path in rest if not (given and path.startswith(_ARTIFACTS))]
    storage = storage if storage and storage.is_dir() else None
    if storage is not None:
        settings["storage"] = str(storage)
    text = "# Written by `segue migrate dagster`. dagster_compat: until the imports say segue.\n" + toml_text(settings)
    return NewSettings(text, tuple(left), storage, tuple(_location_name(each) for each in targets))


def _from_its_folder(target: Mapping[str, str]) -> Mapping[str, str]:
    """A code location as one of several is written: its file is taken from its working directory, and not from the project."""
    if "file" not in target or "working_directory" not in target:
        return target
    return {**target, "file": os.path.relpath(target["file"], target["working_directory"])}


def _location_name(target: Mapping[str, str]) -> str:
    return target.get("name") or target.get("module") or Path(target["file"]).stem


def _artifacts(dagster_yaml: Mapping[str, Any]) -> str | None:
    """The folder above that of values, where `dagster.yaml` names it in so many words."""
    entry: object = dagster_yaml.get(_ARTIFACTS)
    config: object = cast("Mapping[str, object]", entry).get("config") if isinstance(entry, dict) else None
    folder: object = cast("Mapping[str, object]", config).get("base_dir") if isinstance(config, dict) else None
    return folder if isinstance(folder, str) else None


def _targets(project: Path, left: list[str]) -> list[dict[str, str]]:
    """Where the code is, as settings; of each code location."""
    found: list[dict[str, str]] = []
    workspace = project / "workspace.yaml"
    if workspace.exists():
        entries: Sequence[Mapping[str, Any]] = _yaml(workspace).get("load_from") or ()
        for entry in entries:
            for kind, value in entry.items():
                target = _target(kind, value)
                if target:
                    found.append(target)
                else:
                    left.append(f"{workspace.name}: {kind}")
    pyproject = project / "pyproject.toml"
    if pyproject.exists():
        try:
            tool = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise LoadError(f"{pyproject} is not valid TOML: {error}.") from error
        dagster = tool.get("dagster", {})
        modules = [each["name"] for each in dagster.get("modules", ())]
        module = dagster.get("module_name") or _defs_module(tool.get("dg", {}))
        found += [{"module": each} for each in modules or ([module] if module else [])]
    return found


def _defs_module(dg: Mapping[str, Any]) -> str | None:
    project = cast("Mapping[str, Any]", dg.get("project", {}))
    root = project.get("root_module")
    return project.get("defs_module") or project.get("code_location_target_module") or (root and f"{root}.definitions")


def _target(kind: str, value: Any) -> dict[str, str]:
    """One entry of `load_from`: a text, or a mapping with the same key in it."""
    names = {"python_file": ("file", "relative_path"), "python_module": ("module", "module_name")}
    names["python_package"] = ("module", "package_name")
    if kind not in names:
        return {}
    setting, key = names[kind]
    if isinstance(value, str):
        return {setting: value}
    found = {setting: value[key]}
    others = {
        "attribute": "attribute",
        "working_directory": "working_directory",
        "location_name": "name",
        "executable_path": "python",
    }
    return found | {name: value[each] for each, name in others.items() if value.get(each)}


def _yaml(file: Path) -> Mapping[str, Any]:
    yaml: Any = extra_module("yaml")
    try:
        read = cast("object", yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LoadError(f"{file} is not valid YAML: {error}.") from error
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else {}
