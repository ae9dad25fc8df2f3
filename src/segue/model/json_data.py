"""Plain JSON data out of what people pass: checked, copied, and safe to write.

JSON has no word for NaN and the infinities. Where such a float stands, the wire carries `null`, and beside the data
goes a small table from JSON pointer (RFC 6901: `/rows/0/price`) to `nan`, `inf` or `-inf`, to put it back from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from segue.errors import InvalidDefinitionError

JsonValue: TypeAlias = bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None

MAX_DEPTH = 100
_CONSTANT_KEYS = {True: "true", False: "false", None: "null"}


def plain_json(value: object, where: str) -> tuple[JsonValue, dict[str, str]]:
    """A copy of the value made of dicts with string keys, lists, strings, numbers, booleans and None only.

    Tuples become lists, keys that are numbers, booleans or None become strings, and subclasses of the plain types
    (string enums, numpy floats) become plain, as in Python's own `json`.

    Args:
        value: the data.
        where: how to call the data in an error, such as `metadata 'rows'`.

    Returns:
        The copy, and the floats in it that JSON cannot write, by JSON pointer.

    Raises:
        InvalidDefinitionError: a value or key that JSON does not have; nesting deeper than 100 levels.
    """
    non_finite: dict[str, str] = {}
    return _plain(value, (), non_finite, where), non_finite


def _plain(value: object, path: tuple[str | int, ...], non_finite: dict[str, str], where: str) -> JsonValue:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        number = float(value)
        if not math.isfinite(number):
            non_finite[_pointer(path)] = str(number)
        return number
    if len(path) >= MAX_DEPTH:
        raise InvalidDefinitionError(
            f"The {where} is nested more than {MAX_DEPTH} levels deep, or contains itself: flatten it, or store it in a "
            "file and record the path."
        )
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        plain: dict[str, JsonValue] = {}
        for key, item in items:
            name = _key(key, path, where)
            plain[name] = _plain(item, (*path, name), non_finite, where)
        return plain
    if isinstance(value, (list, tuple)):
        elements = cast("Sequence[object]", value)
        return [_plain(item, (*path, index), non_finite, where) for index, item in enumerate(elements)]
    raise InvalidDefinitionError(
        f"The {where} cannot be written as JSON: {_place(path)} is of type {type(value).__qualname__} ({value!r}). "
        "Convert it to a string, number, boolean, list, dict or None first."
    )


def _key(key: object, path: tuple[str | int, ...], where: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return _CONSTANT_KEYS[key]
    if isinstance(key, (int, float)):
        return str(int(key) if isinstance(key, int) else float(key))
    raise InvalidDefinitionError(
        f"The {where} cannot be written as JSON: {_place(path)} has the key {key!r} of type "
        f"{type(key).__qualname__}. Keys must be strings."
    )


def _place(path: tuple[str | int, ...]) -> str:
    return "value" + "".join(f"[{part!r}]" for part in path) if path else "the value itself"


def _pointer(path: tuple[str | int, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def restore_non_finite(data: JsonValue, non_finite: Mapping[str, str]) -> JsonValue:
    """The data with the floats put back that JSON could not write; lists and dicts are changed in place."""
    for pointer, name in non_finite.items():
        number = float(name)
        if not pointer:
            return number
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
        container: Any = data
        for part in parents:
            container = container[_index(container, part)]
        container[_index(container, last)] = number
    return data


def _index(container: object, part: str) -> str | int:
    return int(part) if isinstance(container, list) else part
