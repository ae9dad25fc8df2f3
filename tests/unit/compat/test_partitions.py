"""Sets of partitions that code for Dagster makes by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import segue as sg
from segue.compat.lookup import private_name

SUBSETS = "dagster._core.definitions.partitions.subset"
CONTEXT = "dagster._core.definitions.partitions.context"
LETTERS = sg.StaticPartitionsDefinition(["a", "b", "c"])
DAYS = sg.DailyPartitionsDefinition("2024-01-01")


def test_sets_of_keys_without_a_definition_meet_those_with_one() -> None:
    kind = private_name(SUBSETS, "DefaultPartitionsSubset")
    one, two = kind({"a", "b"}), kind({"b", "x"})
    assert (one | two, one & two, one - two) == (kind({"a", "b", "x"}), kind({"b"}), kind({"a"}))
    assert one == LETTERS.subset_with_partition_keys(["b", "a"])
    assert one & LETTERS.subset_with_partition_keys(["b", "c"]) == kind({"b"})
    assert LETTERS.subset_with_all_partitions() - one == kind({"c"})
    assert kind.create_empty_subset().is_empty
    assert [tuple(each) for each in one.get_partition_key_ranges(LETTERS)] == [("a", "b")]


def test_all_partitions_at_a_moment_and_stretches_of_time() -> None:
    moment = private_name("dagster._core.definitions.temporal_context", "TemporalContext")(
        effective_dt=datetime(2024, 1, 4, tzinfo=UTC), last_event_id=None
    )
    context = private_name(CONTEXT, "PartitionLoadingContext")(temporal_context=moment, dynamic_partitions_store=None)
    everything = private_name(SUBSETS, "AllPartitionsSubset")(DAYS, context)
    assert list(everything.get_partition_keys()) == ["2024-01-01", "2024-01-02", "2024-01-03"]
    window = sg.TimeWindow(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))
    persisted = private_name("dagster._core.definitions.partitions.utils", "PersistedTimeWindow")
    stretch = persisted.from_public_time_window(window, "UTC")
    some = private_name(SUBSETS, "TimeWindowPartitionsSubset")(DAYS, 2, [stretch])
    assert some == DAYS.subset_with_partition_keys(["2024-01-01", "2024-01-02"])
    assert len(everything - some) == 1
