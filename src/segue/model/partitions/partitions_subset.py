"""Some partitions of a definition, as users meet them: in partition mappings, sensors and backfills.

It holds ranges of keys (`subset.PartitionSubset`) beside the definition that gives them their order, so ten million
partitions take no more room than their gaps need. Keys whose definition nobody knows stand in a list of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from segue.errors import InvalidInvocationError, UnknownPartitionError
from segue.model.partitions import subset as sets
from segue.model.partitions.key_range import ANY_TIME, PartitionKeyRange, TimeWindow
from segue.model.partitions.loading import DynamicPartitionsStore, current_time_or_now, store_or_ambient
from segue.model.partitions.regions import Box, region_of
from segue.model.partitions.subset import EMPTY, PartitionSubset

if TYPE_CHECKING:
    from segue.model.partitions.base import PartitionsDefinition

_VERSION = 2


class PartitionsSubset:
    """Some partitions, with set algebra (`|`, `&`, `-`), `in` and `len`. Immutable, and equal where the keys are.

    Made by a definition: `empty_subset()`, `subset_with_partition_keys(...)`, `subset_with_all_partitions()`. Where the
    keys are windows of time, keys that lie in the future are taken too: whether they exist is not asked here.
    """

    __slots__ = ("definition", "value")
    definition: PartitionsDefinition
    value: PartitionSubset

    def __class_getitem__(cls, item: object) -> type[PartitionsSubset]:
        return cls

    def __init__(self, definition: PartitionsDefinition, value: PartitionSubset) -> None:
        object.__setattr__(self, "definition", definition)
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set.")

    @property
    def partitions_def(self) -> PartitionsDefinition:
        """The definition that the partitions are of."""
        return self.definition.declared

    @property
    def is_empty(self) -> bool:
        """Whether it holds no partition."""
        return not self.value

    def get_partition_keys(self) -> Collection[str]:
        """The keys, in the order of the definition: a list where they are windows of time, else an ordered set."""
        keys = list(self)
        return keys if self.definition.keys_are_ordered else dict.fromkeys(keys).keys()

    @property
    def num_partitions(self) -> int:
        """How many partitions it holds."""
        return len(self)

    @property
    def included_time_windows(self) -> Sequence[TimeWindow]:
        """The stretches of time that it covers, in order; windows that a definition leaves out do not part them.

        Raises:
            InvalidInvocationError: the partitions are not time windows.
        """
        return self.definition.windows_of_subset(self.value)

    def get_partition_keys_not_in_subset(
        self, partitions_def: PartitionsDefinition | None = None, current_time: datetime | None = None
    ) -> Sequence[str]:
        """The partitions of the definition that exist and are not in it, in the order of the definition."""
        definition = self.definition.declared if partitions_def is None else partitions_def
        return list(all_of(definition, current_time_or_now(current_time), None) - self)

    def get_partition_key_ranges(
        self, partitions_def: PartitionsDefinition | None = None
    ) -> Sequence[PartitionKeyRange]:
        """The keys as ranges, in the order of the definition (`partitions_def`, where its own is not known)."""
        own = self if partitions_def is None else _moved(self, listed_now(partitions_def, self), drop=True)
        return [PartitionKeyRange(*ends) for ends in own.value.ranges]

    def with_partition_keys(self, partition_keys: Iterable[str]) -> PartitionsSubset:
        """The same with these partitions more.

        Raises:
            UnknownPartitionError: a key that the definition cannot have.
        """
        return self | subset_of(self.definition, partition_keys)

    def with_partition_key_range(
        self, partitions_def: PartitionsDefinition, partition_key_range: PartitionKeyRange
    ) -> PartitionsSubset:
        """The same with the partitions of a range more.

        Raises:
            UnknownPartitionError: a key that the definition does not have, or a range that is empty.
        """
        definition = listed_now(partitions_def)
        return self | PartitionsSubset(definition, sets.subset_of_range(definition, *partition_key_range, ANY_TIME))

    def empty_subset(self) -> PartitionsSubset:
        """No partition of the same definition."""
        return PartitionsSubset(self.definition, EMPTY)

    @classmethod
    def create_empty_subset(cls, partitions_def: PartitionsDefinition) -> PartitionsSubset:
        """No partition of a definition."""
        return subset_of(partitions_def, ())

    def to_serializable_subset(self) -> PartitionsSubset:
        """Itself."""
        return self

    # -- as text

    def serialize(self) -> str:
        """The set as text; `PartitionsDefinition.deserialize_subset` reads it."""
        return msgspec.json.encode({"version": _VERSION, "ranges": self.value.ranges}).decode()

    @classmethod
    def from_serialized(cls, partitions_def: PartitionsDefinition, serialized: str) -> PartitionsSubset:
        """What `serialize` wrote, or another orchestrator's list of keys or of time windows.

        Raises:
            InvalidInvocationError: the string was not written by `serialize`.
            UnknownPartitionError: a partition that the definition does not have any more.
        """
        try:
            data: Any = msgspec.json.decode(serialized)
            if isinstance(data, list):
                return _from_list(partitions_def, data)  # pyright: ignore[reportUnknownArgumentType] reason: JSON
            if "subset" in data:
                return subset_of(partitions_def, msgspec.convert(data["subset"], list[str]))
            if "time_windows" in data:
                return _from_list(partitions_def, data["time_windows"])
            ranges = msgspec.convert(data["ranges"], tuple[tuple[str, str], ...])
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise InvalidInvocationError(
                f"{serialized[:200]!r} is not a partitions subset written by serialize()."
            ) from error
        definition = listed_now(partitions_def)
        return PartitionsSubset(definition, _canonical(definition, ranges))

    @classmethod
    def can_deserialize(
        cls,
        partitions_def: PartitionsDefinition,
        serialized: str,
        serialized_partitions_def_unique_id: str | None = None,
        serialized_partitions_def_class_name: str | None = None,
    ) -> bool:
        """Whether a text is a set of partitions of this definition.

        Args:
            partitions_def: the definition.
            serialized: the text.
            serialized_partitions_def_unique_id: its `get_serializable_unique_identifier()` at that time; not
                compared when None.
            serialized_partitions_def_class_name: the name of its class at that time; not compared when None.
        """
        if serialized_partitions_def_class_name not in (None, type(partitions_def).__name__):
            return False
        identifier = serialized_partitions_def_unique_id
        if identifier is not None and identifier != partitions_def.get_serializable_unique_identifier():
            return False
        try:
            cls.from_serialized(partitions_def, serialized)
        except (InvalidInvocationError, UnknownPartitionError):
            return False
        return True

    # -- algebra

    def __or__(self, other: PartitionsSubset) -> PartitionsSubset:
        """The partitions in either."""
        if not other.value:
            return self
        return other if not self.value and not other._is_open else self._combined(other, sets.union)

    def __and__(self, other: PartitionsSubset) -> PartitionsSubset:
        """The partitions in both."""
        return self._combined(other, sets.intersection)

    def __sub__(self, other: PartitionsSubset) -> PartitionsSubset:
        """The partitions in this and not in the other."""
        return self._combined(other, sets.difference)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and sets.subset_contains(self.definition, self.value, value, ANY_TIME)

    def __len__(self) -> int:
        return sets.subset_size(self.definition, self.value, ANY_TIME)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __iter__(self) -> Iterator[str]:
        definition = self.definition
        return iter([definition.typed_key(key) for key in sets.keys_of_subset(definition, self.value, ANY_TIME)])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionsSubset):
            return NotImplemented
        if not self.value or not other.value:
            return bool(self.value) == bool(other.value)
        if self.definition.has_order_of(other.definition):
            return self.value == other.value
        related = self._is_open or other._is_open or self.definition == other.definition
        return related and len(self) == len(other) and set(self) == set(other)

    def __hash__(self) -> int:
        return hash(len(self))  # equal sets may be written over definitions that know more or fewer keys

    def __repr__(self) -> str:
        shown = ", ".join(first if first == last else f"{first}...{last}" for first, last in self.value.ranges[:20])
        more = f", ... {len(self)} in all" if len(self.value.ranges) > 20 else ""
        return f"{type(self).__name__}({shown}{more})"

    def __reduce__(self) -> tuple[object, ...]:
        return PartitionsSubset, (self.definition, self.value)

    @property
    def _is_open(self) -> bool:
        return self.definition.is_open

    def _combined(
        self,
        other: PartitionsSubset,
        combine: Callable[[PartitionsDefinition, PartitionSubset, PartitionSubset, datetime], PartitionSubset],
    ) -> PartitionsSubset:
        """The algebra over one definition that both know; keys that it does not have matter to a union only."""
        definition = self.definition
        if definition.is_open and other.definition.is_open:
            definition = definition.opened(other)
        elif definition.is_open and combine is not sets.difference:
            definition = other.definition
        drop = combine is not sets.union
        one, two = (_moved(each, definition, drop) for each in (self, other))
        return PartitionsSubset(definition, combine(definition, one.value, two.value, ANY_TIME))


def subset_of(definition: PartitionsDefinition, keys: Iterable[str]) -> PartitionsSubset:
    """The set of these keys of a definition.

    Raises:
        UnknownPartitionError: a key that the definition cannot have.
    """
    wanted = list(keys)
    known = listed_now(definition, wanted)
    axes, boxes = known.axes, list[Box]()
    for key in wanted:
        at = [axis.index_of(part, ANY_TIME) for axis, part in zip(axes, known.split_key(key), strict=True)]
        boxes.append(tuple([(position, position + 1) for position in at]))
    return PartitionsSubset(known, sets.subset_of_region(known, region_of(boxes, len(axes)), ANY_TIME))


def all_of(definition: PartitionsDefinition, now: datetime, store: DynamicPartitionsStore | None) -> PartitionsSubset:
    """All partitions that exist at `now`."""
    known = definition.listed(now, store)
    return PartitionsSubset(known, sets.whole(known, now))


def listed_now(definition: PartitionsDefinition, keys: Iterable[str] = ()) -> PartitionsDefinition:
    """The definition as far as it can be asked here: one with dynamic keys and no store takes the keys that are named."""
    if definition.is_listed:
        return definition.opened(keys)
    if definition.dynamic_names and store_or_ambient(None) is None:
        return definition.opened(keys)
    return definition.listed(current_time_or_now(None), None)


def _moved(subset: PartitionsSubset, definition: PartitionsDefinition, drop: bool) -> PartitionsSubset:
    """The same partitions of another definition; those that it does not have raise UnknownPartitionError, or are dropped."""
    if subset.definition.has_order_of(definition):
        return PartitionsSubset(definition, subset.value)
    return subset_of(definition, [key for key in subset if not drop or definition.knows(key)])


def _canonical(definition: PartitionsDefinition, ranges: tuple[tuple[str, str], ...]) -> PartitionSubset:
    """Ranges that were written for the same definition, or for one that has changed since."""
    return sets.subset_of_region(
        definition, sets.region_of_subset(definition, PartitionSubset(ranges), ANY_TIME), ANY_TIME
    )


def _from_list(definition: PartitionsDefinition, items: Sequence[object]) -> PartitionsSubset:
    """A list of keys, or of the start and end of stretches of time in seconds since 1970-01-01 UTC."""
    if all(isinstance(each, str) for each in items):
        return subset_of(definition, msgspec.convert(items, list[str]))
    spans = msgspec.convert(items, list[tuple[float, float]])
    return PartitionsSubset(definition, definition.subset_of_spans(spans))
