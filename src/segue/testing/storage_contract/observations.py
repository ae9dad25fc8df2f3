"""Rules about the latest observations of assets."""

from __future__ import annotations

from segue.model.event import AssetObservationData, AssetWipedData
from segue.model.keys import AssetKey
from segue.model.materialization import AssetObservation
from segue.model.stores import ObservationState, Store
from segue.testing.storage_contract.builders import add_events, add_run, made

A, B = AssetKey("a"), AssetKey(["b", "ü"])


def seen(key: AssetKey, rows: int) -> AssetObservationData:
    """That an asset was observed."""
    return AssetObservationData(AssetObservation(key, metadata={"rows": rows}))


def the_latest_observation_is_kept_apart_from_the_materialization(store: Store) -> None:
    add_run(store, "r1")
    add_events(store, "r1", seen(A, 1), seen(B, 1))
    last = add_events(store, "r1", made("a"), seen(A, 2), start=5.0)
    assert store.observation_states([A, A, AssetKey("nothing")]) == {
        A: ObservationState(A, last, "r1", 6.0, seen(A, 2).asset_observation)
    }
    assert set(store.observation_states(None)) == {A, B}
    assert set(store.asset_states(None)) == {A}
    assert store.observation_states([]) == {}


def a_wiped_asset_has_no_observation(store: Store) -> None:
    add_events(store, None, seen(A, 1), seen(B, 1))
    store.wipe(A, ["p"], 5.0)
    assert set(store.observation_states(None)) == {A, B}
    store.wipe(A, None, 6.0)
    assert set(store.observation_states(None)) == {B}
    add_events(store, None, seen(B, 2), AssetWipedData(B), seen(A, 3))
    assert set(store.observation_states(None)) == {A}


RULES = (the_latest_observation_is_kept_apart_from_the_materialization, a_wiped_asset_has_no_observation)
