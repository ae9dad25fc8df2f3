"""Typed config: `Config` models, `RunConfig`, and values that come from the environment.

This module loads pydantic; nothing that can do without config imports it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar, cast, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.fields import FieldInfo

from segue.defs.environment import EnvVar, IntEnvVar
from segue.errors import InvalidConfigError

ConfigType = TypeVar("ConfigType", bound="Config")


class Config(BaseModel):
    """Base for the config of assets, ops and resources: a pydantic model, frozen, that refuses unknown fields.

    A field may be given an `EnvVar` (or `EnvVar.int(...)`) instead of a value: it is read from the environment when a
    run needs it, and never stored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    segue_parameter_kind: ClassVar[str] = "config"

    @field_validator("*", mode="wrap")
    @classmethod
    def _before_validation(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Leaves what waits for the environment as it stands, and takes members of enums by their names too."""
        if isinstance(value, str) and not isinstance(value, EnvVar):
            value = _enum_member(cls.model_fields.get(info.field_name or ""), value)
        return _validated_but_variables(value, handler) if _holds_variable(value) else handler(value)

    @classmethod
    def from_run_config(cls, values: Mapping[str, object], where: str) -> Self:
        """The config for one step: these values, with what comes from the environment read now.

        Args:
            values: field values as they stand in the run config.
            where: their place there, for errors.

        Raises:
            InvalidConfigError: values that do not fit, or a variable that is not set.
        """
        return config_from(cls, values, where)


class PermissiveConfig(Config):
    """A `Config` that also takes fields it does not declare."""

    model_config = ConfigDict(extra="allow")


def config_from(model: type[ConfigType], values: Mapping[str, object], where: str) -> ConfigType:
    """The model with these values, with `{"env": NAME}` and `EnvVar`s read from the environment.

    Args:
        model: the Config class.
        values: field values as JSON or Python values.
        where: the place in the run config, for errors (`ops:orders:config`).

    Raises:
        InvalidConfigError: values that do not fit; one line per violation with path, expectation and what came.
    """
    resolved = resolve_environment(values, where)
    try:
        return model.model_validate(resolved)
    except ValidationError as error:
        raise InvalidConfigError(
            f"The config at {where} does not fit {model.__name__}:", _violations(error, values, resolved, where)
        ) from None


def resolved_config(config: ConfigType, where: str) -> ConfigType:
    """The config with every `EnvVar` in it replaced by its value now; the same object where there is none.

    Raises:
        InvalidConfigError: a variable that is not set, or a value that does not fit the field.
    """
    values = {name: getattr(config, name) for name in type(config).model_fields}
    values.update(config.model_extra or {})
    resolved = {name: _resolve(value, f"{where}:{name}") for name, value in values.items()}
    if all(resolved[name] is values[name] for name in values):
        return config
    changed = {name: value for name, value in resolved.items() if value is not values[name]}
    try:
        checked = type(config).model_validate(
            {**{k: v for k, v in values.items() if k in config.model_fields_set}, **changed}
        )
    except ValidationError as error:
        raise InvalidConfigError(
            f"The environment's values at {where} do not fit {type(config).__name__}:",
            _violations(error, values, resolved, where),
        ) from None
    return checked


def resolve_environment(values: Mapping[str, object], where: str) -> dict[str, object]:
    """The values with every `EnvVar` and every `{"env": NAME}` replaced by the variable's value."""
    return {name: _resolve(value, f"{where}:{name}") for name, value in values.items()}


def _resolve(value: Any, where: str) -> Any:
    if isinstance(value, (EnvVar, IntEnvVar)):
        return value.read(where)
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        if set(entries) == {"env"} and isinstance(entries["env"], str):
            return EnvVar(entries["env"]).read(where)
        resolved = {key: _resolve(each, f"{where}:{key}") for key, each in entries.items()}
        return resolved if any(resolved[key] is not entries[key] for key in entries) else entries
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        resolved_items = [_resolve(each, f"{where}:{index}") for index, each in enumerate(items)]
        return resolved_items if any(a is not b for a, b in zip(resolved_items, items, strict=True)) else items
    if isinstance(value, Config) and value.segue_parameter_kind == "config":
        return resolved_config(value, where)
    return value


def _enum_member(field: FieldInfo | None, value: str) -> Any:
    """The member of the field's enum that bears this name; the value itself where there is none, or where it is a value."""
    for kind in () if field is None else (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, enum.EnumMeta):
            members = cast("Mapping[str, enum.Enum]", kind.__members__)
            by_value = any(each.value == value for each in members.values())
            return value if by_value else members.get(value, value)
    return value


def _validated_but_variables(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A value that waits for the environment: in a nested Config it is kept there; elsewhere all of it is validated later."""
    if isinstance(value, (EnvVar, IntEnvVar)):
        return value
    try:
        validated = handler(value)
    except ValidationError:
        return value
    return validated if isinstance(validated, Config) else value


def _holds_variable(value: Any) -> bool:
    """Whether a field's value waits, in whole or in part, for the environment: it is validated when that is read."""
    if isinstance(value, (EnvVar, IntEnvVar)):
        return True
    if isinstance(value, dict):
        return any(_holds_variable(each) for each in cast("dict[Any, Any]", value).values())
    if isinstance(value, (list, tuple)):
        return any(_holds_variable(each) for each in cast("list[Any]", value))
    return False


def _violations(
    error: ValidationError, given: Mapping[str, object], resolved: Mapping[str, object], where: str
) -> list[str]:
    """One line per violation. What came is shown as it was given, so that a variable is shown by its name, never its value."""
    variables = _values_of_variables(given, resolved)
    lines: list[str] = []
    for each in error.errors(include_url=False):
        path = ":".join([where, *(str(part) for part in each["loc"])])
        came = "" if each["type"] == "missing" else f", got {_shown(given, each['loc'])}"
        message = each["msg"]
        for value, name in variables.items():
            message = message.replace(value, name)  # a validator of the user's may repeat what it got
        lines.append(f"{path}: {message}{came}")
    return lines


def _shown(given: Any, location: tuple[int | str, ...]) -> str:
    """The value at a place, as it was given; of the nearest place around it where pydantic's path goes on into a union."""
    for part in location:
        if isinstance(given, Config):
            given = getattr(given, str(part), given)
        elif isinstance(given, (dict, list, tuple)):
            try:
                given = cast("Any", given)[part]
            except (LookupError, TypeError):
                break
        else:
            break
    return repr(cast("object", given))


def _values_of_variables(given: Any, resolved: Any) -> dict[str, str]:
    """The texts that came from the environment, with the names to show in their place; the longest first."""
    found: dict[str, str] = {}
    pairs = [(given, resolved)]
    for before, after in pairs:  # grows while it is walked
        if before is after:
            continue
        if isinstance(before, (EnvVar, IntEnvVar)):
            found[str(after)] = repr(before)
        elif isinstance(before, Config):
            pairs += [(getattr(before, name), getattr(after, name)) for name in type(before).model_fields]
        elif isinstance(before, dict) and not isinstance(after, dict):
            found[str(after)] = repr(cast("object", before))  # the form {"env": NAME}
        elif isinstance(before, (dict, list, tuple)):
            keys = cast("Any", before).keys() if isinstance(before, dict) else range(len(cast("list[Any]", before)))
            pairs += [(cast("Any", before)[key], after[key]) for key in keys]
    found.pop("", None)
    return dict(sorted(found.items(), key=lambda entry: -len(entry[0])))
