"""Canceling runs, so that it always ends: `decide/cancel` says what to do next, this does it."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import msgspec

from segue.decide.cancel import CancelFacts, Move, next_move
from segue.errors import InvalidInvocationError, InvariantViolationError, LeaseLostError, RunNotFoundError
from segue.model.event import AnyPayload, Event, RunCanceledData, RunCancelingData
from segue.model.run import Run
from segue.model.stores import Store
from segue.model.worker_signals import WorkerSignals

GRACE_SECONDS = 10.0
_SILENCES = 1.5  # a worker that cannot be signaled notices the request, or is given up, within so many times its lease
_BETWEEN_LOOKS = 0.1  # seconds; the exit of the worker is noticed at once


def cancel_run(store: Store, run_id: str, grace_seconds: float = GRACE_SECONDS) -> Run:
    """Cancels a run, and waits until it has ended.

    One that has not started is ended at once. The process of one that has is told to end (SIGTERM): the code of its steps
    is interrupted and may tidy up, resources are torn down. After the grace period the process is killed, with whatever
    else it does, and the run is ended for it. A run that this process itself executes is only asked to end.

    Args:
        store: where it is recorded.
        run_id: the run.
        grace_seconds: how long its process may take to end it.

    Returns:
        The run as it ended; it may have ended well meanwhile. As it stands, where this process executes it.

    Raises:
        RunNotFoundError: there is no such run.
        InvalidInvocationError: it has ended already; or its process can neither be told to end nor notices that it was
            asked, which the message explains. The request stays recorded.
        StorageError: the store cannot be read or written.
    """
    run = _run(store, run_id)
    if run.is_finished:
        raise InvalidInvocationError(
            f"Run {run_id} has already ended ({run.status.value}): there is nothing to cancel."
        )
    facts = CancelFacts(is_alive=True, silence_seconds=(store.lease_seconds or 0.0) * _SILENCES)
    while True:
        run, now = _run(store, run_id), time.monotonic()
        facts = msgspec.structs.replace(facts, is_alive=_is_alive(store, run), is_own=run.worker == store.worker())
        match next_move(run, facts, now, grace_seconds):
            case Move.DONE:
                return run
            case Move.END:
                when = "before it started" if run.started_at is None else "while it waited"
                _record(store, run, RunCanceledData(f"It was canceled {when}."))
            case Move.ASK:
                _record(store, run, RunCancelingData("Asked to stop."))
            case Move.TERMINATE:
                can_signal = _signal(store, run, signal.SIGTERM)
                facts = msgspec.structs.replace(facts, terminated_at=now, can_signal=can_signal)
            case Move.KILL:
                can_signal = _signal(store, run, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
                facts = msgspec.structs.replace(facts, killed_at=now, can_signal=can_signal)
            case Move.WAIT:
                store.wait_for_exit(_BETWEEN_LOOKS)
            case Move.TAKE_OVER:
                payload = RunCanceledData(f"Canceled; its process ({run.worker}) ended before it could stop by itself.")
                with suppress(
                    LeaseLostError, InvariantViolationError
                ):  # another process ended it first: looked at again
                    store.take_over(run_id, [Event(time.time(), payload, None, run_id, run.job_name)])
            case Move.GIVE_UP:
                raise InvalidInvocationError(
                    f"Run {run_id} was asked to stop but is still running: its process ({run.worker}) belongs to "
                    "another user or machine and cannot be ended from here. The run stops between two steps; or end "
                    "the process there."
                )


def _run(store: Store, run_id: str) -> Run:
    run = store.get_run(run_id)
    if run is None:
        raise RunNotFoundError(f"There is no run {run_id!r} in this home folder: `segue runs` lists them.", run_id)
    return run


def _is_alive(store: Store, run: Run) -> bool:
    if run.worker is None or run.is_finished:
        return False
    return any(is_alive for each, is_alive in store.unfinished_runs() if each.run_id == run.run_id)


def _record(store: Store, run: Run, payload: AnyPayload) -> None:
    with suppress(InvariantViolationError):  # it went on or ended meanwhile: whoever calls looks at it again
        store.append([Event(time.time(), payload, None, run.run_id, run.job_name)])


def _signal(store: Store, run: Run, number: int) -> bool:
    return run.worker is not None and isinstance(store, WorkerSignals) and store.signal_worker(run.worker, number)
