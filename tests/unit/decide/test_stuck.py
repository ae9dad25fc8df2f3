"""Which runs are stuck."""

from __future__ import annotations

import pytest

from segue.decide.stuck import interrupted_runs
from segue.model.event import RunFailureData
from segue.model.run import FailureReason, Run, RunStatus, status_after


@pytest.mark.parametrize(
    ("status", "alive", "interrupted"),
    [
        (RunStatus.STARTED, False, True),
        (RunStatus.STARTED, True, False),
        (RunStatus.CANCELING, False, True),
        (RunStatus.STARTING, False, True),
        (RunStatus.SUCCESS, False, False),
        (RunStatus.FAILURE, False, False),
        (RunStatus.CANCELED, False, False),
    ],
)
def test_a_run_is_interrupted_when_it_has_not_ended_and_its_worker_is_gone(
    status: RunStatus, alive: bool, interrupted: bool
) -> None:
    run = Run(run_id="r1", job_name="j", status=status)
    assert [found.run_id for found, _ in interrupted_runs([(run, alive)], 7.0)] == (["r1"] if interrupted else [])


def test_the_event_ends_the_run_and_says_why() -> None:
    run = Run(run_id="r1", job_name="j", status=RunStatus.STARTED, worker="host:42")
    [(_, event)] = interrupted_runs([(run, False)], 7.0)
    assert (event.run_id, event.timestamp, event.step_key) == ("r1", 7.0, None)
    assert isinstance(event.payload, RunFailureData)
    assert event.payload.reason is FailureReason.INTERRUPTED
    assert "host:42" in event.payload.message
    assert status_after(run.status, event.event_type_value) is RunStatus.FAILURE


def test_each_run_is_judged_by_itself() -> None:
    runs = [(Run(run_id=str(number), job_name="j", status=RunStatus.STARTED), number % 2 == 0) for number in range(4)]
    assert [found.run_id for found, _ in interrupted_runs(runs, 0.0)] == ["1", "3"]


def test_the_end_of_the_process_of_a_suspended_run_is_not_the_end_of_the_run() -> None:
    for status in (RunStatus.SUSPENDED, RunStatus.QUEUED, RunStatus.STARTING):
        assert (
            interrupted_runs([(Run(run_id="r", job_name="j", status=status, started_at=1.0), False)], 5.0, "ended")
            == []
        )
    assert len(interrupted_runs([(Run(run_id="r", job_name="j", status=RunStatus.STARTING), False)], 5.0, "ended")) == 1
