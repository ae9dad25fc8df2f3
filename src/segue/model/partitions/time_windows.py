"""Partitions that are windows of time: hourly, daily, weekly, monthly, or by a cron schedule.

A window becomes a partition once it has ended (`end_offset` shifts that). How windows lie when clocks change is said in
`calendar`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind, require_list, require_type
from segue.model.cron import looks_like_cron, require_cron
from segue.model.json_data import JsonValue
from segue.model.partitions.calendar import Rhythm, ScheduleType, decade_of, number_at, offsets_given
from segue.model.partitions.key_format import reads_back, start_of_excluded, timestamp_of_bound
from segue.model.partitions.key_range import TimestampWithTimezone
from segue.model.partitions.sequence import sequence_of
from segue.model.partitions.window_lookups import TimeWindowFields, WindowLookups
from segue.model.partitions.zones import zone_named


class TimeWindowPartitionsDefinition(WindowLookups):
    """Windows of time that follow each other without gap; each is named by the moment at which it starts.

    Args:
        start: the first window is the first that starts at or after this; a text is read in `fmt`. Like those in `end`
            and `exclusions`, datetimes are clock readings in `timezone`; a tzinfo they bring is not looked at.
        fmt: the form of the keys, as for `datetime.strftime`. It must tell windows apart, or definitions with it do not load.
        end: no window ends after this.
        schedule_type: how often a window starts; with `minute_offset`, `hour_offset` and `day_offset` (weekly: 0 is
            Sunday; monthly: the day of the month). Instead of these four: any `cron_schedule`, which fires when a window starts.
        timezone: a name of the time zone database; default UTC.
        end_offset: how many windows more (or, negative, fewer) exist than have ended.
        exclusions: windows that are left out: their starts, as datetimes or as texts in `fmt`, or cron schedules that fire at them.

    Raises:
        InvalidDefinitionError: values that do not fit together.
    """

    __slots__ = ()
    _built_in: ClassVar[bool] = True  # looked for on the class itself: subclasses of the user's own do not have it

    def __init__(
        self,
        start: datetime | str | TimestampWithTimezone,
        fmt: str,
        end: datetime | str | TimestampWithTimezone | None = None,
        schedule_type: ScheduleType | None = None,
        timezone: str | None = None,
        end_offset: int = 0,
        minute_offset: int | None = None,
        hour_offset: int | None = None,
        day_offset: int | None = None,
        cron_schedule: str | None = None,
        exclusions: Sequence[str | datetime | TimestampWithTimezone] | None = None,
    ) -> None:
        require_type(self, "end_offset", end_offset, int)
        require_type(self, "fmt", fmt, str)
        offsets = {"minute_offset": minute_offset, "hour_offset": hour_offset, "day_offset": day_offset}
        for name, offset in offsets.items():
            require_kind(type(self).__name__, name, offset, int)
        kind, minute, hour, day = offsets_given(schedule_type, minute_offset, hour_offset, day_offset, cron_schedule)
        zone = zone_named(timezone or "UTC")
        fields = TimeWindowFields(
            schedule_type=None if kind is None else kind.value,
            minute_offset=minute,
            hour_offset=hour,
            day_offset=day,
            start_timestamp=timestamp_of_bound(start, "start", fmt, zone),
            end_timestamp=None if end is None else timestamp_of_bound(end, "end", fmt, zone),
            fmt=fmt,
            timezone=timezone or "UTC",
            end_offset=end_offset,
            exclusions=(),
            cron_schedule=cron_schedule if kind is None else None,
        )
        rhythm = _rhythm_of(fields)
        given = [] if exclusions is None else require_list(type(self).__name__, "exclusions", exclusions)
        crons = tuple([each for each in given if isinstance(each, str) and looks_like_cron(each)])
        if crons:
            require_cron(crons, "exclusions")
        starts = {start_of_excluded(each, rhythm, fmt) for each in given if each not in crons}
        self._settle(fields._replace(exclusions=tuple(sorted(starts)), excluded_crons=crons))

    def validate_partition_definition(self) -> None:
        """Checks that the format tells windows apart.

        Raises:
            InvalidDefinitionError: two windows have one key, or a key does not lead back to its window.
        """
        fields, windows = self._fields, self._windows
        if reads_back(windows.rhythm, fields.fmt, windows.first, windows.limit):
            return
        rhythm_name = repr(fields.cron_schedule) if fields.schedule_type is None else fields.schedule_type.lower()
        raise InvalidDefinitionError(
            f"fmt={fields.fmt!r} does not identify {rhythm_name} windows uniquely: a partition key must lead back to its "
            "window. Leave fmt out to use the default format, or include every part of the start time."
        )

    def _settle(self, fields: TimeWindowFields) -> None:
        """Sets the slots from the fields."""
        rhythm = _rhythm_of(fields)
        excluded = (number_at(rhythm, start) for start in fields.exclusions)
        ends = fields.start_timestamp, fields.end_timestamp
        windows = sequence_of(rhythm, *ends, excluded, fields.excluded_crons)
        object.__setattr__(self, "_fields", fields)
        object.__setattr__(self, "_windows", windows)

    def equal_except_for_start_or_end(self, other: TimeWindowPartitionsDefinition) -> bool:
        """Whether another has the same windows, apart from where they begin and end."""
        mine, others = (each._fields._replace(start_timestamp=0.0, end_timestamp=None) for each in (self, other))
        return mine == others

    @property
    def is_basic_daily(self) -> bool:
        """Whether windows are days from midnight to midnight, none of them excluded."""
        return self.cron_schedule == "0 0 * * *" and not self.exclusions

    @property
    def is_basic_hourly(self) -> bool:
        """Whether windows are hours that start on the hour, none of them excluded."""
        return self.cron_schedule == "0 * * * *" and not self.exclusions

    # -- as a value

    def to_wire(self) -> dict[str, JsonValue]:
        if not _is_built_in(type(self)):
            return super().to_wire()
        return {"kind": "time_window", **self._fields._asdict()}

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> TimeWindowPartitionsDefinition:
        """The definition that `to_wire` wrote: equal to the original, though of this class."""
        definition = TimeWindowPartitionsDefinition.__new__(TimeWindowPartitionsDefinition)
        older: dict[str, object] = {"cron_schedule": None, "excluded_crons": ()}  # in what earlier versions wrote
        definition._settle(
            msgspec.convert([data.get(name, older.get(name)) for name in TimeWindowFields._fields], TimeWindowFields)
        )
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
        number = len(fields.exclusions) + len(fields.excluded_crons)
        parts += [f"{number} exclusions"] if number else []
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        fields = self._fields
        rhythm = self.cron_schedule if fields.schedule_type is None else fields.schedule_type.capitalize()
        shown = f"{rhythm}, starting {self.start.strftime(fields.fmt)} {fields.timezone}."
        if not fields.end_offset:
            return shown
        return f"{shown} End offset by {fields.end_offset} partition{'' if fields.end_offset == 1 else 's'}."

    def __getstate__(self) -> TimeWindowFields:
        return self._fields

    def __setstate__(self, state: TimeWindowFields) -> None:
        self._settle(state)


def _is_built_in(kind: type[TimeWindowPartitionsDefinition]) -> bool:
    return "_built_in" in vars(kind)


def _rhythm_of(fields: TimeWindowFields) -> Rhythm:
    zone = zone_named(fields.timezone)
    offsets = (fields.minute_offset, fields.hour_offset, fields.day_offset)
    kind = None if fields.schedule_type is None else ScheduleType(fields.schedule_type)
    decade = decade_of(zone, fields.start_timestamp)
    return Rhythm(kind, *offsets, zone, decade, fields.cron_schedule or "", fields.timezone)
