"""What to do next for a run that is to be canceled, by how far that has come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.decide.cancel import PATIENCE_SECONDS, CancelFacts, Move, next_move
from segue.model.run import FINISHED_STATUSES, Run, RunStatus

GRACE = 10.0


def move(status: RunStatus, worker: str | None = "1-a", now: float = 100.0, **facts: Any) -> Move:
    run = Run(run_id="r", job_name="j", status=status, worker=worker)
    return next_move(run, CancelFacts(**{"is_alive": True, **facts}), now, GRACE)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (move(RunStatus.SUCCESS), Move.DONE),
        (move(RunStatus.CANCELED), Move.DONE),
        (move(RunStatus.QUEUED, None, is_alive=False), Move.END),
        (move(RunStatus.NOT_STARTED, None, is_alive=False), Move.END),
        (move(RunStatus.CANCELING, None, is_alive=False), Move.END),
        (move(RunStatus.STARTED), Move.ASK),
        (move(RunStatus.STARTED, is_alive=False), Move.ASK),
        (move(RunStatus.CANCELING), Move.TERMINATE),
        (move(RunStatus.CANCELING, is_own=True), Move.DONE),
        (move(RunStatus.CANCELING, terminated_at=91.0), Move.WAIT),
        (move(RunStatus.CANCELING, terminated_at=91.0, can_signal=False), Move.WAIT),
        (move(RunStatus.CANCELING, terminated_at=90.0), Move.KILL),
        (move(RunStatus.CANCELING, terminated_at=90.0, can_signal=False), Move.GIVE_UP),
        (move(RunStatus.CANCELING, terminated_at=90.0, can_signal=False, silence_seconds=15.0), Move.WAIT),
        (move(RunStatus.CANCELING, terminated_at=85.0, can_signal=False, silence_seconds=15.0), Move.GIVE_UP),
        (move(RunStatus.CANCELING, terminated_at=80.0, killed_at=99.0), Move.WAIT),
        (move(RunStatus.CANCELING, terminated_at=80.0, killed_at=100.0 - PATIENCE_SECONDS), Move.GIVE_UP),
        (move(RunStatus.CANCELING, terminated_at=80.0, killed_at=99.0, is_alive=False), Move.TAKE_OVER),
        (move(RunStatus.CANCELING, is_alive=False), Move.TAKE_OVER),
    ],
)
def test_what_to_do_next(found: Move, expected: Move) -> None:
    assert found is expected


@given(
    st.sampled_from([RunStatus.QUEUED, RunStatus.NOT_STARTED, RunStatus.STARTED, RunStatus.CANCELING]),
    st.booleans(),
    st.floats(0, 60),
    st.sampled_from(["never", "term", "kill"]),
    st.booleans(),
)
def test_it_always_comes_to_an_end(
    status: RunStatus, has_worker: bool, grace: float, dies_of: str, can_signal: bool
) -> None:
    """Whatever the worker does: a bounded time later the run has ended, or it is said that it cannot be."""
    run = Run(run_id="r", job_name="j", status=status, worker="1-a" if has_worker else None)
    facts, now, made = CancelFacts(is_alive=has_worker), 0.0, list[Move]()
    while now < grace + PATIENCE_SECONDS + 2:
        found = next_move(run, facts, now, grace)
        made.append(found)
        change: dict[str, Any] = {}
        match found:
            case Move.DONE | Move.GIVE_UP:
                break
            case Move.END | Move.TAKE_OVER:
                run = run.with_status(RunStatus.CANCELED)
            case Move.ASK:
                run = run.with_status(RunStatus.CANCELING)
            case Move.TERMINATE:
                change = {
                    "terminated_at": now,
                    "is_alive": not (can_signal and dies_of == "term"),
                    "can_signal": can_signal,
                }
            case Move.KILL:
                change = {"killed_at": now, "is_alive": dies_of == "never"}
            case Move.WAIT:
                now += 0.5
        facts = CancelFacts(
            is_alive=change.get("is_alive", facts.is_alive),
            can_signal=change.get("can_signal", facts.can_signal),
            terminated_at=change.get("terminated_at", facts.terminated_at),
            killed_at=change.get("killed_at", facts.killed_at),
        )
    ended = made[-1] is Move.DONE and run.status in FINISHED_STATUSES
    ends = not has_worker or (can_signal and dies_of != "never")
    assert ended if ends else made[-1] is Move.GIVE_UP
