"""Sensors: each that is due is asked, and its answer written together with its cursor."""

from __future__ import annotations

import threading
import time

import msgspec

from segue.daemon.loop import Turn
from segue.daemon.ticks import commit_of
from segue.decide.sensors import EVENT_DRIVEN, due_sensor
from segue.location.base import CodeLocation, Locations
from segue.model.automation_nodes import SensorNode
from segue.model.control_stores import ControlStore
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.stores import Store
from segue.model.tick_record import TickCommit
from segue.model.tick_task import TickAnswer, TickTask
from segue.storage.ids import new_id

TIMEOUT_SECONDS = 60.0


class Sensors:
    """The loop over sensors.

    A sensor is asked once at a time; different ones beside each other, so that a slow one delays nobody. Whether anything
    happened that a sensor may want to know of is the end of the event log: where it moved since the sensor was asked, those
    that follow events are asked again.

    Args:
        store: the event log.
        control: where sensors stand and ticks are written.
        locations: the code locations.
        timeout: for how many seconds a sensor may think.
    """

    def __init__(
        self, store: Store, control: ControlStore, locations: Locations, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._store = store
        self._control = control
        self._locations = locations
        self._timeout = timeout
        self._lock = threading.Lock()
        self._asked: set[InstigatorId] = set()
        self._answered: list[TickCommit] = []
        self._asked_at: dict[InstigatorId, int] = {}  # the end of the log when a sensor was asked last
        self.wake = lambda: None  # set by whoever runs the loop

    def round(self, turn: Turn) -> float | None:
        """Writes what was answered, and asks what is due."""
        self._write_answers(turn)
        next_at: list[float] = []
        new: list[InstigatorId] = []
        states = self._control.instigator_states()
        log_end = self._store.append(())
        for location in self._locations.values():
            graph = location.graph
            for node in () if graph is None else graph.manifest.sensors:
                which = InstigatorId(location.name, InstigatorKind.SENSOR, node.name)
                state = states.get(which) or InstigatorState(id=which)
                if not state.is_running(by_default=node.runs_by_default) or which in self._asked:
                    continue
                if state.started_at is None:
                    new.append(which)
                    state = msgspec.structs.replace(state, started_at=turn.now)
                due = due_sensor(node, state, turn.now, log_end > self._asked_at.get(which, -1))
                next_at.append(due.next_at)
                if due.is_due:
                    self._ask(location, node, state, log_end)
        if new:
            self._control.start_instigators(new, turn.now)
        return min(next_at, default=None)

    def _write_answers(self, turn: Turn) -> None:
        with self._lock:
            commits, self._answered = self._answered, []
        if commits:
            try:
                self._control.commit_ticks(commits, turn.lease)
            finally:
                # Also what could not be written may be asked again: its cursor is where it was.
                self._asked.difference_update(commit.tick.instigator for commit in commits)

    def _ask(self, location: CodeLocation, node: SensorNode, state: InstigatorState, log_end: int) -> None:
        started_at = time.time()

        def answered(answer: TickAnswer) -> None:
            graph = location.graph
            assert graph is not None  # it has given the sensor
            commit = commit_of(
                state.id,
                answer,
                graph,
                manifest_hash=location.state.manifest_hash,
                scheduled_at=None,
                started_at=started_at,
                ended_at=time.time(),
                new_id=new_id,
            )
            with self._lock:
                self._answered.append(commit)
            self.wake()

        self._asked.add(state.id)
        if node.sensor_type in EVENT_DRIVEN:
            self._asked_at[state.id] = log_end
        task = TickTask(
            kind=InstigatorKind.SENSOR,
            name=state.id.name,
            cursor=state.cursor,
            last_run_key=state.last_run_key,
            last_tick_at=state.last_tick_at,
            started_at=state.started_at,
        )
        location.evaluate(task, self._timeout, answered)
