"""Partitions of several dimensions, and the mappings between them."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as sg
from segue.model.partitions.loading import DynamicKeys

NOW = datetime(2024, 1, 20, tzinfo=UTC)
REGIONS = sg.StaticPartitionsDefinition(["us", "eu", "asia"])
SHOPS = sg.StaticPartitionsDefinition(["1", "2"])
DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-08")
WEEKS = sg.WeeklyPartitionsDefinition("2023-12-31", end_date="2024-01-21")
THREE = sg.MultiPartitionsDefinition({"shop": SHOPS, "region": REGIONS, "day": DAYS})
TWO = sg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})


def test_keys_are_texts_in_the_order_of_the_sorted_names() -> None:
    key = sg.MultiPartitionKey({"region": "eu", "day": "2024-01-02"})
    assert key == "2024-01-02|eu"
    assert isinstance(key, str)
    assert key.keys_by_dimension == {"day": "2024-01-02", "region": "eu"}
    assert [tuple(each) for each in key.dimension_keys] == [("day", "2024-01-02"), ("region", "eu")]
    assert hash(key) == hash("2024-01-02|eu")
    for again in (pickle.loads(pickle.dumps(key)), copy.deepcopy(key)):
        assert again == key
        assert again.keys_by_dimension == key.keys_by_dimension


def test_every_combination_is_a_partition_the_last_dimension_changing_first() -> None:
    expected = ["|".join(parts) for parts in product(DAYS.get_partition_keys(NOW), ["us", "eu", "asia"], ["1", "2"])]
    assert list(THREE.get_partition_keys(NOW)) == expected
    assert THREE.get_num_partitions(NOW) == len(expected) == 42
    assert [THREE.key_at(index, NOW) for index in range(42)] == expected
    assert [THREE.index_of(key, NOW) for key in expected] == list(range(42))
    for start, stop in ((0, 42), (0, 5), (7, 7), (5, 23), (41, 42)):
        assert THREE.keys_between(start, stop, NOW) == expected[start:stop]
    assert (THREE.get_first_partition_key(NOW), THREE.get_last_partition_key(NOW)) == (expected[0], expected[-1])
    with pytest.raises(IndexError):
        THREE.key_at(42, NOW)


def test_dimensions_are_found_by_name() -> None:
    assert THREE.partition_dimension_names == ["day", "region", "shop"]
    assert THREE.get_partitions_def_for_dimension("region") == REGIONS
    assert THREE.time_window_dimension.name == THREE.primary_dimension.name == "day"
    assert THREE.secondary_dimension.name == "region"
    assert THREE.time_window_partitions_def == DAYS
    assert THREE.time_window_for_partition_key("2024-01-03|us|1") == DAYS.time_window_for_partition_key("2024-01-03")
    assert THREE.get_tags_for_partition_key("2024-01-03|us|1") == {
        "dagster/partition": "2024-01-03|us|1",
        "dagster/partition/day": "2024-01-03",
        "dagster/partition/region": "us",
        "dagster/partition/shop": "1",
    }
    assert THREE.get_partition_key_from_str("2024-01-03|us|1").keys_by_dimension["shop"] == "1"
    assert THREE.is_valid_key_format("a|b|c")
    assert not THREE.is_valid_key_format("a|b")
    keys = TWO.get_multipartition_keys_with_dimension_values("day", ["2024-01-03", "2024-01-02"])
    assert keys[2:4] == ["2024-01-03|asia", "2024-01-02|us"]
    assert len(THREE.get_multipartition_keys_with_dimension_value("shop", "2", current_time=NOW)) == 21
    with pytest.raises(sg.InvalidInvocationError, match="Dimension 'planet' not found"):
        THREE.get_partitions_def_for_dimension("planet")
    letters = sg.MultiPartitionsDefinition({"a": REGIONS, "b": SHOPS})
    assert not letters.has_time_window_dimension
    with pytest.raises(sg.InvalidInvocationError, match="no time-window dimension"):
        letters.time_window_for_partition_key("us|1")


@pytest.mark.parametrize(
    ("dimensions", "why"),
    [
        ({"a": REGIONS}, "at least two dimensions"),
        ({"a": REGIONS, "b": TWO}, "is itself multi-partitioned"),
        ({"a": REGIONS, "b": sg.StaticPartitionsDefinition(["x|y"])}, "separates"),
        ({"a": DAYS, "b": WEEKS}, "At most one dimension"),
        ({"a": REGIONS, "b": 5}, "expected a partitions definition for each dimension"),
        ({"a": REGIONS, "b": sg.StaticPartitionsDefinition(["x", "a,b"])}, "'a,b' of dimension 'b' contains ','"),
        ({"a": REGIONS, "b": sg.StaticPartitionsDefinition(["a[b"])}, "contains '\\['"),
        ({"a": REGIONS, "b": sg.StaticPartitionsDefinition(["a]b"])}, "contains '\\]'"),
        (
            {"a": REGIONS, "b": sg.DynamicPartitionsDefinition(lambda now: ["x"])},
            "gets its partition keys from a function",
        ),
    ],
)
def test_impossible_dimensions_are_refused(dimensions: dict[str, sg.PartitionsDefinition], why: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        sg.MultiPartitionsDefinition(dimensions)


def test_a_range_lies_between_its_ends_in_each_dimension() -> None:
    keys = TWO.get_partition_keys_in_range(sg.PartitionKeyRange("2024-01-02|us", "2024-01-03|eu"))
    assert keys == ["2024-01-02|us", "2024-01-02|eu", "2024-01-03|us", "2024-01-03|eu"]
    assert TWO.get_partition_keys_in_range(sg.PartitionKeyRange("2024-01-02|eu", "2024-01-03|us")) == []


def test_a_dimension_of_dynamic_keys_asks_the_store() -> None:
    people = sg.DynamicPartitionsDefinition(name="people")
    both = sg.MultiPartitionsDefinition({"who": people, "shop": SHOPS})
    store = DynamicKeys({"people": ["amy", "bob"]})
    assert both.get_partition_keys(NOW, store) == ["1|amy", "1|bob", "2|amy", "2|bob"]
    assert both.has_partition_key("2|bob", NOW, store)
    with pytest.raises(sg.WrongTypeError, match="stored by an instance"):
        both.get_partition_keys(NOW)
    with sg.partition_loading_context(dynamic_partitions_store=store):
        assert both.get_num_partitions() == 4


# -- mappings: what a mapping of sets says is what it says of each key

LAG = sg.TimeWindowPartitionMapping(-1, 0, allow_nonexistent_upstream_partitions=True)
Dimension = sg.DimensionPartitionMapping
JOINS: list[tuple[sg.PartitionsDefinition, sg.PartitionsDefinition, sg.PartitionMapping]] = [
    (TWO, THREE, sg.MultiPartitionMapping({"day": Dimension("day", LAG)})),
    (
        THREE,
        TWO,
        sg.MultiPartitionMapping(
            {
                "day": Dimension("day", sg.IdentityPartitionMapping()),
                "region": Dimension("region", sg.StaticPartitionMapping({"us": ["eu", "us"], "asia": "asia"})),
            }
        ),
    ),
    (THREE, WEEKS, sg.MultiToSingleDimensionPartitionMapping("day")),
    (WEEKS, THREE, sg.MultiToSingleDimensionPartitionMapping()),
    (TWO, REGIONS, sg.MultiToSingleDimensionPartitionMapping("region")),
    (
        sg.MultiPartitionsDefinition({"a": REGIONS, "b": REGIONS}),
        sg.MultiPartitionsDefinition({"r": REGIONS, "s": SHOPS}),
        sg.MultiPartitionMapping(
            {
                "a": Dimension("r", sg.IdentityPartitionMapping()),
                "b": Dimension("r", sg.StaticPartitionMapping({"us": "eu", "eu": "us", "asia": "asia"})),
            }
        ),
    ),
    (THREE, THREE, sg.IdentityPartitionMapping()),
    (THREE, TWO, sg.AllPartitionMapping()),
    (TWO, THREE, sg.LastPartitionMapping()),
    (TWO, SHOPS, sg.SpecificPartitionsPartitionMapping(["2024-01-02|us", "2024-01-04|eu"])),
]


@given(data=st.data(), join=st.sampled_from(JOINS))
@settings(max_examples=150, deadline=None)
def test_sets_map_like_each_of_their_keys(
    data: st.DataObject, join: tuple[sg.PartitionsDefinition, sg.PartitionsDefinition, sg.PartitionMapping]
) -> None:
    upstream, downstream, mapping = join
    mapping.validate_partition_mapping(upstream, downstream)

    def up(keys: list[str]) -> set[str]:
        subset = downstream.subset_with_partition_keys(keys)
        result = mapping.get_upstream_mapped_partitions_result_for_partitions(subset, downstream, upstream, NOW)
        return set(result.partitions_subset.get_partition_keys())

    def down(keys: list[str]) -> set[str]:
        subset = upstream.subset_with_partition_keys(keys)
        return set(mapping.get_downstream_partitions_for_partitions(subset, upstream, downstream, NOW))

    lower = list(downstream.get_partition_keys(NOW))
    upper = list(upstream.get_partition_keys(NOW))
    wanted = data.draw(st.lists(st.sampled_from(lower), unique=True, max_size=8))
    assert up(wanted) == {key for each in wanted for key in up([each])}
    given_keys = data.draw(st.lists(st.sampled_from(upper), unique=True, max_size=4))
    assert down(given_keys) == {key for key in lower if not up([key]).isdisjoint(given_keys)}


def test_needed_partitions_that_do_not_exist_are_named() -> None:
    longer = sg.MultiPartitionsDefinition({"day": sg.DailyPartitionsDefinition("2023-12-30"), "region": REGIONS})
    mapping = sg.MultiPartitionMapping({"day": Dimension("day", sg.TimeWindowPartitionMapping())})
    result = mapping.get_upstream_mapped_partitions_result_for_partitions(
        longer.subset_with_partition_keys(["2023-12-31|us", "2024-01-01|us"]), longer, TWO, NOW
    )
    assert list(result.partitions_subset) == ["2024-01-01|us", "2024-01-01|eu", "2024-01-01|asia"]
    assert result.required_but_nonexistent_partition_keys == ["2023-12-31|us", "2023-12-31|eu", "2023-12-31|asia"]


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "why"),
    [
        (sg.MultiPartitionMapping({"planet": Dimension("day", LAG)}), TWO, THREE, "'planet'"),
        (sg.MultiPartitionMapping({"day": Dimension("planet", LAG)}), TWO, THREE, "'planet'"),
        (
            sg.MultiPartitionMapping({"region": Dimension("region", LAG)}),
            TWO,
            THREE,
            "TimeWindowPartitionMapping requires",
        ),
        (sg.MultiPartitionMapping({}), TWO, DAYS, "on both sides; downstream"),
        (sg.MultiToSingleDimensionPartitionMapping("planet"), TWO, DAYS, "dimension .* not found"),
        (sg.MultiToSingleDimensionPartitionMapping(), TWO, SHOPS, "no dimension of"),
        (sg.MultiToSingleDimensionPartitionMapping(), REGIONS, DAYS, "a MultiPartitionsDefinition on one side"),
        (sg.IdentityPartitionMapping(), TWO, THREE, "different kinds"),
    ],
)
def test_joins_that_cannot_be_are_refused(
    mapping: sg.PartitionMapping, upstream: sg.PartitionsDefinition, downstream: sg.PartitionsDefinition, why: str
) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        mapping.validate_partition_mapping(upstream, downstream)


def test_a_dimension_mapping_is_declared_as_one() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="expected a DimensionPartitionMapping"):
        sg.MultiPartitionMapping({"day": LAG})  # pyright: ignore[reportArgumentType] reason: what is refused
