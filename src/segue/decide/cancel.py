"""How a run is canceled: what to do next, given how far that has come. Pure.

    not started ──────────────────────────────► end it
    started ──► ask ──► terminate ──(grace)──► kill ──► take it over and end it, once its worker is gone

A run that ends by itself on the way stays as it ended. A worker that cannot be signaled from here, or that is the one
which asks, notices the request itself.
"""

from __future__ import annotations

import enum

import msgspec

from segue.model.run import Run, RunStatus

PATIENCE_SECONDS = 5.0
"""How long the exit of a process that was killed is waited for."""


class Move(enum.Enum):
    """What to do next.

    DONE: nothing; the run has ended, or its own process was asked and is to end it.
    END: record that it was canceled; it has no worker.
    ASK: record that somebody asked.
    TERMINATE: tell its worker to end.
    KILL: end its worker.
    WAIT: look again in a moment.
    TAKE_OVER: take the run from its dead worker, and record that it was canceled.
    GIVE_UP: say that it cannot be done from here.
    """

    DONE = "done"
    END = "end"
    ASK = "ask"
    TERMINATE = "terminate"
    KILL = "kill"
    WAIT = "wait"
    TAKE_OVER = "take_over"
    GIVE_UP = "give_up"


class CancelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come.

    Attributes:
        is_alive: whether the worker of the run lives.
        is_own: whether the worker is the process that asks.
        can_signal: whether it can be signaled from here, as far as that was tried.
        silence_seconds: for how long a worker is taken to live that has died, where it cannot be signaled.
        terminated_at, killed_at: when it was told to end, and ended the hard way; None before.
    """

    is_alive: bool
    is_own: bool = False
    can_signal: bool = True
    silence_seconds: float = 0.0
    terminated_at: float | None = None
    killed_at: float | None = None


def next_move(run: Run, facts: CancelFacts, now: float, grace_seconds: float) -> Move:
    """What to do next.

    Args:
        run: the run as it stands.
        facts: how far it has come.
        now: seconds of the clock that `terminated_at` and `killed_at` are of.
        grace_seconds: how long the worker may take to end the run itself.
    """
    if run.is_finished:
        return Move.DONE
    if run.worker is None:
        return Move.END
    if run.status is not RunStatus.CANCELING:
        return Move.ASK
    if not facts.is_alive:
        return Move.TAKE_OVER
    if facts.is_own:
        return Move.DONE
    if facts.terminated_at is None:
        return Move.TERMINATE
    patience = grace_seconds if facts.can_signal else max(grace_seconds, facts.silence_seconds)
    if now - facts.terminated_at < patience:
        return Move.WAIT
    if not facts.can_signal:
        return Move.GIVE_UP
    if facts.killed_at is None:
        return Move.KILL
    return Move.WAIT if now - facts.killed_at < PATIENCE_SECONDS else Move.GIVE_UP
