"""Rules about the removal of state."""

from __future__ import annotations

from segue.model.event import AssetWipedData, EventType
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.stores import EventFilter, Store
from segue.testing.storage_contract.builders import add_events, checked, made

KEY = AssetKey("a")


def _fill(store: Store) -> None:
    add_events(store, None, made("a", "p1"), made("a", "p2"), checked("a", "fresh"), made("b", "p1"), made("a", "p3"))


def a_wiped_asset_has_no_state(store: Store) -> None:
    _fill(store)
    store.wipe(KEY, None, 50.0)
    assert set(store.asset_states(None)) == {AssetKey("b")}
    assert store.partition_states(KEY) == {}
    assert store.check_states(None) == {}
    assert set(store.partition_states(AssetKey("b"))) == {"p1"}


def wiping_is_recorded_and_the_log_stays(store: Store) -> None:
    _fill(store)
    store.wipe(KEY, None, 50.0)
    store.wipe(KEY, ["p1"], 51.0)
    stored = store.events(EventFilter(asset_key=KEY), None)
    assert len(stored) == 6
    assert [entry.event.timestamp for entry in stored[-2:]] == [50.0, 51.0]
    assert [entry.event.payload for entry in stored[-2:]] == [AssetWipedData(KEY), AssetWipedData(KEY, ("p1",))]


def wiped_partitions_leave_the_others(store: Store) -> None:
    _fill(store)
    before = store.asset_states(None)
    store.wipe(KEY, ["p1", "p3", "nothing"], 50.0)
    assert set(store.partition_states(KEY)) == {"p2"}
    assert store.asset_states(None) == before
    assert set(store.check_states(None)) == {AssetCheckKey(KEY, "fresh")}
    assert set(store.partition_states(AssetKey("b"))) == {"p1"}


def wiping_no_partitions_does_nothing(store: Store) -> None:
    _fill(store)
    store.wipe(KEY, [], 50.0)
    assert set(store.partition_states(KEY)) == {"p1", "p2", "p3"}
    assert store.events(EventFilter(types=(EventType.ASSET_WIPED,)), None) == []


def what_was_wiped_can_be_made_again(store: Store) -> None:
    _fill(store)
    store.wipe(KEY, None, 50.0)
    last = add_events(store, None, made("a", "p1"))
    assert store.asset_states(None)[KEY].storage_id == last
    assert set(store.partition_states(KEY)) == {"p1"}


def a_wipe_inside_a_batch_takes_back_what_came_before(store: Store) -> None:
    add_events(
        store,
        None,
        made("a", "p1"),
        made("a", "p2"),
        checked("a", "fresh"),
        made("b", "p1"),
        made("b", "p2"),
        AssetWipedData(KEY),
        AssetWipedData(AssetKey("b"), ("p1",)),
        made("a", "p3"),
    )
    assert set(store.partition_states(KEY)) == {"p3"}
    assert set(store.partition_states(AssetKey("b"))) == {"p2"}
    assert store.check_states(None) == {}
    assert set(store.asset_states(None)) == {KEY, AssetKey("b")}


RULES = (
    a_wiped_asset_has_no_state,
    wiping_is_recorded_and_the_log_stays,
    wiped_partitions_leave_the_others,
    wiping_no_partitions_does_nothing,
    what_was_wiped_can_be_made_again,
    a_wipe_inside_a_batch_takes_back_what_came_before,
)
