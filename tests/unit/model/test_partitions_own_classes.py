"""Partition mappings and definitions of the user's own classes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from segue.errors import NotSupportedError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping, UpstreamPartitionsResult
from segue.model.partitions.mapping_choice import downstream_subset, upstream_subset
from segue.model.partitions.partitions_subset import PartitionsSubset
from segue.model.partitions.periodic import DailyPartitionsDefinition
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import EMPTY, keys_of_subset, subset_of_keys
from segue.model.partitions.time_window_mapping import TimeWindowPartitionMapping
from segue.model.partitions.wire import definition_from_wire, mapping_from_wire

NOW = datetime(2023, 2, 10, 12, 30, tzinfo=UTC)
DAY = DailyPartitionsDefinition("2023-01-01")
ENDED = DailyPartitionsDefinition("2023-01-01", end_date="2023-02-01")
ABCD = StaticPartitionsDefinition(["a", "b", "c", "d"])


def january(*numbers: int) -> list[str]:
    return [f"2023-01-{number:02}" for number in numbers]


def needed(
    mapping: PartitionMapping, downstream: PartitionsDefinition, keys: list[str], upstream: PartitionsDefinition
) -> list[str]:
    subset = subset_of_keys(downstream, keys, NOW)
    return keys_of_subset(upstream, upstream_subset(mapping, subset, downstream, upstream, NOW), NOW)


def fed(
    mapping: PartitionMapping, upstream: PartitionsDefinition, keys: list[str], downstream: PartitionsDefinition
) -> list[str]:
    subset = subset_of_keys(upstream, keys, NOW)
    return keys_of_subset(downstream, downstream_subset(mapping, subset, upstream, downstream, NOW), NOW)


class FirstOfAll(PartitionMapping):
    """The first partition upstream, always."""

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: object | None = None,
    ) -> UpstreamPartitionsResult:
        first = upstream_partitions_def.get_first_partition_key(current_time)
        return UpstreamPartitionsResult(
            partitions_subset=upstream_partitions_def.subset_with_partition_keys([] if first is None else [first]),
            required_but_nonexistent_subset=upstream_partitions_def.empty_subset(),
        )


class TwoDaysBack(TimeWindowPartitionMapping):
    """The window, and never the last two."""

    def get_downstream_partitions_for_partitions(self, *args: Any, **kwargs: Any) -> PartitionsSubset:
        found = super().get_downstream_partitions_for_partitions(*args, **kwargs)
        return found - args[2].subset_with_partition_keys(["2023-01-30", "2023-01-31"])


def test_a_mapping_of_the_users_own_is_asked_through_its_methods() -> None:
    assert needed(FirstOfAll(), DAY, january(3), ABCD) == ["a"]
    with pytest.raises(NotSupportedError, match="FirstOfAll does not implement get_downstream"):
        downstream_subset(FirstOfAll(), EMPTY, ABCD, DAY, NOW)
    assert fed(TwoDaysBack(), ENDED, january(29, 30, 31), ENDED) == january(29)
    assert needed(TwoDaysBack(), ENDED, january(30), ENDED) == january(30)
    assert TwoDaysBack() != TimeWindowPartitionMapping()


def test_what_only_user_code_understands_stands_on_the_wire_by_its_name() -> None:
    class Letters(StaticPartitionsDefinition):
        pass

    mapping = mapping_from_wire(json.loads(json.dumps(FirstOfAll().to_wire())))
    definition = definition_from_wire(json.loads(json.dumps(Letters(["a"]).to_wire())))
    assert mapping == mapping_from_wire(FirstOfAll().to_wire())
    assert definition == definition_from_wire(Letters(["a"]).to_wire())
    with pytest.raises(NotSupportedError, match=r"FirstOfAll is a custom partition mapping"):
        needed(mapping, DAY, january(3), ABCD)
    with pytest.raises(NotSupportedError, match=r"Letters is a custom partitions definition"):
        definition.get_partition_keys()
