"""The contract of what runs steps: start one, ask which have ended, stop one.

`execute/run.py` is the only caller, in one thread. An executor knows nothing of what depends on what, of retries or of
the end of the run: it is told to start an attempt, and says how that ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from segue.execute.step import StepOutcome
from segue.model.event import Event
from segue.plan.plan import PlanStep


class AttemptEnd(msgspec.Struct, frozen=True):
    """An attempt of a step has ended.

    Attributes:
        step_key, attempt: which.
        outcome: how.
    """

    step_key: str
    attempt: int
    outcome: StepOutcome


class StartGate(Protocol):
    """Says when a step that is ready may start: what limits steps across runs stands behind it."""

    def ask(self, step: PlanStep, attempt: int) -> float | None:
        """None: it may start now, and what it needs is held for it. Else in how many seconds to ask again; it is also asked
        again when another step of the run has ended."""
        ...

    def ended(self, step: PlanStep, attempt: int) -> None:
        """An attempt that was let in has ended: what was held for it is free."""
        ...


class StepExecutor(Protocol):
    """Runs attempts of steps somewhere.

    Every attempt that was started is given by `poll` exactly once, however it ends: by itself, stopped, or with the
    process it ran in.
    """

    @property
    def capacity(self) -> int | None:
        """How many attempts may run at once; None for any number."""
        ...

    def start(self, step: PlanStep, attempt: int) -> None:
        """Begins an attempt; returns at once, or (where steps run in the caller's own thread) when it has ended."""
        ...

    def poll(self, timeout: float | None) -> Sequence[AttemptEnd]:
        """Waits until at least one attempt has ended, and gives those that have.

        Args:
            timeout: for how many seconds at most; None for as long as it takes. Only asked for with attempts running.

        Returns:
            Those that ended; empty when the time is over.
        """
        ...

    def stop(self, step_key: str, *, reason: str) -> None:
        """Asks an attempt to end, and makes it end after a grace period where that is possible; `poll` gives its end."""
        ...

    def finish(self, step_key: str, recorded: Event | None, error: BaseException | None) -> None:
        """Ends an attempt for good, after the caller has recorded how it ended: hooks run now.

        Args:
            step_key: of the attempt given by `poll`.
            recorded: the event that says that it failed or is tried again; None when it ended well.
            error: what it raised, if it failed.
        """
        ...

    def close(self) -> None:
        """Gives back what the executor holds; nothing is running any more, or is stopped hard."""
        ...
