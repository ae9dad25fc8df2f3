"""The windows that a definition has: from a first one on, up to a last one if there is an end, some left out.

Windows have numbers (by the calendar, see `Rhythm`); partitions have positions: 0 is the first, windows left out have
none.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from segue.model.partitions.calendar import Rhythm, ScheduleType, cron_of, epoch_of, number_at, number_from
from segue.model.partitions.cron_lattice import CronLattice, lattice_of
from segue.model.partitions.zones import skipped_days


class WindowSequence(msgspec.Struct, frozen=True):
    """Which windows of a rhythm are partitions.

    Attributes:
        first: the number of the first window.
        limit: the first position that does not exist because of the end, if there is an end.
        excluded: the numbers of the windows left out one by one, in order, from the first window on.
        before_excluded: for each of them, how many partitions come before it.
        left_out: the windows left out by cron schedules, as fires, if there are any.
        left_out_before: the number of the last fire of those before the first window.
    """

    rhythm: Rhythm
    first: int
    limit: int | None
    excluded: tuple[int, ...]
    before_excluded: tuple[int, ...]
    left_out: CronLattice | None = None
    left_out_before: int = 0


def sequence_of(
    rhythm: Rhythm, start: float, end: float | None, exclusions: Iterable[int], excluded_crons: tuple[str, ...] = ()
) -> WindowSequence:
    """The windows that lie between start and end (epoch seconds), without those of these numbers or cron schedules."""
    first = number_from(rhythm, math.ceil(start))
    windows = WindowSequence(rhythm, first, None, (), ())
    if excluded_crons:
        left_out = lattice_of(cron_of(rhythm), rhythm.zone_name, rhythm.zone, rhythm.decade, excluded_crons)
        windows = msgspec.structs.replace(
            windows, left_out=left_out, left_out_before=left_out.at(epoch_of(rhythm, first) - 1)
        )
    never = skipped_days(rhythm.zone) if rhythm.schedule_type is ScheduleType.DAILY else ()
    named = {number for number in (*exclusions, *never) if number >= first and not is_excluded(windows, number)}
    excluded = tuple(sorted(named))
    before_excluded = tuple(number - first - place for place, number in enumerate(excluded))
    windows = msgspec.structs.replace(windows, excluded=excluded, before_excluded=before_excluded)
    if end is None:
        return windows
    return msgspec.structs.replace(windows, limit=max(position_of(windows, number_at(rhythm, math.floor(end))), 0))


def position_of(windows: WindowSequence, number: int) -> int:
    """How many partitions come before a window (negative before the first one)."""
    position = number - windows.first - (bisect_left(windows.excluded, number) if windows.excluded else 0)
    if windows.left_out is not None and number > windows.first:
        position -= windows.left_out.at(epoch_of(windows.rhythm, number) - 1) - windows.left_out_before
    return position


def number_of(windows: WindowSequence, position: int) -> int:
    """The window at a position (a negative one lies before the first).

    Raises:
        OverflowError: so many windows are left out that there is none within the calendar.
    """
    if windows.left_out is None or position < 0:
        return windows.first + position + bisect_right(windows.before_excluded, position)
    low = windows.first + position
    step = 1
    while position_of(windows, low + step) <= position:  # the window is not among those before
        low, step = low + step, step * 2
    high = low + step - 1
    while low < high:  # the first window up to which there are enough partitions
        middle = (low + high) // 2
        low, high = (low, middle) if position_of(windows, middle + 1) > position else (middle + 1, high)
    return low


def is_excluded(windows: WindowSequence, number: int) -> bool:
    """Whether a window is left out."""
    place = bisect_left(windows.excluded, number)
    if place < len(windows.excluded) and windows.excluded[place] == number:
        return True
    if windows.left_out is None:
        return False
    start = epoch_of(windows.rhythm, number)
    return windows.left_out.at(start) != windows.left_out.at(start - 1)


def runs_between(windows: WindowSequence, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The window numbers [low, high) at the positions [start, stop), split where windows are left out."""
    if start >= stop:
        return
    low, high = number_of(windows, start), number_of(windows, stop - 1) + 1
    for gap in _excluded_between(windows, low, high):
        if low < gap:
            yield low, gap
        low = gap + 1
    if low < high:
        yield low, high


def _excluded_between(windows: WindowSequence, low: int, high: int) -> Sequence[int]:
    """The windows [low, high) that are left out, in order."""
    named = windows.excluded[bisect_left(windows.excluded, low) : bisect_left(windows.excluded, high)]
    if windows.left_out is None or high <= windows.first:
        return named
    rhythm, left_out = windows.rhythm, windows.left_out
    first, last = (left_out.at(epoch_of(rhythm, each) - 1) + 1 for each in (max(low, windows.first), high))
    return sorted([*named, *(number_at(rhythm, epoch) for epoch in left_out.epochs(first, last))])


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
