"""Partitions definitions: which slices an asset is computed in, in order, at a given time.

A definition answers in *positions*: `count(now)` partitions exist, `key_at` and `index_of` translate between key and
position, `keys_between` lists a stretch. Everything else (subsets, mappings) is arithmetic on positions. These methods
take the time as an argument and are pure; the methods that people call (`get_partition_keys()`, `has_partition_key()`,
...) default to the present, which `current_time_or_now` alone reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from segue.errors import InvalidDefinitionError, NotSupportedError, UnknownPartitionError
from segue.model.json_data import JsonValue

RANGE_SEPARATOR = "..."  # written between the two ends of a range of keys


class PartitionKeyRange(NamedTuple):
    """The partitions from one key to another in the order of their definition, both included."""

    start: str
    end: str


class TimeWindow(NamedTuple):
    """A stretch of time: `start` included, `end` not. Both are aware datetimes."""

    start: datetime
    end: datetime


def current_time_or_now(current_time: datetime | None) -> datetime:
    """The time given, or the present: the one place in `model` that reads the clock."""
    return datetime.now(UTC) if current_time is None else current_time


def check_partition_key(key: str) -> None:
    """Raises InvalidDefinitionError if a text cannot be a partition key: empty, no string, or holding '...'."""
    if not isinstance(key, str) or not key:  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise InvalidDefinitionError(f"A partition key is a non-empty string, got {key!r}.")
    if RANGE_SEPARATOR in key:
        raise InvalidDefinitionError(
            f"The partition key {key!r} contains '{RANGE_SEPARATOR}', which separates the two ends of a range of keys: "
            "choose another key."
        )


class PartitionsDefinition(ABC):
    """Which partitions exist, in order. Subclasses need `get_partition_keys` and get everything else from it.

    Those that come with Segue are immutable and equal by value; their `index_of` and `keys_between` follow from
    the definition alone, `now` only decides how many partitions exist (`count`).
    """

    __slots__ = ()

    @abstractmethod
    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: object | None = None
    ) -> Sequence[str]:
        """All keys that exist at `current_time` (default: now), in order.

        `dynamic_partitions_store` matters only to definitions whose keys are added at run time.
        """

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
            return self.get_partition_keys(current_time=now).index(key)
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

    def to_wire(self) -> dict[str, JsonValue]:
        """The definition as JSON values with its tag under `kind`; see `wire.definition_from_wire` for the way back.

        Raises:
            NotSupportedError: a class of the user's own, which only the user's code can understand.
        """
        raise NotSupportedError(
            f"{type(self).__name__} is a partitions definition of your own: it has no stored form and is asked for its "
            "keys where your code runs. StaticPartitionsDefinition and the time-window definitions have a stored form."
        )

    def has_partition_key(self, partition_key: str, current_time: datetime | None = None) -> bool:
        """Whether the partition exists at `current_time` (default: now)."""
        return self.contains(partition_key, current_time_or_now(current_time))

    def validate_partition_key(self, partition_key: str, current_time: datetime | None = None) -> None:
        """Raises UnknownPartitionError if the partition does not exist at `current_time` (default: now)."""
        if not self.contains(partition_key, current_time_or_now(current_time)):
            raise unknown_key(self, partition_key)

    def get_num_partitions(self, current_time: datetime | None = None) -> int:
        """How many partitions exist at `current_time` (default: now)."""
        return self.count(current_time_or_now(current_time))

    def get_first_partition_key(self, current_time: datetime | None = None) -> str | None:
        """The first key that exists at `current_time` (default: now), None if there is none."""
        now = current_time_or_now(current_time)
        return self.key_at(0, now) if self.count(now) else None

    def get_last_partition_key(self, current_time: datetime | None = None) -> str | None:
        """The last key that exists at `current_time` (default: now), None if there is none."""
        now = current_time_or_now(current_time)
        count = self.count(now)
        return self.key_at(count - 1, now) if count else None

    def get_partition_keys_in_range(
        self, partition_key_range: PartitionKeyRange, current_time: datetime | None = None
    ) -> Sequence[str]:
        """The keys from one to another, both included; none if the second comes before the first.

        Raises:
            UnknownPartitionError: one of the two is no key of the definition.
        """
        now = current_time_or_now(current_time)
        first, last = (self.index_of(key, now) for key in partition_key_range)
        return self.keys_between(first, last + 1, now) if first <= last else []


class FrozenPartitionsDefinition(PartitionsDefinition):
    """A definition that never changes once made; subclasses set their slots through `object.__setattr__`."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be deleted.")


def unknown_key(definition: PartitionsDefinition, key: str) -> UnknownPartitionError:
    """The error for a key that a definition does not have."""
    return UnknownPartitionError(f"There is no partition {key!r} in {definition!r}.")
