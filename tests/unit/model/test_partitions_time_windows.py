"""Partitions of time: which windows exist, how they are called, how they lie."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.defs.asset import asset
from segue.defs.definitions import Definitions
from segue.errors import InvalidDefinitionError, InvalidInvocationError, UnknownPartitionError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.calendar import ScheduleType
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.multi import MultiPartitionsDefinition
from segue.model.partitions.periodic import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

NEW_YORK = "America/New_York"
NOON = datetime(2023, 1, 5, 12, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def days(*numbers: int) -> list[str]:
    return [f"2023-01-{number:02}" for number in numbers]


@pytest.mark.parametrize(
    ("definition", "first", "window"),
    [
        (HourlyPartitionsDefinition("2023-01-01-00:00"), "2023-01-01-00:00", (utc(2023, 1, 1), utc(2023, 1, 1, 1))),
        (
            HourlyPartitionsDefinition("2023-01-01-00:00", minute_offset=20),
            "2023-01-01-00:20",
            (utc(2023, 1, 1, 0, 20), utc(2023, 1, 1, 1, 20)),
        ),
        (DailyPartitionsDefinition("2023-01-01"), "2023-01-01", (utc(2023, 1, 1), utc(2023, 1, 2))),
        (
            DailyPartitionsDefinition(datetime(2023, 1, 1, 5), hour_offset=2, minute_offset=30),
            "2023-01-02",
            (utc(2023, 1, 2, 2, 30), utc(2023, 1, 3, 2, 30)),
        ),
        (WeeklyPartitionsDefinition("2023-01-04"), "2023-01-08", (utc(2023, 1, 8), utc(2023, 1, 15))),
        (WeeklyPartitionsDefinition("2023-01-04", day_offset=3), "2023-01-04", (utc(2023, 1, 4), utc(2023, 1, 11))),
        (MonthlyPartitionsDefinition("2023-01-15"), "2023-02-01", (utc(2023, 2, 1), utc(2023, 3, 1))),
        (MonthlyPartitionsDefinition("2023-01-01", day_offset=28), "2023-01-28", (utc(2023, 1, 28), utc(2023, 2, 28))),
        (MonthlyPartitionsDefinition("2023-02-01", day_offset=31), "2023-03-31", (utc(2023, 3, 31), utc(2023, 5, 31))),
        (MonthlyPartitionsDefinition("2023-01", fmt="%Y-%m"), "2023-01", (utc(2023, 1, 1), utc(2023, 2, 1))),
        (DailyPartitionsDefinition("01/02/2023", fmt="%m/%d/%Y"), "01/02/2023", (utc(2023, 1, 2), utc(2023, 1, 3))),
        (
            TimeWindowPartitionsDefinition("2023-01-01", "%Y-%m-%d", cron_schedule="15 3 * * 7"),
            "2023-01-01",
            (utc(2023, 1, 1, 3, 15), utc(2023, 1, 8, 3, 15)),
        ),
    ],
)
def test_the_first_window(
    definition: TimeWindowPartitionsDefinition, first: str, window: tuple[datetime, datetime]
) -> None:
    assert definition.get_first_partition_key() == first
    assert definition.get_first_partition_window() == TimeWindow(*window)
    assert definition.time_window_for_partition_key(first) == TimeWindow(*window)
    assert definition.start_time_for_partition_key(first) == window[0]
    assert definition.end_time_for_partition_key(first) == window[1]
    assert definition.get_partition_key_for_timestamp(window[0].timestamp()) == first


def test_days_that_months_do_not_have() -> None:
    leap = MonthlyPartitionsDefinition("2023-01-01", day_offset=29, end_date="2024-05-01")
    assert [key for key in leap.get_partition_keys() if "-02-" in key] == ["2024-02-29"]
    assert leap.get_num_partitions() == 14
    thirty_first = MonthlyPartitionsDefinition("2023-01-01", day_offset=31, end_date="2024-01-01")
    assert [key[5:7] for key in thirty_first.get_partition_keys()] == ["01", "03", "05", "07", "08", "10"]


@pytest.mark.parametrize(
    ("end_offset", "end_date", "now", "expected"),
    [
        (0, None, NOON, days(1, 2, 3, 4)),
        (0, None, utc(2023, 1, 3), days(1, 2)),
        (1, None, NOON, days(1, 2, 3, 4, 5)),
        (-2, None, NOON, days(1, 2)),
        (-9, None, NOON, []),
        (0, "2023-01-04", NOON, days(1, 2, 3)),
        (2, "2023-01-04", NOON, days(1, 2, 3)),
        (-1, "2023-01-04", NOON, days(1, 2, 3)),
        (-2, "2023-01-04", NOON, days(1, 2)),
        (0, datetime(2023, 1, 4, 12), NOON, days(1, 2, 3)),
        (0, "2022-12-01", NOON, []),
        (1, None, utc(2023, 1, 1), days(1)),
        (0, None, utc(2022, 6, 1), []),
    ],
)
def test_which_windows_exist(end_offset: int, end_date: Any, now: datetime, expected: list[str]) -> None:
    definition = DailyPartitionsDefinition("2023-01-01", end_date=end_date, end_offset=end_offset)
    assert definition.get_partition_keys(current_time=now) == expected
    assert definition.get_num_partitions(current_time=now) == len(expected)
    assert definition.get_last_partition_key(current_time=now) == (expected[-1] if expected else None)
    assert [key for key in days(*range(1, 9)) if definition.has_partition_key(key, current_time=now)] == expected


def test_a_naive_time_is_read_off_the_clocks_of_the_timezone() -> None:
    definition = DailyPartitionsDefinition("2023-01-01", timezone=NEW_YORK)
    assert definition.get_last_partition_key(current_time=datetime(2023, 1, 4, 2)) == "2023-01-03"
    assert definition.get_last_partition_key(current_time=utc(2023, 1, 4, 2)) == "2023-01-02"


@pytest.mark.parametrize(
    "key", ["2023-1-5", "2022-12-31", "2023-01-05 ", "3023-01-05", "", "x", "20230105", "2023-W01-4"]
)
def test_what_is_no_key(key: str) -> None:
    assert not DailyPartitionsDefinition("2023-01-01").has_partition_key(key, current_time=NOON)


def test_a_date_between_windows_is_no_key() -> None:
    weekly = WeeklyPartitionsDefinition("2023-01-01")
    assert weekly.has_partition_key("2023-01-08")
    with pytest.raises(UnknownPartitionError, match="'2023-01-10'"):
        weekly.time_window_for_partition_key("2023-01-10")


EXCLUDING = DailyPartitionsDefinition("2023-01-01", "2023-01-10", exclusions=["2023-01-02", datetime(2023, 1, 4)])


def test_windows_left_out_are_nowhere() -> None:
    assert EXCLUDING.get_partition_keys() == days(1, 3, 5, 6, 7, 8, 9)
    assert EXCLUDING.get_num_partitions() == 7
    assert not EXCLUDING.has_partition_key("2023-01-02")
    assert EXCLUDING.get_next_partition_key("2023-01-01") == "2023-01-03"
    assert EXCLUDING.get_partition_keys_in_range(PartitionKeyRange("2023-01-01", "2023-01-05")) == days(1, 3, 5)
    assert EXCLUDING.get_next_partition_window(utc(2023, 1, 2)) == TimeWindow(utc(2023, 1, 3), utc(2023, 1, 4))
    assert EXCLUDING.get_prev_partition_window(utc(2023, 1, 5)) == TimeWindow(utc(2023, 1, 3), utc(2023, 1, 4))
    assert EXCLUDING.exclusions == [utc(2023, 1, 2), utc(2023, 1, 4)]
    assert EXCLUDING.get_partition_key_for_timestamp(utc(2023, 1, 4, 1).timestamp()) == "2023-01-03"


@pytest.mark.parametrize(("end_offset", "expected"), [(-1, days(1)), (1, days(1, 2, 5)), (2, days(1, 2, 5, 6))])
def test_end_offset_counts_windows_that_are_not_left_out(end_offset: int, expected: list[str]) -> None:
    excluded = [datetime(2023, 1, 3), datetime(2023, 1, 4)]
    definition = DailyPartitionsDefinition("2023-01-01", end_offset=end_offset, exclusions=excluded)
    assert definition.get_partition_keys(current_time=NOON) == expected


def test_only_the_first_of_two_equal_hours_is_left_out() -> None:
    definition = HourlyPartitionsDefinition(
        "2023-11-05-00:00", "2023-11-05-03:00", timezone=NEW_YORK, exclusions=["2023-11-05-01:00"]
    )
    assert definition.get_partition_keys() == ["2023-11-05-00:00", "2023-11-05-01:00-0500", "2023-11-05-02:00"]


@pytest.mark.parametrize(
    ("method", "moment", "respect_bounds", "expected"),
    [
        ("next", utc(2023, 1, 5, 12), True, utc(2023, 1, 6)),
        ("next", utc(2023, 1, 10), True, None),
        ("next", utc(2023, 1, 10), False, utc(2023, 1, 10)),
        ("next", utc(2022, 12, 1), True, utc(2022, 12, 1)),  # only the last partition is a bound of it
        ("prev", utc(2023, 1, 6, 12), True, utc(2023, 1, 5)),
        ("prev", utc(2023, 1, 1), True, None),
        ("prev", utc(2023, 2, 1), True, utc(2023, 1, 31)),  # only the first one is a bound of it
        ("prev", utc(2023, 1, 1), False, utc(2022, 12, 31)),
    ],
)
def test_neighbouring_windows(method: str, moment: datetime, respect_bounds: bool, expected: datetime | None) -> None:
    window = getattr(EXCLUDING, f"get_{method}_partition_window")(moment, respect_bounds=respect_bounds)
    assert (window and window.start) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (utc(2023, 1, 1), utc(2023, 1, 4), days(1, 3)),
        (utc(2023, 1, 5, 12), utc(2023, 1, 7, 12), days(6, 7)),
        (utc(2022, 1, 1), utc(2023, 1, 4), days(1, 3)),
        (utc(2023, 1, 8), utc(2025, 1, 1), days(8, 9)),
        (utc(2023, 1, 5, 12), utc(2023, 1, 5, 13), []),
        (utc(2023, 1, 7), utc(2023, 1, 5), []),
    ],
)
def test_partitions_in_a_stretch_of_time(start: datetime, end: datetime, expected: list[str]) -> None:
    window = TimeWindow(start, end)
    assert EXCLUDING.get_partition_keys_in_time_window(window) == expected
    assert EXCLUDING.get_num_partitions_in_window(window) == len(expected)
    assert EXCLUDING.has_any_partitions_in_window(window) == bool(expected)


def test_the_partition_of_a_moment() -> None:
    daily = DailyPartitionsDefinition("2023-01-01")
    noon, midnight = NOON.timestamp(), utc(2023, 1, 5).timestamp()
    assert daily.get_partition_key_for_timestamp(noon) == "2023-01-05"
    assert daily.get_partition_key_for_timestamp(noon, end_closed=True) == "2023-01-05"
    assert daily.get_partition_key_for_timestamp(midnight) == "2023-01-05"
    assert daily.get_partition_key_for_timestamp(midnight, end_closed=True) == "2023-01-04"


@pytest.mark.parametrize(
    ("definition", "change", "expected"),
    [
        (HourlyPartitionsDefinition("2023-01-01-00:00", minute_offset=5), {"minute_of_hour": 7}, "7 * * * *"),
        (DailyPartitionsDefinition("2023-01-01", hour_offset=2), {}, "0 2 * * *"),
        (WeeklyPartitionsDefinition("2023-01-01", day_offset=3), {"hour_of_day": 4}, "0 4 * * 3"),
        (WeeklyPartitionsDefinition("2023-01-01", day_offset=3), {"day_of_week": 0}, "0 0 * * 0"),
        (MonthlyPartitionsDefinition("2023-01-01"), {"day_of_month": 9, "minute_of_hour": 3}, "3 0 9 * *"),
    ],
)
def test_a_schedule_that_fires_with_the_windows(
    definition: TimeWindowPartitionsDefinition, change: dict[str, int], expected: str
) -> None:
    assert definition.get_cron_schedule(**change) == expected
    again = TimeWindowPartitionsDefinition(definition.start, definition.fmt, cron_schedule=definition.cron_schedule)
    assert again == definition


def test_a_schedule_refuses_what_its_type_does_not_have() -> None:
    with pytest.raises(InvalidInvocationError, match="Hourly partitions cannot be combined with hour_of_day"):
        HourlyPartitionsDefinition("2023-01-01-00:00").get_cron_schedule(hour_of_day=3)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: DailyPartitionsDefinition("2023/01/01"),
            InvalidDefinitionError,
            "does not match the format '%Y-%m-%d'",
        ),
        (lambda: HourlyPartitionsDefinition("2023-01-01"), InvalidDefinitionError, "does not match the format"),
        (lambda: DailyPartitionsDefinition(20230101), InvalidDefinitionError, "start: expected a datetime"),
        (
            lambda: DailyPartitionsDefinition("2023-01-01", timezone="Mars/X"),
            InvalidDefinitionError,
            "Unknown time zone",
        ),
        (lambda: DailyPartitionsDefinition("2023-01-01", hour_offset=24), InvalidDefinitionError, "between 0 and 23"),
        (lambda: DailyPartitionsDefinition("2023-01-01", minute_offset=-1), InvalidDefinitionError, "between 0 and 59"),
        (lambda: WeeklyPartitionsDefinition("2023-01-01", day_offset=7), InvalidDefinitionError, "between 0 and 6"),
        (lambda: MonthlyPartitionsDefinition("2023-01-01", day_offset=0), InvalidDefinitionError, "between 1 and 31"),
        (
            lambda: TimeWindowPartitionsDefinition("2023-01-01", "%Y-%m-%d"),
            InvalidDefinitionError,
            "must have either schedule_type",
        ),
        (
            lambda: DailyPartitionsDefinition("2023-01-01", exclusions=[datetime(2023, 1, 4, 5)]),
            InvalidDefinitionError,
            "starts at 2023-01-04",
        ),
        (lambda: DailyPartitionsDefinition("2023-01-01", exclusions=["never"]), InvalidDefinitionError, "'never'"),
    ],
)
def test_what_does_not_fit_together_is_refused(make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize(
    ("definition", "rhythm"),
    [
        (HourlyPartitionsDefinition("2023-01-01", fmt="%Y-%m-%d"), "hourly"),
        (HourlyPartitionsDefinition("2023-01-01 12", fmt="%Y-%m-%d %I"), "hourly"),
        (DailyPartitionsDefinition(datetime(2023, 1, 1), fmt="a text"), "daily"),
        (
            TimeWindowPartitionsDefinition("2023-01-01", "%Y-%m-%d", cron_schedule="*/5 * * * *"),
            "'\\*/5 \\* \\* \\* \\*'",
        ),
        (
            MultiPartitionsDefinition(
                {"a": StaticPartitionsDefinition(["x"]), "b": HourlyPartitionsDefinition("2023-01-01", fmt="%Y-%m-%d")}
            ),
            "hourly",
        ),
    ],
)
def test_windows_that_a_format_does_not_tell_apart_are_refused_when_definitions_load(
    definition: PartitionsDefinition, rhythm: str
) -> None:
    assert pickle.loads(pickle.dumps(definition)) == definition
    with pytest.raises(InvalidDefinitionError, match=f"does not identify {rhythm} windows uniquely"):
        definition.validate_partition_definition()

    @asset(partitions_def=definition)
    def stored() -> None: ...

    with pytest.raises(
        InvalidDefinitionError, match=f"partitions of 'stored'.* does not identify {rhythm} windows uniquely"
    ):
        Definitions.validate_loadable(Definitions(assets=[stored]))


@pytest.mark.parametrize(
    "definition",
    [
        HourlyPartitionsDefinition("2023-01-01", "2023-01-01", fmt="%Y-%m-%d"),
        HourlyPartitionsDefinition(datetime(2023, 1, 1), datetime(2023, 1, 1, 1), fmt="%Y-%m-%d"),
        DailyPartitionsDefinition(datetime(2023, 1, 1), datetime(2023, 1, 3), fmt="%m-%d %Y"),
    ],
)
def test_a_format_may_say_less_than_the_window_where_keys_stay_apart(definition: PartitionsDefinition) -> None:
    definition.validate_partition_definition()
    keys = definition.get_partition_keys()
    assert len(set(keys)) == len(keys)


def test_a_value_that_cannot_change() -> None:
    daily = DailyPartitionsDefinition("2023-01-01", timezone=NEW_YORK, end_offset=1)
    same = TimeWindowPartitionsDefinition(
        datetime(2023, 1, 1), "%Y-%m-%d", schedule_type=ScheduleType.DAILY, timezone=NEW_YORK, end_offset=1
    )
    assert daily == same
    assert hash(daily) == hash(same)
    assert daily != DailyPartitionsDefinition("2023-01-02", timezone=NEW_YORK, end_offset=1)
    assert daily != DailyPartitionsDefinition("2023-01-01", timezone=NEW_YORK)
    for again in (pickle.loads(pickle.dumps(daily)), copy.deepcopy(daily), copy.copy(daily)):
        assert again == daily
        assert type(again) is DailyPartitionsDefinition
        assert again.get_partition_keys(current_time=NOON) == daily.get_partition_keys(current_time=NOON)
    assert daily.start == datetime(2023, 1, 1, tzinfo=ZoneInfo(NEW_YORK))
    assert daily.start.tzinfo is ZoneInfo(NEW_YORK)
    assert "DailyPartitionsDefinition(start='2023-01-01 00:00:00-05:00'" in repr(daily)
    with pytest.raises(AttributeError, match="immutable"):
        daily.end_offset = 2


def test_counting_and_membership_do_not_list_keys() -> None:
    since_1970 = HourlyPartitionsDefinition("1970-01-01-00:00", timezone=NEW_YORK, end_date="2370-01-01-00:00")
    assert since_1970.get_num_partitions(current_time=utc(2370, 6, 1)) == 400 * 365 * 24 + 97 * 24
    far = (utc(1970, 1, 1, 5) + timedelta(hours=3_000_000)).astimezone(ZoneInfo(NEW_YORK)).strftime("%Y-%m-%d-%H:%M")
    assert since_1970.key_at(3_000_000, NOON) == far
    assert since_1970.index_of(far, NOON) == 3_000_000


DEFINITIONS = st.builds(
    lambda kind, timezone, minute, hour, day: TimeWindowPartitionsDefinition(
        datetime(2015, 3, 1),
        "%Y-%m-%d-%H:%M",
        schedule_type=kind,
        timezone=timezone,
        minute_offset=minute,
        hour_offset=0 if kind is ScheduleType.HOURLY else hour,
        day_offset={ScheduleType.WEEKLY: day % 7, ScheduleType.MONTHLY: day + 1}.get(kind, 0),
    ),
    st.sampled_from(ScheduleType),
    st.sampled_from(
        ["UTC", NEW_YORK, "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago", "Asia/Pyongyang"]
    ),
    st.sampled_from([0, 15, 30, 59]),
    st.integers(0, 23),
    st.integers(0, 30),
)


@given(DEFINITIONS, st.integers(0, 3000), st.floats(0, 0.999))
def test_key_position_window_and_moment_agree(
    definition: TimeWindowPartitionsDefinition, index: int, part: float
) -> None:
    key = definition.key_at(index, NOON)
    window = definition.window_at(index)
    inside = window.start.timestamp() + part * (window.end.timestamp() - window.start.timestamp())
    assert definition.index_of(key, NOON) == index
    assert definition.time_window_for_partition_key(key) == window
    assert definition.get_partition_key_for_timestamp(inside) == key
    assert window.end == definition.window_at(index + 1).start
    end = window.end.astimezone(UTC)  # the second before it may be one that the clocks of the zone skip
    assert (definition.count(end), definition.count(end - timedelta(seconds=1))) == (index + 1, index)


def test_a_key_in_another_format_has_no_window() -> None:
    daily = DailyPartitionsDefinition("2023-01-01", end_date="2023-01-04")
    assert len(daily.time_windows_for_partition_keys(["2023-01-02", "2023-01-09"])) == 1
    with pytest.raises(UnknownPartitionError, match="january"):
        daily.time_windows_for_partition_keys(["2023-01-02", "january"])


@given(DEFINITIONS, st.integers(0, 20_000), st.integers(0, 60))
def test_listing_agrees_with_asking_key_by_key(
    definition: TimeWindowPartitionsDefinition, start: int, number: int
) -> None:
    if definition.schedule_type is not ScheduleType.HOURLY:
        start //= 24
    listed = definition.keys_between(start, start + number, NOON)
    assert listed == [definition.key_at(index, NOON) for index in range(start, start + number)]
