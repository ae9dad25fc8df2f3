"""Sets of partitions as ranges of keys.

A `PartitionSubset` is a plain value; what it means, and all algebra on it, needs the definition that gives the keys
their order. The work is done on positions, so a range costs the same however many keys lie in it.

A key of a subset that its definition does not have raises `UnknownPartitionError` in every function here but
`subset_contains`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

import msgspec

from segue.errors import InvariantViolationError, UnknownPartitionError
from segue.model.partitions.base import PartitionsDefinition, TimeWindow, unknown_key
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

Positions = list[tuple[int, int]]


class PartitionSubset(msgspec.Struct, frozen=True, tag_field="kind", tag="key_ranges"):
    """Ranges of keys (first, last), both included: in the order of the definition, not touching, not overlapping."""

    ranges: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether it holds any partition."""
        return bool(self.ranges)


EMPTY = PartitionSubset()


def subset_of_keys(definition: PartitionsDefinition, keys: Iterable[str], now: datetime) -> PartitionSubset:
    """The set of these keys.

    Raises:
        UnknownPartitionError: a key that does not exist at `now`.
    """
    count = definition.count(now)
    positions: list[int] = []
    for key in keys:
        position = definition.index_of(key, now)
        if position >= count:
            raise unknown_key(definition, key)
        positions.append(position)
    return subset_at(definition, [(position, position + 1) for position in positions], now)


def subset_of_range(definition: PartitionsDefinition, first: str, last: str, now: datetime) -> PartitionSubset:
    """The partitions from one key to another, both included.

    Raises:
        UnknownPartitionError: a key that the definition does not have, or a last that comes before the first.
    """
    start, stop = definition.index_of(first, now), definition.index_of(last, now) + 1
    if start >= stop:
        raise UnknownPartitionError(
            f"The range {first!r} to {last!r} is empty: {last!r} comes first in {definition!r}."
        )
    return subset_at(definition, [(start, stop)], now)


def keys_of_subset(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> list[str]:
    """The keys of a set, in the order of the definition."""
    return [key for run in positions_of(definition, subset, now) for key in definition.keys_between(*run, now)]


def subset_size(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> int:
    """How many partitions are in a set."""
    return sum(stop - start for start, stop in positions_of(definition, subset, now))


def subset_contains(definition: PartitionsDefinition, subset: PartitionSubset, key: str, now: datetime) -> bool:
    """Whether a partition is in a set; False for a key that the definition does not have."""
    try:
        position = definition.index_of(key, now)
    except UnknownPartitionError:
        return False
    ranges = subset.ranges
    place = bisect_right(ranges, position, key=lambda ends: definition.index_of(ends[0], now))
    return place > 0 and position <= definition.index_of(ranges[place - 1][1], now)


def time_window_of_subset(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> TimeWindow:
    """The time from the start of a set's first window to the end of its last.

    Raises:
        InvariantViolationError: the partitions are not windows of time, or the set is empty.
    """
    if not isinstance(definition, TimeWindowPartitionsDefinition):
        raise InvariantViolationError(f"Partitions of {definition!r} are no windows of time: they have no time window.")
    positions = positions_of(definition, subset, now)
    if not positions:
        raise InvariantViolationError("A set without partitions has no time window.")
    first, last = definition.window_at(positions[0][0]), definition.window_at(positions[-1][1] - 1)
    return TimeWindow(first.start, last.end)


def whole(definition: PartitionsDefinition, now: datetime) -> PartitionSubset:
    """All partitions that exist at `now`."""
    return subset_at(definition, [(0, definition.count(now))], now)


def union(
    definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset, now: datetime
) -> PartitionSubset:
    """The partitions that are in either set."""
    if one == other or not other:
        return one
    if not one:
        return other
    return subset_at(definition, [*positions_of(definition, one, now), *positions_of(definition, other, now)], now)


def intersection(
    definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset, now: datetime
) -> PartitionSubset:
    """The partitions that are in both sets."""
    if not one or not other:
        return EMPTY
    left, right = positions_of(definition, one, now), positions_of(definition, other, now)
    shared: Positions = []
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        start = max(left[at_left][0], right[at_right][0])
        stop = min(left[at_left][1], right[at_right][1])
        if start < stop:
            shared.append((start, stop))
        if left[at_left][1] <= right[at_right][1]:
            at_left += 1
        else:
            at_right += 1
    return subset_at(definition, shared, now)


def difference(
    definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset, now: datetime
) -> PartitionSubset:
    """The partitions of the first set that are not in the other."""
    if not one or not other:
        return one
    rest: Positions = []
    holes = positions_of(definition, other, now)
    place = 0
    for start, stop in positions_of(definition, one, now):
        while place < len(holes) and holes[place][1] <= start:
            place += 1
        at = place
        while at < len(holes) and holes[at][0] < stop:
            if start < holes[at][0]:
                rest.append((start, holes[at][0]))
            start = holes[at][1]
            at += 1
        if start < stop:
            rest.append((start, stop))
    return subset_at(definition, rest, now)


def positions_of(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> Positions:
    """The set as positions [start, stop), in order."""
    positions: Positions = []
    for first, last in subset.ranges:
        start = definition.index_of(first, now)
        positions.append((start, (start if first == last else definition.index_of(last, now)) + 1))
    return positions


def subset_at(definition: PartitionsDefinition, positions: Iterable[tuple[int, int]], now: datetime) -> PartitionSubset:
    """The set of the partitions at positions [start, stop), which may come in any order, overlap or be empty."""
    merged: Positions = []
    for start, stop in sorted(positions):
        if start >= stop:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    ranges: list[tuple[str, str]] = []
    for start, stop in merged:
        first = definition.key_at(start, now)
        ranges.append((first, first if stop == start + 1 else definition.key_at(stop - 1, now)))
    return PartitionSubset(tuple(ranges))
