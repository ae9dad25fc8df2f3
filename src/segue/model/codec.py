"""JSON on the wire and in the database: how each public value is written, and read back.

Structs encode themselves. Public classes that msgspec does not know stand in the two tables below, one line each. The
encoding is a function of the value and keeps the order in which users wrote their metadata and tags; hashes are taken
over it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast, get_origin, overload

import msgspec

from segue.model.condition.base import AutomationCondition
from segue.model.condition.wire import condition_from_wire
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.wire import definition_from_wire, mapping_from_wire

Value = TypeVar("Value")


def _fact_arguments(data: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a materialization or observation, from its wire form."""
    metadata = msgspec.convert(data.get("metadata", {}), dict[str, AnyMetadataValue], dec_hook=dec_hook)
    return {**data, "metadata": metadata}


_TO_WIRE: dict[type, Callable[[Any], object]] = {
    AssetKey: attrgetter("parts"),
    AssetMaterialization: AssetMaterialization.to_wire,
    AssetObservation: AssetObservation.to_wire,
    PartitionsDefinition: lambda definition: definition.to_wire(),
    PartitionMapping: lambda mapping: mapping.to_wire(),
    AutomationCondition: lambda condition: condition.to_wire(),
    str: str,  # a class of text, such as MultiPartitionKey: as the text it is
}
_FROM_WIRE: dict[type, Callable[[Any], object]] = {
    AssetKey: AssetKey,
    AssetMaterialization: lambda data: AssetMaterialization.recorded(**_fact_arguments(data)),
    AssetObservation: lambda data: AssetObservation.recorded(**_fact_arguments(data)),
    PartitionsDefinition: definition_from_wire,
    PartitionMapping: mapping_from_wire,
    AutomationCondition: condition_from_wire,
    object: lambda value: value,  # any JSON value, as it stands
}


def enc_hook(value: object) -> object:
    """The wire form of a value whose class msgspec does not know; subclasses are written like their base.

    Raises:
        NotImplementedError: the class has no wire form (msgspec's own signal for it).
    """
    to_wire = _TO_WIRE.get(type(value))
    if to_wire is not None:
        return to_wire(value)
    for kind in type(value).__mro__:
        to_wire = _TO_WIRE.get(kind)
        if to_wire is not None:
            return to_wire(value)
    raise NotImplementedError(f"A value of type {type(value).__qualname__} cannot be written as JSON: {value!r}.")


def dec_hook(kind: type, value: object) -> object:
    """The value of a class msgspec does not know, from its wire form.

    Raises:
        NotImplementedError: the class has no wire form (msgspec's own signal for it).
    """
    from_wire = _FROM_WIRE.get(kind) or _FROM_WIRE.get(get_origin(kind) or kind)
    if from_wire is None:
        raise NotImplementedError(f"A value of type {kind.__qualname__} cannot be read from JSON.")
    return from_wire(value)


_ENCODER = msgspec.json.Encoder(enc_hook=enc_hook)


encode: Callable[[object], bytes] = _ENCODER.encode
"""The JSON of a value, without spaces: values built in the same way give equal bytes.

Raises:
    NotImplementedError: something inside has no JSON form.
"""


def storable(value: Value, kind: type[Value]) -> Value:
    """The value with lone surrogates (from file names that are not UTF-8, say) written as escapes, in all texts that are
    in it: no store and no message takes them.

    Args:
        value: one that cannot be encoded for that reason.
        kind: its class.
    """
    return msgspec.convert(_escaped(msgspec.to_builtins(value, enc_hook=enc_hook)), kind, dec_hook=dec_hook)


def storable_text(text: str) -> str:
    """The same of one text."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        found = cast("dict[object, object]", value)
        return {_escaped(key): _escaped(each) for key, each in found.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(each) for each in cast("list[object]", value)]
    return value


@overload
def decoder(kind: type[Value]) -> msgspec.json.Decoder[Value]: ...
@overload
def decoder(kind: object) -> msgspec.json.Decoder[Any]: ...
@cache
def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a class, or of a union of tagged structs; made once and kept.

    Its `decode(bytes)` raises `msgspec.ValidationError` where the bytes do not fit the type.
    """
    return msgspec.json.Decoder(kind, dec_hook=dec_hook)
