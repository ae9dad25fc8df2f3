"""Hourly, daily, weekly and monthly partitions: the time windows that most assets have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from segue.model.partitions.calendar import ScheduleType
from segue.model.partitions.key_format import DATE_FORMAT, HOUR_FORMAT
from segue.model.partitions.key_range import TimestampWithTimezone
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


class HourlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per hour; keys like `2023-01-31-17:00`.

    Args:
        start_date: the first window is the first that starts at or after this (a datetime, or a text in `fmt`).
        end_date: no window ends after this.
        minute_offset: the minute of the hour at which windows start.
        timezone, fmt, end_offset, exclusions: see `TimeWindowPartitionsDefinition`.
    """

    __slots__ = ()
    _built_in: ClassVar[bool] = True

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime | TimestampWithTimezone] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=HOUR_FORMAT if fmt is None else fmt,
            end=end_date,
            schedule_type=ScheduleType.HOURLY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            exclusions=exclusions,
        )


class DailyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per day; keys like `2023-01-31`.

    Args:
        start_date: the first window is the first that starts at or after this (a datetime, or a text in `fmt`).
        end_date: no window ends after this.
        minute_offset, hour_offset: the time of the day at which windows start.
        timezone, fmt, end_offset, exclusions: see `TimeWindowPartitionsDefinition`.
    """

    __slots__ = ()
    _built_in: ClassVar[bool] = True

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime | TimestampWithTimezone] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=DATE_FORMAT if fmt is None else fmt,
            end=end_date,
            schedule_type=ScheduleType.DAILY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            hour_offset=hour_offset,
            exclusions=exclusions,
        )


class WeeklyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per week; keys are the dates on which weeks begin, like `2023-01-29`.

    Args:
        start_date: the first window is the first that starts at or after this (a datetime, or a text in `fmt`).
        end_date: no window ends after this.
        day_offset: the day on which weeks begin: 0 is Sunday, 6 Saturday.
        minute_offset, hour_offset: the time of that day.
        timezone, fmt, end_offset, exclusions: see `TimeWindowPartitionsDefinition`.
    """

    __slots__ = ()
    _built_in: ClassVar[bool] = True

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime | TimestampWithTimezone] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=DATE_FORMAT if fmt is None else fmt,
            end=end_date,
            schedule_type=ScheduleType.WEEKLY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            hour_offset=hour_offset,
            day_offset=day_offset,
            exclusions=exclusions,
        )


class MonthlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per month; keys are the dates on which months begin, like `2023-01-01`.

    Args:
        start_date: the first window is the first that starts at or after this (a datetime, or a text in `fmt`).
        end_date: no window ends after this.
        day_offset: the day of the month on which windows start, 1 to 31; months without that day have no window.
        minute_offset, hour_offset: the time of that day.
        timezone, fmt, end_offset, exclusions: see `TimeWindowPartitionsDefinition`.
    """

    __slots__ = ()
    _built_in: ClassVar[bool] = True

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 1,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[str | datetime | TimestampWithTimezone] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=DATE_FORMAT if fmt is None else fmt,
            end=end_date,
            schedule_type=ScheduleType.MONTHLY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            hour_offset=hour_offset,
            day_offset=day_offset,
            exclusions=exclusions,
        )
