"""Sensors: each that is due is asked, and its answer written together with its cursor."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from itertools import count

import msgspec

from segue.daemon.answers import Answers, write_ticks
from segue.daemon.loop import Turn
from segue.daemon.news import LogReader
from segue.daemon.ticks import commit_of
from segue.daemon.watch import Watch
from segue.decide.sensors import EVENT_DRIVEN, PAYLOADS_AT_ONCE, due_sensor, payloads_of_tick, waits_for
from segue.location.base import CodeLocation, Locations
from segue.model.automation_nodes import SensorNode
from segue.model.control_stores import ControlStore
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.stores import Store
from segue.model.tick_record import TickStatus
from segue.model.tick_task import TickAnswer, TickTask
from segue.storage.ids import new_id

TIMEOUT_SECONDS = 60.0


class _Running:
    """A sensor that runs.

    Attributes:
        location, node: which.
        state: what is recorded of it, as far as it decides when it is asked.
        is_asked: whether it is being asked.
        happened: whether anything happened that it waits for, since it was asked last.
        has_payloads: whether anything waits that was sent to it, as far as it is not being asked with it.
    """

    __slots__ = ("happened", "has_payloads", "is_asked", "location", "node", "state")

    def __init__(self, location: CodeLocation, node: SensorNode, state: InstigatorState) -> None:
        self.location = location
        self.node = node
        self.state = state
        self.is_asked = False
        self.has_payloads = False
        # Whatever happened while nobody looked: one that follows events is asked once, to be sure.
        self.happened = True


class Sensors:
    """The loop over sensors.

    A sensor is asked once at a time; different ones beside each other, so that a slow one delays nobody. When each is due next
    is kept in memory; those that follow events are asked when the log says what they wait for.

    Args:
        store: the event log.
        control: where sensors stand and ticks are written.
        locations: the code locations.
        timeout: for how many seconds a sensor may think.
        clock: gives the time in seconds since 1970, UTC.

    Attributes:
        wake: called, in any thread, when an answer has come; whoever runs the loop sets it.
        queued: called when there are new runs in the queue.
    """

    def __init__(
        self,
        store: Store,
        control: ControlStore,
        locations: Locations,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._control = control
        self._locations = locations
        self._timeout = timeout
        self._clock = clock
        self._watch = Watch(control, locations, InstigatorKind.SENSOR)
        self._log = LogReader(store)
        self._running: dict[InstigatorId, _Running] = {}
        self._following: list[_Running] = []
        self._due: list[tuple[float, int, _Running]] = []
        self._numbers = count()
        self._answers = Answers(lambda: self.wake())
        self.wake: Callable[[], object] = lambda: None
        self.queued: Callable[[], object] = lambda: None

    def round(self, turn: Turn) -> float | None:
        """Writes what was answered, and asks what is due."""
        try:
            self._write(turn)
            if self._watch.has_changed(turn):
                self._load(turn)
            self._hear(turn)
            while self._due and self._due[0][0] <= turn.now:
                _, _, running = heapq.heappop(self._due)
                if not running.is_asked and self._running.get(running.state.id) is running:
                    self._ask(running)
        except BaseException:
            self._watch.forget()  # whatever was not written, or asked, is as it was: read it again
            raise
        return self._due[0][0] if self._due else None

    def _load(self, turn: Turn) -> None:
        """Reads which sensors run, and where they stand."""
        asked = {which for which, each in self._running.items() if each.is_asked}
        self._running, self._due = {}, []
        new: list[InstigatorId] = []
        states = self._control.instigator_states()
        for location in self._locations.values():
            graph = location.graph
            for node in () if graph is None else graph.manifest.sensors:
                which = InstigatorId(location.name, InstigatorKind.SENSOR, node.name)
                state = states.get(which) or InstigatorState(id=which)
                if not state.is_running(by_default=node.runs_by_default):
                    continue
                if state.started_at is None:
                    new.append(which)
                    state = msgspec.structs.replace(state, started_at=turn.now)
                running = self._running[which] = _Running(location, node, state)
                running.is_asked = which in asked
                self._plan(running, turn)
        self._following = [each for each in self._running.values() if each.node.sensor_type in EVENT_DRIVEN]
        if new:
            self._control.start_instigators(new, turn.now)

    def _hear(self, turn: Turn) -> None:
        """Has those asked that wait for what happened, or to which something was sent."""
        news = self._log.news() if self._following else ()
        for running in self._following if news else ():
            if not running.happened and any(waits_for(running.node, each) for each in news):
                running.happened = True
                self._plan(running, turn)
        for which in self._control.sensors_with_payloads() if self._running else ():
            running = self._running.get(which)  # one that is stopped finds them when it is started
            if running is not None and not running.is_asked and not running.has_payloads:
                running.has_payloads = True
                self._plan(running, turn)

    def _plan(self, running: _Running, turn: Turn) -> None:
        """Keeps when a sensor is due next; of one that is being asked that is said by its answer."""
        if not running.is_asked:
            due = due_sensor(running.node, running.state, turn.now, running.happened, running.has_payloads)
            heapq.heappush(self._due, (turn.now if due.is_due else due.next_at, next(self._numbers), running))

    def _write(self, turn: Turn) -> None:
        commits = self._answers.take()
        try:
            if any(written.created for written in write_ticks(self._control, commits, turn.lease)):
                self.queued()
        finally:
            # Also what could not be written may be asked again: its cursor is where it was.
            for commit in commits:
                running = self._running.get(commit.tick.instigator)
                if running is not None:  # else it was switched off while it was asked
                    failures = running.state.failures + 1 if commit.tick.status is TickStatus.FAILURE else 0
                    running.state = msgspec.structs.replace(
                        running.state, last_tick_at=commit.tick.ended_at, failures=failures
                    )
                    running.is_asked = False
                    self._plan(running, turn)

    def _ask(self, running: _Running) -> None:
        started_at = self._clock()
        state = self._control.instigator_state(running.state.id)  # with the cursor as it is now
        has_payloads = running.has_payloads
        payloads = payloads_of_tick(self._control.payloads(state.id, PAYLOADS_AT_ONCE)) if has_payloads else ()

        def answered(answer: TickAnswer) -> None:
            graph = running.location.graph
            assert graph is not None  # it has given the sensor
            commit = commit_of(
                state.id,
                answer,
                graph,
                manifest_hash=running.location.state.manifest_hash,
                scheduled_at=None,
                started_at=started_at,
                ended_at=self._clock(),
                new_id=new_id,
                payloads=[each.number for each in payloads],
            )
            self._answers.add(msgspec.structs.replace(commit, asked_with=state.cursor))

        running.is_asked, running.happened, running.has_payloads = True, False, False
        task = TickTask(
            kind=InstigatorKind.SENSOR,
            name=state.id.name,
            location=state.id.location,
            cursor=state.cursor,
            last_run_key=state.last_run_key,
            last_tick_at=state.last_tick_at,
            started_at=state.started_at,
            payloads=tuple(each.text for each in payloads),
        )
        running.location.evaluate(task, self._timeout, answered)
