"""Values of inputs that stand in a run config: what they may be, and how they become values."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_origin

from segue.defs.config_schema.elements import Array, Map, Noneable, ScalarUnion
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.shapes import Field, Permissive, Selector, Shape
from segue.defs.config_schema.types import ANY, BOOL, FLOAT, INT, STRING, ConfigType
from segue.defs.config_schema.written import resolve_to_config_type
from segue.defs.io_definitions import type_of
from segue.defs.op_io import In
from segue.defs.types.base import ANY_TYPE, BOOL_TYPE, FLOAT_TYPE, INT_TYPE, STRING_TYPE, SegueType, TypeKind
from segue.defs.types.forms import DICT_TYPE, FormType
from segue.defs.types.loader import TypeLoader, TypeLoaderContext
from segue.errors import InvalidConfigError

_FILE: Final = Shape({"path": str})
_SCALARS: Final[tuple[tuple[SegueType, ConfigType], ...]] = (
    (INT_TYPE, INT),
    (FLOAT_TYPE, FLOAT),
    (BOOL_TYPE, BOOL),
    (STRING_TYPE, STRING),
)
_FORMS: Final = ("json", "pickle")


def input_field(declared: In, is_required: bool = False) -> Field:
    """What may stand in a run config for an input: what the loader of its type takes, a value, or a file that holds it."""
    if declared.input_manager_key is not None:
        return Field(ANY, is_required=False)
    return Field(_config_type(type_of(declared.dagster_type)), is_required=is_required)


def value_of_input(kind: SegueType, given: Any, context: TypeLoaderContext, place: Place) -> object:
    """The value of an input that stands in a run config.

    Args:
        kind: the type of the input.
        given: what stands there: config for the loader of its type, the value, `{"value": ...}`, or a file that holds it as
            `{"json": {"path": ...}}` or `{"pickle": {"path": ...}}`; of a list, set, tuple or typed dict, each element may
            be so. A JSON file holds the value, or `{"value": ...}`.
        context: for the loader.
        place: where it stands, for errors.

    Raises:
        InvalidConfigError: it is invalid, or the file cannot be read.
        Exception: whatever the loader raises.
    """
    if isinstance(kind.loader, TypeLoader):
        walk = Walk()
        config = resolve_to_config_type(kind.loader.schema_type).evaluate(given, place, walk)
        if config is NO_VALUE or walk.violations:
            raise InvalidConfigError(f"The value {place} is invalid:", walk.violations, given)
        return kind.loader.construct_from_config_value(context, config)
    if kind.kind is TypeKind.NULLABLE:
        return None if given is None else value_of_input(kind.inner_types[0], given, context, place)
    if kind.kind is TypeKind.LIST:
        if not isinstance(given, list):
            return cast("object", given)
        items = enumerate(cast("list[Any]", given))
        return [value_of_input(kind.inner_types[0], each, context, place.item(index)) for index, each in items]
    if isinstance(given, list) and _origin(kind) in (set, tuple):
        elements = cast("list[Any]", given)
        pairs = enumerate(zip(_element_types(kind, len(elements)), elements, strict=True))
        return _origin(kind)(value_of_input(inner, each, context, place.item(index)) for index, (inner, each) in pairs)
    if kind is DICT_TYPE or _origin(kind) is dict:
        if kind is DICT_TYPE or not isinstance(given, Mapping):
            return cast("object", given)
        entries = cast("Mapping[Any, Any]", given).items()
        return {key: value_of_input(kind.inner_types[1], each, context, place.entry(key)) for key, each in entries}
    value = _unwrapped(given, place)
    return float(value) if kind is FLOAT_TYPE and type(value) is int else value


def _unwrapped(given: Any, place: Place) -> object:
    """The value that is given as it is, as `{"value": ...}`, or as a file that holds it."""
    if not isinstance(given, Mapping) or len(cast("Mapping[Any, Any]", given)) != 1:
        return cast("object", given)
    ((form, inner),) = cast("Mapping[Any, Any]", given).items()
    if form == "value":
        return inner
    is_file = form in _FORMS and isinstance(inner, Mapping) and set(cast("Mapping[Any, Any]", inner)) == {"path"}
    return _from_file(form, cast("Mapping[str, str]", inner)["path"], place) if is_file else cast("object", given)


def _origin(kind: SegueType) -> Any:
    """The class of the values of a type with types in brackets: `set` of `Set[int]`; None of other types."""
    return get_origin(kind.typing_type) if isinstance(kind, FormType) else None


def _element_types(kind: SegueType, count: int) -> Sequence[SegueType]:
    """The types of so many elements of a set or tuple: those of a tuple that is too long are of any type."""
    inner = list(kind.type_params)
    return (inner * count if len(inner) == 1 else [*inner, *[ANY_TYPE] * (count - len(inner))])[:count]


def _config_type(kind: SegueType) -> ConfigType:
    if isinstance(kind.loader, TypeLoader):
        return resolve_to_config_type(kind.loader.schema_type)
    scalar = _scalar(kind)
    if scalar is not None:
        return ScalarUnion(scalar, Selector({"value": scalar, "json": _FILE, "pickle": _FILE}))
    if kind.kind is TypeKind.NULLABLE:
        return Noneable(_config_type(kind.inner_types[0]))
    if kind.kind is TypeKind.LIST:
        return Array(_config_type(kind.inner_types[0]))
    if _origin(kind) is set:
        return Array(_config_type(kind.type_params[0]))
    if _origin(kind) is tuple:
        return Array(ANY)
    if _origin(kind) is dict:
        key = _scalar(kind.inner_types[0])
        return Permissive() if key is None else Map(key, _config_type(kind.inner_types[1]))
    return Permissive() if kind is DICT_TYPE else ANY


def _scalar(kind: SegueType) -> ConfigType | None:
    """The scalar that the values of a type are."""
    return next((scalar for each, scalar in _SCALARS if kind is each), None)


def _from_file(form: str, path: str, place: Place) -> object:
    try:
        if form == "json":
            with open(path, encoding="utf-8") as file:
                found: Any = json.load(file)
            is_wrapped = isinstance(found, dict) and list(cast("dict[str, Any]", found)) == ["value"]
            return cast("object", found["value"] if is_wrapped else found)
        with open(path, "rb") as file:
            return pickle.load(file)
    except (OSError, ValueError, pickle.UnpicklingError, EOFError) as error:
        raise InvalidConfigError(f"{place.text}: the {form} file {path} cannot be read: {error}.") from error
