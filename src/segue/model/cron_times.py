"""When a cron schedule fires: pure arithmetic on the days and times it names, in its time zone.

A line for every hour (`*` as its hour) fires at each moment at which the clock shows one of its minutes: not in an hour that
clocks skip, and in both hours where one comes twice. A line that names hours fires once for each: a time that clocks skip
means the first moment after the gap, one that they show twice the second occurrence, but the first around midnight (hours 0
and 23), so that a day begins at its first midnight. On a date that a zone never had because it moved across the date line
nothing fires, unless the line names days: then its times are times that clocks skip. Partitions by time follow the same rule,
so that a schedule ticks when a partition ends.

A line may have six fields, the first for seconds: it fires at these seconds of each minute at which the other five fire.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from segue.model.cron import require_cron
from segue.model.partitions.zones import datetime_at, epoch_of_wall, offset_at, skipped_days, zone_named

_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
_LONGEST_PAUSE = (
    366 * 41
)  # days: longer than between any two dates that a line can name, as Saturday the 29th of February
_DAY = 86400


class CronTimes(msgspec.Struct, frozen=True):
    """A cron schedule, read.

    Attributes:
        seconds, minutes, hours, months: the values they may have.
        every_hour: whether the line names no particular hours.
        days: days of the month, -1 for the last; None for any.
        weekdays: pairs of a day (0 is Sunday) and which of that day in the month (0: each, -1: the last); None for any.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    every_hour: bool
    months: frozenset[int]
    days: frozenset[int] | None
    weekdays: frozenset[tuple[int, int]] | None
    seconds: tuple[int, ...] = (0,)


def full_line(line: str) -> str:
    """The cron schedule in its five or six fields, a shorthand such as `@daily` written out."""
    text = line.strip().lower()
    return _SHORTHANDS.get(text, text)


@lru_cache(maxsize=256)
def cron_times(line: str) -> CronTimes:
    """The cron schedule, read.

    Raises:
        InvalidDefinitionError: it is none.
    """
    require_cron(line, "cron schedule", may_have_seconds=True)
    *seconds, minute, hour, day, month, weekday = full_line(line).split()
    return CronTimes(
        tuple(sorted({*_values(minute, 0, 59, {})})),
        tuple(sorted({*_values(hour, 0, 23, {})})),
        hour in ("*", "*/1"),
        frozenset(_values(month, 1, 12, _MONTHS)),
        None if day in ("*", "?") else frozenset(_days(day)),
        None if weekday in ("*", "?") else frozenset(_weekdays(weekday)),
        tuple(sorted({*_values(seconds[0], 0, 59, {})})) if seconds else (0,),
    )


def last_fire(line: str, timezone: str, until: datetime) -> datetime | None:
    """The last moment, at or before another, at which a cron schedule fires; None where it never did in living memory."""
    times, zone = cron_times(line), zone_named(timezone)
    limit = until.timestamp()
    local = datetime_at(zone, limit).date()
    for back in range(-1, _LONGEST_PAUSE):  # a day ahead: the clocks of a zone may go back over midnight
        day = local - timedelta(days=back)
        found = _last_on(times, timezone, day, limit)
        if found is not None:
            # Where they do, what comes again of the day before lies after what had come of this one.
            before = _last_on(times, timezone, day - timedelta(days=1), limit)
            return datetime_at(zone, found if before is None else max(found, before))
    return None


def next_fire(line: str, timezone: str, after: datetime) -> datetime | None:
    """The first moment, after another, at which a cron schedule fires; None where it will not in living memory."""
    times, zone = cron_times(line), zone_named(timezone)
    limit = after.timestamp()
    local = datetime_at(zone, limit).date()
    for ahead in range(-1, _LONGEST_PAUSE):  # a day back: the clocks of a zone may go back over midnight
        day = local + timedelta(days=ahead)
        found = _first_on(times, timezone, day, limit)
        if found is not None:
            # Where they do, the day after has begun before what comes again of this one.
            following = _first_on(times, timezone, day + timedelta(days=1), limit)
            return datetime_at(zone, found if following is None else min(found, following))
    return None


def _last_on(times: CronTimes, timezone: str, day: date, limit: float) -> int | None:
    """The last moment, at or before `limit`, at which a line fires on a day."""
    fires = _fires_in_order(times, timezone, day)
    at = bisect_right(fires, limit)
    for minute in fires[max(at - 2, 0) : at][::-1]:
        within = bisect_right(times.seconds, limit - minute)
        if within:
            return minute + times.seconds[within - 1]
    return None


def _first_on(times: CronTimes, timezone: str, day: date, limit: float) -> int | None:
    """The first moment, after `limit`, at which a line fires on a day."""
    fires = _fires_in_order(times, timezone, day)
    at = bisect_right(fires, limit)
    for minute in fires[max(at - 1, 0) : at + 1]:
        within = bisect_right(times.seconds, limit - minute)
        if within < len(times.seconds):
            return minute + times.seconds[within]
    return None


@lru_cache(maxsize=512)  # who asks for the next moment soon asks for the one after it
def _fires_in_order(times: CronTimes, timezone: str, day: date) -> tuple[int, ...]:
    """The minutes at which a line fires on a day, by their first second, in order."""
    return tuple(sorted(fires_on(times, timezone, day)))


def fires_on(times: CronTimes, timezone: str, day: date) -> Iterator[int]:
    """The minutes (their first second, since 1970) at which a line fires on a day of its zone, in no particular order."""
    zone = zone_named(timezone)
    midnight = (day - date(1970, 1, 1)).days * _DAY
    names_days = times.days is not None or times.weekdays is not None
    if not is_day(times, day) or (not names_days and midnight // _DAY in skipped_days(zone)):
        return
    for hour in times.hours:
        for minute in times.minutes:
            wall = midnight + hour * 3600 + minute * 60
            if not times.every_hour:
                yield epoch_of_wall(zone, wall, second_if_twice=0 < hour < 23)
                continue
            first, second = epoch_of_wall(zone, wall, False), epoch_of_wall(zone, wall, True)
            if first + offset_at(zone, first) == wall:  # else the clock skips it
                yield first
            if second != first:
                yield second


def is_day(times: CronTimes, day: date) -> bool:
    """Whether the line names a day; where it names days of the month and of the week, either is enough."""
    if day.month not in times.months:
        return False
    length = _days_of_month(day)
    in_month = times.days is None or day.day in times.days or (-1 in times.days and day.day == length)
    if times.weekdays is None:
        return in_month
    weekday = day.isoweekday() % 7
    nth = (day.day - 1) // 7 + 1
    is_last = day.day + 7 > length
    in_week = (
        (weekday, 0) in times.weekdays
        or (weekday, nth) in times.weekdays
        or (is_last and (weekday, -1) in times.weekdays)
    )
    return in_week if times.days is None else in_month or in_week


def _values(field: str, low: int, high: int, names: dict[str, int]) -> Iterator[int]:
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            one, _, two = span.partition("-")
            first = names[one] if one in names else int(one)
            last = (names[two] if two in names else int(two)) if two else (high if step else first)
        if last < first:  # fri-mon goes round
            yield from range(first, high + 1, int(step or 1))
            first = low
        yield from range(first, last + 1, int(step or 1))


def _days(field: str) -> Iterator[int]:
    for part in field.split(","):
        if part == "l":
            yield -1
        else:
            yield from _values(part, 1, 31, {})


def _weekdays(field: str) -> Iterator[tuple[int, int]]:
    for part in field.split(","):
        day, mark, nth = part.partition("#")
        if mark:
            yield (_DAYS[day] if day in _DAYS else int(day)) % 7, -1 if nth == "l" else int(nth)
        elif day.startswith("l") and day[1:].isdigit():
            yield int(day[1:]) % 7, -1
        else:
            yield from ((each % 7, 0) for each in _values(part, 0, 7 if "7" in part else 6, _DAYS))


def _days_of_month(day: date) -> int:
    first = day.replace(day=1)
    return 31 if day.month == 12 else (first.replace(month=day.month + 1) - first).days
