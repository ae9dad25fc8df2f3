"""Rules about runs that are recorded first and planned by who executes them."""

from __future__ import annotations

import msgspec
import pytest

from segue.errors import InvariantViolationError, LeaseLostError, RunNotFoundError
from segue.model.content_hash import content_hash
from segue.model.event import RunEnqueuedData, RunStartingData
from segue.model.keys import AssetKey
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.testing.storage_contract.builders import events_of, logged, started, succeeded

PLAN, MANIFEST = b"the plan", b"the manifest"


def _recorded(store: Store, **fields: object) -> Run:
    """A queued run without a plan, tagged, as the store has it."""
    run = Run(run_id="r1", job_name="j", tags={"a": "1", "b": "2"}, created_at=10.0, location="here")
    run = msgspec.structs.replace(run, **fields)
    store.create_run(run, b"", b"", events_of("r1", [RunEnqueuedData()]))
    found = store.get_run("r1")
    assert found is not None
    return found


def a_run_is_planned_after_it_was_recorded(store: Store) -> None:
    recorded = _recorded(store)
    planned = msgspec.structs.replace(
        recorded, plan_hash=content_hash(PLAN), asset_selection=frozenset({AssetKey("x")}), run_config={"ops": {}}
    )
    store.plan_run(planned, PLAN, MANIFEST, events_of("r1", [logged("planned")]))
    found = store.get_run("r1")
    assert found is not None
    assert (found.status, found.location, found.created_at) == (RunStatus.QUEUED, "here", 10.0)
    assert (found.asset_selection, found.run_config) == (frozenset({AssetKey("x")}), {"ops": {}})
    assert (found.plan_hash, found.manifest_hash) == (content_hash(PLAN), content_hash(MANIFEST))
    assert store.get_plan(content_hash(PLAN)) == PLAN
    types = [record.event.event_type_value for record in store.events(EventFilter(run_id="r1"), None)]
    assert types == ["RUN_ENQUEUED", "LOG_MESSAGE"]


def a_planned_run_is_found_by_its_new_tags(store: Store) -> None:
    recorded = _recorded(store)
    store.plan_run(recorded.with_tags({"b": "3", "c": "4"}), PLAN, MANIFEST, ())

    def found_by(key: str, value: str) -> int:
        return store.count_runs(RunsFilter(tags={key: value}))

    assert [found_by(*tag) for tag in (("a", "1"), ("b", "2"), ("b", "3"), ("c", "4"))] == [0, 0, 1, 1]


def a_run_is_planned_anew_where_nobody_began(store: Store) -> None:
    recorded = _recorded(store)
    store.plan_run(recorded, PLAN, MANIFEST, ())
    store.plan_run(recorded, b"another plan", MANIFEST, ())
    found = store.get_run("r1")
    assert found is not None
    assert found.plan_hash == content_hash(b"another plan")


def a_planned_run_is_missed_when_its_worker_goes_before_it_began(store: Store) -> None:
    recorded = _recorded(store)
    store.append(events_of("r1", [RunStartingData()]))
    store.plan_run(msgspec.structs.replace(recorded, worker="999999-gone"), PLAN, MANIFEST, ())
    assert [(run.run_id, lives) for run, lives in store.unfinished_runs()] == [("r1", False)]
    store.plan_run(msgspec.structs.replace(recorded, worker=store.worker()), PLAN, MANIFEST, ())
    assert [(run.run_id, lives) for run, lives in store.unfinished_runs()] == [("r1", True)]
    assert store.start_run("r1", events_of("r1", [started()])) > 0


def a_run_that_a_worker_has_begun_is_not_planned(store: Store) -> None:
    recorded = _recorded(store)
    store.start_run("r1", events_of("r1", [started()]))
    with pytest.raises(LeaseLostError):
        store.plan_run(recorded, PLAN, MANIFEST, ())
    found = store.get_run("r1")
    assert found is not None
    assert found.plan_hash is None


def what_has_ended_or_is_not_there_is_not_planned(store: Store) -> None:
    recorded = _recorded(store)
    with pytest.raises(RunNotFoundError):
        store.plan_run(msgspec.structs.replace(recorded, run_id="r2"), PLAN, MANIFEST, ())
    store.append(events_of("r1", [started(), succeeded()]))
    with pytest.raises(InvariantViolationError):
        store.plan_run(recorded, PLAN, MANIFEST, ())


def a_plan_whose_hash_is_another_is_refused_whole(store: Store) -> None:
    recorded = _recorded(store)
    wrong = msgspec.structs.replace(recorded, plan_hash="0" * 32, tags={})
    with pytest.raises(InvariantViolationError):
        store.plan_run(wrong, PLAN, MANIFEST, ())
    assert store.get_run("r1") == recorded


RULES = (
    a_run_is_planned_after_it_was_recorded,
    a_planned_run_is_found_by_its_new_tags,
    a_run_is_planned_anew_where_nobody_began,
    a_planned_run_is_missed_when_its_worker_goes_before_it_began,
    a_run_that_a_worker_has_begun_is_not_planned,
    what_has_ended_or_is_not_there_is_not_planned,
    a_plan_whose_hash_is_another_is_refused_whole,
)
