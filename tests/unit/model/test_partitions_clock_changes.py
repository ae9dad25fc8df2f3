"""Windows where clocks are put forward or back, and where a zone crosses the date line."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from segue.model.partitions.periodic import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

NEW_YORK = "America/New_York"
NOON = datetime(2023, 1, 5, 12, tzinfo=UTC)


def starts(definition: TimeWindowPartitionsDefinition) -> list[tuple[str, str]]:
    """Each key with the start of its window; fails if the windows do not touch."""
    keys = definition.get_partition_keys()
    windows = [definition.time_window_for_partition_key(key) for key in keys]
    assert all(one.end == other.start for one, other in pairwise(windows))
    return [(key, window.start.isoformat()) for key, window in zip(keys, windows, strict=True)]


HOURS_OF_THE_GAP = [
    ("2023-03-12-00:00", "2023-03-12T00:00:00-05:00"),
    ("2023-03-12-01:00", "2023-03-12T01:00:00-05:00"),
    ("2023-03-12-03:00", "2023-03-12T03:00:00-04:00"),
]
HOURS_OF_THE_FOLD = [
    ("2023-11-05-00:30", "2023-11-05T00:30:00-04:00"),
    ("2023-11-05-01:30", "2023-11-05T01:30:00-04:00"),
    ("2023-11-05-01:30-0500", "2023-11-05T01:30:00-05:00"),
    ("2023-11-05-02:30", "2023-11-05T02:30:00-05:00"),
]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (HourlyPartitionsDefinition("2023-03-12-00:00", "2023-03-12-04:00", timezone=NEW_YORK), HOURS_OF_THE_GAP),
        (
            HourlyPartitionsDefinition("2023-11-05-00:00", "2023-11-05-03:30", timezone=NEW_YORK, minute_offset=30),
            HOURS_OF_THE_FOLD,
        ),
        (
            HourlyPartitionsDefinition("2023-11-05 00:00", "2023-11-05 02:00", timezone=NEW_YORK, fmt="%Y-%m-%d %H:%M"),
            [
                ("2023-11-05 00:00", "2023-11-05T00:00:00-04:00"),
                ("2023-11-05 01:00", "2023-11-05T01:00:00-04:00"),
                ("2023-11-05 01:00-0500", "2023-11-05T01:00:00-05:00"),
            ],
        ),
        (
            HourlyPartitionsDefinition("2023-10-01-00:00", "2023-10-01-04:00", timezone="Australia/Lord_Howe"),
            [
                ("2023-10-01-00:00", "2023-10-01T00:00:00+10:30"),
                ("2023-10-01-01:00", "2023-10-01T01:00:00+10:30"),
                ("2023-10-01-03:00", "2023-10-01T03:00:00+11:00"),
            ],
        ),
        (
            HourlyPartitionsDefinition(
                "2023-04-02-00:45", "2023-04-02-02:45", timezone="Australia/Lord_Howe", minute_offset=45
            ),
            [
                ("2023-04-02-00:45", "2023-04-02T00:45:00+11:00"),
                ("2023-04-02-01:45", "2023-04-02T01:45:00+11:00"),
                ("2023-04-02-01:45+1030", "2023-04-02T01:45:00+10:30"),
            ],
        ),
        (
            DailyPartitionsDefinition(
                "2023-03-11", "2023-03-13-0400", timezone=NEW_YORK, hour_offset=2, minute_offset=30
            ),
            [("2023-03-11", "2023-03-11T02:30:00-05:00")],
        ),
        (
            DailyPartitionsDefinition("2023-03-11", "2023-03-14", timezone=NEW_YORK, hour_offset=2, minute_offset=30),
            [("2023-03-11", "2023-03-11T02:30:00-05:00"), ("2023-03-12", "2023-03-12T03:00:00-04:00")],
        ),
        (
            DailyPartitionsDefinition("2023-11-04", "2023-11-07", timezone=NEW_YORK, hour_offset=1),
            [("2023-11-04", "2023-11-04T01:00:00-04:00"), ("2023-11-05", "2023-11-05T01:00:00-05:00")],
        ),
        (
            DailyPartitionsDefinition("2020-10-31", "2020-11-03", timezone="America/Havana"),
            [
                ("2020-10-31", "2020-10-31T00:00:00-04:00"),
                ("2020-11-01", "2020-11-01T00:00:00-04:00"),
                ("2020-11-02", "2020-11-02T00:00:00-05:00"),
            ],
        ),
        (
            DailyPartitionsDefinition("2018-11-03", "2018-11-06", timezone="America/Sao_Paulo"),
            [
                ("2018-11-03", "2018-11-03T00:00:00-03:00"),
                ("2018-11-04", "2018-11-04T01:00:00-02:00"),
                ("2018-11-05", "2018-11-05T00:00:00-02:00"),
            ],
        ),
        (
            WeeklyPartitionsDefinition("2023-03-05", "2023-03-20", timezone=NEW_YORK, hour_offset=2),
            [("2023-03-05", "2023-03-05T02:00:00-05:00"), ("2023-03-12", "2023-03-12T03:00:00-04:00")],
        ),
        (
            MonthlyPartitionsDefinition("2023-02-01", "2023-04-13", timezone=NEW_YORK, hour_offset=2, day_offset=12),
            [("2023-02-12", "2023-02-12T02:00:00-05:00"), ("2023-03-12", "2023-03-12T03:00:00-04:00")],
        ),
    ],
)
def test_windows_where_clocks_change(
    definition: TimeWindowPartitionsDefinition, expected: list[tuple[str, str]]
) -> None:
    assert starts(definition) == expected
    assert definition.get_num_partitions() == len(expected)
    for index, (key, _) in enumerate(expected):
        assert definition.has_partition_key(key)
        assert definition.index_of(key, NOON) == index
        assert definition.key_at(index, NOON) == key


@pytest.mark.parametrize(
    ("timezone", "key"),
    [
        (NEW_YORK, "2023-03-12-02:00"),
        (NEW_YORK, "2023-11-05-01:00-0400"),
        (NEW_YORK, "2023-11-05-02:00-0500"),
        (NEW_YORK, "2023-11-05-01:30"),
        ("Australia/Lord_Howe", "2023-10-01-02:00"),
    ],
)
def test_hours_that_clocks_never_show_are_no_keys(timezone: str, key: str) -> None:
    assert not HourlyPartitionsDefinition("2023-01-01-00:00", timezone=timezone).has_partition_key(key)


def test_a_date_that_never_was_has_no_window() -> None:
    samoa = DailyPartitionsDefinition("2011-12-29", "2012-01-02", timezone="Pacific/Apia")
    assert starts(samoa) == [
        ("2011-12-29", "2011-12-29T00:00:00-10:00"),
        ("2011-12-31", "2011-12-31T00:00:00+14:00"),
        ("2012-01-01", "2012-01-01T00:00:00+14:00"),
    ]
    assert not samoa.has_partition_key("2011-12-30")
    assert DailyPartitionsDefinition("2011-12-01", timezone="Pacific/Apia").index_of("2012-01-01", NOON) == 30
