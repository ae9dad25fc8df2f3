"""Runs that wait for a person: suspended without a process, answered, and gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import segue as sg
from segue.approval import answer_approval, awaiting_steps, go_on_if_answered
from segue.cancel import cancel_run
from segue.decide.run_retries import is_retried
from segue.host.worker import execute_recorded
from segue.model.approval import ApprovalAnswer, ApprovalWanted
from segue.model.event import Event, EventType, RunEnqueuedData, RunStartData
from segue.model.keys import AssetKey
from segue.model.lease import Fence
from segue.model.queueing import RunRetries
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.run_events import ApprovalGivenData, RunSuspendedData
from segue.model.stores import EventFilter
from segue.model.tick_record import WantedRun
from segue.storage.sqlite import SqliteStore, open_sqlite
from segue.storage.sqlite.control import control_of

GIVEN, REFUSED = ApprovalAnswer(True, "anna"), ApprovalAnswer(False, "bo", "totals are wrong")
CALLS: list[str] = []


@sg.asset
def totals() -> int:
    CALLS.append("totals")
    return 3


@sg.asset(step_policy=sg.StepPolicy(approval="May the totals go out?"))
def published(totals: int) -> int:
    CALLS.append("published")
    return totals


@sg.asset(step_policy=sg.StepPolicy(approval="May it be printed?"))
def printed(totals: int) -> None:
    CALLS.append("printed")


@sg.asset
def mailed(published: int) -> None:
    CALLS.append(f"mailed {published}")


@sg.asset
def broken() -> None:
    CALLS.append("broken")
    raise ValueError("no such luck")


DEFS = sg.Definitions(assets=[totals, published, printed, mailed, broken])


class Place:
    """A home with a queue, whose runs are executed here."""

    def __init__(self, store: SqliteStore, home: Path) -> None:
        self.store = store
        self.control = control_of(store)
        self.instance = sg.Instance(store, home / "values")

    def enqueue(self, *assets: str, **tags: str) -> str:
        keys = frozenset(AssetKey(each) for each in assets)
        run = Run(run_id="run", job_name="__ephemeral_asset_job__", asset_selection=keys, location="main", tags=tags)
        self.control.enqueue(WantedRun(run, (Event(1.0, RunEnqueuedData(), None, "run"),)))
        return "run"

    def execute(self, run_id: str = "run") -> Run:
        """Takes the run out of the queue, and executes it as its process would."""
        assert self.control.dequeue([run_id], 2.0) == [run_id]
        execute_recorded(DEFS, self.instance, run_id)
        return self.run(run_id)

    def run(self, run_id: str = "run") -> Run:
        found = self.store.get_run(run_id)
        assert found is not None
        return found

    def types(self) -> list[str]:
        return [each.event.event_type.value for each in self.store.events(EventFilter(run_id="run"), None)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    CALLS.clear()
    store = open_sqlite(tmp_path)
    yield Place(store, tmp_path)
    store.close()


def test_a_run_is_suspended_before_the_step_and_goes_on_when_a_person_lets_it(place: Place) -> None:
    place.enqueue("totals", "published", "mailed")
    run = place.execute()
    assert (run.status, run.worker, CALLS) == (RunStatus.SUSPENDED, None, ["totals"])
    assert place.store.unfinished_runs() == []
    assert [(each.step_key, each.question) for each in awaiting_steps(place.store, "run")] == [
        ("published", "May the totals go out?")
    ]
    assert list(answer_approval(place.store, "run", GIVEN, (), 5.0)) == ["published"]
    assert place.run().status is RunStatus.QUEUED
    run = place.execute()
    assert (run.status, CALLS) == (RunStatus.SUCCESS, ["totals", "published", "mailed 3"])
    types = place.types()
    assert types.count("RUN_START") == 2
    assert types.count("ASSET_MATERIALIZATION_PLANNED") == 3
    (given,) = place.store.events(EventFilter(run_id="run", types=(EventType.APPROVAL_GIVEN,)), None)
    assert given.event.payload == ApprovalGivenData("anna", ("published",))
    assert "anna approved published" in given.event.message


def test_a_step_that_is_refused_fails_with_the_reason_and_the_run_is_not_tried_again(place: Place) -> None:
    place.enqueue("totals", "published", "mailed", "printed")
    place.execute()
    answer_approval(place.store, "run", REFUSED, ("published",), 5.0)
    assert place.execute().status is RunStatus.SUSPENDED  # for the other one
    answer_approval(place.store, "run", GIVEN, ("printed",), 6.0)
    run = place.execute()
    assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.REFUSED)
    assert CALLS == ["totals", "printed"]
    (failure,) = place.store.events(EventFilter(run_id="run", types=(EventType.STEP_FAILURE,)), None)
    assert "bo did not approve the step: totals are wrong" in str(failure.event.payload)
    assert failure.event.step_key == "published"
    assert not is_retried(run, RunRetries(max_retries=3))


def test_what_failed_before_stays_failed_and_is_not_done_again(place: Place) -> None:
    place.enqueue("totals", "published", "broken")
    assert place.execute().status is RunStatus.SUSPENDED
    answer_approval(place.store, "run", GIVEN, (), 5.0)
    run = place.execute()
    assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.STEP_FAILURE)
    assert sorted(CALLS) == ["broken", "published", "totals"]


def test_an_answer_that_comes_while_the_run_goes_on_is_found_when_it_is_suspended(place: Place) -> None:
    place.enqueue("totals", "published", "printed")
    place.execute()
    answer_approval(place.store, "run", GIVEN, ("published",), 5.0)
    place.control.dequeue(["run"], 6.0)
    fence = Fence("run", place.store.start_run("run", [Event(6.0, RunStartData(), None, "run")]))
    assert list(answer_approval(place.store, "run", GIVEN, (), 7.0)) == ["printed"]
    assert place.run().status is RunStatus.STARTED
    wanted = RunSuspendedData((ApprovalWanted("printed", "May it be printed?"),))
    place.store.append([Event(8.0, wanted, None, "run")], fence)
    go_on_if_answered(place.store, place.run(), 9.0)
    assert place.run().status is RunStatus.QUEUED
    go_on_if_answered(place.store, place.run(), 9.0)
    assert place.execute().status is RunStatus.SUCCESS
    assert sorted(CALLS) == ["printed", "published", "totals"]


def test_a_run_that_waits_is_canceled(place: Place) -> None:
    place.enqueue("totals", "published")
    place.execute()
    assert cancel_run(place.store, "run").status is RunStatus.CANCELED
    with pytest.raises(sg.InvalidInvocationError, match="is not waiting for approval"):
        answer_approval(place.store, "run", GIVEN, (), 5.0)


def test_only_what_waits_is_answered(place: Place) -> None:
    place.enqueue("totals", "published", "printed")
    place.execute()
    with pytest.raises(sg.InvalidSubsetError, match="waiting: printed, published"):
        answer_approval(place.store, "run", GIVEN, ("totals",), 5.0)
    assert place.run().status is RunStatus.SUSPENDED
    with pytest.raises(sg.RunNotFoundError):
        answer_approval(place.store, "other", GIVEN, (), 5.0)


def test_a_run_that_is_to_be_approved_before_it_starts(place: Place) -> None:
    tag = {"segue/approval": "required"}
    place.enqueue("totals", **tag)
    assert list(answer_approval(place.store, "run", GIVEN, (), 5.0)) == []
    assert place.run().tags == {"segue/approval": "given"}
    assert place.execute().status is RunStatus.SUCCESS


def test_a_run_that_is_refused_before_it_starts_is_canceled(place: Place) -> None:
    place.enqueue("totals", **{"segue/approval": "required"})
    answer_approval(place.store, "run", REFUSED, (), 5.0)
    assert place.run().status is RunStatus.CANCELED
    assert "APPROVAL_REFUSED" in place.types()
    assert CALLS == []


def test_who_starts_a_run_in_their_own_process_is_asked_nothing() -> None:
    CALLS.clear()
    assert sg.materialize([totals, published], instance=sg.Instance.ephemeral()).success
    assert CALLS == ["totals", "published"]
