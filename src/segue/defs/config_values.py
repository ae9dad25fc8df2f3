"""Values of `Config` classes as they stand in a run config, and back.

In a run config, fields have their aliases for names, enums are written by name, and one of several classes is written as a
choice: `{"cat": {"meows": 3}}` where the class has `kind: Literal["cat"]`. This module loads pydantic.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, to_jsonable_python

from segue.defs.run_config import storable
from segue.errors import InvalidConfigError

Change = Callable[[Any, str], Any]


def values_of_model(model: BaseModel, where: str) -> dict[str, Any]:
    """A model as a mapping of JSON values; a field that is None because nobody said otherwise is left out.

    Args:
        model: the instance of a Config or resource class.
        where: its place in the run config, for errors.

    Raises:
        InvalidConfigError: a value that JSON has no form for.
    """
    found: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None and name not in model.model_fields_set:
            continue
        found[info.alias or name] = stored_value(value, info.annotation, info.discriminator, f"{where}:{name}")
    for name, value in (model.model_extra or {}).items():
        found[name] = storable(value, f"{where}:{name}")
    return found


def stored_value(value: Any, annotation: Any, discriminator: object, where: str) -> Any:
    """A value of a field as it is written in a run config."""
    if not _has_choice(annotation, discriminator):
        return _stored(value, where)

    def as_choice(model: Any, tag_field: str) -> Any:
        stored = _stored(model, where)
        if not isinstance(model, BaseModel) or not isinstance(stored, dict):
            return stored
        alias = type(model).model_fields[tag_field].alias or tag_field
        entries = cast("dict[str, Any]", stored)
        return {str(getattr(model, tag_field)): {name: each for name, each in entries.items() if name != alias}}

    return _with_choices(value, annotation, discriminator, as_choice)


def without_choices(value: Any, info: FieldInfo) -> Any:
    """A value with each choice `{"cat": {...}}` in it written as pydantic takes it: `{"kind": "cat", ...}`."""
    if not _has_choice(info.annotation, info.discriminator):
        return value

    def as_fields(choice: Any, tag_field: str) -> Any:
        if not isinstance(choice, dict):
            return choice
        entries = cast("dict[str, Any]", choice)
        tag = next(iter(entries), tag_field)
        inner: object = entries.get(tag)
        if len(entries) != 1 or tag == tag_field or not isinstance(inner, dict):
            return entries
        return {tag_field: tag, **cast("dict[str, Any]", inner)}

    return _with_choices(value, info.annotation, info.discriminator, as_fields)


def _stored(value: Any, where: str) -> Any:
    try:
        return storable(value, where)
    except InvalidConfigError:
        try:
            return to_jsonable_python(value)
        except PydanticSerializationError:
            raise InvalidConfigError(
                f"{where}: a {type(value).__name__} cannot be used in run config. Use plain values."
            ) from None


def _has_choice(annotation: Any, discriminator: object) -> bool:
    """Whether a choice of several classes stands anywhere in an annotation."""
    if isinstance(discriminator, str):
        return True
    return any(
        (isinstance(each, FieldInfo) and isinstance(each.discriminator, str)) or _has_choice(each, None)
        for each in get_args(annotation)
    )


def _with_choices(value: Any, annotation: Any, discriminator: object, change: Change) -> Any:
    """A value with each choice in it changed."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        named = next((each.discriminator for each in notes if isinstance(each, FieldInfo)), None)
        return _with_choices(value, inner, discriminator or named, change)
    if origin in (Union, types.UnionType):
        if isinstance(discriminator, str):
            return change(value, discriminator)
        members = [each for each in get_args(annotation) if each is not type(None)]
        return _with_choices(value, members[0], None, change) if len(members) == 1 and value is not None else value
    if isinstance(value, (list, tuple)):
        inner = (*get_args(annotation), Any)[0]
        return [_with_choices(each, inner, None, change) for each in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        inner = (*get_args(annotation), Any, Any)[1]
        entries = cast("Mapping[Any, Any]", value)
        return {key: _with_choices(each, inner, None, change) for key, each in entries.items()}
    return value
