"""Sets of partitions as ranges of keys.

A `PartitionSubset` is a plain value; what it means, and all algebra on it, needs the definition that gives the keys
their order. The work is done on positions, so a range costs the same however many keys lie in it.

A key of a subset that its definition does not have raises `UnknownPartitionError` in every function here but
`subset_contains`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING

import msgspec

from segue.errors import UnknownPartitionError
from segue.model.partitions.key_range import unknown_key
from segue.model.partitions.regions import (
    Box,
    Region,
    boxes_of,
    difference_of,
    intersection_of,
    positions_in,
    region_of,
    size_of,
)

if TYPE_CHECKING:
    from segue.model.partitions.base import PartitionsDefinition

Positions = list[tuple[int, int]]


class PartitionSubset(msgspec.Struct, frozen=True, tag_field="kind", tag="key_ranges"):
    """Ranges of keys (first, last), both included: in the order of the definition, not touching, not overlapping.

    With several dimensions a range means the partitions that lie between the two keys in each dimension.
    """

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
    axes, split = definition.axes, definition.split_key
    counts = [axis.count(now) for axis in axes]
    boxes: list[Box] = []
    for key in keys:
        at = [axis.index_of(part, now) for axis, part in zip(axes, split(key), strict=True)]
        if any(position >= count for position, count in zip(at, counts, strict=True)):
            raise unknown_key(definition, key)
        boxes.append(tuple([(position, position + 1) for position in at]))
    return subset_of_region(definition, region_of(boxes, len(axes)), now)


def subset_of_range(definition: PartitionsDefinition, first: str, last: str, now: datetime) -> PartitionSubset:
    """The partitions from one key to another, both included.

    Raises:
        UnknownPartitionError: a key that the definition does not have, or a last that comes before the first.
    """
    box = _box_of(definition, first, last, now)
    if any(start >= stop for start, stop in box):
        raise UnknownPartitionError(
            f"The partition key range {first!r} to {last!r} is empty: {last!r} comes before {first!r} in {definition!r}."
        )
    return PartitionSubset(((first, last),))


def keys_of_subset(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> list[str]:
    """The keys of a set, in the order of the definition."""
    if len(definition.axes) == 1:
        return [key for run in positions_of(definition, subset, now) for key in definition.keys_between(*run, now)]
    parts = _parts_of(definition.axes, region_of_subset(definition, subset, now), now)
    return [definition.join_key(each) for each in parts]


def typed_keys_of_subset(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> list[str]:
    """The keys of a set as user code sees them, in the order of the definition."""
    return [definition.typed_key(key) for key in keys_of_subset(definition, subset, now)]


def subset_size(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> int:
    """How many partitions are in a set."""
    return size_of(region_of_subset(definition, subset, now))


def subset_contains(definition: PartitionsDefinition, subset: PartitionSubset, key: str, now: datetime) -> bool:
    """Whether a partition is in a set; False for a key that the definition does not have."""
    try:
        at = [axis.index_of(part, now) for axis, part in zip(definition.axes, definition.split_key(key), strict=True)]
        if len(at) > 1:
            boxes = (_box_of(definition, first, last, now) for first, last in subset.ranges)
            return any(all(low <= each < high for each, (low, high) in zip(at, box, strict=True)) for box in boxes)
    except UnknownPartitionError:
        return False
    ranges = subset.ranges
    place = bisect_right(ranges, at[0], key=lambda ends: definition.index_of(ends[0], now))
    return place > 0 and at[0] <= definition.index_of(ranges[place - 1][1], now)


def whole(definition: PartitionsDefinition, now: datetime) -> PartitionSubset:
    """All partitions that exist at `now`."""
    box = tuple([(0, axis.count(now)) for axis in definition.axes])
    return subset_of_region(definition, region_of([box], len(box)), now)


def union(
    definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset, now: datetime
) -> PartitionSubset:
    """The partitions that are in either set."""
    return union_of_all(definition, (one, other), now)


def union_of_all(
    definition: PartitionsDefinition, subsets: Iterable[PartitionSubset], now: datetime
) -> PartitionSubset:
    """The partitions that are in any of several sets; each range is looked up once, however many sets there are."""
    different = list(dict.fromkeys(each for each in subsets if each))
    if len(different) <= 1:
        return different[0] if different else EMPTY
    together = PartitionSubset(tuple(ends for each in different for ends in each.ranges))
    return subset_of_region(definition, region_of_subset(definition, together, now), now)


def intersection(
    definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset, now: datetime
) -> PartitionSubset:
    """The partitions that are in both sets."""
    if one == other:
        return one
    return _combined(intersection_of, definition, one, other, now) if one and other else EMPTY


def difference(
    definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset, now: datetime
) -> PartitionSubset:
    """The partitions of the first set that are not in the other."""
    if one == other:
        return EMPTY
    return _combined(difference_of, definition, one, other, now) if one and other else one


def positions_of(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> Positions:
    """The set of a definition with one dimension as positions [start, stop), in order."""
    positions: Positions = []
    for first, last in subset.ranges:
        start = definition.index_of(first, now)
        positions.append((start, (start if first == last else definition.index_of(last, now)) + 1))
    return positions


def subset_at(definition: PartitionsDefinition, positions: Iterable[tuple[int, int]], now: datetime) -> PartitionSubset:
    """The set at positions [start, stop) of one dimension, which may come in any order, overlap or be empty."""
    return subset_of_region(definition, region_of([(each,) for each in positions], 1), now)


def region_of_subset(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> Region:
    """The set as positions in each dimension."""
    boxes = [_box_of(definition, first, last, now) for first, last in subset.ranges]
    return region_of(boxes, len(definition.axes))


def subset_of_region(definition: PartitionsDefinition, region: Region, now: datetime) -> PartitionSubset:
    """The set at these positions."""
    axes, ranges = definition.axes, list[tuple[str, str]]()
    for box in boxes_of(region):
        ends = [_ends(axis, *sides, now) for axis, sides in zip(axes, box, strict=True)]
        first, last = (definition.join_key([each[end] for each in ends]) for end in (0, 1))
        ranges.append((first, last))
    return PartitionSubset(tuple(ranges))


def _ends(axis: PartitionsDefinition, start: int, stop: int, now: datetime) -> tuple[str, str]:
    """The first and last key at the positions [start, stop)."""
    first = axis.key_at(start, now)
    return first, first if stop == start + 1 else axis.key_at(stop - 1, now)


def _box_of(definition: PartitionsDefinition, first: str, last: str, now: datetime) -> Box:
    """The positions of a range in each dimension."""
    split = definition.split_key
    box: list[tuple[int, int]] = []
    for axis, low, high in zip(definition.axes, split(first), split(last), strict=True):
        start = axis.index_of(low, now)
        box.append((start, (start if low == high else axis.index_of(high, now)) + 1))
    return tuple(box)


def _parts_of(axes: tuple[PartitionsDefinition, ...], region: Region, now: datetime) -> Iterator[tuple[str, ...]]:
    """The keys in each dimension of every partition of a region, in order."""
    if len(axes) == 1:
        for start, stop in positions_in(region):
            yield from ((key,) for key in axes[0].keys_between(start, stop, now))
        return
    for run in region:
        below = list(_parts_of(axes[1:], run.inner, now))
        for key, parts in product(axes[0].keys_between(run.start, run.stop, now), below):
            yield (key, *parts)


def _combined(
    combine: Callable[[Region, Region, int], Region],
    definition: PartitionsDefinition,
    one: PartitionSubset,
    other: PartitionSubset,
    now: datetime,
) -> PartitionSubset:
    left, right = (region_of_subset(definition, each, now) for each in (one, other))
    return subset_of_region(definition, combine(left, right, len(definition.axes)), now)
