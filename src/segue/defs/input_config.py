"""Values of inputs that stand in a run config: what they may be, and how they become values."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from typing import Any, Final, cast

from segue.defs.config_schema.elements import ScalarUnion
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.shapes import Field, Selector, Shape
from segue.defs.config_schema.types import ANY, BOOL, FLOAT, INT, STRING, ConfigType
from segue.defs.config_schema.written import resolve_to_config_type
from segue.defs.io_definitions import type_of
from segue.defs.op_io import In
from segue.defs.types.base import BOOL_TYPE, FLOAT_TYPE, INT_TYPE, STRING_TYPE, SegueType, TypeKind
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


def input_field(declared: In) -> Field:
    """What may stand in a run config for an input: what the loader of its type takes, a value, or a file that holds it."""
    if declared.input_manager_key is not None:
        return Field(ANY, is_required=False)
    return Field(_config_type(type_of(declared.dagster_type)), is_required=False)


def value_of_input(kind: SegueType, given: Any, context: TypeLoaderContext, place: Place) -> object:
    """The value of an input that stands in a run config.

    Args:
        kind: the type of the input.
        given: what stands there: config for the loader of its type, the value, `{"value": ...}`, or a file that holds it as
            `{"json": {"path": ...}}` or `{"pickle": {"path": ...}}`; of a list, each element may be so.
        context: for the loader.
        place: where it stands, for errors.

    Raises:
        InvalidConfigError: it does not fit, or the file cannot be read.
        Exception: whatever the loader raises.
    """
    if isinstance(kind.loader, TypeLoader):
        walk = Walk()
        config = resolve_to_config_type(kind.loader.schema_type).evaluate(given, place, walk)
        if config is NO_VALUE or walk.violations:
            raise InvalidConfigError(f"The value {place} does not fit:", walk.violations, given)
        return kind.loader.construct_from_config_value(context, config)
    if isinstance(given, list) and kind.kind is TypeKind.LIST:
        element = kind.inner_types[0]
        if element.kind is not TypeKind.ANY:
            elements = enumerate(cast("list[Any]", given))
            return [value_of_input(element, each, context, place.item(index)) for index, each in elements]
    if not isinstance(given, Mapping) or len(cast("Mapping[Any, Any]", given)) != 1:
        return cast("object", given)
    ((form, inner),) = cast("Mapping[Any, Any]", given).items()
    if form == "value":
        return inner
    is_file = form in _FORMS and isinstance(inner, Mapping) and set(cast("Mapping[Any, Any]", inner)) == {"path"}
    return _from_file(form, cast("Mapping[str, str]", inner)["path"], place) if is_file else cast("object", given)


def _config_type(kind: SegueType) -> ConfigType:
    if isinstance(kind.loader, TypeLoader):
        return resolve_to_config_type(kind.loader.schema_type)
    for each, scalar in _SCALARS:
        if kind is each:
            return ScalarUnion(scalar, Selector({"value": scalar, "json": _FILE, "pickle": _FILE}))
    return ANY


def _from_file(form: str, path: str, place: Place) -> object:
    try:
        if form == "json":
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        with open(path, "rb") as file:
            return pickle.load(file)
    except (OSError, ValueError, pickle.UnpicklingError, EOFError) as error:
        raise InvalidConfigError(
            f"{place.text} names the {form} file {path}, which cannot be read: {error}."
        ) from error
