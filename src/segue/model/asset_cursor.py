"""How far a sensor over several assets has come: per asset a place in the log, and partitions it has left behind.

A cursor is a value: `advanced` gives the next one. It survives as JSON text between evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from segue.errors import InvariantViolationError
from segue.model.keys import AssetKey


class Seen(msgspec.Struct, frozen=True):
    """One materialization, as far as cursors look at it."""

    storage_id: int
    partition: str | None = None


class AssetCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one asset was consumed.

    Attributes:
        storage_id: everything in the log up to here is consumed, but for what stands in `unconsumed`.
        partition: the partition of the materialization at that place.
        unconsumed: by partition, the last materialization before that place that was passed over.
    """

    storage_id: int = 0
    partition: str | None = None
    unconsumed: dict[str, int] = {}


START = AssetCursor()


def advanced(cursor: AssetCursor, record: Seen, between: Sequence[Seen]) -> AssetCursor:
    """The cursor after a materialization was consumed.

    Args:
        cursor: the place before.
        record: what was consumed.
        between: the asset's materializations after the cursor and before the record, oldest first.
    """
    unconsumed = dict(cursor.unconsumed)
    if record.storage_id <= cursor.storage_id:
        if (
            record.partition is not None
            and unconsumed.get(record.partition, record.storage_id + 1) <= record.storage_id
        ):
            del unconsumed[record.partition]
        return AssetCursor(cursor.storage_id, cursor.partition, unconsumed)
    for each in between:
        if each.partition is not None and record.partition is not None:
            unconsumed[each.partition] = each.storage_id
    unconsumed.pop(record.partition or "", None)
    return AssetCursor(record.storage_id, record.partition, unconsumed)


def encode_cursors(cursors: Mapping[AssetKey, AssetCursor]) -> str:
    """The cursors of a sensor as text."""
    return msgspec.json.encode({key.to_user_string(): cursor for key, cursor in cursors.items()}).decode()


def decode_cursors(text: str | None) -> dict[AssetKey, AssetCursor]:
    """The cursors that `encode_cursors` wrote.

    Raises:
        InvariantViolationError: another text.
    """
    if not text:
        return {}
    try:
        found = msgspec.json.decode(text, type=dict[str, AssetCursor])
    except msgspec.MsgspecError as error:
        raise InvariantViolationError(f"{text!r} is not a valid cursor of a multi-asset sensor: {error}.") from error
    return {AssetKey.from_user_string(name): cursor for name, cursor in found.items()}
