"""The queue: runs that may start are taken out of it and launched."""

from __future__ import annotations

from collections.abc import Iterable

from segue.daemon.loop import Turn
from segue.decide.queue import QueueDecision, QueuedRun, QueueLimits, decide_queue
from segue.errors import SegueError
from segue.location.base import Locations
from segue.model.control_stores import ControlStore
from segue.model.event import Event, RunFailureData
from segue.model.location import LocationStatus
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.run_records import RunOrder, RunsFilter
from segue.model.stores import Store

LOOK_AT = 1_000
START_AT_ONCE = 50
IN_PROGRESS = (RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)


class Queue:
    """The loop over the queue.

    Args:
        store: where runs are recorded.
        control: the queue.
        locations: the code locations, which launch.
        limits: what bounds the runs in progress.
    """

    def __init__(self, store: Store, control: ControlStore, locations: Locations, limits: QueueLimits) -> None:
        self._store = store
        self._control = control
        self._locations = locations
        self._limits = limits

    def round(self, turn: Turn) -> float | None:
        """Starts what may start; at once again when there was more than one round takes."""
        decision = self.decide()
        by_id = {run.run_id: run for _, _, run in self._control.queued_runs(LOOK_AT)}
        taken = self._control.dequeue(decision.start, turn.now, turn.lease)
        for run_id in taken:
            self._launch(by_id.get(run_id) or self._store.get_run(run_id), turn.now)
        return turn.now if len(decision.start) == START_AT_ONCE else None

    def decide(self) -> QueueDecision:
        """What may start now, and what holds each of the others back."""
        queued = [self._queued(run, priority) for priority, _, run in self._control.queued_runs(LOOK_AT)]
        if not queued:
            return QueueDecision((), {})
        records = self._store.run_records(RunsFilter(statuses=IN_PROGRESS), None, None, RunOrder.ID, True)
        in_progress: Iterable[QueuedRun] = (self._queued(record.dagster_run, 0) for record in records)
        return decide_queue(queued, in_progress, self._limits, START_AT_ONCE)

    def _queued(self, run: Run, priority: int) -> QueuedRun:
        name = run.location or ""
        location = self._locations.get(name)
        held_by = None
        if location is None:
            held_by = f"there is no code location {name!r}"
        elif location.graph is None or location.state.status is LocationStatus.LOADING:
            held_by = f"code location {name!r} is {LocationStatus.LOADING.value}"
            if location.state.status is LocationStatus.BROKEN:
                held_by = f"code location {name!r} does not load"
        return QueuedRun(run.run_id, name, run.tags, priority, held_by)

    def _launch(self, run: Run | None, now: float) -> None:
        """Launches a run that was taken out; what cannot be launched ends as failed, for a retry to take up."""
        if run is None or run.location is None:
            return  # deleted meanwhile
        try:
            self._locations[run.location].launch(run.run_id)
        except SegueError as error:
            failed = RunFailureData(FailureReason.PLATFORM, f"The run could not be launched: {error}")
            self._store.append([Event(now, failed, None, run.run_id, run.job_name)])
