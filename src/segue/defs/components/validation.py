"""What a file says against what it may say: every error at once, each with its place in the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from segue.defs.components.positions import SourcePositionTree
from segue.defs.components.resolution_context import excerpt

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def validate_at(
    model: type[AnyModel], value: object, positions: SourcePositionTree, path: tuple[str | int, ...] = ()
) -> AnyModel:
    """The value as the model has it.

    Args:
        model: what the value may be.
        value: plain data.
        positions: where the file says it, from its beginning.
        path: what leads from there to the value.

    Raises:
        pydantic.ValidationError: what does not fit, each with file, line and column, and near names for unknown fields.
    """
    try:
        return TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        details = [_placed(cast("dict[str, Any]", each), model, positions, path) for each in _worth_saying(error)]
        raise ValidationError.from_exception_data(error.title, details) from error


def _worth_saying(error: ValidationError) -> list[Any]:
    """The errors, without those that say no more than that a value is not one of the other things it could be."""
    found = error.errors(include_url=False)
    meant_otherwise = _arms_meant_otherwise(found)
    found = [each for each in found if not any(each["loc"][: len(arm)] == arm for arm in meant_otherwise)]
    told = {each["loc"][:-1] for each in found if each["loc"] and each["loc"][-1] != "str"}
    around = {loc[:length] for loc in told for length in range(len(loc) + 1)}
    return [each for each in found if not _says_no_template(each, around)]


def _says_no_template(error: Any, told: set[tuple[int | str, ...]]) -> bool:
    """Whether an error says that a value is no text, where others say what is wrong with it: any field may be a template."""
    loc = error["loc"]
    return error["type"] == "string_type" and bool(loc) and loc[-1] == "str" and loc[:-1] in told


def _arms_meant_otherwise(found: Sequence[Any]) -> set[tuple[int | str, ...]]:
    """The arms of unions of which the value says, by a literal, that it is not meant, where another arm is left."""
    refused = {each["loc"][:-1] for each in found if each["type"] == "literal_error" and len(each["loc"]) > 1}
    left = {each["loc"][: len(arm)] for each in found for arm in refused} - refused
    return {arm for arm in refused if any(other[:-1] == arm[:-1] and other[-1:] != ("str",) for other in left)}


def _placed(
    error: dict[str, Any], model: type[BaseModel], positions: SourcePositionTree, path: tuple[str | int, ...]
) -> InitErrorDetails:
    keys = (*path, *error["loc"])
    known = _in_file(positions, keys)
    position = positions.lookup(known)
    if error["type"] == "missing":
        known.append(keys[-1])
    message = str(error["msg"])
    if error["type"] == "extra_forbidden":
        names = _fields_at(model, error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), names, n=2)
        message += f". Did you mean {' or '.join(map(repr, near))}?" if near else ""
        message += f". Expected: {', '.join(names)}." if names and not near else ""
    text = f"{position}: {message}{excerpt(position)}"
    kind = PydanticCustomError(error["type"], "{text}", {"text": text})
    return InitErrorDetails(type=kind, loc=tuple(known), input=error["input"])


def _fields_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The fields of what a model has at a place, which an error names by fields, indices and the names of models."""
    here = [model]
    for part in loc:
        named = [each for each in here if each.__name__ == part]
        fields = [field for each in here for name, field in _fields_of(each) if name == part]
        if named or fields:
            here = named or [found for field in fields for found in _models_in(field.annotation)]
    return list(dict.fromkeys(name for each in here for name, _ in _fields_of(each)))


def _fields_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields of a model under the names that a file calls them by."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _in_file(positions: SourcePositionTree, keys: tuple[str | int, ...]) -> list[str | int]:
    """The keys of the file among those of an error, which names the arms of unions as well."""
    found: list[str | int] = []
    tree = positions
    for key in keys:
        below = tree.children.get(key)
        if below is not None:
            found.append(key)
            tree = below
    return found
