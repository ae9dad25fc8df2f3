"""Windows of time at every change of clocks in every zone, against a walk over the clock minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clock_changes import Change, Rhythm, different_changes, time_met, walk

import segue as sg


def rhythms_at(change: Change) -> list[tuple[Rhythm, dict[str, object]]]:
    """Rhythms that meet a change: what the walk knows them as, and what the definition is made of."""
    local = time_met(change)
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
