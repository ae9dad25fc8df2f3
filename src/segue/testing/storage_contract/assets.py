"""Rules about the latest state of assets."""

from __future__ import annotations

from segue.model.keys import AssetKey
from segue.model.stores import AssetState, Store
from segue.testing.storage_contract.builders import add_events, add_run, logged, made, planned, started


def the_latest_materialization_is_the_state(store: Store) -> None:
    add_run(store, "r1", started())
    add_run(store, "r2", started())
    add_events(store, "r1", made("a", rows=1), start=10.0)
    last = add_events(store, "r2", made("a", rows=2, note="ü"), start=5.0)
    expected = AssetState(AssetKey("a"), last, "r2", 5.0, made("a", rows=2, note="ü").materialization)
    assert store.asset_states(None) == {AssetKey("a"): expected}


def the_last_of_a_batch_wins(store: Store) -> None:
    add_run(store, "r1")
    last = add_events(store, "r1", made("a", rows=1), logged("x"), made("b"), made("a", rows=2))
    states = store.asset_states(None)
    assert states[AssetKey("a")].materialization == made("a", rows=2).materialization
    assert states[AssetKey("a")].storage_id == last
    assert states[AssetKey("b")].storage_id == last - 1


def only_what_was_made_has_a_state(store: Store) -> None:
    add_run(store, "r1", planned("a"))
    assert store.asset_states(None) == {}
    assert store.asset_states([AssetKey("a")]) == {}


def some_assets_can_be_asked_for(store: Store) -> None:
    add_events(store, None, made("a"), made("b"), made("c"))
    wanted = [AssetKey("c"), AssetKey("a"), AssetKey("a"), AssetKey("nothing")]
    assert set(store.asset_states(wanted)) == {AssetKey("a"), AssetKey("c")}
    assert store.asset_states([]) == {}


def keys_with_the_same_text_stay_apart(store: Store) -> None:
    keys = [["a", "b"], ["a/b"], ['["a","b"]'], ["a", "b", ""], ['a"', "\\"], ["größe", "表 1"], ["A", "b"], ["a\x00b"]]
    add_events(store, None, *[made(parts, position=index) for index, parts in enumerate(keys)])
    states = store.asset_states(None)
    assert set(states) == {AssetKey(parts) for parts in keys}
    for index, parts in enumerate(keys):
        expected = made(parts, position=index).materialization
        assert states[AssetKey(parts)].materialization == expected
        assert store.asset_states([AssetKey(parts)])[AssetKey(parts)].materialization == expected


RULES = (
    the_latest_materialization_is_the_state,
    the_last_of_a_batch_wins,
    only_what_was_made_has_a_state,
    some_assets_can_be_asked_for,
    keys_with_the_same_text_stay_apart,
)
