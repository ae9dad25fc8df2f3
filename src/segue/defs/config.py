"""Typed config: `Config` models, and what a run makes of them.

This module loads pydantic; nothing that can do without config imports it.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from segue.defs.config_fields import fields_of_model, schema_of_model
from segue.defs.config_guard import guard_fields
from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.place import ROOT, Place, Walk
from segue.defs.config_schema.shapes import Field
from segue.defs.config_values import values_of_model
from segue.defs.environment import EnvVar, IntEnvVar
from segue.errors import ConfigErrorReason, ConfigViolation, InvalidConfigError, InvalidInvocationError

ConfigType = TypeVar("ConfigType", bound="Config")


class Config(BaseModel):
    """Base for the config of assets, ops and resources: a pydantic model, frozen, that refuses unknown fields.

    A field annotated as optional is None where nothing says otherwise. A field may be given an `EnvVar` (or
    `EnvVar.int(...)`) instead of a value: it is read from the environment when a run needs it, and never stored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)
    segue_parameter_kind: ClassVar[str] = "config"

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        optional = [info for info in cls.model_fields.values() if info.is_required() and _takes_none(info.annotation)]
        for info in optional:
            info.default = None
        if optional:
            cls.model_rebuild(force=True)

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if not name.startswith("_") and kind.model_config.get("frozen"):
            raise InvalidInvocationError(
                f"{kind.__name__}.{name} cannot be set: a {kind.segue_parameter_kind} is frozen. Make a copy with "
                "model_copy(update=...), or keep state that changes in a private attribute."
            )
        super().__setattr__(name, value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of pydantic, with what comes before the validation of each field."""
        schema = handler(source)
        guard_fields(cls, handler.resolve_ref_schema(schema))
        return schema

    @classmethod
    def to_config_schema(cls) -> DefinitionConfigSchema:
        """The config that the class takes, in the schema form.

        Raises:
            InvalidConfigDefinitionError: a field of a type that no config can hold.
        """
        return schema_of_model(cls)

    @classmethod
    def to_fields_dict(cls) -> dict[str, Field]:
        """The fields of the class, in the schema form, by the names they have in a config.

        Raises:
            InvalidConfigDefinitionError: a field of a type that no config can hold.
        """
        return fields_of_model(cls)

    def to_run_config(self, where: str = "config") -> dict[str, Any]:
        """The values as in a run config: JSON values, variables and enums by name.

        Args:
            where: the place there, for errors.

        Raises:
            InvalidConfigError: a value that JSON has no form for.
        """
        return values_of_model(self, where)

    def with_variables_read(self, where: str = "config") -> Self:
        """The same with every `EnvVar` in it replaced by its value now.

        Args:
            where: the place of the config, for errors.

        Raises:
            InvalidConfigError: an environment variable is not set, or its value is invalid.
        """
        return resolved_config(self, where)

    @classmethod
    def from_run_config(cls, values: object, place: Place = ROOT) -> Self:
        """The config in a run config, with environment variables read now.

        Args:
            values: field values as JSON values.
            place: their place there, for errors.

        Raises:
            InvalidConfigError: values are invalid, or an environment variable is not set.
        """
        walk = Walk(defaults=False)
        resolved = cls.to_config_schema().config_type.evaluate(values, place, walk)
        if walk.violations:
            raise InvalidConfigError(_preamble(cls, place), walk.violations, values)
        made = _validated(cls, cast("Mapping[str, object]", values), resolved, place)
        return resolved_config(made, place.text.removeprefix("root:"))  # a default may be a variable


class PermissiveConfig(Config):
    """A `Config` that also takes fields it does not declare."""

    model_config = ConfigDict(extra="allow", defer_build=True)


def subclasses_are_built_at_once(*bases: type[BaseModel]) -> None:
    """The bases themselves are built when one is first made, which few programs do: the first class that pydantic builds
    makes it look for plugins among all installed packages. Classes that derive from them are built where they stand, so
    that what is wrong with their fields is said there.
    """
    for base in bases:
        base.model_config.pop("defer_build", None)


subclasses_are_built_at_once(Config, PermissiveConfig)


def config_from(
    model: type[ConfigType], field: Field, given: Mapping[str, object], values: Mapping[str, object], where: str
) -> ConfigType:
    """The model with values from Python and from a run config, with variables read from the environment.

    Args:
        model: the Config class.
        field: what the run config may hold.
        given: field values as Python values.
        values: field values from the run config, which replace the others. `{"env": NAME}` is a variable where the field
            is no dict.
        where: the place in the run config, for errors (`resources:db:config`).

    Raises:
        InvalidConfigError: values are invalid.
    """
    place, walk = ROOT.below(*where.split(":")), Walk(defaults=False)
    read = field.config_type.evaluate(values, place, walk) if values else values
    if walk.violations:
        raise InvalidConfigError(_preamble(model, place), walk.violations, values)
    return _validated(model, {**given, **values}, {**resolve_environment(given, where), **read}, place)


def _validated(
    model: type[ConfigType], values: Mapping[str, object], resolved: Mapping[str, object], place: Place
) -> ConfigType:
    try:
        return model.model_validate(resolved)
    except ValidationError as error:
        raise InvalidConfigError(_preamble(model, place), _violations(error, values, resolved, place), values) from None


def _preamble(model: type[Config], place: Place) -> str:
    return f"The config {place} is not valid for {model.__name__}:"


def _takes_none(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def resolved_config(config: ConfigType, where: str) -> ConfigType:
    """The config with every `EnvVar` in it replaced by its value now; the same object where there is none.

    Raises:
        InvalidConfigError: an environment variable is not set, or its value is not valid for the field.
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
            f"The values of environment variables at {where} are not valid for {type(config).__name__}:",
            _violations(error, values, resolved, ROOT.below(*where.split(":"))),
        ) from None
    return checked


def resolve_environment(values: Mapping[str, object], where: str) -> dict[str, object]:
    """The values with every `EnvVar` replaced by the variable's value."""
    return {name: _resolve(value, f"{where}:{name}") for name, value in values.items()}


def _resolve(value: Any, where: str) -> Any:
    if isinstance(value, (EnvVar, IntEnvVar)):
        return value.read(where)
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        resolved = {key: _resolve(each, f"{where}:{key}") for key, each in entries.items()}
        return resolved if any(resolved[key] is not entries[key] for key in entries) else entries
    if isinstance(value, (list, tuple)):
        items = cast("list[Any]", value)
        resolved_items = [_resolve(each, f"{where}:{index}") for index, each in enumerate(items)]
        return resolved_items if any(a is not b for a, b in zip(resolved_items, items, strict=True)) else items
    if isinstance(value, Config) and value.segue_parameter_kind == "config":
        return resolved_config(value, where)
    return value


def _violations(
    error: ValidationError, given: Mapping[str, object], resolved: Mapping[str, object], place: Place
) -> list[ConfigViolation]:
    """What pydantic refuses. What came is shown as it was given, so that a variable is shown by its name, never its value."""
    variables = _values_of_variables(given, resolved)
    found: list[ConfigViolation] = []
    for each in error.errors(include_url=False):
        where = place
        for part in each["loc"]:
            where = where.field(part) if isinstance(part, str) else where.item(part)
        came = "" if each["type"] == "missing" else f", got {_shown(given, each['loc'])}"
        message = each["msg"]
        for value, name in variables.items():
            message = message.replace(value, name)  # a validator of the user's may repeat what it got
        text = f"Invalid value {where}: {message}{came}"
        found.append(ConfigViolation(text, ConfigErrorReason.FAILED_POST_PROCESSING, where.path))
    return found


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
