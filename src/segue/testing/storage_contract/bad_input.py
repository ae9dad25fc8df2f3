"""Rules about what a store refuses, and what must not disturb it."""

from __future__ import annotations

import pytest

from segue.errors import InvariantViolationError
from segue.model.event import Event
from segue.model.keys import AssetKey
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.testing.storage_contract.builders import (
    MANIFEST,
    PLAN,
    add_events,
    add_run,
    events_of,
    logged,
    made,
    started,
)


def events_of_an_unknown_run_are_refused(store: Store) -> None:
    add_run(store, "r1")
    with pytest.raises(InvariantViolationError, match="nobody"):
        store.append([*events_of("r1", [made("a")]), *events_of("nobody", [made("b")])])
    assert store.events(EventFilter(), None) == []
    assert store.asset_states(None) == {}


def a_run_event_without_a_run_is_refused(store: Store) -> None:
    with pytest.raises(InvariantViolationError, match="RUN_START"):
        add_events(store, None, made("a"), started())
    assert store.events(EventFilter(), None) == []
    assert store.asset_states(None) == {}


def text_is_data(store: Store) -> None:
    texts = ["'; DROP TABLE runs; --", "%", "_", "", "NULL", "ü𝄞", '"', "?", ":x", "\n"]
    for index, text in enumerate(texts):
        run_id = f"{index}{text}"
        run = Run(run_id=run_id, job_name=text, tags={text: text})
        store.create_run(run, PLAN, MANIFEST, [Event(1.0, logged(text), text, run_id)])
        add_events(store, run_id, made(["a", text], f"p{text}"))
    for index, text in enumerate(texts):
        run_id = f"{index}{text}"
        run = store.get_run(run_id)
        assert run is not None
        assert (run.job_name, run.tags) == (text, {text: text})
        for which in (RunsFilter(job_name=text), RunsFilter(tags={text: text}), RunsFilter(run_ids=(run_id,))):
            assert [found.run_id for found in store.list_runs(which, None, None)] == [run_id]
        first, second = store.events(EventFilter(run_id=run_id), None)
        assert (first.event.step_key, first.event.payload) == (text, logged(text))
        assert second.event.partition == f"p{text}"
        key = AssetKey(["a", text])
        which_events = EventFilter(asset_key=key, partitions=(f"p{text}",))
        assert [found.storage_id for found in store.events(which_events, None)] == [second.storage_id]
        assert set(store.partition_states(key)) == {f"p{text}"}


def a_nul_character_in_a_name_is_refused(store: Store) -> None:
    # PostgreSQL cannot hold it, so no store takes it.
    for run in (
        Run(run_id="r\0", job_name="daily"),
        Run(run_id="r", job_name="da\0ily"),
        Run(run_id="r", job_name="daily", tags={"\0": "x"}),
        Run(run_id="r", job_name="daily", tags={"x": "\0"}),
    ):
        with pytest.raises(InvariantViolationError, match="NUL"):
            store.create_run(run, PLAN, MANIFEST, [])
    add_run(store, "r1")
    for event in (Event(1.0, made("a", "p\0"), None, "r1"), Event(1.0, logged("x"), "step\0", "r1")):
        with pytest.raises(InvariantViolationError, match="NUL"):
            store.append([event])
    assert store.events(EventFilter(), None) == []
    assert store.list_runs(RunsFilter(run_ids=("r1\0",)), None, None) == []
    assert store.list_runs(RunsFilter(tags={"x\0": "y"}), None, None) == []


def what_cannot_be_encoded_leaves_no_trace(store: Store) -> None:
    # A lone surrogate is a legal Python string and no legal text anywhere else.
    add_run(store, "r1")
    with pytest.raises((UnicodeEncodeError, InvariantViolationError)):
        store.append([Event(1.0, made("a"), None, "r1"), Event(1.0, logged("x"), "\ud800", "r1")])
    with pytest.raises((UnicodeEncodeError, InvariantViolationError)):
        store.create_run(Run(run_id="r2", job_name="\ud800"), PLAN, MANIFEST, events_of("r2", [made("a")]))
    assert store.events(EventFilter(), None) == []
    assert store.asset_states(None) == {}
    add_events(store, "r1", made("a"))
    assert set(store.asset_states(None)) == {AssetKey("a")}


def a_closed_store_opens_again(store: Store) -> None:
    add_run(store, "r1")
    store.close()
    store.close()
    assert store.get_run("nobody") is None
    add_run(store, "r2")
    assert store.get_run("r2") is not None


RULES = (
    events_of_an_unknown_run_are_refused,
    a_run_event_without_a_run_is_refused,
    text_is_data,
    a_nul_character_in_a_name_is_refused,
    what_cannot_be_encoded_leaves_no_trace,
    a_closed_store_opens_again,
)
