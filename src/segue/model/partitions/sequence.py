"""The windows that a definition has: from a first one on, up to a last one if there is an end, some left out.

Windows have numbers (by the calendar, see `Rhythm`); partitions have positions: 0 is the first, windows left out have
none.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from segue.model.partitions.calendar import Rhythm, ScheduleType, epoch_of, number_at, number_from
from segue.model.partitions.zones import skipped_days


class WindowSequence(NamedTuple):
    """Which windows of a rhythm are partitions.

    Attributes:
        first: the number of the first window.
        limit: the first position that does not exist because of the end, if there is an end.
        excluded: the numbers of the windows left out, in order, from the first window on.
        before_excluded: for each of them, how many partitions come before it.
    """

    rhythm: Rhythm
    first: int
    limit: int | None
    excluded: tuple[int, ...]
    before_excluded: tuple[int, ...]


def sequence_of(rhythm: Rhythm, start: float, end: float | None, exclusions: Iterable[int]) -> WindowSequence:
    """The windows that lie between start and end (epoch seconds), without those of these numbers."""
    first = number_from(rhythm, math.ceil(start))
    never = skipped_days(rhythm.zone) if rhythm.schedule_type is ScheduleType.DAILY else ()
    excluded = tuple(sorted({number for number in (*exclusions, *never) if number >= first}))
    before_excluded = tuple(number - first - place for place, number in enumerate(excluded))
    unlimited = WindowSequence(rhythm, first, None, excluded, before_excluded)
    if end is None:
        return unlimited
    return unlimited._replace(limit=max(position_of(unlimited, number_at(rhythm, math.floor(end))), 0))


def position_of(windows: WindowSequence, number: int) -> int:
    """How many partitions come before a window (negative before the first one)."""
    return number - windows.first - (bisect_left(windows.excluded, number) if windows.excluded else 0)


def number_of(windows: WindowSequence, position: int) -> int:
    """The window at a position (a negative one lies before the first)."""
    return windows.first + position + bisect_right(windows.before_excluded, position)


def is_excluded(windows: WindowSequence, number: int) -> bool:
    """Whether a window is left out."""
    place = bisect_left(windows.excluded, number)
    return place < len(windows.excluded) and windows.excluded[place] == number


def runs_between(windows: WindowSequence, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The window numbers [low, high) at the positions [start, stop), split where windows are left out."""
    if start >= stop:
        return
    low, high = number_of(windows, start), number_of(windows, stop - 1) + 1
    for gap in windows.excluded[bisect_left(windows.excluded, low) : bisect_left(windows.excluded, high)]:
        if low < gap:
            yield low, gap
        low = gap + 1
    yield low, high


def ended_by(windows: WindowSequence, moment: float) -> int:
    """How many windows have ended at a moment (epoch seconds): the position of the one then under way."""
    return position_of(windows, number_at(windows.rhythm, math.floor(moment)))


def starting_from(windows: WindowSequence, moment: float) -> int:
    """The first position whose window starts at or after a moment (epoch seconds)."""
    return position_of(windows, number_from(windows.rhythm, math.ceil(moment)))


def within_bounds(windows: WindowSequence, position: int) -> int:
    """The position, or the nearest bound: 0 or the limit."""
    return max(position if windows.limit is None else min(position, windows.limit), 0)


def spans_between(windows: WindowSequence, start: int, stop: int) -> list[tuple[int, int]]:
    """The time that the positions [start, stop) cover, as (from, until) in epoch seconds."""
    rhythm = windows.rhythm
    return [(epoch_of(rhythm, low), epoch_of(rhythm, high)) for low, high in runs_between(windows, start, stop)]


def positions_overlapping(windows: WindowSequence, low: int, high: int) -> tuple[int, int]:
    """The positions [start, stop) of the windows that share time with [low, high), before or after the bounds too."""
    return ended_by(windows, low), starting_from(windows, high)
