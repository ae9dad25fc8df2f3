"""Code locations as Dagster's files name them: `workspace.yaml`, and `[tool.dagster]` of `pyproject.toml`.

The former is given as what a reader of YAML makes of it, which is not needed otherwise.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from segue.errors import InvalidConfigError, NotSupportedError
from segue.model.location import LocationTarget
from segue.model.location_table import interpreter, require_unique

WORKSPACE_FILE = "workspace.yaml"
_NAME_KEY = {"python_file": "relative_path", "python_module": "module_name", "python_package": "package_name"}
_KEYS = frozenset({"attribute", "location_name", "working_directory", "executable_path"})


def targets_of_workspace(document: object, file: Path, environment: Mapping[str, str]) -> tuple[LocationTarget, ...]:
    """The code locations of a `workspace.yaml`. Their code may `import dagster` and gets Segue.

    Args:
        document: what stands in the file.
        file: the file, from whose folder relative paths are taken.
        environment: what `{env: NAME}` is looked up in.

    Raises:
        InvalidConfigError: an entry that says something it must not; names the file and the entry.
        NotSupportedError: an entry of a kind that is not read.
    """
    entries: Any = document.get("load_from") if isinstance(document, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] reason: whatever YAML gives
    if not isinstance(entries, list):
        raise InvalidConfigError(f"{file}: `load_from` must be a list of code locations.")
    found = [_target(entry, number, file, environment) for number, entry in enumerate(cast("list[object]", entries), 1)]
    return require_unique(tuple(found), str(file))


def _target(entry: object, number: int, file: Path, environment: Mapping[str, str]) -> LocationTarget:
    place = f"{file}: entry {number} of load_from"
    if not isinstance(entry, dict) or len(cast("dict[object, object]", entry)) != 1:
        raise InvalidConfigError(f"{place} must have one key: {', '.join(_NAME_KEY)}.")
    kind, content = next(iter(cast("dict[str, object]", entry).items()))
    if kind in ("grpc_server", "autoload_defs_module"):
        raise NotSupportedError(
            f"{place}: {kind} is not supported. Use python_module or python_file, with executable_path if the code "
            "has its own environment."
        )
    name_key = _NAME_KEY.get(kind)
    if name_key is None:
        raise InvalidConfigError(f"{place}: unknown kind {kind!r}; available: {', '.join(_NAME_KEY)}.")
    written = {name_key: content} if isinstance(content, str) else cast("dict[str, object]", content)
    if not isinstance(written, dict):  # pyright: ignore[reportUnnecessaryIsInstance] reason: whatever YAML gives
        raise InvalidConfigError(f"{place}: {kind} must be a string or a mapping.")
    unknown = sorted(written.keys() - _KEYS - {name_key})
    if unknown:
        raise InvalidConfigError(
            f"{place}: unknown key {unknown[0]!r}; available: {', '.join(sorted(_KEYS | {name_key}))}."
        )
    values = {key: _text(value, f"{place}, {key}", environment) for key, value in written.items()}
    if name_key not in values:
        raise InvalidConfigError(f"{place}: {kind} requires {name_key}.")
    what, folder = values[name_key], file.parent
    directory = folder / values.get("working_directory", ".")
    is_file = kind == "python_file"
    return LocationTarget(
        name=values.get("location_name") or (Path(what).stem if is_file else what),
        file=str(folder / what) if is_file else None,
        module=None if is_file else what,
        attribute=values.get("attribute"),
        working_directory=str(directory),
        python=interpreter(folder, values["executable_path"]) if "executable_path" in values else None,
        dagster_compat=True,
    )


def _text(value: object, place: str, environment: Mapping[str, str]) -> str:
    """A text, or that of an environment variable."""
    if isinstance(value, str):
        return value
    name: object = cast("dict[str, object]", value).get("env") if isinstance(value, dict) else None
    if not isinstance(name, str):
        raise InvalidConfigError(f"{place}: must be a string, or {{env: NAME}}.")
    if name not in environment:
        raise InvalidConfigError(f"{place}: the environment variable {name} is not set.")
    return environment[name]


def targets_of_pyproject(folder: Path) -> tuple[LocationTarget, ...]:
    """The code locations that `[tool.dagster]` of a `pyproject.toml` names; none where there is no such table.

    Raises:
        InvalidConfigError: the table says something it must not.
    """
    file = folder / "pyproject.toml"
    if not file.is_file():
        return ()
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfigError(f"{file} is not valid TOML: {error}. Correct the file.") from error
    table: Any = content.get("tool", {}).get("dagster")
    if table is None:
        return ()
    modules = [each.get("name") for each in table.get("modules", ())] or [table.get("module_name")]
    if not all(isinstance(each, str) for each in modules):
        raise InvalidConfigError(f"{file}: [tool.dagster] must have `module_name`, or `modules` with a `name` each.")
    name = table.get("code_location_name")
    return require_unique(
        tuple(
            LocationTarget(
                name=name if name and len(modules) == 1 else each,
                module=each,
                working_directory=str(folder),
                dagster_compat=True,
            )
            for each in modules
        ),
        str(file),
    )
