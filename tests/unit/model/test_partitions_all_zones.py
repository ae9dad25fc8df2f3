"""Windows of time at every change of clocks in every zone, against a walk over the clock minute by minute.

The walk knows `zoneinfo` and the rule, and nothing of the code under test:

- a rhythm for every hour has a window at each moment at which the clock shows its minute;
- a rhythm at named times has one per date and time: a time that is skipped means the first moment after the gap; one that
  comes twice means the second, but the first where its hour is 0 or 23; a date that never was has none, unless the rhythm
  names days: then its times are skipped ones.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

import segue as sg

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
        if name.startswith(("posix/", "right/")) or "/" not in name:
            continue
        for change in changes_of(name):
            found.setdefault((change.before, change.after, (change.epoch + change.before) % DAY), change)
    return list(found.values())


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
    """The starts of windows around a change."""
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


def rhythms_at(change: Change) -> list[tuple[Rhythm, dict[str, object]]]:
    """Rhythms that meet a change: what the walk knows them as, and what the definition is made of."""
    local = EPOCH + timedelta(seconds=change.epoch + min(change.before, change.after) + 60)
    if change.after > change.before:
        local = EPOCH + timedelta(seconds=change.epoch + change.before + 60)
    hour, minute = local.hour, local.minute
    weekday, day = local.isoweekday() % 7, local.day
    at = {"minute_offset": minute, "hour_offset": hour}
    kind = sg.ScheduleType
    return [
        (Rhythm((minute,), every_hour=True), {"schedule_type": kind.HOURLY, "minute_offset": minute}),
        (Rhythm((0,), every_hour=True), {"schedule_type": kind.HOURLY}),
        (Rhythm((0,)), {"schedule_type": kind.DAILY}),
        (Rhythm((hour * 60 + minute,)), {"schedule_type": kind.DAILY, **at}),
        (Rhythm((hour * 60 + minute,), weekday=weekday), {"schedule_type": kind.WEEKLY, "day_offset": weekday, **at}),
        (Rhythm((hour * 60 + minute,), day=day), {"schedule_type": kind.MONTHLY, "day_offset": day, **at}),
        (Rhythm((0, 20, 40), every_hour=True), {"cron_schedule": "*/20 * * * *"}),
        (
            Rhythm(tuple(sorted({60 * each + minute for each in (hour, (hour + 1) % 24, 12)}))),
            {"cron_schedule": f"{minute} {hour},{(hour + 1) % 24},12 * * *"},
        ),
        (Rhythm((hour * 60 + minute,), weekday=weekday), {"cron_schedule": f"{minute} {hour} * 1-12 {weekday}"}),
    ]


@pytest.mark.parametrize("part", range(4))
def test_windows_lie_where_the_clock_says(part: int) -> None:
    changes = different_changes()
    assert len(changes) > 200
    assert {(change.before, change.after) for change in changes} >= {(-2670, 0), (37_800, 39_600), (-36_000, 50_400)}
    for change in changes[part::4]:
        for rhythm, arguments in rhythms_at(change):
            check(change, rhythm, arguments)


def check(change: Change, rhythm: Rhythm, arguments: dict[str, Any]) -> None:
    """That windows around a change lie where the walk has found them, and that keys lead to them and back."""
    begin = datetime.fromtimestamp(change.epoch - rhythm.span, UTC)
    definition = sg.TimeWindowPartitionsDefinition(
        start=begin - timedelta(days=40), fmt="%Y-%m-%d-%H:%M", timezone=change.zone, **arguments
    )
    keys = definition.get_partition_keys_in_time_window(
        sg.TimeWindow(begin, begin + timedelta(seconds=2 * rhythm.span))
    )
    windows = [definition.time_window_for_partition_key(key) for key in keys]
    assert [each.start.timestamp() for each in windows] == walk(change, rhythm), (change, arguments)
    assert [each.end for each in windows[:-1]] == [each.start for each in windows[1:]]
    positions = [definition.index_of(key, begin) for key in keys]
    first = positions[0] if positions else 0
    assert positions == list(range(first, first + len(keys)))
    assert [definition.key_at(position, begin) for position in positions] == list(keys)
    for each, key in zip(windows, keys, strict=True):
        assert definition.get_partition_key_for_timestamp(each.start.timestamp()) == key
        assert definition.get_partition_key_for_timestamp(each.end.timestamp() - 1) == key
