"""Which upstream partitions are needed, and which downstream ones are fed; and the wire form of it all."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidDefinitionError, NotSupportedError, UnknownPartitionError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.dynamic import DynamicPartitionsDefinition
from segue.model.partitions.mapping import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
)
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.mapping_choice import check_mapping, default_mapping, downstream_subset, upstream_subset
from segue.model.partitions.multi import MultiPartitionsDefinition
from segue.model.partitions.multi_mapping import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
)
from segue.model.partitions.periodic import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import keys_of_subset, subset_of_keys
from segue.model.partitions.time_window_mapping import TimeWindowPartitionMapping
from segue.model.partitions.wire import MAPPING_WIRE, WIRE, definition_from_wire, mapping_from_wire

NOW = datetime(2023, 2, 10, 12, 30, tzinfo=UTC)
HOUR = HourlyPartitionsDefinition("2023-01-01-00:00")
DAY = DailyPartitionsDefinition("2023-01-01")
LATER = DailyPartitionsDefinition("2023-01-05")
ENDED = DailyPartitionsDefinition("2023-01-01", end_date="2023-02-01")
AHEAD = DailyPartitionsDefinition("2023-01-01", end_offset=2)
HOLIDAY = DailyPartitionsDefinition("2023-01-01", exclusions=["2023-01-10"])
WEEK = WeeklyPartitionsDefinition("2023-01-01")
MONTH = MonthlyPartitionsDefinition("2023-01-01")
NEW_YORK = DailyPartitionsDefinition("2023-01-01", timezone="America/New_York")
ABCD = StaticPartitionsDefinition(["a", "b", "c", "d"])
BCA = StaticPartitionsDefinition(["b", "c", "a"])
XYZW = StaticPartitionsDefinition(["x", "y", "z", "w"])

Window = TimeWindowPartitionMapping
PAIRS = StaticPartitionMapping({"a": "x", "b": ["x", "y"], "c": "z"})


def january(*numbers: int) -> list[str]:
    return [f"2023-01-{number:02}" for number in numbers]


def hours(day: str, start: int, stop: int) -> list[str]:
    return [f"{day}-{hour:02}:00" for hour in range(start, stop)]


def needed(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    keys: list[str] | None,
    upstream: PartitionsDefinition,
) -> list[str]:
    subset = None if downstream is None or keys is None else subset_of_keys(downstream, keys, NOW)
    return keys_of_subset(upstream, upstream_subset(mapping, subset, downstream, upstream, NOW), NOW)


def fed(
    mapping: PartitionMapping, upstream: PartitionsDefinition, keys: list[str], downstream: PartitionsDefinition
) -> list[str]:
    subset = subset_of_keys(upstream, keys, NOW)
    return keys_of_subset(downstream, downstream_subset(mapping, subset, upstream, downstream, NOW), NOW)


@pytest.mark.parametrize(
    ("mapping", "downstream", "keys", "upstream", "expected"),
    [
        (Window(), WEEK, january(8), DAY, january(*range(8, 15))),
        (Window(), MONTH, january(1), DAY, january(*range(1, 32))),
        (Window(), DAY, january(10, 14), WEEK, january(8)),
        (Window(), DAY, january(10), HOUR, hours("2023-01-10", 0, 24)),
        (Window(), HOUR, ["2023-01-10-05:00"], DAY, january(10)),
        (Window(), MONTH, january(1), WEEK, january(1, 8, 15, 22, 29)),
        (Window(), NEW_YORK, january(5), DAY, january(5, 6)),
        (Window(-1, -1), DAY, january(1, 5), DAY, january(4)),
        (Window(-2, 0), DAY, january(5), DAY, january(3, 4, 5)),
        (Window(1, 1), DAY, ["2023-02-09"], DAY, []),
        (Window(0, 1), AHEAD, ["2023-02-09"], DAY, ["2023-02-09"]),
        (Window(-1, 0), WEEK, january(15), DAY, january(*range(8, 22))),
        (Window(-1, 0), DAY, january(15), WEEK, january(8, 15)),
        (Window(-1, -1), DAY, january(8), WEEK, january(1)),
        (Window(-1, 0), LATER, january(5, 6), DAY, january(4, 5, 6)),
        (Window(-1, -1), DAY, january(5), LATER, []),
        (Window(), WEEK, january(8), HOLIDAY, january(8, 9, 11, 12, 13, 14)),
        (Window(), DAY, january(10), HOLIDAY, []),
        (Window(-1, -1), HOLIDAY, january(11), HOLIDAY, january(9)),
        (Window(-1, 0), HOLIDAY, january(11), DAY, january(9, 11)),
        (Window(), HOLIDAY, january(9, 11), HOUR, hours("2023-01-09", 0, 24) + hours("2023-01-11", 0, 24)),
        (Window(0, 0, True), DAY, january(4, 5), LATER, january(5)),
        (Window(0, 0, True), HOUR, ["2023-02-09-11:00", "2023-02-10-11:00"], DAY, ["2023-02-09"]),
        (IdentityPartitionMapping(), ABCD, ["a", "c"], BCA, ["c", "a"]),
        (IdentityPartitionMapping(), DAY, january(6, 7), DAY, january(6, 7)),
        (IdentityPartitionMapping(), DAY, january(6), LATER, january(6)),
        (
            IdentityPartitionMapping(),
            DAY,
            january(6),
            DailyPartitionsDefinition("2023-01-01", timezone="Asia/Tokyo"),
            january(6),
        ),
        (AllPartitionMapping(), None, None, ABCD, ["a", "b", "c", "d"]),
        (AllPartitionMapping(), DAY, january(3), ABCD, ["a", "b", "c", "d"]),
        (AllPartitionMapping(), DAY, [], ABCD, []),
        (LastPartitionMapping(), None, None, DAY, ["2023-02-09"]),
        (LastPartitionMapping(), ABCD, ["a"], DailyPartitionsDefinition("2093-01-01"), []),
        (SpecificPartitionsPartitionMapping(["b", "a"]), ABCD, ["d"], ABCD, ["a", "b"]),
        (PAIRS, XYZW, ["x"], ABCD, ["a", "b"]),
        (PAIRS, XYZW, ["w"], ABCD, []),
    ],
)
def test_the_upstream_partitions_that_are_needed(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    keys: list[str] | None,
    upstream: PartitionsDefinition,
    expected: list[str],
) -> None:
    assert needed(mapping, downstream, keys, upstream) == expected


@pytest.mark.parametrize(
    ("mapping", "upstream", "keys", "downstream", "expected"),
    [
        (Window(), DAY, january(10, 20), WEEK, january(8, 15)),
        (Window(), DAY, ["2023-02-09"], WEEK, []),
        (Window(), WEEK, january(8), DAY, january(*range(8, 15))),
        (Window(), DAY, january(10), HOUR, hours("2023-01-10", 0, 24)),
        (Window(), DAY, january(2), LATER, []),
        (Window(-2, -1), DAY, january(5), DAY, january(6, 7)),
        (Window(-2, 0), DAY, ["2023-02-09"], DAY, ["2023-02-09"]),
        (Window(-1, 0), DAY, january(10), WEEK, january(8, 15)),
        (Window(-1, 0), WEEK, january(8), DAY, january(*range(8, 16))),
        (Window(-1, 0), DAY, january(4, 5), LATER, january(5, 6)),
        (Window(-1, -1), HOLIDAY, january(9), HOLIDAY, january(11)),
        (Window(-1, 0), DAY, january(10), HOLIDAY, []),
        (IdentityPartitionMapping(), ABCD, ["a", "d"], BCA, ["a"]),
        (IdentityPartitionMapping(), DAY, january(4, 6), LATER, january(6)),
        (AllPartitionMapping(), DAY, january(3), ABCD, ["a", "b", "c", "d"]),
        (AllPartitionMapping(), DAY, [], ABCD, []),
        (LastPartitionMapping(), DAY, ["2023-02-09"], BCA, ["b", "c", "a"]),
        (LastPartitionMapping(), DAY, ["2023-02-08"], BCA, []),
        (SpecificPartitionsPartitionMapping(["a", "b"]), ABCD, ["a", "d"], BCA, ["b", "c", "a"]),
        (SpecificPartitionsPartitionMapping(["a", "b"]), ABCD, ["c", "d"], BCA, []),
        (PAIRS, ABCD, ["a", "b"], XYZW, ["x", "y"]),
        (PAIRS, ABCD, ["d"], XYZW, []),
    ],
)
def test_the_downstream_partitions_that_are_fed(
    mapping: PartitionMapping,
    upstream: PartitionsDefinition,
    keys: list[str],
    downstream: PartitionsDefinition,
    expected: list[str],
) -> None:
    assert fed(mapping, upstream, keys, downstream) == expected


@pytest.mark.parametrize(
    ("mapping", "downstream", "keys", "upstream", "missing"),
    [
        (Window(), DAY, january(4, 5), LATER, "2023-01-04 \\(1 of"),
        (Window(), HOUR, ["2023-02-10-11:00"], DAY, "2023-02-10"),
        (Window(), DAY, ["2023-02-09"], WEEK, "2023-02-05"),
        (Window(), WEEK, january(29), MONTH, "2023-02-01"),
        (Window(), AHEAD, ["2023-02-10"], DAY, "2023-02-10.*allow_nonexistent_upstream_partitions=True"),
        (Window(), DAY, ["2023-02-03"], ENDED, "2023-02-03"),
        (Window(-1, -1), DAY, ["2023-02-03"], ENDED, "2023-02-02"),
        (
            Window(),
            DAY,
            january(1),
            HourlyPartitionsDefinition("2023-01-01-06:00"),
            "03:00, 2023-01-01-04:00, \\.\\.\\. \\(6",
        ),
        (IdentityPartitionMapping(), ABCD, ["a", "d"], BCA, "d \\(1 of"),
        (IdentityPartitionMapping(), DAY, january(4), LATER, "2023-01-04"),
        (SpecificPartitionsPartitionMapping(["a", "q"]), None, None, ABCD, "q"),
    ],
)
def test_needed_partitions_that_do_not_exist_are_named(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    keys: list[str] | None,
    upstream: PartitionsDefinition,
    missing: str,
) -> None:
    with pytest.raises(UnknownPartitionError, match=missing):
        needed(mapping, downstream, keys, upstream)


TIMED = [HOUR, DAY, LATER, HOLIDAY, WEEK, MONTH, NEW_YORK]


@given(
    st.sampled_from(TIMED),
    st.sampled_from(TIMED),
    st.integers(0, 40),
    st.integers(0, 40),
    st.tuples(st.integers(-2, 2), st.integers(0, 2)),
)
def test_needs_and_feeds_are_each_other_s_inverse(
    upstream: Any, downstream: Any, above: int, below: int, offsets: tuple[int, int]
) -> None:
    mapping = Window(offsets[0], offsets[0] + offsets[1], allow_nonexistent_upstream_partitions=True)
    above %= upstream.count(NOW)
    below %= downstream.count(NOW)
    upper, lower = upstream.key_at(above, NOW), downstream.key_at(below, NOW)
    assert (upper in needed(mapping, downstream, [lower], upstream)) == (
        lower in fed(mapping, upstream, [upper], downstream)
    )


@pytest.mark.parametrize(
    ("upstream", "downstream", "expected"),
    [
        (DAY, DAY, IdentityPartitionMapping()),
        (DAY, WEEK, TimeWindowPartitionMapping()),
        (ABCD, XYZW, IdentityPartitionMapping()),
        (DAY, None, AllPartitionMapping()),
        (None, DAY, AllPartitionMapping()),
    ],
)
def test_the_mapping_where_none_is_said(
    upstream: PartitionsDefinition | None, downstream: PartitionsDefinition | None, expected: PartitionMapping
) -> None:
    assert default_mapping(upstream, downstream) == expected
    check_mapping(None, upstream, downstream)


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "message"),
    [
        (None, ABCD, DAY, "set partition_mapping"),
        (None, DAY, ABCD, "set partition_mapping"),
        (IdentityPartitionMapping(), ABCD, DAY, "different kinds"),
        (IdentityPartitionMapping(), DAY, WEEK, "different kinds"),
        (IdentityPartitionMapping(), DAY, None, "different kinds"),
        (Window(), ABCD, DAY, "upstream is StaticPartitionsDefinition"),
        (Window(), DAY, None, "downstream is None"),
        (PAIRS, StaticPartitionsDefinition(["a"]), XYZW, "upstream side.*\\['b', 'c'\\]"),
        (PAIRS, ABCD, StaticPartitionsDefinition(["x"]), "downstream side.*\\['y', 'z'\\]"),
        (PAIRS, DAY, XYZW, "upstream is DailyPartitionsDefinition"),
        (SpecificPartitionsPartitionMapping(["q"]), ABCD, None, "\\['q'\\]"),
    ],
)
def test_mappings_that_cannot_join_two_definitions_are_refused(
    mapping: PartitionMapping | None,
    upstream: PartitionsDefinition,
    downstream: PartitionsDefinition | None,
    message: str,
) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        check_mapping(mapping, upstream, downstream)


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream"),
    [
        (PAIRS, ABCD, XYZW),
        (AllPartitionMapping(), ABCD, DAY),
        (LastPartitionMapping(), DAY, None),
        (IdentityPartitionMapping(), ABCD, BCA),
        (IdentityPartitionMapping(), DAY, LATER),
        (Window(), DAY, MONTH),
        (IdentityPartitionMapping(), None, DAY),
    ],
)
def test_mappings_that_can_join_two_definitions_pass(
    mapping: PartitionMapping, upstream: PartitionsDefinition | None, downstream: PartitionsDefinition | None
) -> None:
    check_mapping(mapping, upstream, downstream)


def test_offsets_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="start_offset must not be greater"):
        Window(1, 0)


MAPPINGS = [
    AllPartitionMapping(),
    IdentityPartitionMapping(),
    LastPartitionMapping(),
    PAIRS,
    SpecificPartitionsPartitionMapping(["a", "b"]),
    Window(-1, 2, allow_nonexistent_upstream_partitions=True),
    MultiToSingleDimensionPartitionMapping("day"),
    MultiPartitionMapping({"day": DimensionPartitionMapping("date", Window(-1, 0))}),
]


@pytest.mark.parametrize("mapping", MAPPINGS, ids=repr)
def test_a_mapping_is_a_value_and_survives_the_wire(mapping: PartitionMapping) -> None:
    written = json.loads(json.dumps(mapping.to_wire()))
    for again in (mapping_from_wire(written), pickle.loads(pickle.dumps(mapping)), copy.deepcopy(mapping)):
        assert again == mapping
        assert hash(again) == hash(mapping)
    assert repr(mapping).startswith(type(mapping).__name__)
    assert [other for other in MAPPINGS if other == mapping] == [mapping]
    with pytest.raises(AttributeError, match="immutable"):
        mapping.start_offset = 5


def test_every_mapping_with_a_tag_is_tested() -> None:
    assert {mapping.to_wire()["kind"] for mapping in MAPPINGS} | {"opaque"} == set(MAPPING_WIRE)


def test_equal_tables_are_equal_whatever_their_order() -> None:
    one = StaticPartitionMapping({"a": ["x", "y"], "b": "z"})
    other = StaticPartitionMapping({"b": ["z"], "a": {"y", "x"}})
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("definition", "tag"),
    [
        (ABCD, "static"),
        (MultiPartitionsDefinition({"day": ENDED, "letter": ABCD}), "multi"),
        (HOLIDAY, "time_window"),
        (NEW_YORK, "time_window"),
        (AHEAD, "time_window"),
        (ENDED, "time_window"),
        (MonthlyPartitionsDefinition("2023-01", fmt="%Y-%m", day_offset=29, hour_offset=3), "time_window"),
        (HourlyPartitionsDefinition(datetime(2023, 11, 5, 1, fold=1), timezone="America/New_York"), "time_window"),
    ],
    ids=repr,
)
def test_a_definition_survives_the_wire(definition: PartitionsDefinition, tag: str) -> None:
    written = json.loads(json.dumps(definition.to_wire()))
    again = definition_from_wire(written)
    assert written["kind"] == tag
    assert again == definition
    assert again.get_partition_keys(current_time=NOW) == definition.get_partition_keys(current_time=NOW)
    assert not any("Definition" in str(value) for value in written.values())


def test_dynamic_partitions_survive_the_wire_without_their_keys() -> None:
    definition = DynamicPartitionsDefinition(name="customers")
    assert definition_from_wire(json.loads(json.dumps(definition.to_wire()))) == definition
    assert {"static", "time_window", "multi", "dynamic", "opaque"} == set(WIRE)


def test_a_tag_of_a_newer_version_is_refused_by_name() -> None:
    with pytest.raises(NotSupportedError, match="'spiral' is not a kind of partitions definition"):
        definition_from_wire({"kind": "spiral"})
    with pytest.raises(NotSupportedError, match="'spiral' is not a kind of partition mapping"):
        mapping_from_wire({"kind": "spiral"})
