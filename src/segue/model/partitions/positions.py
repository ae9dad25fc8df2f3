"""What a partitions definition answers in positions: the pure part that everything else is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Self

from segue.errors import InvalidInvocationError, UnknownPartitionError
from segue.model.json_data import JsonValue
from segue.model.partitions.key_range import ANY_TIME, TimeWindow, unknown_key
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.partitions.near_partition_keys import LOOKED_AT, near_key_hint
from segue.model.partitions.subset import PartitionSubset


class PartitionPositions(ABC):
    """Partitions in order: positions from 0 on, in one dimension or several."""

    __slots__ = ()

    @abstractmethod
    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """All keys that exist at `current_time` (default: now), in order.

        `dynamic_partitions_store` matters only to definitions whose keys are added at run time.
        """

    @property
    def axes(self) -> tuple[Self, ...]:
        """The definition of each dimension; itself where there is one."""
        return (self,)

    def split_key(self, key: str) -> tuple[str, ...]:
        """The key in each dimension.

        Raises:
            UnknownPartitionError: it has no such dimensions.
        """
        return (key,)

    def join_key(self, parts: Sequence[str]) -> str:
        """The key with these keys in each dimension."""
        return parts[0]

    def key_hint(self, key: str, now: datetime) -> str:
        """What an error says of a key that there is not at `now`: which may have been meant. A sentence with a space before it."""
        return near_key_hint(key, self.keys_between(0, min(self.count(now), LOOKED_AT), now))

    def count(self, now: datetime) -> int:
        """How many partitions exist at `now`."""
        return len(self.get_partition_keys(current_time=now))

    def key_at(self, index: int, now: datetime) -> str:
        """The key at a position, counted from 0.

        Raises:
            IndexError: no partition there.
        """
        if index < 0:
            raise IndexError(f"Positions of partitions count from 0, got {index}.")
        return self.get_partition_keys(current_time=now)[index]

    def index_of(self, key: str, now: datetime) -> int:
        """The position of a key.

        Raises:
            UnknownPartitionError: the definition has no such key.
        """
        try:
            return list(self.get_partition_keys(current_time=now)).index(key)
        except ValueError as error:
            raise unknown_key(self, key) from error

    def keys_between(self, start: int, stop: int, now: datetime) -> list[str]:
        """The keys at the positions [start, stop)."""
        return list(self.get_partition_keys(current_time=now)[start:stop])

    def contains(self, key: str, now: datetime) -> bool:
        """Whether the partition exists at `now`."""
        try:
            return self.index_of(key, now) < self.count(now)
        except UnknownPartitionError:
            return False

    @property
    def is_listed(self) -> bool:
        """Whether it answers by itself, without a store and without user code."""
        return False

    @property
    def declared(self) -> Self:
        """The definition that the user wrote, behind one that `listed` gave."""
        return self

    @property
    def is_open(self) -> bool:
        """Whether there may be more keys than it knows."""
        return False

    def opened(self, keys: Iterable[str]) -> Self:
        """The definition with these keys, for use where it cannot look them up."""
        return self

    def has_order_of(self, other: object) -> bool:
        """Whether both have the same keys in the same order."""
        return self is other or self == other

    def knows(self, key: str) -> bool:
        """Whether it has a key, at whatever moment."""
        try:
            parts = self.split_key(key)
            return all(axis.index_of(part, ANY_TIME) >= 0 for axis, part in zip(self.axes, parts, strict=True))
        except UnknownPartitionError:
            return False

    def subset_of_spans(self, spans: Sequence[tuple[float, float]]) -> PartitionSubset:
        """The partitions that are windows within stretches of time (seconds since 1970-01-01 UTC).

        Raises:
            InvalidInvocationError: the partitions are not time windows.
        """
        raise InvalidInvocationError(f"The partitions of {self!r} are not time windows.")

    def windows_of_subset(self, subset: PartitionSubset) -> Sequence[TimeWindow]:
        """The stretches of time that a set covers.

        Raises:
            InvalidInvocationError: the partitions are not time windows.
        """
        raise InvalidInvocationError(f"The partitions of {self!r} are not time windows.")

    @property
    def keys_are_ordered(self) -> bool:
        """Whether the order of its keys means something: they are windows of time."""
        return False

    @property
    def dynamic_names(self) -> tuple[str, ...]:
        """The names under which a store keeps keys of it."""
        return ()

    def typed_key(self, key: str) -> str:
        """The key as user code sees it."""
        return key

    def to_wire(self) -> dict[str, JsonValue]:
        """The definition as JSON values with its tag under `kind`; see `wire.definition_from_wire` for the way back.

        A custom class is written as opaque, by its name: only the user's code can interpret it.
        """
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return {"kind": "opaque", "id": name, "description": repr(self) if has_own_repr(self) else name}


def has_own_repr(value: object) -> bool:
    """Whether its text says more than where it lies in memory."""
    return type(value).__repr__ is not object.__repr__
