"""Schedules: what is due is asked, and its answer written, each time once."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from itertools import count

import msgspec

from segue.daemon.answers import Answers, write_ticks
from segue.daemon.loop import Turn
from segue.daemon.ticks import commit_of
from segue.daemon.watch import Watch
from segue.decide.schedules import MOST_MISSED, DueTicks, due_ticks
from segue.location.base import CodeLocation, Locations
from segue.model.automation_nodes import ScheduleNode
from segue.model.control_stores import ControlStore
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.tick import CatchUp
from segue.model.tick_record import TickCommit
from segue.model.tick_task import RequestedRun, TickAnswer, TickTask
from segue.storage.ids import new_id

TICKS_AT_ONCE = 25
TICKS_PER_WRITE = 500
TIMEOUT_SECONDS = 60.0


class _Running:
    """A schedule that runs: where it stands, and whether it is being asked."""

    __slots__ = ("is_asked", "location", "node", "state")

    def __init__(self, location: CodeLocation, node: ScheduleNode, state: InstigatorState) -> None:
        self.location = location
        self.node = node
        self.state = state
        self.is_asked = False


class Schedules:
    """The loop over schedules.

    A schedule is asked for one time after the other, never twice at once; different schedules beside each other. A tick
    that needs no user code is decided here. When each is due next is kept in memory; the states are read again when someone
    switched a schedule, when definitions changed, and by a process that has become the one that decides.

    Args:
        control: where schedules stand and ticks are written.
        locations: the code locations.
        catch_up: what becomes of times that passed while no control plane ran, where a schedule does not say.
        timeout: for how many seconds a schedule may think.
        clock: gives the time in seconds since 1970, UTC.
        most_missed: how many of those times are made up for at most.

    Attributes:
        wake: called, in any thread, when an answer has come; whoever runs the loop sets it.
        queued: called when there are new runs in the queue.
    """

    def __init__(
        self,
        control: ControlStore,
        locations: Locations,
        catch_up: CatchUp = CatchUp.LATEST,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
        most_missed: int = MOST_MISSED,
    ) -> None:
        self._control = control
        self._locations = locations
        self._catch_up = catch_up
        self._most_missed = most_missed
        self._timeout = timeout
        self._clock = clock
        self._watch = Watch(control, locations, InstigatorKind.SCHEDULE)
        self._running: dict[InstigatorId, _Running] = {}
        self._due: list[tuple[float, int, _Running]] = []
        self._numbers = count()
        self._answers = Answers(lambda: self.wake())
        self.wake: Callable[[], object] = lambda: None
        self.queued: Callable[[], object] = lambda: None

    def round(self, turn: Turn) -> float | None:
        """Writes what was answered, and asks what is due."""
        try:
            self._write(self._answers.take(), turn)
            if self._watch.has_changed(turn):
                self._load(turn)
            return self._decide(turn)
        except BaseException:
            self._watch.forget()  # whatever was not written is as it was: read it again
            raise

    def _load(self, turn: Turn) -> None:
        """Reads which schedules run, and where they stand."""
        asked = {which for which, each in self._running.items() if each.is_asked}
        self._running, self._due = {}, []
        new: list[InstigatorId] = []
        states = self._control.instigator_states()
        for location, node in self._declared():
            which = InstigatorId(location.name, InstigatorKind.SCHEDULE, node.name)
            state = states.get(which) or InstigatorState(id=which)
            if not state.is_running(by_default=node.runs_by_default):
                continue
            if state.started_at is None:
                new.append(which)
                state = msgspec.structs.replace(state, started_at=turn.now)
            running = self._running[which] = _Running(location, node, state)
            running.is_asked = which in asked
            if not running.is_asked:
                self._plan(running, turn)
        if new:
            self._control.start_instigators(new, turn.now)

    def _declared(self) -> Iterator[tuple[CodeLocation, ScheduleNode]]:
        for location in self._locations.values():
            graph = location.graph
            for node in () if graph is None else graph.manifest.schedules:
                yield location, node

    def _plan(self, running: _Running, turn: Turn) -> None:
        """Keeps when a schedule is due next."""
        due = self._due_of(running, turn, 1)
        next_at = due.times[0] if due.times else due.next_at
        if next_at is not None:
            heapq.heappush(self._due, (next_at, next(self._numbers), running))

    def _due_of(self, running: _Running, turn: Turn, most: int) -> DueTicks:
        up_since, catch_up, missed = turn.up_since, self._catch_up, self._most_missed
        return due_ticks(running.node, running.state, turn.now, up_since, catch_up, most, missed)

    def _decide(self, turn: Turn) -> float | None:
        """Decides what is due, and asks what only user code can answer."""
        commits: list[TickCommit] = []
        while self._due and self._due[0][0] <= turn.now:
            _, _, running = heapq.heappop(self._due)
            most = TICKS_AT_ONCE if running.node.is_static else 1
            due = self._due_of(running, turn, most)
            if running.node.is_static:
                commits += [self._commit(running, _static_answer(running.node), at, turn.now) for at in due.times]
            elif due.times:
                self._ask(running, due.times[0])
            if len(commits) >= TICKS_PER_WRITE:
                break
        self._write(commits, turn)
        return self._due[0][0] if self._due else None

    def _write(self, commits: list[TickCommit], turn: Turn) -> None:
        """Writes ticks, and plans the next ones."""
        done = write_ticks(self._control, commits, turn.lease)
        if any(written.created for written in done):
            self.queued()
        moved: dict[InstigatorId, float] = {}
        for commit, written in zip(commits, done, strict=True):
            if written.is_repeated:
                self._watch.forget()  # another process has decided meanwhile
            moved[commit.tick.instigator] = commit.tick.scheduled_at or 0.0
        for which, at in moved.items():
            running = self._running.get(which)
            if running is not None:  # else it was switched off while it was asked
                running.state = msgspec.structs.replace(running.state, last_tick_at=at)
                running.is_asked = False
                self._plan(running, turn)

    def _ask(self, running: _Running, at: float) -> None:
        started_at = self._clock()

        def answered(answer: TickAnswer) -> None:
            self._answers.add(self._commit(running, answer, at, started_at))

        running.is_asked = True
        task = TickTask(kind=InstigatorKind.SCHEDULE, name=running.node.name, scheduled_at=at)
        running.location.evaluate(task, self._timeout, answered)

    def _commit(self, running: _Running, answer: TickAnswer, at: float, started_at: float) -> TickCommit:
        graph = running.location.graph
        assert graph is not None  # it has given the schedule
        return commit_of(
            running.state.id,
            answer,
            graph,
            manifest_hash=running.location.state.manifest_hash,
            scheduled_at=at,
            started_at=started_at,
            ended_at=self._clock(),
            new_id=new_id,
        )


def _static_answer(node: ScheduleNode) -> TickAnswer:
    """What a schedule without functions of the user always asks for."""
    return TickAnswer(requests=(RequestedRun(job_name=node.job_name, tags=node.tags, run_config=node.run_config),))
