"""Partitions that are listed by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.json_data import JsonValue
from segue.model.partitions.base import FrozenPartitionsDefinition
from segue.model.partitions.key_range import check_partition_key, require_distinct, unknown_key
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.partitions.near_partition_keys import near_key_hint

_CONTROL_CHARACTERS = frozenset(map(chr, range(32)))
_SHOWN = 20  # so many keys are written out: a list of thousands would bury what is said with it


class StaticPartitionsDefinition(FrozenPartitionsDefinition):
    """A fixed list of partitions, in this order.

    Raises:
        InvalidDefinitionError: a key twice, an empty one, one that is not a string, or one with '...' or a control character in it.
    """

    __slots__ = ("_indexes", "_keys")
    _keys: tuple[str, ...]
    _indexes: dict[str, int]

    def __init__(self, partition_keys: Sequence[str]) -> None:
        if isinstance(partition_keys, str):
            raise InvalidDefinitionError(
                f"partition_keys must be a list of strings, got the single string {partition_keys!r}."
            )
        if not isinstance(partition_keys, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(f"partition_keys must be a list of strings, got {partition_keys!r}.")
        keys = tuple(partition_keys)
        for key in keys:
            check_partition_key(key)
            if any(character in _CONTROL_CHARACTERS for character in key):
                raise InvalidDefinitionError(
                    f"The partition key {key!r} contains a control character: choose another key."
                )
        indexes = {key: index for index, key in enumerate(keys)}
        if len(indexes) < len(keys):
            require_distinct(keys, "Partition keys")
        object.__setattr__(self, "_keys", keys)
        object.__setattr__(self, "_indexes", indexes)

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """All keys, in the declared order; neither time nor store changes them."""
        return list(self._keys)

    def count(self, now: datetime) -> int:
        return len(self._keys)

    def key_at(self, index: int, now: datetime) -> str:
        if index < 0:
            raise IndexError(f"Positions of partitions count from 0, got {index}.")
        return self._keys[index]

    def index_of(self, key: str, now: datetime) -> int:
        index = self._indexes.get(key)
        if index is None:
            raise unknown_key(self, key, near_key_hint(key, self._keys))
        return index

    def keys_between(self, start: int, stop: int, now: datetime) -> list[str]:
        return list(self._keys[start:stop])

    def to_wire(self) -> dict[str, JsonValue]:
        return (
            {"kind": "static", "keys": list(self._keys)}
            if type(self) is StaticPartitionsDefinition
            else super().to_wire()
        )

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> StaticPartitionsDefinition:
        """The definition that `to_wire` wrote."""
        return cls(msgspec.convert(data["keys"], list[str]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StaticPartitionsDefinition) and type(self) is type(other) and self._keys == other._keys

    def __hash__(self) -> int:
        return hash(self._keys)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(partition_keys=[{_listed(self._keys)}])"

    def __str__(self) -> str:
        return _listed(self._keys)

    def __getstate__(self) -> tuple[str, ...]:
        return self._keys

    def __setstate__(self, state: tuple[str, ...]) -> None:
        StaticPartitionsDefinition.__init__(self, state)


def _listed(keys: Sequence[str]) -> str:
    """The first keys as text, and how many there are where there are more."""
    more = f", ... {len(keys)} in all" if len(keys) > _SHOWN else ""
    return ", ".join(repr(key) for key in keys[:_SHOWN]) + more
