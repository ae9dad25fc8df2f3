"""Rules about runs."""

from __future__ import annotations

import pytest

from segue.errors import InvariantViolationError, RunNotFoundError
from segue.model.content_hash import content_hash
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.testing.storage_contract.builders import (
    MANIFEST,
    PLAN,
    add_events,
    add_run,
    events_of,
    failed,
    logged,
    planned,
    started,
    succeeded,
)


def a_run_reads_back_as_it_was_created(store: Store) -> None:
    run = Run(
        run_id="r1",
        job_name="daily",
        status=RunStatus.QUEUED,
        tags={"team": "sales", "größe": "xl"},
        run_config={"ops": {"a": {"config": {"n": [1, 2.5, None, "ü"]}}}},
        asset_selection=frozenset({AssetKey(["sales", "orders"]), AssetKey("a/b")}),
        asset_check_selection=frozenset({AssetCheckKey(AssetKey("orders"), "fresh")}),
        op_selection=("load", "*save"),
        partition_start="2024-01-01",
        partition_end="2024-01-31",
        root_run_id="r0",
        parent_run_id="r0",
        plan_hash=content_hash(PLAN),
        manifest_hash=content_hash(MANIFEST),
        created_at=1700000000.123456,
        updated_at=1700000000.5,
    )
    store.create_run(run, PLAN, MANIFEST, [])
    assert store.get_run("r1") == run
    assert store.list_runs(RunsFilter(), None, None) == [run]


def a_run_that_is_not_there_is_none(store: Store) -> None:
    assert store.get_run("nobody") is None
    assert store.list_runs(RunsFilter(), None, None) == []
    assert store.unfinished_runs() == []


def hashes_that_are_not_named_are_computed(store: Store) -> None:
    add_run(store, "r1")
    add_run(store, "r2")
    run = store.get_run("r1")
    assert run is not None
    assert (run.plan_hash, run.manifest_hash) == (content_hash(PLAN), content_hash(MANIFEST))
    assert store.get_plan(content_hash(PLAN)) == PLAN
    assert store.get_plan("0" * 32) is None


def a_run_without_plan_has_no_hash(store: Store) -> None:
    run = Run(run_id="r1", job_name="daily")
    store.create_run(run, b"", b"", [])
    assert store.get_run("r1") == run


def a_hash_of_other_content_is_refused(store: Store) -> None:
    for run in (
        Run(run_id="r1", job_name="daily", plan_hash="0" * 32),
        Run(run_id="r1", job_name="daily", manifest_hash="0" * 32),
    ):
        with pytest.raises(InvariantViolationError, match="hash"):
            store.create_run(run, PLAN, MANIFEST, [])
    assert store.get_run("r1") is None
    assert store.get_plan(content_hash(PLAN)) is None


def runs_share_plans(store: Store) -> None:
    for number in range(3):
        run = Run(run_id=f"r{number}", job_name="daily", plan_hash=content_hash(PLAN))
        store.create_run(run, PLAN, MANIFEST, [])
    assert store.get_plan(content_hash(PLAN)) == PLAN


def a_second_run_of_the_same_id_is_refused(store: Store) -> None:
    add_run(store, "r1", planned("a"), job_name="first")
    with pytest.raises(InvariantViolationError, match="r1"):
        add_run(store, "r1", planned("b"), job_name="second")
    run = store.get_run("r1")
    assert run is not None
    assert run.job_name == "first"
    assert len(store.events(EventFilter(run_id="r1"), None)) == 1


def the_first_events_of_a_run_count(store: Store) -> None:
    add_run(store, "r1", planned("a"), started("w1"))
    run = store.get_run("r1")
    assert run is not None
    assert (run.status, run.worker, run.started_at) == (RunStatus.STARTED, "w1", 2.0)
    assert [stored.event.timestamp for stored in store.events(EventFilter(run_id="r1"), None)] == [1.0, 2.0]


def a_run_that_may_not_begin_so_is_not_created(store: Store) -> None:
    with pytest.raises(InvariantViolationError):
        add_run(store, "r1", succeeded())
    assert store.get_run("r1") is None
    assert store.events(EventFilter(), None) == []


def a_run_follows_its_events(store: Store) -> None:
    for run_id, last, status, reason in (
        ("good", succeeded(), RunStatus.SUCCESS, None),
        ("bad", failed(FailureReason.INTERRUPTED), RunStatus.FAILURE, FailureReason.INTERRUPTED),
    ):
        add_run(store, run_id)
        add_events(store, run_id, started("w1"), start=5.0)
        add_events(store, run_id, logged("working"), start=6.0)
        add_events(store, run_id, last, start=7.0)
        run = store.get_run(run_id)
        assert run is not None
        assert (run.status, run.worker, run.started_at, run.ended_at) == (status, "w1", 5.0, 7.0)
        assert run.failure_reason is reason


def a_finished_run_stays_as_it_ended(store: Store) -> None:
    add_run(store, "r1", started(), succeeded())
    before = store.get_run("r1")
    for payload in (started(), succeeded(), failed()):
        with pytest.raises(InvariantViolationError, match="r1"):
            add_events(store, "r1", logged("lost"), payload)
    assert store.get_run("r1") == before
    add_events(store, "r1", logged("a last word"))
    assert store.get_run("r1") == before
    assert len(store.events(EventFilter(run_id="r1"), None)) == 3


def one_bad_event_refuses_the_batch(store: Store) -> None:
    add_run(store, "r1")
    add_run(store, "r2", started(), succeeded())
    with pytest.raises(InvariantViolationError):
        store.append([*events_of("r1", [started("w")]), *events_of("r2", [failed()])])
    run = store.get_run("r1")
    assert run is not None
    assert run.status is RunStatus.NOT_STARTED
    assert store.events(EventFilter(run_id="r1"), None) == []


def runs_are_listed_newest_first(store: Store) -> None:
    # The order is that of creation, also where somebody chose the ids.
    names = ["m", "z", "a", "k", "b"]
    for name in names:
        add_run(store, name)
    newest_first = names[::-1]
    assert _ids(store, RunsFilter()) == newest_first
    assert _ids(store, RunsFilter(), 2) == newest_first[:2]
    assert _ids(store, RunsFilter(), 2, "k") == ["a", "z"]
    assert _ids(store, RunsFilter(), 2, "m") == []
    assert _ids(store, RunsFilter(), 0) == []


def a_page_after_an_unknown_run_is_refused(store: Store) -> None:
    with pytest.raises(RunNotFoundError) as caught:
        store.list_runs(RunsFilter(), 10, "nobody")
    assert caught.value.invalid_run_id == "nobody"


def runs_are_filtered(store: Store) -> None:
    add_run(store, "r1", job_name="daily", tags={"team": "sales", "env": "prod"})
    add_run(store, "r2", started(), job_name="hourly", tags={"team": "sales"})
    add_run(store, "r3", started(), succeeded(), job_name="daily", tags={"team": "ops", "env": "prod"})
    add_run(store, "r4", started(), failed(), job_name="daily", tags={"team": "sales", "env": "test"})
    add_run(store, "r5", status=RunStatus.QUEUED, job_name="daily", tags={"team": "sales", "env": "prod"})
    open_statuses = (RunStatus.QUEUED, RunStatus.NOT_STARTED, RunStatus.STARTED)
    for which, expected in (
        (RunsFilter(), "54321"),
        (RunsFilter(run_ids=("r1", "r4", "r4", "nobody")), "41"),
        (RunsFilter(run_ids=()), ""),
        (RunsFilter(job_name="daily"), "5431"),
        (RunsFilter(job_name="nothing"), ""),
        (RunsFilter(statuses=(RunStatus.STARTED,)), "2"),
        (RunsFilter(statuses=open_statuses), "521"),
        (RunsFilter(statuses=()), "54321"),
        (RunsFilter(job_name="daily", statuses=open_statuses), "51"),
        (RunsFilter(tags={"team": "sales"}), "5421"),
        (RunsFilter(tags={"team": "sales", "env": "prod"}), "51"),
        (RunsFilter(tags={"team": "sales", "other": "prod"}), ""),
        (RunsFilter(tags={"team": "sales"}, statuses=open_statuses), "521"),
        (RunsFilter(tags={"team": "sales"}, job_name="daily", statuses=(RunStatus.FAILURE,)), "4"),
        (RunsFilter(run_ids=("r1", "r2", "r5"), tags={"env": "prod"}, job_name="daily"), "51"),
        (RunsFilter(run_ids=("r1", "r2", "r5"), statuses=(RunStatus.QUEUED, RunStatus.STARTED)), "52"),
    ):
        ids = [f"r{digit}" for digit in expected]
        assert _ids(store, which) == ids, which
        assert _ids(store, which, 1) == ids[:1], which
        assert _ids(store, which, None, "r4") == [run_id for run_id in ids if run_id < "r4"], which


def a_living_worker_is_seen(store: Store) -> None:
    worker = store.worker()
    assert worker == store.worker()
    add_run(store, "waiting")
    add_run(store, "over", started(worker), succeeded())
    add_run(store, "going")
    store.start_run("going", events_of("going", [started(worker)]))
    assert [(run.run_id, alive) for run, alive in store.unfinished_runs()] == [("going", True)]


def _ids(store: Store, which: RunsFilter, limit: int | None = None, before: str | None = None) -> list[str]:
    return [run.run_id for run in store.list_runs(which, limit, before)]


RULES = (
    a_run_reads_back_as_it_was_created,
    a_run_that_is_not_there_is_none,
    hashes_that_are_not_named_are_computed,
    a_run_without_plan_has_no_hash,
    a_hash_of_other_content_is_refused,
    runs_share_plans,
    a_second_run_of_the_same_id_is_refused,
    the_first_events_of_a_run_count,
    a_run_that_may_not_begin_so_is_not_created,
    a_run_follows_its_events,
    a_finished_run_stays_as_it_ended,
    one_bad_event_refuses_the_batch,
    runs_are_listed_newest_first,
    a_page_after_an_unknown_run_is_refused,
    runs_are_filtered,
    a_living_worker_is_seen,
)
