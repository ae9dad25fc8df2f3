"""What comes before pydantic validates a field of a `Config` class."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema

from segue.defs.config_values import without_choices
from segue.defs.environment import EnvVar, IntEnvVar


class FieldGuard:
    """What comes before the validation of a field: it leaves what waits for the environment as it stands, and takes enums
    by name and choices as config has them.

    pydantic has no place for it that serves: a validator of all fields may not stand on one that tells classes apart.
    """

    def __init__(self, model: type[BaseModel], name: str) -> None:
        self._model = model
        self._name = name

    def __call__(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """The validated value."""
        field = self._model.model_fields.get(self._name)
        if field is not None:
            value = _enum_members(field.annotation, without_choices(value, field))
        return _validated_but_variables(value, handler) if _holds_variable(value) else handler(value)


def guard_fields(model: type[BaseModel], schema: Any) -> None:
    """Puts a guard before each field of a model, those that tell classes apart excepted."""
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    for name, field in schema["fields"].items():
        outer = field
        while outer["schema"]["type"] == "default":
            outer = outer["schema"]
        inner = outer["schema"]
        is_guarded = inner["type"] == "function-wrap" and isinstance(inner["function"]["function"], FieldGuard)
        if inner["type"] != "literal" and not is_guarded:
            outer["schema"] = core_schema.no_info_wrap_validator_function(FieldGuard(model, name), inner)


def _enum_members(annotation: Any, value: Any) -> Any:
    """The value with names of members of enums in it made members; a text that is a value of one is left to pydantic."""
    if isinstance(value, str) and not isinstance(value, EnvVar):
        for kind in (annotation, *get_args(annotation)):
            if isinstance(kind, enum.EnumMeta):
                members = cast("Mapping[str, enum.Enum]", kind.__members__)
                by_value = any(each.value == value for each in members.values())
                return value if by_value else members.get(value, value)
        return value
    if isinstance(value, list):
        inner = next((each for each in get_args(annotation)), None)
        items = cast("list[Any]", value)
        return items if inner is None else [_enum_members(inner, each) for each in items]
    return value


def _validated_but_variables(value: Any, handler: Callable[[Any], Any]) -> Any:
    """A value that waits for the environment: in a nested Config it is kept there; elsewhere all of it is validated later."""
    if isinstance(value, (EnvVar, IntEnvVar)):
        return value
    try:
        validated = handler(value)
    except ValidationError:
        return value
    return validated if hasattr(validated, "segue_parameter_kind") else value


def _holds_variable(value: Any) -> bool:
    """Whether a field's value waits, in whole or in part, for the environment: it is validated when that is read."""
    if isinstance(value, (EnvVar, IntEnvVar)):
        return True
    if isinstance(value, dict):
        return any(_holds_variable(each) for each in cast("dict[Any, Any]", value).values())
    if isinstance(value, (list, tuple)):
        return any(_holds_variable(each) for each in cast("list[Any]", value))
    return False
