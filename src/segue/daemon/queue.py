"""The queue: runs that may start are taken out of it and launched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from segue.approval import needs_approval
from segue.daemon.launches import Launches
from segue.daemon.loop import Turn
from segue.decide.queue import QueueDecision, QueuedRun, decide_queue
from segue.location.base import Locations
from segue.model.control_stores import ControlStore, QueueStore
from segue.model.location import LocationState, LocationStatus
from segue.model.queueing import QueueLimits
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunOrder, RunsFilter
from segue.model.stores import Store

LOOK_AT = 1_000
MOST_LOOKED_AT = 10_000
START_AT_ONCE = 50
IN_PROGRESS = (RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)


class QueueView(msgspec.Struct, frozen=True):
    """The queue as it stands.

    Attributes:
        runs: the runs that were looked at, in the order of the queue.
        decision: which of them may start, and what holds the others back.
    """

    runs: Sequence[Run]
    decision: QueueDecision


class Queue:
    """The loop over the queue.

    Args:
        store: where runs are recorded.
        control: the queue.
        locations: the code locations, which launch.
        limits: what bounds the runs in progress.
        launches: launches what leaves the queue.
    """

    def __init__(
        self,
        store: Store,
        control: ControlStore,
        locations: Locations,
        limits: QueueLimits,
        launches: Launches | None = None,
    ) -> None:
        self._store = store
        self._control = control
        self._locations = locations
        self._limits = limits
        self._launches = launches or Launches(store, locations)

    def round(self, turn: Turn) -> float | None:
        """Starts what may start; at once again when there was more than one round takes."""
        self._launches.again(turn)
        view = self.view()
        by_id = {run.run_id: run for run in view.runs}
        taken = self._control.dequeue(view.decision.start, turn.now, turn.lease) if view.decision.start else ()
        for run_id in taken:
            self._launches.launch(by_id[run_id])
        return turn.now if len(view.decision.start) == START_AT_ONCE else None

    def settle(self, timeout: float | None = None) -> None:
        """Waits until all that left the queue is launched, for so many seconds at most."""
        self._launches.settle(timeout)

    def view(self) -> QueueView:
        """What may start now, and what holds each of the others back."""
        states = {name: location.state for name, location in self._locations.items()}
        return queue_view(self._store, self._control, states, self._limits)


def queue_view(
    store: Store, control: QueueStore, states: Mapping[str, LocationState], limits: QueueLimits
) -> QueueView:
    """What may start now, and what holds each of the others back.

    Where all that was looked at is held back, those behind it are looked at too, so that runs that a limit stops do not
    stand in the way of others; up to some thousands of them.

    Args:
        store: where runs are recorded.
        control: the queue.
        states: the code locations, by name.
        limits: what bounds the runs in progress.
    """
    page = control.queued_runs(LOOK_AT)
    if not page:
        return QueueView((), QueueDecision((), {}))
    records = store.run_records(RunsFilter(statuses=IN_PROGRESS), None, None, RunOrder.ID, True)
    in_progress = [_queued(record.dagster_run, 0, states) for record in records]
    runs: list[Run] = []
    queued: list[QueuedRun] = []
    while True:
        runs += [run for _, _, run in page]
        queued += [_queued(run, priority, states) for priority, _, run in page]
        decision = decide_queue(queued, in_progress, limits, START_AT_ONCE)
        is_full = limits.is_full(len(in_progress) + len(decision.start))
        is_enough = len(decision.start) == START_AT_ONCE or len(runs) >= MOST_LOOKED_AT
        if len(page) < LOOK_AT or is_full or is_enough:
            return QueueView(runs, decision)
        page = control.queued_runs(LOOK_AT, (page[-1][0], page[-1][1]))


def _queued(run: Run, priority: int, states: Mapping[str, LocationState]) -> QueuedRun:
    return QueuedRun(run.run_id, run.location or "", run.tags, priority, held_by(run, states))


def held_by(run: Run, states: Mapping[str, LocationState]) -> str | None:
    """Why a run cannot start whatever the limits say; None if it can."""
    name = run.location or ""
    state = states.get(name)
    if needs_approval(run):
        return f"it is waiting for approval: 'segue runs approve {run.run_id}'"
    if state is None:
        return f"there is no code location {name!r}"
    if state.manifest_hash is None or state.status is LocationStatus.LOADING:
        return f"code location {name!r} {'does not load' if state.status is LocationStatus.BROKEN else 'is loading'}"
    return None
