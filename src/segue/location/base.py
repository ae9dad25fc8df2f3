"""What the control plane asks of a code location, and what it is told by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from segue.model.graph import AssetGraph
from segue.model.location import LocationState
from segue.model.questions import OpaqueAnswer, Question
from segue.model.tick_task import TickAnswer, TickTask


class CodeLocation(Protocol):
    """A code location: definitions, and processes that have the code behind them."""

    @property
    def name(self) -> str:
        """Unique in the deployment."""
        ...

    @property
    def state(self) -> LocationState:
        """Where it stands."""
        ...

    @property
    def graph(self) -> AssetGraph | None:
        """The last good definitions; None before the first."""
        ...

    def reload(self) -> None:
        """Has the code loaded anew; what there is serves until that is done. Returns at once."""
        ...

    def launch(self, run_id: str) -> None:
        """Starts a process that executes a recorded run; returns when it is there.

        Raises:
            LocationUnavailableError: no process can be started now.
        """
        ...

    def evaluate(self, task: TickTask, timeout: float, answered: Callable[[TickAnswer], None]) -> None:
        """Asks a schedule or sensor, beside whatever else is asked, and returns at once.

        Args:
            task: the question.
            timeout: after how many seconds its process is killed; the answer then says so.
            answered: called once, in a thread of the location, with the answer; where none could be had, with the reason as
                its error.
        """
        ...

    def answer(self, question: Question, now: float, timeout: float, answered: Callable[[OpaqueAnswer], None]) -> None:
        """Asks what only its code can answer, beside whatever else is asked, and returns at once.

        Args:
            question: the question.
            now: the moment at which partitions are looked up, in seconds since 1970, UTC.
            timeout, answered: as of `evaluate`.
        """
        ...


Locations = Mapping[str, CodeLocation]
"""The code locations of a deployment, by name."""


class LocationListener(Protocol):
    """Who is told what happens in a code location; called in its thread."""

    def record(self, state: LocationState, manifest: bytes | None) -> None:
        """It is about to stand differently; `manifest` is what its hash names where that is new. Nothing refers to it yet."""
        ...

    def changed(self, state: LocationState) -> None:
        """It stands differently from now on."""
        ...

    def supervisor(self) -> str | None:
        """What `LeaseStore.supervise` says; called by who launches a run."""
        ...

    def run_ended(self, run_id: str, how: str) -> None:
        """The process of a run has ended: `how` says in which way, as `was killed by SIGKILL`."""
        ...
