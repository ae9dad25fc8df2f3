"""Rules about the latest results of checks."""

from __future__ import annotations

from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.stores import CheckState, Store
from segue.testing.storage_contract.builders import add_events, add_run, checked, made

FRESH = AssetCheckKey(AssetKey("a"), "fresh")
FULL = AssetCheckKey(AssetKey("a"), "full")
OTHER = AssetCheckKey(AssetKey("b"), "fresh")


def the_latest_result_is_the_state(store: Store) -> None:
    add_run(store, "r1")
    add_events(store, "r1", checked("a", "fresh", False), start=3.0)
    last = add_events(store, "r1", made("a"), checked("a", "fresh", True), start=5.0)
    assert store.check_states(None) == {
        FRESH: CheckState(FRESH, last, "r1", 6.0, checked("a", "fresh", True).evaluation),
    }


def some_checks_can_be_asked_for(store: Store) -> None:
    add_events(store, None, checked("a", "fresh"), checked("a", "full", False), checked("b", "fresh"))
    assert set(store.check_states(None)) == {FRESH, FULL, OTHER}
    nothing = AssetCheckKey(AssetKey("b"), "full")
    states = store.check_states([OTHER, FULL, FULL, nothing])
    assert {key: state.evaluation.passed for key, state in states.items()} == {OTHER: True, FULL: False}
    assert store.check_states([]) == {}


def a_check_is_not_a_materialization(store: Store) -> None:
    add_events(store, None, checked("a", "fresh"))
    assert store.asset_states(None) == {}


RULES = (the_latest_result_is_the_state, some_checks_can_be_asked_for, a_check_is_not_a_materialization)
