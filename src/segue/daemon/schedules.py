"""Schedules: what is due is asked, and its answer written, each time once."""

from __future__ import annotations

import threading
import time

import msgspec

from segue.daemon.loop import Turn
from segue.daemon.ticks import commit_of
from segue.decide.schedules import CatchUp, due_ticks
from segue.location.base import CodeLocation, Locations
from segue.model.automation_nodes import ScheduleNode
from segue.model.control_stores import ControlStore
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.tick_record import TickCommit
from segue.model.tick_task import RequestedRun, TickAnswer, TickTask
from segue.storage.ids import new_id

TICKS_AT_ONCE = 25
TIMEOUT_SECONDS = 60.0


class Schedules:
    """The loop over schedules.

    A schedule is asked for one time after the other, never twice at once; different schedules beside each other. A tick
    that needs no user code is decided here.

    Args:
        control: where schedules stand and ticks are written.
        locations: the code locations.
        catch_up: what becomes of times that passed while no control plane ran.
        timeout: for how many seconds a schedule may think.
    """

    def __init__(
        self,
        control: ControlStore,
        locations: Locations,
        catch_up: CatchUp = CatchUp.LATEST,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._control = control
        self._locations = locations
        self._catch_up = catch_up
        self._timeout = timeout
        self._lock = threading.Lock()
        self._asked: set[InstigatorId] = set()
        self._answered: list[TickCommit] = []
        self.wake = lambda: None  # set by whoever runs the loop

    def round(self, turn: Turn) -> float | None:
        """Writes what was answered, and asks what is due."""
        with self._lock:
            commits, self._answered = self._answered, []
        next_at: list[float] = []
        new: list[InstigatorId] = []
        states = self._control.instigator_states()
        for location in self._locations.values():
            graph = location.graph
            for node in () if graph is None else graph.manifest.schedules:
                which = InstigatorId(location.name, InstigatorKind.SCHEDULE, node.name)
                state = states.get(which) or InstigatorState(id=which)
                if not state.is_running(by_default=node.runs_by_default):
                    continue
                if state.started_at is None:
                    new.append(which)
                    state = msgspec.structs.replace(state, started_at=turn.now)
                commits += self._decide(location, node, state, turn, next_at)
        if new:
            self._control.start_instigators(new, turn.now)
        if commits:
            self._control.commit_ticks(commits, turn.lease)
            with self._lock:
                self._asked.difference_update(commit.tick.instigator for commit in commits)
        return min(next_at, default=None)

    def _decide(
        self, location: CodeLocation, node: ScheduleNode, state: InstigatorState, turn: Turn, next_at: list[float]
    ) -> list[TickCommit]:
        """The ticks of one schedule that are decided here; the others are asked of the location."""
        with self._lock:
            if state.id in self._asked:
                return []
        due = due_ticks(node, state, turn.now, turn.up_since, self._catch_up, TICKS_AT_ONCE if node.is_static else 1)
        if due.next_at is not None:
            next_at.append(due.next_at)
        if node.is_static:
            return [self._commit(location, state.id, _static_answer(node), at, turn.now) for at in due.times]
        for at in due.times:
            self._ask(location, state.id, at)
        return []

    def _ask(self, location: CodeLocation, which: InstigatorId, at: float) -> None:
        started_at = time.time()

        def answered(answer: TickAnswer) -> None:
            commit = self._commit(location, which, answer, at, started_at)
            with self._lock:
                self._answered.append(commit)
            self.wake()

        with self._lock:
            self._asked.add(which)
        task = TickTask(kind=InstigatorKind.SCHEDULE, name=which.name, scheduled_at=at)
        location.evaluate(task, self._timeout, answered)

    def _commit(
        self, location: CodeLocation, which: InstigatorId, answer: TickAnswer, at: float, started_at: float
    ) -> TickCommit:
        graph = location.graph
        assert graph is not None  # it has given the schedule
        return commit_of(
            which,
            answer,
            graph,
            manifest_hash=location.state.manifest_hash,
            scheduled_at=at,
            started_at=started_at,
            ended_at=time.time(),
            new_id=new_id,
        )


def _static_answer(node: ScheduleNode) -> TickAnswer:
    """What a schedule without functions of the user always asks for."""
    return TickAnswer(requests=(RequestedRun(job_name=node.job_name, tags=node.tags, run_config=node.run_config),))
