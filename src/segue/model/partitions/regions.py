"""Sets of positions in one or more dimensions, as runs.

A region of one dimension is a sequence of runs [start, stop), in order, neither touching nor overlapping. With more
dimensions each run carries a region of the remaining ones, the same for every position in it; runs that touch differ in
it. So a region has one form only, and "these regions on every day" costs the same for a week and a century.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

Box = tuple[tuple[int, int], ...]  # [start, stop) in each dimension


class Run(msgspec.Struct, frozen=True):
    """Positions [start, stop) of a dimension, with what they hold of the dimensions below (nothing at the last one)."""

    start: int
    stop: int
    inner: tuple[Run, ...] = ()


Region = tuple[Run, ...]
NOWHERE: Region = ()


class _Keep(msgspec.Struct, frozen=True):
    """What of two regions stays: what is in the left one only, in the right one only, in both."""

    left: bool
    right: bool
    both: bool


_UNION, _INTERSECTION, _DIFFERENCE = _Keep(True, True, True), _Keep(False, False, True), _Keep(True, False, False)


def union_of(one: Region, other: Region, dimensions: int) -> Region:
    """What lies in either."""
    return _combined(one, other, dimensions, _UNION)


def intersection_of(one: Region, other: Region, dimensions: int) -> Region:
    """What lies in both."""
    return _combined(one, other, dimensions, _INTERSECTION)


def difference_of(one: Region, other: Region, dimensions: int) -> Region:
    """What lies in the first and not in the other."""
    return _combined(one, other, dimensions, _DIFFERENCE)


def region_of(boxes: Sequence[Box], dimensions: int) -> Region:
    """The region that boxes cover together; they may come in any order, overlap or be empty."""
    if dimensions == 1:
        merged: list[Run] = []
        for start, stop in sorted(box[0] for box in boxes):
            if start < stop and merged and start <= merged[-1].stop:
                merged[-1] = Run(merged[-1].start, max(merged[-1].stop, stop))
            elif start < stop:
                merged.append(Run(start, stop))
        return tuple(merged)
    if len(boxes) > 1:
        half = len(boxes) // 2
        return union_of(region_of(boxes[:half], dimensions), region_of(boxes[half:], dimensions), dimensions)
    for (start, stop), *below in boxes:
        inner = region_of([tuple(below)], dimensions - 1)
        return (Run(start, stop, inner),) if start < stop and inner else NOWHERE
    return NOWHERE


def boxes_of(region: Region) -> Iterator[Box]:
    """The region as boxes that do not overlap, in order."""
    for run in region:
        if run.inner:
            for below in boxes_of(run.inner):
                yield ((run.start, run.stop), *below)
        else:
            yield ((run.start, run.stop),)


def size_of(region: Region) -> int:
    """How many positions lie in it."""
    return sum((run.stop - run.start) * (size_of(run.inner) if run.inner else 1) for run in region)


def _combined(one: Region, other: Region, dimensions: int, keep: _Keep) -> Region:
    """A walk over both, from one end of a run to the next."""
    ends = sorted({end for run in (*one, *other) for end in (run.start, run.stop)})
    found: list[Run] = []
    left = right = 0
    for start, stop in pairwise(ends):
        while left < len(one) and one[left].stop <= start:
            left += 1
        while right < len(other) and other[right].stop <= start:
            right += 1
        in_left = left < len(one) and one[left].start <= start
        in_right = right < len(other) and other[right].start <= start
        inner: Region = NOWHERE
        if in_left and in_right and dimensions > 1:
            inner = _combined(one[left].inner, other[right].inner, dimensions - 1, keep)
            kept = bool(inner)
        elif in_left and in_right:
            kept = keep.both
        elif in_left:
            kept, inner = keep.left, one[left].inner
        else:
            kept, inner = in_right and keep.right, other[right].inner if in_right else NOWHERE
        if kept:
            _append(found, Run(start, stop, inner))
    return tuple(found)


def _append(runs: list[Run], run: Run) -> None:
    """Adds a run at the end, joined to the last one where the two are alike and touch."""
    if runs and runs[-1].stop == run.start and runs[-1].inner == run.inner:
        runs[-1] = Run(runs[-1].start, run.stop, run.inner)
    else:
        runs.append(run)


def positions_in(runs: Iterable[Run]) -> list[tuple[int, int]]:
    """The runs of the outermost dimension as [start, stop)."""
    return [(run.start, run.stop) for run in runs]
