"""What partitions definitions are called where people read them."""

from __future__ import annotations

import pytest

import segue as sg


@pytest.mark.parametrize(
    ("definition", "shown"),
    [
        (sg.StaticPartitionsDefinition(["red", "blue"]), "'red', 'blue'"),
        (sg.DailyPartitionsDefinition("2026-03-01"), "Daily, starting 2026-03-01 UTC."),
        (sg.DailyPartitionsDefinition("2026-03-01", hour_offset=4), "Daily, starting 2026-03-01 UTC."),
        (
            sg.HourlyPartitionsDefinition("2026-03-01-05:00", timezone="Asia/Tokyo", end_offset=1),
            "Hourly, starting 2026-03-01-05:00 Asia/Tokyo. End offset by 1 partition.",
        ),
        (
            sg.WeeklyPartitionsDefinition("2026/03/01", fmt="%Y/%m/%d", end_offset=-2),
            "Weekly, starting 2026/03/01 UTC. End offset by -2 partitions.",
        ),
        (sg.MonthlyPartitionsDefinition("2026-03-01"), "Monthly, starting 2026-03-01 UTC."),
        (
            sg.TimeWindowPartitionsDefinition(start="2026-03-01", cron_schedule="0 6 * * 1,4", fmt="%Y-%m-%d"),
            "0 6 * * 1,4, starting 2026-03-01 UTC.",
        ),
        (sg.DynamicPartitionsDefinition(name="customers"), 'Dynamic partitions: "customers"'),
        (
            sg.MultiPartitionsDefinition(
                {"day": sg.DailyPartitionsDefinition("2026-03-01"), "shop": sg.StaticPartitionsDefinition(["north"])}
            ),
            "Multi-partitioned, with dimensions: \nDay: Daily, starting 2026-03-01 UTC. \nShop: 'north'",
        ),
    ],
)
def test_a_definition_is_shown_in_words(definition: sg.PartitionsDefinition, shown: str) -> None:
    assert str(definition) == shown
    assert repr(definition) != shown


def test_of_many_keys_the_first_are_shown_and_the_number() -> None:
    shown = str(sg.StaticPartitionsDefinition([f"key{number}" for number in range(300)]))
    assert shown.startswith("'key0', 'key1'")
    assert shown.endswith("300 in all")
    assert "key20" not in shown


def test_an_offset_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(TypeError, match="end_offset"):
        sg.DailyPartitionsDefinition("2023-01-01", end_offset="1")  # pyright: ignore[reportArgumentType] reason: it is refused


def test_days_of_which_some_are_excluded_are_not_the_basic_ones() -> None:
    assert sg.DailyPartitionsDefinition("2023-01-01").is_basic_daily
    assert not sg.DailyPartitionsDefinition("2023-01-01", exclusions=["0 0 * * 6"]).is_basic_daily
