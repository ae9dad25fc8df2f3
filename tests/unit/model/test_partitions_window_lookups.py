"""What a definition of time windows answers about keys, positions and stretches of time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

import segue as sg

DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11")
GAPPED = sg.DailyPartitionsDefinition(
    "2024-01-01", end_date="2024-01-11", exclusions=[datetime(2024, 1, 3), datetime(2024, 1, 5)]
)
WEEKS = sg.WeeklyPartitionsDefinition(
    "2024-01-01", end_date="2024-03-01", day_offset=2, hour_offset=3, minute_offset=4, end_offset=1
)
HOURS = sg.HourlyPartitionsDefinition("2024-01-01-00:00", end_date="2024-01-02-00:00", minute_offset=15)
CRON = sg.TimeWindowPartitionsDefinition(start="2024-01-01", fmt="%Y-%m-%d", cron_schedule="0 0 * * 1,3")


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


def window(first: int, last: int) -> sg.TimeWindow:
    return sg.TimeWindow(day(first), day(last))


def test_a_definition_tells_what_it_was_made_of() -> None:
    assert (WEEKS.day_offset, WEEKS.hour_offset, WEEKS.minute_offset, WEEKS.end_offset) == (2, 3, 4, 1)
    assert WEEKS.cron_schedule == "4 3 * * 2"
    assert (HOURS.minute_offset, HOURS.start_timestamp, HOURS.end_timestamp) == (
        15,
        day(1).timestamp(),
        day(2).timestamp(),
    )
    assert CRON.end_timestamp is None
    assert CRON.end_ts is None
    assert (CRON.hour_offset, CRON.minute_offset) == (0, 0)
    with pytest.raises(sg.InvalidInvocationError, match="more than one"):
        _ = CRON.day_offset


def test_a_moment_with_its_zone_goes_in_where_a_bound_is_asked_for_and_comes_out_again() -> None:
    start = sg.TimestampWithTimezone(day(1).timestamp(), "UTC")
    made = sg.TimeWindowPartitionsDefinition(
        start=start,
        fmt="%Y-%m-%d",
        cron_schedule="0 0 * * *",
        end=sg.TimestampWithTimezone(day(6).timestamp(), "UTC"),
        exclusions=[sg.TimestampWithTimezone(day(3).timestamp(), "UTC")],
    )
    assert made.get_partition_keys() == ["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"]
    assert made.start_ts == start
    assert made.end_ts == sg.TimestampWithTimezone(day(6).timestamp(), "UTC")
    assert sg.DailyPartitionsDefinition("2024-01-01", timezone="Asia/Tokyo").start_ts == sg.TimestampWithTimezone(
        datetime(2023, 12, 31, 15, tzinfo=UTC).timestamp(), "Asia/Tokyo"
    )


def test_definitions_are_compared_without_their_ends() -> None:
    assert DAYS.equal_except_for_start_or_end(sg.DailyPartitionsDefinition("2020-05-05"))
    assert sg.DailyPartitionsDefinition("2020-05-05") != DAYS
    assert not DAYS.equal_except_for_start_or_end(sg.DailyPartitionsDefinition("2024-01-01", timezone="Asia/Tokyo"))
    assert not DAYS.equal_except_for_start_or_end(GAPPED)
    assert not DAYS.equal_except_for_start_or_end(HOURS)


def test_basic_are_whole_days_and_whole_hours_without_gaps() -> None:
    assert (DAYS.is_basic_daily, DAYS.is_basic_hourly) == (True, False)
    assert not GAPPED.is_basic_daily
    assert not sg.DailyPartitionsDefinition("2024-01-01", hour_offset=3).is_basic_daily
    whole = sg.HourlyPartitionsDefinition("2024-01-01-00:00")
    assert (whole.is_basic_daily, whole.is_basic_hourly) == (False, True)
    assert not HOURS.is_basic_hourly
    assert not sg.HourlyPartitionsDefinition("2024-01-01-00:00", exclusions=[datetime(2024, 1, 1, 5)]).is_basic_hourly


def test_windows_that_exist_are_found_by_position() -> None:
    assert DAYS.get_last_partition_window() == window(10, 11)
    assert sg.DailyPartitionsDefinition("2024-01-01").get_last_partition_window(day(1)) is None
    assert DAYS.get_partition_keys_between_indexes(1, 3) == ["2024-01-02", "2024-01-03"]
    assert GAPPED.get_partition_keys_between_indexes(1, 3) == ["2024-01-02", "2024-01-04"]
    assert DAYS.get_partition_keys_between_indexes(8, 1000) == ["2024-01-09", "2024-01-10"]


def test_windows_of_keys_come_in_order_and_without_those_that_do_not_exist() -> None:
    keys = ["2024-01-02", "2024-01-01", "1999-01-01"]
    assert DAYS.time_windows_for_partition_keys(keys) == [window(1, 2), window(2, 3)]
    assert [each.start.year for each in DAYS.time_windows_for_partition_keys(keys, validate=False)] == [
        1999,
        2024,
        2024,
    ]
    assert CRON.time_windows_for_partition_keys(["2024-01-03", "2024-01-04"]) == [window(3, 8)]
    with pytest.raises(sg.UnknownPartitionError, match="'yesterday'"):
        DAYS.time_windows_for_partition_keys(["2024-01-01", "yesterday"])
    with pytest.raises(sg.UnknownPartitionError, match="2024-01-04"):
        CRON.time_windows_for_partition_keys(["2024-01-04"], validate=False)


def test_partitions_of_a_stretch_of_time() -> None:
    assert list(GAPPED.get_partition_subset_in_time_window(window(2, 5)).get_partition_keys()) == [
        "2024-01-02",
        "2024-01-04",
    ]
    assert DAYS.get_partition_key_range_for_time_window(window(2, 5)) == ("2024-01-02", "2024-01-04")
    noon = sg.TimeWindow(day(2).replace(hour=12), day(5).replace(hour=12))
    assert DAYS.get_partition_key_range_for_time_window(noon) == ("2024-01-02", "2024-01-04")
    with pytest.raises(sg.UnknownPartitionError, match="no window between"):
        DAYS.get_partition_key_range_for_time_window(window(20, 25))
    outside = DAYS.get_partition_key_range_for_time_window(window(20, 25), respect_bounds=False)
    assert outside == ("2024-01-20", "2024-01-24")


def test_keys_are_compared_by_time() -> None:
    months = sg.MonthlyPartitionsDefinition("01/2024", fmt="%m/%Y")
    assert months.less_than("12/2023", "02/2024")
    assert not months.less_than("02/2024", "12/2023")
    assert not months.less_than("02/2024", "02/2024")
    with pytest.raises(sg.UnknownPartitionError):
        months.less_than("02/2024", "soon")


def test_a_date_or_a_moment_gives_the_key_it_is_written_as() -> None:
    assert DAYS.get_partition_key(date(2024, 1, 3)) == "2024-01-03"
    assert DAYS.get_partition_key(datetime(2024, 1, 3, 17, 30)) == "2024-01-03"
    assert DAYS.get_partition_key("2024-01-03") == "2024-01-03"
    assert HOURS.get_partition_key(datetime(2024, 1, 1, 7, 15)) == "2024-01-01-07:15"
    for definition, key in (
        (HOURS, datetime(2024, 1, 1, 7, 20)),
        (WEEKS, date(2024, 1, 3)),
        (GAPPED, date(2024, 1, 3)),
    ):
        with pytest.raises(sg.UnknownPartitionError):
            definition.get_partition_key(key)
    with pytest.raises(sg.SegueError, match="must be a key, a date or a datetime"):
        DAYS.get_partition_key(20240103)  # pyright: ignore[reportArgumentType] reason: the wrong type is the point


@pytest.mark.parametrize(
    ("definition", "asked", "known"),
    [
        (DAYS, {"2024-01-01", "2024-02-01", "x"}, {"2024-01-01"}),
        (sg.StaticPartitionsDefinition(["a", "b"]), {"a", "z"}, {"a"}),
        (
            sg.MultiPartitionsDefinition({"day": DAYS, "side": sg.StaticPartitionsDefinition(["l", "r"])}),
            {"2024-01-01|l", "2024-01-01|m", "l|2024-01-01"},
            {"2024-01-01|l"},
        ),
    ],
)
def test_of_some_keys_those_that_exist(definition: sg.PartitionsDefinition, asked: set[str], known: set[str]) -> None:
    assert definition.filter_valid_partition_keys(asked) == known


def test_of_keys_with_dimensions_those_that_exist_tell_them() -> None:
    definition = sg.MultiPartitionsDefinition({"day": DAYS, "side": sg.StaticPartitionsDefinition(["l", "r"])})
    (key,) = definition.filter_valid_partition_keys({"2024-01-01|l"})
    assert isinstance(key, sg.MultiPartitionKey)
    assert key.keys_by_dimension == {"day": "2024-01-01", "side": "l"}


@pytest.mark.parametrize("key", [None, 5])
@pytest.mark.parametrize(
    "definition",
    [
        sg.StaticPartitionsDefinition(["a", "b"]),
        sg.StaticPartitionsDefinition([]),
        sg.MultiPartitionsDefinition(
            {"a": sg.StaticPartitionsDefinition(["1"]), "b": sg.StaticPartitionsDefinition(["2"])}
        ),
    ],
)
def test_what_is_no_text_is_no_key(definition: sg.PartitionsDefinition, key: Any) -> None:
    assert not definition.has_partition_key(key)
    assert definition.filter_valid_partition_keys({key}) == set()
    with pytest.raises(sg.UnknownPartitionError):
        definition.subset_with_partition_keys([key])


@pytest.mark.parametrize("key", ["2024-01-01-05:00", "", "x"])
def test_a_format_that_names_the_offset_of_the_zone_refuses_other_texts(key: str) -> None:
    hours = sg.HourlyPartitionsDefinition("2024-01-01-05:00+0000", fmt="%Y-%m-%d-%H:%M%z")
    assert hours.has_partition_key("2024-01-01-06:00+0000")
    assert not hours.has_partition_key(key)


def test_dynamic_keys_exist_when_the_instance_has_them() -> None:
    customers = sg.DynamicPartitionsDefinition(name="customers")
    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("customers", ["ada", "bob"])
        with sg.partition_loading_context(dynamic_partitions_store=instance):
            assert customers.filter_valid_partition_keys({"ada", "eve"}) == {"ada"}
    by_function = sg.DynamicPartitionsDefinition(lambda _now: ["x", "y"])
    assert by_function.get_partition_keys() == ["x", "y"]
    assert by_function.has_partition_key("y")


@pytest.mark.parametrize("definition", [DAYS, WEEKS, sg.StaticPartitionsDefinition(["a"])])
def test_definitions_can_neither_be_changed_nor_emptied(definition: sg.PartitionsDefinition) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        definition.fmt = "%Y"  # pyright: ignore[reportAttributeAccessIssue] reason: that it is refused is the point
    with pytest.raises(AttributeError, match="immutable"):
        del definition.fmt  # pyright: ignore[reportAttributeAccessIssue] reason: that it is refused is the point
