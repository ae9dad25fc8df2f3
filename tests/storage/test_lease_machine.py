"""Any sequence of lease operations by processes that are killed and stopped, against a naive model."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from lease_worker import Worker

from segue.model.event import Event, LogMessageData, RunFailureData, StepMaterializationData, StepSuccessData
from segue.model.lease import Fence
from segue.model.materialization import AssetMaterialization
from segue.model.run import FailureReason, Run
from segue.model.stores import EventFilter
from segue.storage.sqlite import open_sqlite

LOST, REFUSED = "raised LeaseLostError", "raised InvariantViolationError"
WORKERS, NAMES, STEPS = range(3), ("scheduler", "sensors"), ("s", "t")
workers = strategies.integers(0, max(WORKERS))
numbers = strategies.integers(0, 1_000_000)


class _RunModel:
    def __init__(self) -> None:
        self.holder: str | None = None
        self.token: int | None = None
        self.ended = False
        self.steps: dict[str, Fence] = {}
        self.events = 0


class LeaseMachine(RuleBasedStateMachine):
    """Three processes on one home; the model knows who lives, who holds what, and which token is current."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name)
        self.store = open_sqlite(self.home)
        self.workers = [Worker(self.home) for _ in WORKERS]
        self.stopped: set[int] = set()
        self.runs: dict[str, _RunModel] = {}
        self.fences: list[Fence] = []
        self.named: dict[str, tuple[str, int]] = {}
        self.tokens: list[tuple[str, int]] = [("scheduler", 0)]
        self.last_token = 0
        self.given_up: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        for number, worker in enumerate(self.workers):
            if number in self.stopped:
                worker.go_on()
            worker.kill()
        self.store.close()
        self.folder.cleanup()

    def lives(self, name: str | None) -> bool:
        return name in {worker.name for worker in self.workers}

    def told(self, worker: int) -> Worker:
        """The worker, woken up if it stood still: then it acts on what it knew before."""
        if worker in self.stopped:
            self.stopped.remove(worker)
            self.workers[worker].go_on()
        return self.workers[worker]

    def current(self, fence: Fence) -> bool:
        run = self.runs[fence.run_id]
        if run.ended:
            return False
        return run.token == fence.token if fence.step_key is None else run.steps.get(fence.step_key) == fence

    def took(self, token: Any) -> None:
        assert isinstance(token, int)
        assert token > self.last_token
        self.last_token = token

    def pick(self, number: int, of: list[Any]) -> Any:
        # Mostly among the newest, where things happen.
        newest = of[-4:]
        return (newest if number % 3 else of)[number // 3 % len(newest if number % 3 else of)]

    @rule(worker=workers)
    def new_run(self, worker: int) -> None:
        run_id = f"r{len(self.runs)}"
        self.told(worker).do("create_run", Run(run_id=run_id, job_name="daily"), b"", b"", [])
        self.runs[run_id] = _RunModel()

    @precondition(lambda self: self.runs)
    @rule(worker=workers, number=numbers, takes_over=strategies.booleans())
    def take_run(self, worker: int, number: int, takes_over: bool) -> None:
        run_id = self.pick(number, list(self.runs))
        run = self.runs[run_id]
        told = self.told(worker)
        answer = told.do("take_over" if takes_over else "start_run", run_id)
        if run.ended:
            assert answer == REFUSED
        elif self.lives(run.holder) and (run.holder != told.name or (told.name, run_id) not in self.given_up):
            assert answer == LOST
        else:
            self.took(answer)
            run.token, run.steps = answer, {}
            if not takes_over:
                run.holder = told.name
                self.given_up.discard((told.name, run_id))
            self.fences.append(Fence(run_id, answer))

    @precondition(lambda self: self.fences)
    @rule(worker=workers, number=numbers, ends=strategies.sampled_from(["nothing", "step", "run"]))
    def write(self, worker: int, number: int, ends: str) -> None:
        fence = self.pick(number, self.fences)
        run = self.runs[fence.run_id]
        event = Event(1.0, StepMaterializationData(AssetMaterialization(fence.run_id)), fence.step_key, fence.run_id)
        events = [event, Event(1.0, LogMessageData(20, "working"), fence.step_key, fence.run_id)]
        if ends == "step" and fence.step_key is not None:
            events.append(Event(1.0, StepSuccessData(1.0), fence.step_key, fence.run_id))
        if ends == "run" and fence.step_key is None:
            events.append(Event(1.0, RunFailureData(FailureReason.PLATFORM, ""), None, fence.run_id))
        answer = self.told(worker).do("append", events, fence)
        if not self.current(fence):
            assert answer == LOST
            return
        assert isinstance(answer, int)
        run.events += len(events)
        if len(events) == 3 and fence.step_key is not None:
            del run.steps[fence.step_key]
        elif len(events) == 3:
            run.ended, run.steps = True, {}

    @precondition(lambda self: self.fences)
    @rule(worker=workers, number=numbers)
    def ask(self, worker: int, number: int) -> None:
        fence = self.pick(number, self.fences)
        assert self.told(worker).do("require_lease", fence) == (None if self.current(fence) else LOST)

    @precondition(lambda self: self.fences)
    @rule(worker=workers, number=numbers, step_key=strategies.sampled_from(STEPS))
    def open_step(self, worker: int, number: int, step_key: str) -> None:
        fence = self.pick(number, [fence for fence in self.fences if fence.step_key is None])
        run = self.runs[fence.run_id]
        answer = self.told(worker).do("open_step", fence, step_key, number % 3)
        if not self.current(fence):
            assert answer == LOST
        elif step_key in run.steps:
            assert answer == REFUSED
        else:
            self.took(answer.token)
            assert answer == Fence(fence.run_id, answer.token, step_key, number % 3)
            run.steps[step_key] = answer
            self.fences.append(answer)

    @precondition(lambda self: any(fence.step_key for fence in self.fences))
    @rule(worker=workers, number=numbers)
    def revoke_step(self, worker: int, number: int) -> None:
        fence = self.pick(number, [fence for fence in self.fences if fence.step_key is not None])
        assert self.told(worker).do("revoke_step", fence) is self.current(fence)
        if self.current(fence):
            del self.runs[fence.run_id].steps[fence.step_key]

    @rule(worker=workers, name=strategies.sampled_from(NAMES))
    def acquire(self, worker: int, name: str) -> None:
        told = self.told(worker)
        answer = told.do("acquire_lease", name, 15.0)
        if name in self.named and self.lives(self.named[name][0]):
            assert answer is None
        else:
            self.took(answer)
            self.named[name] = (told.name, answer)
            self.tokens.append((name, answer))

    @rule(worker=workers, number=numbers, releases=strategies.booleans())
    def renew_or_release(self, worker: int, number: int, releases: bool) -> None:
        name, token = self.pick(number, self.tokens)
        is_current = name in self.named and self.named[name][1] == token
        told = self.told(worker)
        answer = told.do("release_lease", name, token) if releases else told.do("renew_lease", name, token, 15.0)
        assert answer is is_current
        if releases and is_current:
            del self.named[name]

    @precondition(lambda self: self.runs)
    @rule(worker=workers, number=numbers)
    def give_up(self, worker: int, number: int) -> None:
        run_id = self.pick(number, list(self.runs))
        told = self.told(worker)
        told.do("give_up", run_id)
        self.given_up.add((told.name, run_id))

    @rule(worker=workers)
    def kill(self, worker: int) -> None:
        self.stopped.discard(worker)
        self.workers[worker].kill()
        self.workers[worker] = Worker(self.home)

    @rule(worker=workers)
    def stop(self, worker: int) -> None:
        self.workers[worker].stop()
        self.stopped.add(worker)

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        unfinished = {run.run_id: (run.worker, alive) for run, alive in self.store.unfinished_runs()}
        taken = {key: run for key, run in self.runs.items() if run.token is not None and not run.ended}
        assert unfinished == {key: (run.holder, self.lives(run.holder)) for key, run in taken.items()}
        named = {lease.name: (lease.holder, lease.token, lease.is_held) for lease in self.store.leases()}
        assert named == {name: (*held, self.lives(held[0])) for name, held in self.named.items()}
        for run_id, run in self.runs.items():
            assert len(self.store.events(EventFilter(run_id=run_id), None)) == run.events


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_leases_are_as_the_model_says() -> None:
    machine = settings(max_examples=15, stateful_step_count=40, deadline=None)
    LeaseMachine.TestCase.settings = machine
    LeaseMachine.TestCase().runTest()
