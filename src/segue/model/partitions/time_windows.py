"""Partitions that are windows of time: hourly, daily, weekly, monthly.

A window becomes a partition once it has ended (`end_offset` shifts that). How windows lie when clocks change is said in
`calendar`. Keys, windows and moments translate into each other by the calendar alone: only how many partitions exist
depends on the present.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

import msgspec

from segue.errors import InvalidDefinitionError
from segue.model.json_data import JsonValue
from segue.model.partitions.base import (
    FrozenPartitionsDefinition,
    TimeWindow,
    current_time_or_now,
    unknown_key,
)
from segue.model.partitions.calendar import (
    Rhythm,
    ScheduleType,
    cron_of,
    cron_with,
    decade_of,
    epoch_of,
    number_at,
    offsets_given,
)
from segue.model.partitions.key_format import (
    epoch_of_reading,
    key_of,
    keys_of_run,
    number_of_key,
    reads_back,
    start_of_excluded,
    timestamp_of_bound,
)
from segue.model.partitions.sequence import (
    WindowSequence,
    ended_by,
    is_excluded,
    number_of,
    position_of,
    runs_between,
    sequence_of,
    starting_from,
    within_bounds,
)
from segue.model.partitions.zones import datetime_at, zone_named


class TimeWindowFields(NamedTuple):
    """What a time-window definition is, in plain values: its identity, its pickle and its wire form."""

    schedule_type: str
    minute_offset: int
    hour_offset: int
    day_offset: int
    start_timestamp: float
    end_timestamp: float | None
    fmt: str
    timezone: str
    end_offset: int
    exclusions: tuple[int, ...]


class TimeWindowPartitionsDefinition(FrozenPartitionsDefinition):
    """Windows of time that follow each other without gap; each is named by the moment at which it starts.

    Args:
        start: the first window is the first that starts at or after this; a text is read in `fmt`. Like those in `end`
            and `exclusions`, datetimes are clock readings in `timezone`; a tzinfo they bring is not looked at.
        fmt: the form of the keys, as for `datetime.strftime`. It must tell windows apart.
        end: no window ends after this.
        schedule_type: how often a window starts; with `minute_offset`, `hour_offset` and `day_offset` (weekly: 0 is
            Sunday; monthly: the day of the month). Instead of these four: a `cron_schedule` that says the same.
        timezone: a name of the time zone database; default UTC.
        end_offset: how many windows more (or, negative, fewer) exist than have ended.
        exclusions: starts of windows that are left out, as datetimes or as texts in `fmt`.

    Raises:
        InvalidDefinitionError: values that do not fit together.
        NotSupportedError: a cron line that is not hourly, daily, weekly or monthly, or one among the exclusions.
    """

    __slots__ = ("_fields", "_windows")
    _fields: TimeWindowFields
    _windows: WindowSequence
    _built_in: ClassVar[bool] = True  # looked for on the class itself: subclasses of the user's own do not have it

    def __init__(
        self,
        start: datetime | str,
        fmt: str,
        end: datetime | str | None = None,
        schedule_type: ScheduleType | None = None,
        timezone: str | None = None,
        end_offset: int = 0,
        minute_offset: int | None = None,
        hour_offset: int | None = None,
        day_offset: int | None = None,
        cron_schedule: str | None = None,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        kind, minute, hour, day = offsets_given(schedule_type, minute_offset, hour_offset, day_offset, cron_schedule)
        zone = zone_named(timezone or "UTC")
        fields = TimeWindowFields(
            schedule_type=kind.value,
            minute_offset=minute,
            hour_offset=hour,
            day_offset=day,
            start_timestamp=timestamp_of_bound(start, "start", fmt, zone),
            end_timestamp=None if end is None else timestamp_of_bound(end, "end", fmt, zone),
            fmt=fmt,
            timezone=timezone or "UTC",
            end_offset=end_offset,
            exclusions=(),
        )
        rhythm = _rhythm_of(fields)
        starts = {start_of_excluded(each, rhythm, fmt) for each in exclusions or ()}
        self._settle(fields._replace(exclusions=tuple(sorted(starts))))
        if not reads_back(self._windows.rhythm, fmt, self._windows.first):
            raise InvalidDefinitionError(
                f"fmt={fmt!r} does not tell {kind.value.lower()} windows apart: a key in it must lead back to "
                "its window. Leave fmt out for the default format, or let it name every part of the start."
            )

    def _settle(self, fields: TimeWindowFields) -> None:
        """Sets the slots from the fields."""
        rhythm = _rhythm_of(fields)
        excluded = (number_at(rhythm, start) for start in fields.exclusions)
        windows = sequence_of(rhythm, fields.start_timestamp, fields.end_timestamp, excluded)
        object.__setattr__(self, "_fields", fields)
        object.__setattr__(self, "_windows", windows)

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
    def start_timestamp(self) -> float:
        """`start` in seconds since 1970-01-01 UTC."""
        return self._fields.start_timestamp

    @property
    def end_timestamp(self) -> float | None:
        """`end` in seconds since 1970-01-01 UTC."""
        return self._fields.end_timestamp

    @property
    def schedule_type(self) -> ScheduleType:
        """How often a window starts."""
        return self._windows.rhythm.schedule_type

    @property
    def minute_offset(self) -> int:
        """The minute at which windows start."""
        return self._fields.minute_offset

    @property
    def hour_offset(self) -> int:
        """The hour at which windows start; 0 if hourly."""
        return self._fields.hour_offset

    @property
    def day_offset(self) -> int:
        """The day on which windows start: of the week (0 is Sunday) or of the month; 0 if hourly or daily."""
        return self._fields.day_offset

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
    def exclusions(self) -> Sequence[datetime] | None:
        """The starts of the windows that are left out, if any."""
        return [datetime_at(self._windows.rhythm.zone, each) for each in self._fields.exclusions] or None

    @property
    def cron_schedule(self) -> str:
        """The cron line that fires whenever a window starts."""
        return cron_of(self._windows.rhythm)

    def get_cron_schedule(
        self,
        minute_of_hour: int | None = None,
        hour_of_day: int | None = None,
        day_of_week: int | None = None,
        day_of_month: int | None = None,
    ) -> str:
        """A cron line that fires as often as windows start, with other minute, hour or day where given.

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

    def index_of(self, key: str, now: datetime) -> int:
        number = number_of_key(self._windows.rhythm, self._fields.fmt, key)
        if number is None or is_excluded(self._windows, number):
            raise unknown_key(self, key)
        index = position_of(self._windows, number)
        if index < 0 or (self._windows.limit is not None and index >= self._windows.limit):
            raise unknown_key(self, key)
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

    def _epoch(self, moment: datetime) -> float:
        return epoch_of_reading(self._windows.rhythm.zone, moment)

    def _starting_in(self, time_window: TimeWindow) -> tuple[int, int]:
        """The positions [start, stop) of the windows that start in a stretch of time."""
        start, stop = (starting_from(self._windows, self._epoch(moment)) for moment in time_window)
        return within_bounds(self._windows, start), within_bounds(self._windows, stop)

    # -- for people

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: object | None = None
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
        """The key of the window that contains a moment (seconds since 1970-01-01 UTC), by the calendar alone.

        With `end_closed` windows contain their end and not their start.

        Raises:
            UnknownPartitionError: that window is left out.
        """
        number = number_at(self._windows.rhythm, math.floor(timestamp))
        if end_closed and epoch_of(self._windows.rhythm, number) == timestamp:
            number -= 1
        key = key_of(self._windows.rhythm, self._fields.fmt, number)
        if is_excluded(self._windows, number):
            raise unknown_key(self, key)
        return key

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

    def get_next_partition_window(self, end_dt: datetime, respect_bounds: bool = True) -> TimeWindow | None:
        """The first window that starts at or after a moment; None if `respect_bounds` and it does not exist now."""
        index = starting_from(self._windows, self._epoch(end_dt))
        return self._window_if(index, respect_bounds, current_time_or_now(None))

    def get_prev_partition_window(self, start_dt: datetime, respect_bounds: bool = True) -> TimeWindow | None:
        """The last window that ends at or before a moment; None if `respect_bounds` and it does not exist now."""
        index = ended_by(self._windows, self._epoch(start_dt)) - 1
        return self._window_if(index, respect_bounds, current_time_or_now(None))

    def _window_if(self, index: int, respect_bounds: bool, now: datetime) -> TimeWindow | None:
        return self.window_at(index) if not respect_bounds or 0 <= index < self.count(now) else None

    def get_next_partition_key(self, partition_key: str, current_time: datetime | None = None) -> str | None:
        """The key after this one, None if it does not exist at `current_time` (default: now)."""
        now = current_time_or_now(current_time)
        index = self.index_of(partition_key, now) + 1
        return self.key_at(index, now) if index < self.count(now) else None

    # -- as a value

    def to_wire(self) -> dict[str, JsonValue]:
        if not _is_built_in(type(self)):
            return super().to_wire()
        return {"kind": "time_window", **self._fields._asdict()}

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> TimeWindowPartitionsDefinition:
        """The definition that `to_wire` wrote: equal to the original, though of this class."""
        definition = TimeWindowPartitionsDefinition.__new__(TimeWindowPartitionsDefinition)
        definition._settle(msgspec.convert([data[name] for name in TimeWindowFields._fields], TimeWindowFields))
        return definition

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimeWindowPartitionsDefinition) or self._fields != other._fields:
            return False
        return type(self) is type(other) or (_is_built_in(type(self)) and _is_built_in(type(other)))

    def __hash__(self) -> int:
        return hash(self._fields)

    def __repr__(self) -> str:
        fields = self._fields
        parts = [f"start={str(self.start)!r}", f"fmt={fields.fmt!r}"]
        parts += [f"end={str(self.end)!r}"] if fields.end_timestamp is not None else []
        parts += [f"timezone={fields.timezone!r}"] if fields.timezone != "UTC" else []
        parts += [f"end_offset={fields.end_offset}"] if fields.end_offset else []
        parts += [f"cron_schedule={self.cron_schedule!r}"]
        parts += [f"{len(fields.exclusions)} exclusions"] if fields.exclusions else []
        return f"{type(self).__name__}({', '.join(parts)})"

    def __getstate__(self) -> TimeWindowFields:
        return self._fields

    def __setstate__(self, state: TimeWindowFields) -> None:
        self._settle(state)


def _is_built_in(kind: type[TimeWindowPartitionsDefinition]) -> bool:
    return "_built_in" in vars(kind)


def _rhythm_of(fields: TimeWindowFields) -> Rhythm:
    zone = zone_named(fields.timezone)
    offsets = (fields.minute_offset, fields.hour_offset, fields.day_offset)
    return Rhythm(ScheduleType(fields.schedule_type), *offsets, zone, decade_of(zone, fields.start_timestamp))
