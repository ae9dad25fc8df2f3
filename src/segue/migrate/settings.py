"""What Dagster's settings are in `segue.toml`, and which of them have no counterpart."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from segue.defs.bindings import extra_module
from segue.errors import LoadError

_ARTIFACTS = "local_artifact_storage"


class NewSettings(msgspec.Struct, frozen=True):
    """Settings for a project that ran on Dagster.

    Attributes:
        text: that of a `segue.toml`.
        left: what it does not carry over: one line each, with the file it stands in.
        storage: the folder in which Dagster keeps values, if there is one: they are read in place.
    """

    text: str
    left: tuple[str, ...]
    storage: Path | None


def new_settings(project: Path, home: Path | None) -> NewSettings:
    """The settings of a project that ran on Dagster.

    Args:
        project: the folder of its `workspace.yaml` or `pyproject.toml`.
        home: the folder of its `dagster.yaml`, if it has one.

    Raises:
        LoadError: a file that is no YAML or TOML, or one in YAML without the extra `segue[components]`.
    """
    left: list[str] = []
    lines = ["# Written by `segue migrate dagster`.", "dagster_compat = true   # until the imports say segue"]
    targets = _targets(project, left)
    if targets:
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in targets[0].items()]
        left += [f"another code location: {json.dumps(each, ensure_ascii=False)}" for each in targets[1:]]
    storage = None if home is None else home / "storage"
    if home is not None and (file := home / "dagster.yaml").exists():
        read = _yaml(file)
        given = _artifacts(read)
        storage = home / given / "storage" if given else storage
        left += [f"{file.name}: {path}" for path in _paths(read) if not (given and path.startswith(_ARTIFACTS))]
    if storage is not None and storage.is_dir():
        lines.append(storage_line(storage))
    return NewSettings("\n".join(lines) + "\n", tuple(left), storage if storage and storage.is_dir() else None)


def storage_line(folder: Path) -> str:
    """The line of a settings file that names the folder of values."""
    return f"storage = {json.dumps(str(folder), ensure_ascii=False)}"


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
            raise LoadError(f"{pyproject} is no TOML: {error}.") from error
        name = tool.get("dagster", {}).get("module_name") or _defs_module(tool.get("dg", {}))
        if name:
            found.append({"module": name})
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
    return found | {each: value[each] for each in ("attribute", "working_directory") if value.get(each)}


def _yaml(file: Path) -> Mapping[str, Any]:
    yaml: Any = extra_module("yaml")
    try:
        read = cast("object", yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LoadError(f"{file} is no YAML: {error}.") from error
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else {}


def _paths(data: Mapping[str, Any], above: str = "") -> list[str]:
    """The path of every setting in nested mappings; values are left out, since some are secrets."""
    found: list[str] = []
    for key, value in data.items():
        path = f"{above}.{key}" if above else key
        found += _paths(cast("Mapping[str, Any]", value), path) if isinstance(value, dict) and value else [path]
    return found
