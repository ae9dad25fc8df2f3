"""Changes of clocks in every zone, and when a rhythm of time meets them: a walk over the clock minute by minute.

For tests alone. The walk knows `zoneinfo` and the rule, and nothing of the code under test:

- a rhythm for every hour comes at each moment at which the clock shows its minute;
- a rhythm at named times comes once per date and time: a time that is skipped means the first moment after the gap; one that
  comes twice means the second, but the first where its hour is 0 or 23; a date that never was has none, unless the rhythm
  names days: then its times are skipped ones.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

DAY = 86_400
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1970, 2038))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Change(NamedTuple):
    """A change of clocks: where, when, and the offsets before and after in seconds."""

    zone: str
    epoch: int
    before: int
    after: int


def offset(zone: zoneinfo.ZoneInfo, epoch: int) -> int:
    found = datetime.fromtimestamp(epoch, zone).utcoffset()
    assert found is not None
    return int(found.total_seconds())


def changes_of(name: str) -> Iterator[Change]:
    """The changes of a zone: found by a look at every fourth day, and halving."""
    zone = zoneinfo.ZoneInfo(name)
    known = offset(zone, FIRST)
    for high in range(FIRST + 4 * DAY, LAST, 4 * DAY):
        after = offset(zone, high)
        if after != known:
            low = high - 4 * DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if offset(zone, middle) == after else (middle, high)
            yield Change(name, high, known, after)
            known = after


@cache
def different_changes() -> list[Change]:
    """One change for each pair of offsets and time of day at which the clocks change."""
    found: dict[tuple[int, int, int], Change] = {}
    for name in sorted(zoneinfo.available_timezones() - {"localtime"}):
        if name.startswith(("posix/", "right/")):  # the same zones under other names, and with leap seconds
            continue
        for change in changes_of(name):
            found.setdefault((change.before, change.after, (change.epoch + change.before) % DAY), change)
    return list(found.values())


def time_met(change: Change) -> datetime:
    """A minute that the clock skips at a change, or the first that it shows a second time."""
    ahead = change.before if change.after > change.before else change.after
    return EPOCH.replace(tzinfo=None) + timedelta(seconds=change.epoch + ahead + 60)


class Rhythm(NamedTuple):
    """Times of the day (minutes since midnight) on which days; `every_hour`: minutes of any hour."""

    times: tuple[int, ...]
    every_hour: bool = False
    weekday: int | None = None
    day: int | None = None

    @property
    def span(self) -> int:
        """How far around a change to look, in seconds."""
        return 5 * 3600 if self.every_hour else 36 * 3600


@lru_cache(maxsize=1)
def clock_around(change: Change) -> list[tuple[int, datetime]]:
    """What the clock shows, minute by minute, within two days and a half of a change."""
    zone = zoneinfo.ZoneInfo(change.zone)
    step = 60 if change.before % 60 == change.after % 60 == 0 else 30
    span = range(change.epoch - 60 * 3600, change.epoch + 60 * 3600, step)
    return [(epoch, datetime.fromtimestamp(epoch, zone).replace(tzinfo=None, fold=0)) for epoch in span]


def walk(change: Change, rhythm: Rhythm) -> list[int]:
    """The moments at which a rhythm comes around a change, `span` seconds before it and after it."""
    clock = clock_around(change)
    starts: set[int] = set()
    if rhythm.every_hour:
        starts = {epoch for epoch, wall in clock if wall.second == 0 and wall.minute in rhythm.times}
    else:
        shown: dict[datetime, list[int]] = {}
        for epoch, wall in clock:
            shown.setdefault(wall, []).append(epoch)
        dates = {wall.date() for wall in shown}
        first, last = min(dates) + timedelta(days=1), max(dates)
        days = [first + timedelta(days=number) for number in range((last - first).days)]
        names_days = rhythm.weekday is not None or rhythm.day is not None
        for each in (day for day in days if is_on(rhythm, day) and (names_days or day in dates)):
            for minutes in rhythm.times:
                wall = datetime(each.year, each.month, each.day) + timedelta(minutes=minutes)
                moments = shown.get(wall)
                if moments is None:
                    starts.add(next(now for (_, one), (now, two) in pairwise(clock) if one < wall < two))
                else:
                    starts.add(moments[0] if minutes // 60 in (0, 23) else moments[-1])
    low, high = change.epoch - rhythm.span, change.epoch + rhythm.span
    return sorted(start for start in starts if low <= start < high)


def is_on(rhythm: Rhythm, day: date) -> bool:
    if rhythm.weekday is not None:
        return day.isoweekday() % 7 == rhythm.weekday
    return rhythm.day is None or day.day == rhythm.day
