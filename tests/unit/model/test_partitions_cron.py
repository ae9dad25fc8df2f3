"""Windows of time by any cron line, and windows left out by cron lines."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as sg
from segue.decide.cron import tick_between
from segue.model.partitions.wire import definition_from_wire

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def by_cron(line: str, **arguments: Any) -> sg.TimeWindowPartitionsDefinition:
    values: dict[str, Any] = {"start": "2024-01-01-00:00", "fmt": "%Y-%m-%d-%H:%M", **arguments}
    return sg.TimeWindowPartitionsDefinition(cron_schedule=line, **values)


@pytest.mark.parametrize(
    ("line", "first", "number"),
    [
        ("0 0 * * 1-5", ["2024-01-01-00:00", "2024-01-02-00:00", "2024-01-03-00:00"], 44),
        ("*/15 * * * *", ["2024-01-01-00:00", "2024-01-01-00:15", "2024-01-01-00:30"], 60 * 96),
        ("0 0,11 * * *", ["2024-01-01-00:00", "2024-01-01-11:00", "2024-01-02-00:00"], 120),
        ("0 0 1 1,2,7 *", ["2024-01-01-00:00", "2024-02-01-00:00", "2024-07-01-00:00"], 1),
        ("0 0 L * *", ["2024-01-31-00:00", "2024-02-29-00:00", "2024-03-31-00:00"], 1),
        ("30 6 * * mon#1", ["2024-01-01-06:30", "2024-02-05-06:30", "2024-03-04-06:30"], 1),
        ("0 0 29 2 *", ["2024-02-29-00:00", "2028-02-29-00:00", "2032-02-29-00:00"], 0),
        ("@yearly", ["2024-01-01-00:00", "2025-01-01-00:00", "2026-01-01-00:00"], 0),
    ],
)
def test_a_window_starts_whenever_the_line_fires(line: str, first: list[str], number: int) -> None:
    definition = by_cron(line)
    assert definition.keys_between(0, 3, NOW) == first
    assert definition.get_num_partitions(NOW) == len(definition.get_partition_keys(NOW)) == number
    assert definition.get_cron_schedule() == definition.cron_schedule == line
    assert definition.schedule_type is None
    assert [definition.index_of(key, NOW) for key in first] == [0, 1, 2]
    window = definition.time_window_for_partition_key(first[0])
    assert window.end == definition.start_time_for_partition_key(first[1])
    for again in (pickle.loads(pickle.dumps(definition)), definition_from_wire(definition.to_wire())):
        assert again == definition
        assert again.get_partition_keys(NOW) == definition.get_partition_keys(NOW)


def test_lines_that_say_hourly_daily_weekly_or_monthly_are_these() -> None:
    assert by_cron("@daily") == by_cron("0 0 * * *")
    assert by_cron("30 4 * * 7").schedule_type is sg.ScheduleType.WEEKLY
    assert by_cron("30 4 * * 1-5").minute_offset == 30
    with pytest.raises(sg.InvalidInvocationError, match="more than one"):
        _ = by_cron("30 */2 * * *").hour_offset
    with pytest.raises(sg.InvalidInvocationError, match="cannot be combined with other times"):
        by_cron("0 0 * * 1-5").get_cron_schedule(hour_of_day=3)


@pytest.mark.parametrize("line", ["bad", "0 0 30 2 *", "61 * * * *", "* * *"])
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="not a valid cron schedule"):
        by_cron(line)


def test_keys_must_tell_windows_apart() -> None:
    definition = by_cron("0 0,11 * * *", start="2024-01-01", fmt="%Y-%m-%d")
    with pytest.raises(sg.InvalidDefinitionError, match="windows uniquely"):
        definition.validate_partition_definition()


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (
            sg.DailyPartitionsDefinition("2024-01-05", exclusions=["0 0 * * 6,0"]),
            ["2024-01-05", "2024-01-08", "2024-01-09"],
        ),
        (
            sg.DailyPartitionsDefinition("2024-01-05", exclusions=["0 0 * * 6,0", "2024-01-08", "0 0 9 1 *"]),
            ["2024-01-05", "2024-01-10", "2024-01-11"],
        ),
        (
            sg.HourlyPartitionsDefinition("2024-01-05-22:00", exclusions=["0 0-22 * * *"]),
            ["2024-01-05-23:00", "2024-01-06-23:00", "2024-01-07-23:00"],
        ),
        (by_cron("0 0,6,12 * * 1-5", exclusions=["0 6 * * *", "0 0 1 * *"]), ["2024-01-01-12:00", "2024-01-02-00:00"]),
    ],
)
def test_cron_lines_leave_windows_out(definition: sg.TimeWindowPartitionsDefinition, expected: list[str]) -> None:
    keys = definition.get_partition_keys(NOW)
    assert list(islice(keys, len(expected))) == expected
    assert definition.get_num_partitions(NOW) == len(keys)
    assert [definition.index_of(key, NOW) for key in keys] == list(range(len(keys)))
    assert [definition.key_at(index, NOW) for index in range(len(keys))] == list(keys)
    assert definition_from_wire(definition.to_wire()) == definition
    assert len(definition.subset_with_partition_keys(keys[:1] + keys[2:])) == len(keys) - 1


def test_a_window_left_out_is_a_gap() -> None:
    workdays = sg.DailyPartitionsDefinition("2024-01-01", exclusions=["0 0 * * 6,0"])
    friday = workdays.time_window_for_partition_key("2024-01-05")
    assert friday.end == datetime(2024, 1, 6, tzinfo=UTC)
    assert workdays.is_window_start_excluded(datetime(2024, 1, 6))
    assert not workdays.has_partition_key("2024-01-06", NOW)
    with pytest.raises(sg.UnknownPartitionError):
        workdays.subset_with_partition_keys(["2024-01-06"])
    assert workdays.exclusions == ["0 0 * * 6,0"]
    last = workdays.get_last_partition_window_ignoring_exclusions(datetime(2024, 1, 7, 5, tzinfo=UTC))
    assert last is not None
    assert last.start == datetime(2024, 1, 6, tzinfo=UTC)


def test_everything_left_out_leaves_nothing() -> None:
    nothing = sg.DailyPartitionsDefinition("2024-01-01", exclusions=["0 * * * *"])
    assert nothing.get_partition_keys(NOW) == []
    assert nothing.get_last_partition_key(NOW) is None


def test_windows_of_long_ago_are_counted_without_being_listed() -> None:
    minutes = by_cron("*/2 * * * *", start="1990-01-01-00:00")
    assert minutes.get_num_partitions(NOW) == int((NOW - datetime(1990, 1, 1, tzinfo=UTC)) / timedelta(minutes=2))
    assert len(minutes.subset_with_all_partitions(NOW)) == minutes.get_num_partitions(NOW)
    assert minutes.has_partition_key("2000-02-29-00:02", NOW)
    assert not minutes.has_partition_key("2000-02-29-00:03", NOW)


LINES = ["0 3 * * *", "*/15 * * * *", "30 1,2,3 * * *", "5 * * * 1-5", "0 0 1,15 * *", "59 23 L * *"]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]


@given(
    line=st.sampled_from(LINES),
    zone=st.sampled_from(ZONES),
    moment=st.integers(int(datetime(2009, 1, 1).timestamp()), int(datetime(2030, 1, 1).timestamp())),
)
@settings(max_examples=200, deadline=None)
def test_schedules_tick_when_partitions_end(line: str, zone: str, moment: int) -> None:
    definition = by_cron(line, start="2008-01-01-00:00", timezone=zone)
    now = datetime.fromtimestamp(moment, UTC)
    key = definition.get_partition_key_for_timestamp(moment)
    window = definition.time_window_for_partition_key(key)
    assert window.start <= now < window.end
    start, end, second = window.start.astimezone(UTC), window.end.astimezone(UTC), timedelta(seconds=1)
    assert tick_between(line, zone, start - second, start)
    assert not tick_between(line, zone, start, end - second)
    assert tick_between(line, zone, end - second, end)
