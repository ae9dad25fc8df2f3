"""Rules about the latest state of partitions."""

from __future__ import annotations

from segue.model.keys import AssetKey
from segue.model.stores import PartitionState, Store
from segue.testing.storage_contract.builders import add_events, add_run, made

KEY = AssetKey("a")


def each_partition_has_its_latest_state(store: Store) -> None:
    add_run(store, "r1")
    add_run(store, "r2")
    first = add_events(store, "r1", made("a", "p1", "v1"), start=10.0)
    add_events(store, "r1", made("a", "p2"), start=11.0)
    last = add_events(store, "r2", made("a", "p2", "v3"), made("a", "p2", "v4"), start=12.0)
    assert store.partition_states(KEY) == {
        "p1": PartitionState("p1", first, "r1", 10.0, "v1"),
        "p2": PartitionState("p2", last, "r2", 13.0, "v4"),
    }
    assert store.asset_states(None)[KEY].storage_id == last


def a_whole_materialization_leaves_partitions_alone(store: Store) -> None:
    add_events(store, None, made("a", "p1"), made("a"), made("b"))
    assert set(store.partition_states(KEY)) == {"p1"}
    assert store.partition_states(AssetKey("b")) == {}


def partitions_of_other_assets_stay_apart(store: Store) -> None:
    add_events(store, None, made("a", "p1"), made("b", "p2"), made(["a", "b"], "p3"))
    assert set(store.partition_states(KEY)) == {"p1"}
    assert set(store.partition_states(AssetKey(["a", "b"]))) == {"p3"}


def many_partitions_in_one_batch(store: Store) -> None:
    keys = [f"2024-{number:05}" for number in range(3000)]
    add_events(store, None, *[made("a", key) for key in keys])
    assert set(store.partition_states(KEY)) == set(keys)


RULES = (
    each_partition_has_its_latest_state,
    a_whole_materialization_leaves_partitions_alone,
    partitions_of_other_assets_stay_apart,
    many_partitions_in_one_batch,
)
