"""Sets of partitions, checked against Python's own sets."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvariantViolationError, UnknownPartitionError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import TimeWindow
from segue.model.partitions.periodic import DailyPartitionsDefinition, HourlyPartitionsDefinition
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    difference,
    intersection,
    keys_of_subset,
    subset_contains,
    subset_of_keys,
    subset_of_range,
    subset_size,
    union,
    whole,
)
from segue.model.partitions.subset_window import time_window_of_subset

NOW = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = DailyPartitionsDefinition("2023-12-20", exclusions=["2023-12-23", "2023-12-24"])
HOURS = HourlyPartitionsDefinition("2023-11-04-20:00", "2023-11-05-06:00", timezone="America/New_York")
LETTERS = StaticPartitionsDefinition(list("hgfedcba"))

definitions = st.sampled_from([DAYS, HOURS, LETTERS])
sets_of_positions = st.sets(st.integers(0, 7))


def subset(definition: PartitionsDefinition, positions: set[int]) -> PartitionSubset:
    return subset_of_keys(definition, [definition.key_at(position, NOW) for position in positions], NOW)


@given(definitions, sets_of_positions, sets_of_positions)
def test_the_algebra_of_sets(definition: PartitionsDefinition, one: set[int], other: set[int]) -> None:
    left, right = subset(definition, one), subset(definition, other)
    assert union(definition, left, right, NOW) == subset(definition, one | other)
    assert intersection(definition, left, right, NOW) == subset(definition, one & other)
    assert difference(definition, left, right, NOW) == subset(definition, one - other)


@given(definitions, sets_of_positions)
def test_what_a_set_holds(definition: PartitionsDefinition, positions: set[int]) -> None:
    held = subset(definition, positions)
    keys = [definition.key_at(position, NOW) for position in sorted(positions)]
    assert keys_of_subset(definition, held, NOW) == keys
    assert subset_size(definition, held, NOW) == len(keys)
    assert bool(held) == bool(keys)
    for key in definition.get_partition_keys(current_time=NOW):
        assert subset_contains(definition, held, key, NOW) == (key in keys)


@given(definitions, sets_of_positions)
def test_equal_sets_are_written_alike(definition: PartitionsDefinition, positions: set[int]) -> None:
    held = subset(definition, positions)
    for (_, last), (first, _) in zip(held.ranges, held.ranges[1:], strict=False):
        assert definition.index_of(last, NOW) + 1 < definition.index_of(first, NOW)
    assert msgspec.json.decode(msgspec.json.encode(held), type=PartitionSubset) == held
    assert msgspec.json.decode(msgspec.json.encode(held))["kind"] == "key_ranges"


def test_a_range_reaches_over_windows_left_out() -> None:
    week = subset_of_range(DAYS, "2023-12-20", "2023-12-26", NOW)
    assert week.ranges == (("2023-12-20", "2023-12-26"),)
    assert subset_size(DAYS, week, NOW) == 5
    assert subset_of_keys(DAYS, ["2023-12-25", "2023-12-22"], NOW).ranges == (("2023-12-22", "2023-12-25"),)


def test_the_whole_and_the_empty_set() -> None:
    assert whole(DAYS, NOW).ranges == (("2023-12-20", "2023-12-31"),)
    assert whole(DAYS, datetime(2020, 1, 1, tzinfo=UTC)) == EMPTY
    assert whole(LETTERS, NOW).ranges == (("h", "a"),)
    assert not EMPTY


def test_keys_that_do_not_exist_are_refused_by_name() -> None:
    with pytest.raises(UnknownPartitionError, match="'2024-01-01'"):
        subset_of_keys(DAYS, ["2024-01-01"], NOW)
    with pytest.raises(UnknownPartitionError, match="'2023-12-24'"):
        subset_of_keys(DAYS, ["2023-12-24"], NOW)
    with pytest.raises(UnknownPartitionError, match="'a' to 'b' is empty"):
        subset_of_range(LETTERS, "a", "b", NOW)
    assert not subset_contains(DAYS, whole(DAYS, NOW), "2023-12-24", NOW)


def test_the_time_a_set_spans() -> None:
    some = subset_of_keys(DAYS, ["2023-12-22", "2023-12-28"], NOW)
    expected = TimeWindow(datetime(2023, 12, 22, tzinfo=UTC), datetime(2023, 12, 29, tzinfo=UTC))
    assert time_window_of_subset(DAYS, some, NOW) == expected
    with pytest.raises(InvariantViolationError, match="not time windows"):
        time_window_of_subset(LETTERS, whole(LETTERS, NOW), NOW)
    with pytest.raises(InvariantViolationError, match="empty partitions subset"):
        time_window_of_subset(DAYS, EMPTY, NOW)
