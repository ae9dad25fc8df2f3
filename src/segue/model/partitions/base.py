"""Partitions definitions: which slices an asset is computed in, in order, at a given time.

A definition answers in *positions*: `count(now)` partitions exist, `key_at` and `index_of` translate between key and
position, `keys_between` lists a stretch. Everything else (subsets, mappings) is arithmetic on positions. These methods
take the time as an argument and are pure; the methods that people call (`get_partition_keys()`, `has_partition_key()`,
...) default to the present, which `loading.current_time_or_now` alone reads.

What a definition does not know by itself (dynamic keys; whatever a custom class works out) is asked for once
and then stands as a list of keys: `listed(now, store)` gives the definition that answers everything from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import ClassVar

import msgspec

from segue.model.digest import digest
from segue.model.json_data import JsonValue
from segue.model.pages import PaginatedResults, page_bounds
from segue.model.partitions.key_range import PartitionKeyRange, unknown_key
from segue.model.partitions.loading import DynamicPartitionsStore, PartitionLoadingContext, current_time_or_now
from segue.model.partitions.near_partition_keys import near_key_hint
from segue.model.partitions.partitions_subset import PartitionsSubset, all_of, subset_of
from segue.model.partitions.positions import PartitionPositions
from segue.model.partitions.subset import keys_of_subset, subset_of_range
from segue.model.tags import PARTITION_TAG


class PartitionsDefinition(PartitionPositions):
    """Which partitions exist, in order. Subclasses need `get_partition_keys` and get everything else from it.

    Those that come with Segue are immutable and equal by value; their `index_of` and `keys_between` follow from
    the definition alone, `now` only decides how many partitions exist (`count`).
    """

    __slots__ = ()
    partitions_subset_class: ClassVar[type[PartitionsSubset]] = PartitionsSubset

    def __class_getitem__(cls, item: object) -> type[PartitionsDefinition]:
        return cls

    # -- what it does not know by itself

    def listed(self, now: datetime, store: DynamicPartitionsStore | None) -> PartitionsDefinition:
        """The definition with its keys as they are at `now`, where it does not know them by itself."""
        if self.is_listed:
            return self
        keys = self.get_partition_keys(current_time=now, dynamic_partitions_store=store)
        return ListedPartitions(self, keys)

    def get_serializable_unique_identifier(self, dynamic_partitions_store: DynamicPartitionsStore | None = None) -> str:
        """A text that changes when the definition does; of dynamic partitions: when their keys do."""
        wire = self.to_wire()
        if not self.is_listed:
            keys = self.get_partition_keys(dynamic_partitions_store=dynamic_partitions_store)
            wire = {**wire, "keys": [str(key) for key in keys]}
        return digest(msgspec.json.encode(wire).decode())

    # -- for people

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> bool:
        """Whether the partition exists at `current_time` (default: now)."""
        now = current_time_or_now(current_time)
        return self.listed(now, dynamic_partitions_store).contains(partition_key, now)

    def validate_partition_key(
        self,
        partition_key: str,
        current_time: datetime | PartitionLoadingContext | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
        context: PartitionLoadingContext | None = None,
    ) -> None:
        """Raises UnknownPartitionError if the partition does not exist at `current_time` (default: now)."""
        if isinstance(current_time, PartitionLoadingContext):
            current_time, context = None, current_time
        if context is not None:
            current_time = context.effective_dt if current_time is None else current_time
            dynamic_partitions_store = dynamic_partitions_store or context.dynamic_partitions_store
        now = current_time_or_now(current_time)
        listed = self.listed(now, dynamic_partitions_store)
        if not listed.contains(partition_key, now):
            raise unknown_key(self, partition_key, listed.key_hint(partition_key, now))

    def filter_valid_partition_keys(self, partition_keys: Set[str]) -> Set[str]:
        """Those of these keys that exist now."""
        now = current_time_or_now(None)
        known = self.listed(now, None)
        return {known.typed_key(key) for key in partition_keys if known.contains(key, now)}

    def get_num_partitions(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> int:
        """How many partitions exist at `current_time` (default: now)."""
        now = current_time_or_now(current_time)
        return self.listed(now, dynamic_partitions_store).count(now)

    def get_first_partition_key(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> str | None:
        """The first key that exists at `current_time` (default: now), None if there is none."""
        now = current_time_or_now(current_time)
        known = self.listed(now, dynamic_partitions_store)
        return known.typed_key(known.key_at(0, now)) if known.count(now) else None

    def get_last_partition_key(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> str | None:
        """The last key that exists at `current_time` (default: now), None if there is none."""
        now = current_time_or_now(current_time)
        known = self.listed(now, dynamic_partitions_store)
        count = known.count(now)
        return known.typed_key(known.key_at(count - 1, now)) if count else None

    def get_partition_keys_in_range(
        self,
        partition_key_range: PartitionKeyRange,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
        current_time: datetime | None = None,
    ) -> Sequence[str]:
        """The keys from one to another, both included; none if the second comes before the first.

        Raises:
            UnknownPartitionError: one of the two partition keys is not found in the definition.
        """
        now = current_time_or_now(current_time)
        known = self.listed(now, dynamic_partitions_store)
        for axis, first, last in zip(known.axes, *map(known.split_key, partition_key_range), strict=True):
            if axis.index_of(first, now) > axis.index_of(last, now):
                return []
        return [
            known.typed_key(key)
            for key in keys_of_subset(known, subset_of_range(known, *partition_key_range, now), now)
        ]

    def get_paginated_partition_keys(
        self, context: PartitionLoadingContext, limit: int, ascending: bool, cursor: str | None = None
    ) -> PaginatedResults[str]:
        """Some of the keys, and the cursor for the next ones.

        Args:
            context: the moment and the store to look with.
            limit: at most so many.
            ascending: from the first on; else from the last back.
            cursor: that of the page before.

        Raises:
            UnknownPartitionError: the key at which the page before ended is gone.
        """
        now = context.effective_dt
        known = self.listed(now, context.dynamic_partitions_store)
        count = known.count(now)
        shown = 0
        if cursor is not None:
            shown = known.index_of(cursor, now) + 1 if ascending else count - known.index_of(cursor, now)
        start, stop = page_bounds(count, limit, ascending, shown)
        keys = known.keys_between(start, stop, now)[:: 1 if ascending else -1]
        has_more = bool(keys) and (stop < count if ascending else start > 0)
        return PaginatedResults(results=keys, cursor=keys[-1] if keys else cursor or "", has_more=has_more)

    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        """The tags of a run of this partition."""
        return {PARTITION_TAG: partition_key}

    def validate_partition_definition(self) -> None:
        """Does nothing: a definition is validated when it is created. Subclasses may check more."""

    # -- sets of partitions

    def empty_subset(self) -> PartitionsSubset:
        """No partition."""
        return subset_of(self, ())

    def subset_with_partition_keys(self, partition_keys: Iterable[str]) -> PartitionsSubset:
        """These partitions.

        Raises:
            UnknownPartitionError: a key that the definition cannot have.
        """
        return subset_of(self, partition_keys)

    def subset_with_all_partitions(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> PartitionsSubset:
        """All partitions that exist at `current_time` (default: now)."""
        return all_of(self, current_time_or_now(current_time), dynamic_partitions_store)

    def deserialize_subset(self, serialized: str) -> PartitionsSubset:
        """What `PartitionsSubset.serialize` wrote.

        Raises:
            UnknownPartitionError: a partition that the definition does not have any more.
        """
        return PartitionsSubset.from_serialized(self, serialized)

    def can_deserialize_subset(
        self,
        serialized: str,
        serialized_partitions_def_unique_id: str | None = None,
        serialized_partitions_def_class_name: str | None = None,
    ) -> bool:
        """Whether a text is a set of partitions of this definition."""
        return PartitionsSubset.can_deserialize(
            self, serialized, serialized_partitions_def_unique_id, serialized_partitions_def_class_name
        )


class FrozenPartitionsDefinition(PartitionsDefinition):
    """A definition that never changes once made; subclasses set their slots through `object.__setattr__`."""

    __slots__ = ()

    @property
    def is_listed(self) -> bool:
        return True

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be deleted.")


class ListedPartitions(FrozenPartitionsDefinition):
    """A definition with the keys it was found to have: equal to it, and able to answer without asking again.

    `is_open` says that nobody was asked: the keys are those that somebody named, and there may be more.
    """

    __slots__ = ("_declared", "_indexes", "_open", "keys")
    _declared: PartitionsDefinition | None
    keys: tuple[str, ...]
    _open: bool
    _indexes: dict[str, int]

    def __init__(self, declared: PartitionsDefinition | None, keys: Iterable[str], is_open: bool = False) -> None:
        object.__setattr__(self, "_declared", declared)
        object.__setattr__(self, "_indexes", {key: index for index, key in enumerate(dict.fromkeys(keys))})
        object.__setattr__(self, "keys", tuple(self._indexes))
        object.__setattr__(self, "_open", is_open)

    @property
    def is_open(self) -> bool:
        return self._open

    @property
    def declared(self) -> PartitionsDefinition:
        return self if self._declared is None else self._declared

    @property
    def dynamic_names(self) -> tuple[str, ...]:
        return () if self._declared is None else self._declared.dynamic_names

    @property
    def keys_are_ordered(self) -> bool:
        return self._declared is not None and self._declared.keys_are_ordered

    def opened(self, keys: Iterable[str]) -> PartitionsDefinition:
        return ListedPartitions(self._declared, (*self.keys, *keys), True) if self.is_open else self

    def has_order_of(self, other: object) -> bool:
        return self is other or (isinstance(other, ListedPartitions) and self == other and self.keys == other.keys)

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """The keys found."""
        return list(self.keys)

    def count(self, now: datetime) -> int:
        return len(self.keys)

    def key_at(self, index: int, now: datetime) -> str:
        if index < 0:
            raise IndexError(f"Positions of partitions count from 0, got {index}.")
        return self.keys[index]

    def index_of(self, key: str, now: datetime) -> int:
        index = self._indexes.get(key)
        if index is None:
            raise unknown_key(self, key, near_key_hint(key, self.keys))
        return index

    def keys_between(self, start: int, stop: int, now: datetime) -> list[str]:
        return list(self.keys[start:stop])

    def to_wire(self) -> dict[str, JsonValue]:
        return super().to_wire() if self._declared is None else self._declared.to_wire()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionsDefinition):
            return False
        if self._declared is None:
            return isinstance(other, ListedPartitions) and other._declared is None and self.keys == other.keys
        return self._declared == other.declared

    def __hash__(self) -> int:
        return hash(self.keys) if self._declared is None else hash(self._declared)

    def __repr__(self) -> str:
        return f"partitions {list(self.keys[:20])}" if self._declared is None else repr(self._declared)

    def __reduce__(self) -> tuple[object, ...]:
        return ListedPartitions, (self._declared, self.keys, self._open)
