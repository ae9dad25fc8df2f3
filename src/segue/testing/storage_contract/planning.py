"""Rules about runs that are recorded first and planned by who executes them."""

from __future__ import annotations

import msgspec
import pytest

from segue.errors import InvariantViolationError, LeaseLostError, ResourceBusyError, RunNotFoundError
from segue.model.claims import Claim, Claimant, ClaimRequest
from segue.model.content_hash import content_hash
from segue.model.event import RunEnqueuedData
from segue.model.keys import AssetKey
from segue.model.lease import Fence
from segue.model.run import PlannedRun, Run, RunStatus
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


def a_run_is_planned_as_it_is_begun(store: Store) -> None:
    recorded = _recorded(store)
    planned = msgspec.structs.replace(
        recorded, plan_hash=content_hash(PLAN), asset_selection=frozenset({AssetKey("x")}), run_config={"ops": {}}
    )
    events = events_of("r1", [logged("planned"), started(store.worker())])
    token = store.start_run("r1", events, None, PlannedRun(planned, PLAN, MANIFEST))
    store.require_lease(Fence("r1", token))
    found = store.get_run("r1")
    assert found is not None
    assert (found.status, found.location, found.created_at) == (RunStatus.STARTED, "here", 10.0)
    assert found.worker == store.worker()
    assert (found.asset_selection, found.run_config) == (frozenset({AssetKey("x")}), {"ops": {}})
    assert (found.plan_hash, found.manifest_hash) == (content_hash(PLAN), content_hash(MANIFEST))
    assert store.get_plan(content_hash(PLAN)) == PLAN
    types = [record.event.event_type_value for record in store.events(EventFilter(run_id="r1"), None)]
    assert types == ["RUN_ENQUEUED", "LOG_MESSAGE", "RUN_START"]


def a_planned_run_is_found_by_its_new_tags(store: Store) -> None:
    recorded = _recorded(store)
    store.start_run("r1", (), None, PlannedRun(recorded.with_tags({"b": "3", "c": "4"}), PLAN, MANIFEST))

    def found_by(key: str, value: str) -> int:
        return store.count_runs(RunsFilter(tags={key: value}))

    assert [found_by(*tag) for tag in (("a", "1"), ("b", "2"), ("b", "3"), ("c", "4"))] == [0, 0, 1, 1]


def a_run_that_does_not_get_what_it_claims_is_not_planned(store: Store) -> None:
    recorded = _recorded(store)
    claim = (Claim("the only one", 1, 1),)
    assert store.claim([ClaimRequest(Claimant("other", None, store.worker()), claim)], 1.0)[0].is_granted
    request = ClaimRequest(Claimant("r1", None, store.worker()), claim, waits=False)
    with pytest.raises(ResourceBusyError):
        store.start_run("r1", events_of("r1", [started()]), request, PlannedRun(recorded, PLAN, MANIFEST))
    assert store.get_run("r1") == recorded
    assert store.start_run("r1", events_of("r1", [started()]), None, PlannedRun(recorded, PLAN, MANIFEST)) > 0


def a_run_that_a_worker_has_begun_is_not_planned(store: Store) -> None:
    recorded = _recorded(store)
    store.start_run("r1", events_of("r1", [started()]))
    with pytest.raises(LeaseLostError):
        store.start_run("r1", (), None, PlannedRun(recorded, PLAN, MANIFEST))
    store.give_up("r1")  # now it might be taken, and goes on by the plan that it has
    with pytest.raises(LeaseLostError):
        store.start_run("r1", (), None, PlannedRun(recorded, PLAN, MANIFEST))
    found = store.get_run("r1")
    assert found is not None
    assert found.plan_hash is None


def what_has_ended_or_is_not_there_is_not_planned(store: Store) -> None:
    recorded = _recorded(store)
    with pytest.raises(RunNotFoundError):
        store.start_run("r2", (), None, PlannedRun(msgspec.structs.replace(recorded, run_id="r2"), PLAN, MANIFEST))
    store.append(events_of("r1", [started(), succeeded()]))
    with pytest.raises(InvariantViolationError):
        store.start_run("r1", (), None, PlannedRun(recorded, PLAN, MANIFEST))


def a_plan_whose_hash_is_another_is_refused_whole(store: Store) -> None:
    recorded = _recorded(store)
    wrong = msgspec.structs.replace(recorded, plan_hash="0" * 32, tags={})
    with pytest.raises(InvariantViolationError):
        store.start_run("r1", events_of("r1", [started()]), None, PlannedRun(wrong, PLAN, MANIFEST))
    assert store.get_run("r1") == recorded


RULES = (
    a_run_is_planned_as_it_is_begun,
    a_planned_run_is_found_by_its_new_tags,
    a_run_that_does_not_get_what_it_claims_is_not_planned,
    a_run_that_a_worker_has_begun_is_not_planned,
    what_has_ended_or_is_not_there_is_not_planned,
    a_plan_whose_hash_is_another_is_refused_whole,
)
