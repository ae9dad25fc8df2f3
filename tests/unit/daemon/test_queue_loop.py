"""The queue and what comes after it: limits, turns, people who must approve, launches, retries."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest
from plane import NOON, Plane

import segue as sg
from segue.daemon.queue import LOOK_AT, Queue
from segue.daemon.retries import RETRIES, Retries
from segue.decide.requests import wanted_run
from segue.errors import LeaseLostError
from segue.model.control_stores import LoopLease
from segue.model.event import Event, EventType, RunFailureData, RunStartData
from segue.model.queueing import QueueLimits, RetryStrategy, RunRetries, TagLimit
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.stores import EventFilter
from segue.model.tick_task import RequestedRun
from segue.storage.ids import new_id


@sg.asset
def table() -> None: ...


job = sg.define_asset_job("job", [table])


def plane() -> Plane:
    return Plane(sg.Definitions(assets=[table], jobs=[job]))


def enqueue(made: Plane, tags: Mapping[str, str] | None = None, location: str = "main") -> str:
    graph = made.location.graph
    assert graph is not None
    request = RequestedRun(job_name="job", tags=dict(tags or {}))
    wanted = wanted_run(
        request, graph, run_id=new_id(), now=NOON, location=location,
        manifest_hash=made.location.state.manifest_hash, tags={},
    )  # fmt: skip
    made.control.enqueue(wanted)
    return wanted.run.run_id


def go(made: Plane, queue: Queue, now: float = NOON) -> list[str]:
    """One round; the runs that were launched by it."""
    before = len(made.location.launched)
    queue.round(made.turn(now))
    queue.settle()
    return made.location.launched[before:]


def status(made: Plane, run_id: str) -> RunStatus:
    run = made.store.get_run(run_id)
    assert run is not None
    return run.status


def test_runs_start_as_limits_allow_and_the_others_say_what_holds_them() -> None:
    made = plane()
    runs = [enqueue(made, {"db": "a"}) for _ in range(3)] + [enqueue(made)]
    queue = made.queue(QueueLimits(max_runs=3, tags=(TagLimit("db", 1),)))
    assert go(made, queue) == [runs[0], runs[3]]
    assert queue.view().decision.blocked == dict.fromkeys(runs[1:3], "1 of 1 runs with the tag db are in progress")
    made.start([runs[0]])
    assert go(made, queue) == []
    made.end([runs[0]])
    assert go(made, queue) == [runs[1]]


def test_a_run_that_waits_for_a_person_survives_restarts_and_holds_nobody_up() -> None:
    made = plane()
    held, free = enqueue(made, {"segue/approval": "required"}), enqueue(made)
    assert go(made, made.queue()) == [free]
    made.start()
    assert f"segue runs approve {held}" in made.queue().view().decision.blocked[held]
    made.store.add_run_tags(held, {"segue/approval": "given"}, NOON)
    assert go(made, made.queue()) == [held]


def test_runs_behind_many_that_are_held_back_start_all_the_same() -> None:
    made = plane()
    for _ in range(1_100):
        enqueue(made, {"db": "a"})
    last = enqueue(made)
    queue = made.queue(QueueLimits(tags=(TagLimit("db", 0),)))
    assert go(made, queue) == [last]


def test_nobody_looks_behind_the_runs_that_take_up_the_last_places() -> None:
    made = plane()
    for _ in range(LOOK_AT + 4):
        enqueue(made)
    queue = made.queue(QueueLimits(max_runs=3))
    assert len(queue.view().runs) == LOOK_AT
    assert len(go(made, queue)) == 3
    assert len(queue.view().runs) == LOOK_AT


def test_a_run_of_a_location_that_is_not_there_waits_and_says_so() -> None:
    made = plane()
    run_id = enqueue(made, location="elsewhere")
    queue = made.queue()
    assert go(made, queue) == []
    assert queue.view().decision.blocked == {run_id: "there is no code location 'elsewhere'"}


def test_what_cannot_be_launched_fails_with_the_reason() -> None:
    made = plane()
    made.location.is_available = False
    run_id = enqueue(made)
    go(made, made.queue())
    run = made.store.get_run(run_id)
    assert run is not None
    assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.PLATFORM)


def test_a_launch_that_breaks_in_an_unforeseen_way_fails_with_the_reason() -> None:
    made = plane()

    def breaks(run_id: str) -> None:
        raise OSError(24, "Too many open files")

    made.location.launch = breaks
    run_id = enqueue(made)
    go(made, made.queue())
    which = EventFilter(run_id=run_id, types=(EventType.RUN_FAILURE,))
    (failure,) = [record.event.payload for record in made.store.events(which, None)]
    assert isinstance(failure, RunFailureData)
    assert "could not be launched: OSError: [Errno 24] Too many open files" in failure.message


def test_a_slow_launch_holds_nobody_up() -> None:
    made = plane()
    release, second = threading.Event(), threading.Event()
    slow = enqueue(made)
    launch = made.location.launch

    def launched(run_id: str) -> None:
        if run_id == slow:
            release.wait()
        launch(run_id)
        second.set()

    made.location.launch = launched
    queue = made.queue()
    queue.round(made.turn(NOON))
    quick = enqueue(made)
    queue.round(made.turn(NOON))
    assert second.wait(20)
    assert made.location.launched == [quick]
    release.set()
    queue.settle()
    assert set(made.location.launched) == {slow, quick}


def test_a_run_that_a_dead_control_plane_took_out_of_the_queue_is_launched_by_the_next_one() -> None:
    made = plane()
    run_id = enqueue(made)
    made.control.dequeue([run_id], NOON)  # and there it died
    queue = made.queue()
    assert go(made, queue) == [run_id]
    assert go(made, queue, NOON + 30) == []
    assert go(made, queue, NOON + 70) == [run_id]  # its process died before it took the run
    for second in range(140, 400, 70):
        go(made, queue, NOON + second)
    run = made.store.get_run(run_id)
    assert run is not None
    assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.PLATFORM)


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_is_set_gives_up_no_run_that_is_starting(jump: int) -> None:
    made = plane()
    run_id = enqueue(made)
    steady = 5.0
    queue = made.queue(steady=lambda: steady)
    assert go(made, queue) == [run_id]
    steady += 10.0
    assert go(made, queue, NOON + jump) == []
    assert status(made, run_id) is RunStatus.STARTING
    steady += 60.0
    assert go(made, queue, NOON + jump) == [run_id]


def test_a_run_that_began_is_not_launched_again() -> None:
    made = plane()
    run_id = enqueue(made)
    queue = made.queue()
    go(made, queue)
    made.start()
    assert go(made, made.queue(), NOON + 1_000) == []
    assert status(made, run_id) is RunStatus.STARTED


def test_a_loop_that_lost_its_lease_launches_nothing() -> None:
    made = plane()
    run_id = enqueue(made)
    made.lease = LoopLease(made.lease.name, made.lease.token + 1)
    with pytest.raises(LeaseLostError):
        go(made, made.queue())
    assert (made.location.launched, status(made, run_id)) == ([], RunStatus.QUEUED)


def fail(made: Plane, run_id: str, reason: FailureReason = FailureReason.STEP_FAILURE) -> None:
    made.store.append(
        [Event(NOON, RunStartData(), run_id=run_id), Event(NOON, RunFailureData(reason, ""), run_id=run_id)]
    )


def retries(made: Plane, settings: RunRetries | None = None) -> Retries:
    loop = Retries(made.store, made.control, made.locations, settings or RunRetries())
    loop.round(made.turn(NOON))
    return loop


def last_run(made: Plane) -> Run:
    return made.runs()[-1]


def test_a_run_is_run_again_as_often_as_its_tag_says() -> None:
    made = plane()
    loop = retries(made)
    first = enqueue(made, {"dagster/max_retries": "2", "own": "tag"})
    for number in (1, 2):
        before = last_run(made)
        fail(made, before.run_id)
        loop.round(made.turn(NOON))
        run = last_run(made)
        assert run.status is RunStatus.QUEUED
        assert (run.parent_run_id, run.root_run_id, run.asset_selection) == (before.run_id, first, {table.key})
        assert run.tags == {
            "own": "tag",
            "dagster/max_retries": "2",
            "dagster/retry_number": str(number),
            "dagster/parent_run_id": before.run_id,
            "dagster/root_run_id": first,
            "dagster/is_resume_retry": "true",
        }
    fail(made, last_run(made).run_id)
    loop.round(made.turn(NOON))
    assert len(made.runs()) == 3


@pytest.mark.parametrize(
    ("settings", "tags", "reason", "expected"),
    [
        (RunRetries(), {}, FailureReason.STEP_FAILURE, None),
        (RunRetries(1), {}, FailureReason.STEP_FAILURE, "true"),
        (RunRetries(1), {"dagster/max_retries": "0"}, FailureReason.STEP_FAILURE, None),
        (RunRetries(1), {"dagster/backfill": "b"}, FailureReason.STEP_FAILURE, None),
        (RunRetries(1, RetryStrategy.ALL_STEPS), {}, FailureReason.STEP_FAILURE, ""),
        (RunRetries(1), {"dagster/retry_strategy": "ALL_STEPS"}, FailureReason.STEP_FAILURE, ""),
        (RunRetries(1, on_step_failure=False), {}, FailureReason.STEP_FAILURE, None),
        (RunRetries(1, on_step_failure=False), {}, FailureReason.INTERRUPTED, "true"),
        (RunRetries(1), {"dagster/retry_on_asset_or_op_failure": "false"}, FailureReason.STEP_FAILURE, None),
    ],
)
def test_what_is_run_again(
    settings: RunRetries, tags: Mapping[str, str], reason: FailureReason, expected: str | None
) -> None:
    made = plane()
    loop = retries(made, settings)
    fail(made, enqueue(made, tags), reason)
    loop.round(made.turn(NOON))
    again = made.runs()[1:]
    assert [run.tags.get("dagster/is_resume_retry", "") for run in again] == ([] if expected is None else [expected])


def test_a_failure_is_retried_once_whoever_looks() -> None:
    made = plane()
    retries(made)
    fail(made, enqueue(made, {"dagster/max_retries": "5"}))
    # One reads the log from where another began too: its state was not written, or it did not know of the other.
    one, two = retries(made), retries(made)
    made.control.set_cursor(RETRIES, "0")
    three = retries(made)
    for loop in (one, two, three):
        loop.round(made.turn(NOON))
    assert len(made.runs()) == 2


def test_failures_before_retries_were_looked_after_are_left_alone() -> None:
    made = plane()
    fail(made, enqueue(made, {"dagster/max_retries": "5"}))
    retries(made).round(made.turn(NOON))
    assert len(made.runs()) == 1


def test_failures_that_were_passed_over_are_not_run_again_when_more_is_allowed_later() -> None:
    made = plane()
    loop = retries(made)
    fail(made, enqueue(made))
    loop.round(made.turn(NOON))
    retries(made, RunRetries(3)).round(made.turn(NOON))
    assert len(made.runs()) == 1
