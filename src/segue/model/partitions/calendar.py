"""The calendar behind time-window partitions: window number <-> the moment at which the window starts.

A `Rhythm` says when windows start ("each day at 02:00 in New York"). It numbers its windows without gaps, so counting,
membership and neighbourhood are integer arithmetic; a window ends where the next one starts.

What happens when clocks change (the default timezone, UTC, never does):

- **Hourly**: a window starts at every moment at which the local clock shows `minute_offset`. Where the clock skips an
  hour there is no window for it and the windows around it touch; where an hour comes twice there are two windows, and
  the key of the second ends in its offset from UTC (`2023-11-05-01:00-0500`). Where the change is not a whole number of
  hours (Lord Howe) the window around it is 30 or 90 minutes long.
- **Daily, weekly, monthly**: one window per date. A start time that the clock skips becomes the first moment after the
  gap; one that comes twice means the second occurrence, but the first around midnight (`hour_offset` 0 or 23), so that
  a day begins at its first midnight. A date that a zone never had (Samoa, 2011-12-30) has no daily window; a weekly or monthly
  window that would start on it starts at the first moment after.
- **Any other cron schedule**: as `cron_times` says, which agrees with the above: a line for every hour like hourly windows, a line
  that names hours like daily ones.
- **Monthly** on day 29, 30 or 31: months without that day have no window, and the window before reaches across them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, tzinfo
from enum import Enum
from functools import lru_cache
from itertools import pairwise

import msgspec

from segue.errors import InvalidDefinitionError, WrongArgumentError, WrongDeclarationError
from segue.model.cron import require_cron
from segue.model.cron_times import cron_times, full_line
from segue.model.partitions.cron_lattice import CronLattice, lattice_of
from segue.model.partitions.zones import DAY, datetime_at, epoch_of_wall, offset_at, skipped_days, transitions_between

HOUR = 3600
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_FIRST_SUNDAY = 3  # 1970-01-04, in days since 1970-01-01
_LAST_LATTICE_YEAR = 2100  # later, whatever rule a zone then has is taken to hold for good
_DAYS_OF_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class ScheduleType(Enum):
    """How often a time window starts."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class Rhythm(msgspec.Struct, frozen=True):
    """When windows start.

    Attributes:
        schedule_type: None where a cron schedule says it that is none of the four.
        minute: 0 to 59; hour: 0 to 23 (0 if hourly).
        day: weekly 0 (Sunday) to 6, monthly 1 to 31, else 0.
        decade: a year ending in 0, not after the first window of interest; hourly windows, and those of a cron schedule, are
            counted from there.
        cron, zone_name: the cron schedule, where there is no schedule type, and the name of the zone.
    """

    schedule_type: ScheduleType | None
    minute: int
    hour: int
    day: int
    zone: tzinfo
    decade: int
    cron: str = ""
    zone_name: str = "UTC"

    @property
    def is_by_date(self) -> bool:
        """Whether a date has one window at most, by arithmetic."""
        return self.schedule_type not in (None, ScheduleType.HOURLY)

    @property
    def repeats(self) -> bool:
        """Whether an hour that comes twice has windows of its own each time."""
        if self.schedule_type is None:
            return cron_times(self.cron).every_hour
        return self.schedule_type is ScheduleType.HOURLY

    @property
    def lattice(self) -> CronLattice:
        """The windows as fires of the cron schedule."""
        return lattice_of(cron_of(self), self.zone_name, self.zone, self.decade)


def check_offsets(schedule_type: ScheduleType, minute: int, hour: int, day: int) -> None:
    """Raises InvalidDefinitionError if one of the three is out of the range that the schedule type gives it."""
    days = {ScheduleType.WEEKLY: (0, 6), ScheduleType.MONTHLY: (1, 31)}.get(schedule_type, (0, 0))
    hours = (0, 0) if schedule_type is ScheduleType.HOURLY else (0, 23)
    rows = (("minute_offset", minute, (0, 59)), ("hour_offset", hour, hours), ("day_offset", day, days))
    for name, value, (low, high) in rows:
        if not low <= value <= high:
            raise InvalidDefinitionError(
                f"{name}={value} is not valid for {schedule_type.value.lower()} partitions: it must be "
                + (f"between {low} and {high}." if high else f"{low}, which this schedule does not use.")
            )


def epoch_of(rhythm: Rhythm, number: int) -> int:
    """The moment at which a window starts."""
    if rhythm.schedule_type is None:
        return rhythm.lattice.epoch(number)
    if rhythm.schedule_type is ScheduleType.HOURLY:
        if rhythm.zone is UTC:
            return number * HOUR + rhythm.minute * 60
        lattice = _lattice_until(rhythm, _lattice_until(rhythm, 0).epochs[0] + number * HOUR)
        segment = max(bisect_right(lattice.numbers, number) - 1, 0)
        return lattice.epochs[segment] + (number - lattice.numbers[segment]) * HOUR
    if rhythm.schedule_type is ScheduleType.DAILY:
        while number in skipped_days(rhythm.zone):  # no time lies in it: the window before reaches up to the one after
            number += 1
    return epoch_of_wall(rhythm.zone, wall_of(rhythm, number), second_if_twice=0 < rhythm.hour < 23)


def number_at(rhythm: Rhythm, epoch: int) -> int:
    """The window that contains a moment: the last one that starts at or before it."""
    if rhythm.schedule_type is None:
        return rhythm.lattice.at(epoch)
    if rhythm.schedule_type is ScheduleType.HOURLY:
        if rhythm.zone is UTC:
            return (epoch - rhythm.minute * 60) // HOUR
        lattice = _lattice_until(rhythm, epoch)
        segment = max(bisect_right(lattice.epochs, epoch) - 1, 0)
        number = lattice.numbers[segment] + (epoch - lattice.epochs[segment]) // HOUR
        last_of_segment = segment + 1 < len(lattice.numbers)
        return min(number, lattice.numbers[segment + 1] - 1) if last_of_segment else number
    number = _number_on_wall(rhythm, epoch + offset_at(rhythm.zone, epoch))
    if rhythm.zone is not UTC:
        while epoch_of(rhythm, number) > epoch:
            number -= 1
        while epoch_of(rhythm, number + 1) <= epoch:
            number += 1
    return number


def number_from(rhythm: Rhythm, epoch: int) -> int:
    """The first window that starts at or after a moment."""
    number = number_at(rhythm, epoch)
    return number if epoch_of(rhythm, number) == epoch else number + 1


def wall_of(rhythm: Rhythm, number: int) -> int:
    """What the clock should show when a daily, weekly or monthly window starts, in seconds since 1970-01-01."""
    match rhythm.schedule_type:
        case ScheduleType.WEEKLY:
            days = 7 * number + _FIRST_SUNDAY + rhythm.day
        case ScheduleType.MONTHLY:
            year = number // 12 + 1
            while _months_before(year + 1, rhythm.day) <= number:
                year += max((number - _months_before(year + 1, rhythm.day)) // 12, 1)
            month = _months_with(year, rhythm.day)[number - _months_before(year, rhythm.day)]
            days = date(year, month, rhythm.day).toordinal() - _EPOCH_ORDINAL
        case _:
            days = number
    return days * DAY + rhythm.hour * HOUR + rhythm.minute * 60


def number_on(rhythm: Rhythm, day: int) -> int | None:
    """The daily, weekly or monthly window of a date (as days since 1970-01-01), if there is one."""
    number = _number_on_wall(rhythm, day * DAY + DAY - 1)
    return number if wall_of(rhythm, number) // DAY == day else None


def day_of_date(day: date) -> int:
    """A date as days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of_day(day: int) -> date:
    """The date of a day counted from 1970-01-01."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def runs_of_hours(rhythm: Rhythm, start: int, stop: int) -> list[tuple[int, int]]:
    """The hourly windows [start, stop) as pieces (first moment, how many) in which they are exactly one hour apart."""
    lattice = _lattice_until(rhythm, epoch_of(rhythm, stop))
    bounds = [start, *(number for number in lattice.numbers if start < number < stop), stop]
    return [(epoch_of(rhythm, low), high - low) for low, high in pairwise(bounds) if low < high]


def epochs_between(rhythm: Rhythm, start: int, stop: int) -> Iterator[int]:
    """The moments at which the windows [start, stop) start."""
    if rhythm.schedule_type is None:
        return rhythm.lattice.epochs(start, stop)
    return (epoch_of(rhythm, number) for number in range(start, stop))


def cron_of(rhythm: Rhythm) -> str:
    """The rhythm as a cron schedule."""
    if rhythm.schedule_type is None:
        return rhythm.cron
    hour = "*" if rhythm.schedule_type is ScheduleType.HOURLY else str(rhythm.hour)
    day_of_month = str(rhythm.day) if rhythm.schedule_type is ScheduleType.MONTHLY else "*"
    day_of_week = str(rhythm.day) if rhythm.schedule_type is ScheduleType.WEEKLY else "*"
    return f"{rhythm.minute} {hour} {day_of_month} * {day_of_week}"


def cron_with(
    rhythm: Rhythm, minute: int | None, hour: int | None, day_of_week: int | None, day_of_month: int | None
) -> str:
    """The rhythm as a cron schedule, with another minute, hour or day where given.

    Raises:
        WrongArgumentError: an hour or day that the schedule does not have.
    """
    kind = rhythm.schedule_type
    if kind is None:
        if (minute, hour, day_of_week, day_of_month) != (None, None, None, None):
            raise WrongArgumentError(
                f"The cron schedule {rhythm.cron!r} defines when windows start and cannot be combined with other times."
            )
        return rhythm.cron
    foreign = {
        "hour_of_day": hour is not None and kind is ScheduleType.HOURLY,
        "day_of_week": day_of_week is not None and kind is not ScheduleType.WEEKLY,
        "day_of_month": day_of_month is not None and kind is not ScheduleType.MONTHLY,
    }
    if any(foreign.values()):
        names = " and ".join(name for name, wrong in foreign.items() if wrong)
        raise WrongArgumentError(f"{kind.value.capitalize()} partitions cannot be combined with {names}.")
    day = day_of_week if kind is ScheduleType.WEEKLY else day_of_month
    changes = {name: each for name, each in (("minute", minute), ("hour", hour), ("day", day)) if each is not None}
    changed = msgspec.structs.replace(rhythm, **changes)
    check_offsets(kind, changed.minute, changed.hour, changed.day)
    return cron_of(changed)


def offsets_given(
    schedule_type: ScheduleType | None,
    minute: int | None,
    hour: int | None,
    day: int | None,
    cron_schedule: str | None,
) -> tuple[ScheduleType | None, int, int, int]:
    """Schedule type, minute, hour and day from what users pass: the four, or a cron schedule (None where it says anything else).

    Raises:
        InvalidDefinitionError: neither or both, an offset out of range, or an invalid cron schedule.
    """
    if schedule_type is None and cron_schedule is not None and (minute, hour, day) == (None, None, None):
        require_cron(cron_schedule, "TimeWindowPartitionsDefinition")
        given = offsets_of_cron(cron_schedule)
        if given is None:
            return None, 0, 0, 0
    elif schedule_type is not None and cron_schedule is None:
        first_day = int(schedule_type is ScheduleType.MONTHLY)
        given = (schedule_type, minute or 0, hour or 0, first_day if day is None else day)
    else:
        raise WrongDeclarationError(
            "A time-window partitions definition must have either schedule_type (with offsets) or cron_schedule (without "
            "offsets), not both."
        )
    check_offsets(*given)
    return given


def offsets_of_cron(cron_schedule: str) -> tuple[ScheduleType, int, int, int] | None:
    """Schedule type, minute, hour and day of a cron schedule that fires hourly, daily, weekly or monthly; None for others."""
    match [int(field) if field.isdecimal() else field for field in full_line(cron_schedule).split()]:
        case [int(minute), "*", "*", "*", "*"]:
            return ScheduleType.HOURLY, minute, 0, 0
        case [int(minute), int(hour), "*", "*", "*"]:
            return ScheduleType.DAILY, minute, hour, 0
        case [int(minute), int(hour), "*", "*", int(day)]:
            return ScheduleType.WEEKLY, minute, hour, day % 7
        case [int(minute), int(hour), int(day), "*", "*"]:
            return ScheduleType.MONTHLY, minute, hour, day
        case _:
            return None


def _number_on_wall(rhythm: Rhythm, wall: int) -> int:
    """The last daily, weekly or monthly window whose `wall_of` is not after `wall`."""
    days = (wall - rhythm.hour * HOUR - rhythm.minute * 60) // DAY
    match rhythm.schedule_type:
        case ScheduleType.WEEKLY:
            return (days - _FIRST_SUNDAY - rhythm.day) // 7
        case ScheduleType.MONTHLY:
            day = date_of_day(days)
            begun = [
                month for month in _months_with(day.year, rhythm.day) if (month, rhythm.day) <= (day.month, day.day)
            ]
            return _months_before(day.year, rhythm.day) + len(begun) - 1
        case _:
            return days


def _months_with(year: int, day: int) -> list[int]:
    """The months of a year that have such a day."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return [
        month for month, days in enumerate(_DAYS_OF_MONTHS, 1) if day <= days or (leap and month == 2 and day == 29)
    ]


def _months_before(year: int, day: int) -> int:
    """How many months from year 1 up to this year, exclusive, have such a day."""
    years = year - 1
    leap_years = years // 4 - years // 100 + years // 400 if day == 29 else 0
    return years * (12 if day <= 28 else 7 if day == 31 else 11) + leap_years


class _Lattice(msgspec.Struct, frozen=True):
    """The hourly windows as segments in which they are exactly one hour apart: first moment and number of each."""

    epochs: tuple[int, ...]
    numbers: tuple[int, ...]


def _lattice_until(rhythm: Rhythm, epoch: int) -> _Lattice:
    """The lattice with every segment that begins up to a moment; rounded to decades so that few are ever built."""
    if rhythm.zone is UTC:
        return _Lattice((rhythm.minute * 60,), (0,))
    year = 1970 + epoch // 31_556_952
    last_year = min(max(year // 10 * 10 + 11, rhythm.decade + 11), max(_LAST_LATTICE_YEAR, rhythm.decade + 11))
    return _lattice(rhythm.zone, rhythm.minute, rhythm.decade, last_year)


@lru_cache(maxsize=1024)
def _lattice(zone: tzinfo, minute: int, first_year: int, last_year: int) -> _Lattice:
    anchor = (date(first_year, 1, 1).toordinal() - _EPOCH_ORDINAL) * DAY
    until = (date(last_year, 1, 1).toordinal() - _EPOCH_ORDINAL) * DAY
    epochs = [_next_showing(minute, anchor, offset_at(zone, anchor))]
    numbers = [0]
    for change in transitions_between(zone, anchor, until):
        if (change.after - change.before) % HOUR:
            numbers.append(numbers[-1] + -(-(change.epoch - epochs[-1]) // HOUR))
            epochs.append(_next_showing(minute, change.epoch, change.after))
    return _Lattice(tuple(epochs), tuple(numbers))


def _next_showing(minute: int, epoch: int, offset: int) -> int:
    """The first moment at or after this one at which a clock with that offset shows the minute."""
    return epoch + (minute * 60 - epoch - offset) % HOUR


def decade_of(zone: tzinfo, epoch: float) -> int:
    """The year ending in 0 at or before a moment (a `Rhythm` that is asked about it counts from there)."""
    return max(datetime_at(zone, epoch).year // 10 * 10, 1)
