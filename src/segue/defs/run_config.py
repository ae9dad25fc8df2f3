"""Run config: the values a run is started with, by op and by resource."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, cast

from segue.defs.environment import EnvVar, IntEnvVar
from segue.errors import ConfigErrorReason, ConfigViolation, InvalidConfigError
from segue.model.arguments import require_kind

_ENTRY = frozenset({"config", "ops", "inputs", "outputs"})


class RunConfig:
    """The config of a run, typed.

    Args:
        ops: config by name of asset or op: a `Config` instance or a mapping.
        resources: config by resource key: an instance of the resource's class or a mapping.
        loggers, execution: mappings, as the compatible API has them; must be empty here.
    """

    def __init__(
        self,
        ops: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        loggers: Mapping[str, Any] | None = None,
        execution: Mapping[str, Any] | None = None,
    ) -> None:
        for name, given in (("ops", ops), ("resources", resources), ("loggers", loggers), ("execution", execution)):
            require_kind("RunConfig", name, given, Mapping)
        self.ops = dict(ops or {})
        self.resources = dict(resources or {})
        self.loggers = dict(loggers or {})
        self.execution = dict(execution or {})

    def to_config_dict(self) -> dict[str, Any]:
        """The config as JSON values: `{"ops": {name: {"config": {...}}}, "resources": {...}, ...}`.

        Fields that were not set are left out; a variable is written as `{"env": NAME}`.

        Raises:
            InvalidConfigError: something that is neither a Config nor a mapping, or a value that JSON has no form for.
        """
        return {
            "ops": {name: _entry(value, f"ops:{name}") for name, value in self.ops.items()},
            "resources": {name: _entry(value, f"resources:{name}") for name, value in self.resources.items()},
            "loggers": self.loggers,
            "execution": self.execution,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunConfig) and self.to_config_dict() == other.to_config_dict()

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds mutable mappings, as in the compatible API


def _entry(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        entry = cast("Mapping[str, Any]", value)
        if "ops" in entry:  # of a graph
            inner = {name: _entry(each, f"{where}:ops:{name}") for name, each in entry["ops"].items()}
            return {**storable({key: each for key, each in entry.items() if key != "ops"}, where), "ops": inner}
        return storable(dict(entry) if not entry or set(entry) & _ENTRY else {"config": dict(entry)}, where)
    if not hasattr(value, "model_dump") or isinstance(value, type):
        raise _not_plain(f"RunConfig: {where} must be a Config object or a mapping, got {value!r}.")
    return {"config": storable(value, where)}


def plain(value: Any, where: str) -> Any:
    """As `storable`, with keys of mappings and members of enums as they are: a config before it is compared."""
    return _plain(value, where, keep_keys=True)


def storable(value: Any, where: str) -> Any:
    """Config as JSON values: variables by name (`{"env": NAME}`), never by value; enums by name; models as mappings.

    Args:
        value: a config value of any kind.
        where: its place in the run config, for errors.

    Raises:
        InvalidConfigError: a value that JSON has no form for.
    """
    return _plain(value, where, keep_keys=False)


def _plain(value: Any, where: str, keep_keys: bool) -> Any:
    if isinstance(value, (EnvVar, IntEnvVar)):
        return {"env": value.env_var_name}
    if isinstance(value, enum.Enum):
        return value if keep_keys else value.name
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        named = entries.items() if keep_keys else [(str(key), each) for key, each in entries.items()]
        return {key: _plain(each, f"{where}:{key}", keep_keys) for key, each in named}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{where}:{index}", keep_keys) for index, each in enumerate(cast("list[object]", value))]
    if hasattr(value, "to_run_config"):
        return value.to_run_config(where)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise _not_plain(f"{where}: a {type(value).__name__} cannot be used in run config. Use plain values.")


def _not_plain(message: str) -> InvalidConfigError:
    """The error for a value that no run config can hold."""
    found = ConfigViolation(message, ConfigErrorReason.RUNTIME_TYPE_MISMATCH)
    return InvalidConfigError("The run config is invalid:", [found])


def normalize_run_config(
    run_config: object, ops: Mapping[str, object], resources: Mapping[str, object]
) -> dict[str, Any]:
    """Run config as nested mappings, its names checked against what there is.

    Args:
        run_config: a `RunConfig`, a mapping, or None.
        ops: the names that may stand under `ops`.
        resources: the names that may stand under `resources`.

    Raises:
        InvalidConfigError: a section or name that does not exist, or a value of the wrong form.
    """
    if run_config is None:
        return {}
    if isinstance(run_config, RunConfig):
        config: Mapping[str, Any] = run_config.to_config_dict()
    elif isinstance(run_config, Mapping):
        config = run_config  # pyright: ignore[reportUnknownVariableType] reason: door to user code, checked below
    else:
        raise InvalidConfigError(f"Run config must be a RunConfig or a mapping, got {type(run_config).__name__}.")
    errors: list[str] = []
    for section, entries in config.items():
        known: Mapping[str, object] | None = {"ops": ops, "resources": resources}.get(section)
        if section in ("loggers", "execution"):
            continue
        if known is None:
            errors.append(f"{section}: unknown section; available: ops, resources, loggers and execution.")
        elif not isinstance(entries, Mapping):
            errors.append(f"{section}: expected a mapping of names, got {entries!r}.")
        else:
            errors.extend(_entry_errors(section, entries, known))  # pyright: ignore[reportUnknownArgumentType] reason: checked there
    if errors:
        raise InvalidConfigError("The run config is invalid:", errors)
    return {section: dict(entries) for section, entries in config.items() if entries}


def _entry_errors(section: str, entries: Mapping[str, Any], known: Mapping[str, object]) -> list[str]:
    errors: list[str] = []
    for name, entry in entries.items():
        if name not in known:
            errors.append(f"{section}:{name}: unknown name; available: {', '.join(sorted(known)) or 'none'}.")
        elif not isinstance(entry, Mapping) or set(entry) - {"config", "ops", "inputs", "outputs"}:  # pyright: ignore[reportUnknownArgumentType] reason: keys of a user's mapping
            errors.append(f"{section}:{name}: expected {{'config': {{...}}}}, got {entry!r}.")
    return errors


def raw_config(run_config: object) -> object:
    """Run config as the mapping that it stands for."""
    return run_config.to_config_dict() if isinstance(run_config, RunConfig) else run_config


def with_default_sections(run_config: object, default: object) -> Any:
    """Run config in which each section (`ops`, `resources`, ...) that is missing or empty is that of a default.

    Args:
        run_config: what a run is started with.
        default: the config of its job.
    """
    given, base = raw_config(run_config), raw_config(default)
    if not isinstance(base, Mapping) or not (given is None or isinstance(given, Mapping)):
        return given
    sections, defaults = cast("Mapping[str, Any]", given or {}), cast("Mapping[str, Any]", base)
    return {**defaults, **{name: each for name, each in sections.items() if each or name not in defaults}}


def config_entry(run_config: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    """What stands under `section:name`; empty where nothing does."""
    return run_config.get(section, {}).get(name) or {}


def config_values(run_config: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any] | None:
    """The values under `section:name:config`, None where nothing stands there.

    Raises:
        InvalidConfigError: something that is not a mapping stands there.
    """
    entry = run_config.get(section, {}).get(name)
    values = None if entry is None else entry.get("config")
    if values is not None and not isinstance(values, Mapping):
        raise InvalidConfigError(f"{section}:{name}:config: expected a mapping of fields, got {values!r}.")
    return values  # pyright: ignore[reportUnknownVariableType] reason: field values are the user's
