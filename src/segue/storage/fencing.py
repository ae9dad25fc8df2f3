"""What a fence lets through, judged alike in every database. Pure: the caller passes what stands in the rows."""

from __future__ import annotations

from collections.abc import Iterable

from segue.errors import InvariantViolationError, LeaseLostError, RunNotFoundError
from segue.model.event import Event, LogMessageData
from segue.model.lease import Fence
from segue.model.run import FINISHED_STATUSES
from segue.storage.fold import TAGS

_FINISHED = frozenset(status.value for status in FINISHED_STATUSES)


def require_held(fence: Fence, held: int | None, status: str, worker: str | None) -> None:
    """Lets a write through that shows the token which is the current one.

    Args:
        fence: what the writer shows.
        held: the token of the run, or that of the attempt where the fence is for one; None where nothing is leased.
        status: the status of the run, as it stands in its row.
        worker: who has the run.

    Raises:
        LeaseLostError: it is not, or the run has ended.
    """
    if held == fence.token and status not in _FINISHED:
        return
    if status in _FINISHED:
        happened = f"Run {fence.run_id} has ended ({status}), and not by the process that worked on it"
    elif fence.step_key is not None:
        happened = (
            f"Attempt {fence.attempt} of the step {fence.step_key!r} of run {fence.run_id} was ended by somebody else, or "
            f"with the run by worker {worker}"
        )
    else:
        happened = f"Run {fence.run_id} was taken over by worker {worker} (fencing token {held}, here {fence.token})"
    raise LeaseLostError(
        f"{happened}: this process may write nothing more of it, and nothing was written. "
        f"'segue show {fence.run_id}' tells what happened; what this process made may have to be made again.",
        fence.run_id,
        worker,
    )


def require_own_step(fence: Fence, events: Iterable[Event]) -> None:
    """Lets events through, under the fence of one attempt of a step, that are about that step.

    Raises:
        InvariantViolationError: one is about another step, or about the run as a whole.
    """
    for event in events:
        tag = TAGS[type(event.payload)]
        if event.run_id == fence.run_id and (event.step_key not in (None, fence.step_key) or tag.startswith("RUN_")):
            raise InvariantViolationError(
                f"The event {tag} of the step {event.step_key!r} came under the fence of the step {fence.step_key!r} of run "
                f"{fence.run_id}; nothing was recorded. A process that executes one step can tell of that step alone."
            )


def require_no_steps(run_id: str, events: Iterable[Event], status: str, worker: str | None) -> None:
    """Lets events of a leased run through that are not about its steps: these are its worker's to tell.

    Raises:
        LeaseLostError: one of them is, and the run has not ended.
    """
    if status in _FINISHED:
        return
    for event in events:
        if event.run_id == run_id and event.step_key is not None and not isinstance(event.payload, LogMessageData):
            raise LeaseLostError(
                f"Run {run_id} is leased to worker {worker}, and an event of its step {event.step_key!r} came without the "
                "fence of a lease; nothing was written. Pass the fence, or wait for the end of the run.",
                run_id,
                worker,
            )


def require_not_begun(run_id: str, status: str | None, worker: str | None, fence: int | None) -> None:
    """Lets a run be planned that is recorded and that no worker has had.

    Args:
        run_id: the run.
        status, worker, fence: as they stand in its row; `status` is None where there is none.

    Raises:
        RunNotFoundError: there is no such run.
        LeaseLostError: a worker has begun to execute it.
        InvariantViolationError: it has ended.
    """
    if status is None:
        raise RunNotFoundError(f"There is no run {run_id!r} to plan.", run_id)
    if status in _FINISHED:
        raise InvariantViolationError(f"Run {run_id} has ended ({status}): it cannot be planned any more.")
    if fence:
        raise LeaseLostError(
            f"Run {run_id} is executed by worker {worker}, by a plan that stays as it is; nothing was recorded.",
            run_id,
            worker,
        )


def require_free(run_id: str, status: str | None, worker: str | None, is_alive: bool) -> None:
    """Lets a lease of a run be given that nobody alive has.

    Args:
        run_id: the run.
        status: its status, as it stands in its row; None where there is no such run.
        worker, is_alive: who had it last, and whether that worker lives.

    Raises:
        RunNotFoundError: there is no such run.
        InvariantViolationError: it has ended.
        LeaseLostError: its worker lives.
    """
    if status is None:
        raise RunNotFoundError(f"There is no run {run_id!r} to execute.", run_id)
    if status in _FINISHED:
        raise InvariantViolationError(f"Run {run_id} has ended ({status}): it cannot be taken again. Start a new run.")
    if is_alive:
        raise LeaseLostError(
            f"Run {run_id} is being executed by worker {worker}, which lives: leave it alone.", run_id, worker
        )


def still_open(run_id: str, step_key: str, attempt: int) -> InvariantViolationError:
    """The error for an attempt that is to be opened beside another one of the same step."""
    return InvariantViolationError(
        f"Attempt {attempt} of the step {step_key!r} of run {run_id} is open: it has to end, or to be revoked, before the "
        "next one begins."
    )


def deleted_run(fence: Fence) -> LeaseLostError:
    """The error for a run that is gone while a worker has it."""
    return LeaseLostError(
        f"Run {fence.run_id} was deleted while it was executed: nothing more of it can be recorded. Start a new one.",
        fence.run_id,
    )
