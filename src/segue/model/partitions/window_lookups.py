"""What a definition of time windows answers: windows, keys and moments translate into each other by the calendar alone.

Only how many partitions exist depends on the present.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from segue.errors import InvalidInvocationError, UnknownPartitionError
from segue.model.arguments import wrong_argument
from segue.model.partitions.base import FrozenPartitionsDefinition
from segue.model.partitions.calendar import ScheduleType, cron_of, cron_with, epoch_of, number_at
from segue.model.partitions.key_format import epoch_of_reading, key_of, keys_of_run, number_of_key, time_of_text
from segue.model.partitions.key_range import PartitionKeyRange, TimestampWithTimezone, TimeWindow, unknown_key
from segue.model.partitions.loading import DynamicPartitionsStore, current_time_or_now
from segue.model.partitions.partitions_subset import PartitionsSubset
from segue.model.partitions.sequence import (
    WindowSequence,
    ended_by,
    is_excluded,
    number_of,
    position_of,
    runs_between,
    starting_from,
    within_bounds,
)
from segue.model.partitions.subset import PartitionSubset, subset_at
from segue.model.partitions.zones import datetime_at


class TimeWindowFields(NamedTuple):
    """What a time-window definition is, in plain values: its identity, its pickle and its wire form."""

    schedule_type: str | None
    minute_offset: int
    hour_offset: int
    day_offset: int
    start_timestamp: float
    end_timestamp: float | None
    fmt: str
    timezone: str
    end_offset: int
    exclusions: tuple[int, ...]
    cron_schedule: str | None = None
    excluded_crons: tuple[str, ...] = ()


class WindowLookups(FrozenPartitionsDefinition):
    """Windows of time that follow each other, as numbers, keys and moments."""

    __slots__ = ("_fields", "_windows")
    _fields: TimeWindowFields
    _windows: WindowSequence

    # -- what it was made of

    @property
    def start(self) -> datetime:
        """The moment from which on windows may start."""
        return datetime_at(self._windows.rhythm.zone, self._fields.start_timestamp)

    @property
    def end(self) -> datetime | None:
        """The moment until which windows may end, if there is one."""
        end = self._fields.end_timestamp
        return None if end is None else datetime_at(self._windows.rhythm.zone, end)

    @property
    def start_ts(self) -> TimestampWithTimezone:
        """`start` in seconds since 1970-01-01 UTC, with the time zone."""
        return TimestampWithTimezone(self._fields.start_timestamp, self._fields.timezone)

    @property
    def end_ts(self) -> TimestampWithTimezone | None:
        """`end` in seconds since 1970-01-01 UTC, with the time zone."""
        end = self._fields.end_timestamp
        return None if end is None else TimestampWithTimezone(end, self._fields.timezone)

    @property
    def keys_are_ordered(self) -> bool:
        return True

    @property
    def start_timestamp(self) -> float:
        """`start` in seconds since 1970-01-01 UTC."""
        return self._fields.start_timestamp

    @property
    def end_timestamp(self) -> float | None:
        """`end` in seconds since 1970-01-01 UTC."""
        return self._fields.end_timestamp

    @property
    def schedule_type(self) -> ScheduleType | None:
        """How often a window starts; None where a cron schedule says it that is none of the four."""
        return self._windows.rhythm.schedule_type

    @property
    def minute_offset(self) -> int:
        """The minute at which windows start."""
        return self._offset(self._fields.minute_offset, 0)

    @property
    def hour_offset(self) -> int:
        """The hour at which windows start; 0 if hourly."""
        return self._offset(self._fields.hour_offset, 1)

    @property
    def day_offset(self) -> int:
        """The day on which windows start: of the week (0 is Sunday) or of the month; 0 if hourly or daily."""
        return self._offset(self._fields.day_offset, 2)

    def _offset(self, known: int, place: int) -> int:
        if self._fields.cron_schedule is None:
            return known
        field = self._fields.cron_schedule.split()[place]
        if not field.isdecimal():
            raise InvalidInvocationError(
                f"Windows of {self.cron_schedule!r} start at more than one: use cron_schedule instead."
            )
        return int(field)

    @property
    def fmt(self) -> str:
        """The form of the keys."""
        return self._fields.fmt

    @property
    def timezone(self) -> str:
        """The name of the time zone."""
        return self._fields.timezone

    @property
    def end_offset(self) -> int:
        """How many windows more (or, negative, fewer) exist than have ended."""
        return self._fields.end_offset

    @property
    def exclusions(self) -> Sequence[str | datetime] | None:
        """The windows that are left out, if any: the starts of some, and cron schedules that fire at others."""
        starts = [datetime_at(self._windows.rhythm.zone, each) for each in self._fields.exclusions]
        return [*starts, *self._fields.excluded_crons] or None

    @property
    def cron_schedule(self) -> str:
        """The cron schedule that fires whenever a window starts."""
        return cron_of(self._windows.rhythm)

    def get_cron_schedule(
        self,
        minute_of_hour: int | None = None,
        hour_of_day: int | None = None,
        day_of_week: int | None = None,
        day_of_month: int | None = None,
    ) -> str:
        """A cron schedule that fires as often as windows start, with other minute, hour or day where given.

        Raises:
            InvalidInvocationError: an hour or day that the schedule type does not have.
        """
        return cron_with(self._windows.rhythm, minute_of_hour, hour_of_day, day_of_week, day_of_month)

    # -- positions (pure)

    @property
    def windows(self) -> WindowSequence:
        """The windows as numbers and positions, for arithmetic on them."""
        return self._windows

    def count(self, now: datetime) -> int:
        return within_bounds(self._windows, ended_by(self._windows, self._epoch(now)) + self._fields.end_offset)

    def key_at(self, index: int, now: datetime) -> str:
        if index < 0:
            raise IndexError(f"Positions of partitions count from 0, got {index}.")
        return key_of(self._windows.rhythm, self._fields.fmt, number_of(self._windows, index))

    def key_hint(self, key: str, now: datetime) -> str:
        count = self.count(now)
        if not count:
            return " It has no partitions yet."
        return f" Its partition keys range from {self.key_at(0, now)!r} to {self.key_at(count - 1, now)!r}."

    def index_of(self, key: str, now: datetime) -> int:
        number = number_of_key(self._windows.rhythm, self._fields.fmt, key)
        if number is None or is_excluded(self._windows, number):
            raise unknown_key(self, key, self._first_key_hint())
        index = position_of(self._windows, number)
        if index < 0 or (self._windows.limit is not None and index >= self._windows.limit):
            raise unknown_key(self, key, self._first_key_hint())
        return index

    def keys_between(self, start: int, stop: int, now: datetime) -> list[str]:
        rhythm, fmt, runs = self._windows.rhythm, self._fields.fmt, runs_between(self._windows, start, stop)
        return [key for run in runs for key in keys_of_run(rhythm, fmt, *run)]

    def window_at(self, index: int) -> TimeWindow:
        """The window at a position; negative positions lie before the first partition."""
        return self._window(number_of(self._windows, index))

    def _window(self, number: int) -> TimeWindow:
        rhythm = self._windows.rhythm
        return TimeWindow(*(datetime_at(rhythm.zone, epoch_of(rhythm, each)) for each in (number, number + 1)))

    def _first_key_hint(self) -> str:
        return f" Its first partition key is {key_of(self._windows.rhythm, self._fields.fmt, number_of(self._windows, 0))!r}."

    def _epoch(self, moment: datetime) -> float:
        return epoch_of_reading(self._windows.rhythm.zone, moment)

    def _starting_in(self, time_window: TimeWindow) -> tuple[int, int]:
        """The positions [start, stop) of the windows that start in a stretch of time."""
        start, stop = (starting_from(self._windows, self._epoch(moment)) for moment in time_window)
        return within_bounds(self._windows, start), within_bounds(self._windows, stop)

    # -- for people

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """All keys that exist at `current_time` (default: now; naive: a reading in `timezone`), oldest first."""
        now = current_time_or_now(current_time)
        return self.keys_between(0, self.count(now), now)

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The window that a key names, by the calendar alone: also outside of start and end, and if left out.

        Raises:
            UnknownPartitionError: no window of this rhythm has such a key.
        """
        number = number_of_key(self._windows.rhythm, self._fields.fmt, partition_key)
        if number is None:
            raise unknown_key(self, partition_key)
        return self._window(number)

    def start_time_for_partition_key(self, partition_key: str) -> datetime:
        """When the window that a key names starts."""
        return self.time_window_for_partition_key(partition_key).start

    def end_time_for_partition_key(self, partition_key: str) -> datetime:
        """When the window that a key names ends."""
        return self.time_window_for_partition_key(partition_key).end

    def get_partition_key_for_timestamp(self, timestamp: float, end_closed: bool = False) -> str:
        """The key of the window that contains a moment (seconds since 1970-01-01 UTC), by the calendar alone; if that window
        is left out, of the last one before it that is not.

        With `end_closed` windows contain their end and not their start.
        """
        number = number_at(self._windows.rhythm, math.floor(timestamp))
        if end_closed and epoch_of(self._windows.rhythm, number) == timestamp:
            number -= 1
        if is_excluded(self._windows, number):
            number = number_of(self._windows, position_of(self._windows, number) - 1)
        return key_of(self._windows.rhythm, self._fields.fmt, number)

    def get_partition_keys_in_time_window(self, time_window: TimeWindow) -> Sequence[str]:
        """The keys of the windows that start in a stretch of time; whether they have ended is not asked."""
        start, stop = self._starting_in(time_window)
        return self.keys_between(start, stop, time_window.end)

    def get_num_partitions_in_window(self, time_window: TimeWindow) -> int:
        """How many windows start in a stretch of time; whether they have ended is not asked."""
        start, stop = self._starting_in(time_window)
        return max(stop - start, 0)

    def has_any_partitions_in_window(self, time_window: TimeWindow) -> bool:
        """Whether a window starts in a stretch of time."""
        return self.get_num_partitions_in_window(time_window) > 0

    def get_first_partition_window(self, current_time: datetime | None = None) -> TimeWindow | None:
        """The first window that exists at `current_time` (default: now)."""
        return self.window_at(0) if self.count(current_time_or_now(current_time)) else None

    def get_last_partition_window(self, current_time: datetime | None = None) -> TimeWindow | None:
        """The last window that exists at `current_time` (default: now)."""
        count = self.count(current_time_or_now(current_time))
        return self.window_at(count - 1) if count else None

    def get_last_partition_window_ignoring_exclusions(self, current_time: datetime | None = None) -> TimeWindow | None:
        """The last window that has ended by `current_time` (default: now; `end_offset` shifts that), also if it is left out."""
        rhythm, now = self._windows.rhythm, current_time_or_now(current_time)
        number = number_at(rhythm, math.floor(self._epoch(now))) - 1 + self._fields.end_offset
        if self._fields.end_timestamp is not None:
            number = min(number, number_at(rhythm, math.floor(self._fields.end_timestamp)) - 1)
        return self._window(number) if number >= self._windows.first else None

    def get_next_partition_window(self, end_dt: datetime, respect_bounds: bool = True) -> TimeWindow | None:
        """The first window that starts at or after a moment; None if `respect_bounds` and it comes after the last one now."""
        index = starting_from(self._windows, self._epoch(end_dt))
        count = self.count(current_time_or_now(None))
        return None if respect_bounds and (index >= count or not count) else self.window_at(index)

    def get_prev_partition_window(self, start_dt: datetime, respect_bounds: bool = True) -> TimeWindow | None:
        """The last window that ends at or before a moment; None if `respect_bounds` and it comes before the first one."""
        index = ended_by(self._windows, self._epoch(start_dt)) - 1
        count = self.count(current_time_or_now(None))
        return None if respect_bounds and (index < 0 or not count) else self.window_at(index)

    def get_next_partition_key(self, partition_key: str, current_time: datetime | None = None) -> str | None:
        """The key after this one, None if it does not exist at `current_time` (default: now)."""
        now = current_time_or_now(current_time)
        index = self.index_of(partition_key, now) + 1
        return self.key_at(index, now) if index < self.count(now) else None

    def get_partition_keys_between_indexes(self, start_idx: int, end_idx: int) -> list[str]:
        """The keys at the positions [start_idx, end_idx), counted from 0."""
        now = current_time_or_now(None)
        return self.keys_between(max(start_idx, 0), min(end_idx, self.count(now)), now)

    def time_windows_for_partition_keys(
        self, partition_keys: Iterable[str], validate: bool = True
    ) -> Sequence[TimeWindow]:
        """The windows that keys name, in order of time; with `validate`, keys of windows that do not exist now are left out.

        Raises:
            UnknownPartitionError: a text that is not in `fmt`; without `validate`, one that no window has for its key.
        """
        now, keys = current_time_or_now(None), list(partition_keys)
        for key in keys:
            if time_of_text(key, self._fields.fmt) is None:
                raise unknown_key(self, key)
        kept = [key for key in keys if not validate or self.contains(key, now)]
        return sorted(self.time_window_for_partition_key(key) for key in kept)

    def get_partition_subset_in_time_window(self, time_window: TimeWindow) -> PartitionsSubset:
        """The windows that start in a stretch of time; whether they have ended is not asked."""
        return PartitionsSubset(self, subset_at(self, [self._starting_in(time_window)], time_window.end))

    def get_partition_key_range_for_time_window(
        self, time_window: TimeWindow, respect_bounds: bool = True
    ) -> PartitionKeyRange:
        """The first and last window of a stretch of time: from the one under way at its start to the last one that ends at or
        before its end.

        Raises:
            UnknownPartitionError: there is none; with `respect_bounds`, none that exists now.
        """
        start = ended_by(self._windows, self._epoch(time_window.start))
        stop = ended_by(self._windows, self._epoch(time_window.end))
        if respect_bounds:
            start, stop = max(start, 0), min(stop, self.count(current_time_or_now(None)))
        if start >= stop:
            raise UnknownPartitionError(f"{self!r} has no window between {time_window.start} and {time_window.end}.")
        rhythm, fmt = self._windows.rhythm, self._fields.fmt
        first, last = (key_of(rhythm, fmt, number_of(self._windows, each)) for each in (start, stop - 1))
        return PartitionKeyRange(first, last)

    def less_than(self, partition_key1: str, partition_key2: str) -> bool:
        """Whether one window starts before another."""
        return self.start_time_for_partition_key(partition_key1) < self.start_time_for_partition_key(partition_key2)

    def get_partition_key(self, key: str | date | datetime) -> str:
        """The key that a date or a moment has in `fmt`, its reading taken as it is; a text is taken as a key.

        Raises:
            UnknownPartitionError: no window that exists now has that key.
            WrongArgumentError: something else.
        """
        if isinstance(key, date):  # a datetime is one, too
            key = key.strftime(self._fields.fmt)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise wrong_argument(self, "key", key, "a key, a date or a datetime")
        self.validate_partition_key(key)
        return key

    def is_window_start_excluded(self, window_start: datetime) -> bool:
        """Whether the window that starts at a moment is left out."""
        number = number_at(self._windows.rhythm, math.floor(self._epoch(window_start)))
        return is_excluded(self._windows, number)

    def windows_of_subset(self, subset: PartitionSubset) -> Sequence[TimeWindow]:
        """The stretches of time that the ranges of a set cover, from the start of each first window to the end of its last."""
        ends = [[self.time_window_for_partition_key(key) for key in each] for each in subset.ranges]
        return [TimeWindow(first.start, last.end) for first, last in ends]

    def subset_of_spans(self, spans: Sequence[tuple[float, float]]) -> PartitionSubset:
        windows = self._windows
        ends = [[within_bounds(windows, starting_from(windows, moment)) for moment in span] for span in spans]
        positions = [(start, stop) for start, stop in ends]
        return subset_at(self, positions, current_time_or_now(None))
