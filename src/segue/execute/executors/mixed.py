"""Steps of one run in several executors: some in threads of this process, some in processes of their own."""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence

from segue.errors import ExecutionInterruptedError
from segue.execute.executors.base import AttemptEnd
from segue.execute.executors.processes import ProcessExecutor
from segue.execute.executors.threads import ThreadsExecutor
from segue.execute.step import StepOutcome
from segue.model.event import Event
from segue.model.failure_class import FailureClass
from segue.plan.plan import PlanStep


class MixedExecutor:
    """Hands each attempt to the executor of its step; neither keeps the other waiting.

    Args:
        threads: for the steps that run here.
        processes: for those that run in processes of their own.
        is_here: which of the two it is.
    """

    capacity = None

    def __init__(
        self, threads: ThreadsExecutor, processes: ProcessExecutor, is_here: Callable[[PlanStep], bool]
    ) -> None:
        self._threads, self._processes, self._is_here = threads, processes, is_here
        self._running: dict[str, ThreadsExecutor | ProcessExecutor] = {}
        self._waiting: deque[tuple[PlanStep, int]] = deque()  # for room in their executor
        self._ended: list[AttemptEnd] = []
        self._selector = selectors.DefaultSelector()
        for each in (threads, processes):
            self._selector.register(each, selectors.EVENT_READ)

    def start(self, step: PlanStep, attempt: int) -> None:
        """See `StepExecutor.start`; one for which its executor has no room waits here."""
        executor = self._threads if self._is_here(step) else self._processes
        used = sum(each is executor for each in self._running.values())
        if executor.capacity is not None and used >= executor.capacity:
            self._waiting.append((step, attempt))
            return
        self._running[step.key] = executor
        executor.start(step, attempt)

    def poll(self, timeout: float | None) -> Sequence[AttemptEnd]:
        """See `StepExecutor.poll`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            found = [*self._ended, *self._threads.poll(0.0), *self._processes.poll(0.0)]
            self._ended = []
            for end in found:
                if self._running.pop(end.step_key, None) is not None:
                    self._start_waiting()
            left = None if deadline is None else deadline - time.monotonic()
            if found or (left is not None and left <= 0):
                return found
            again = [self._threads.seconds_left(), self._processes.seconds_left(), left]
            known = [each for each in again if each is not None]
            self._selector.select(min(known) if known else None)

    def _start_waiting(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for step, attempt in waiting:
            self.start(step, attempt)

    def stop(self, step_key: str, *, reason: str) -> None:
        """See `StepExecutor.stop`; one that still waits ends at once."""
        for each in [each for each in self._waiting if each[0].key == step_key]:
            self._waiting.remove(each)
            outcome = StepOutcome(error=ExecutionInterruptedError(reason), failure_class=FailureClass.KILLED)
            self._ended.append(AttemptEnd(step_key, each[1], outcome))
        executor = self._running.get(step_key)
        if executor is not None:
            executor.stop(step_key, reason=reason)

    def finish(self, step_key: str, recorded: Event | None, error: BaseException | None) -> None:
        """See `StepExecutor.finish`."""
        self._threads.finish(step_key, recorded, error)
        self._processes.finish(step_key, recorded, error)

    def close(self) -> None:
        """See `StepExecutor.close`."""
        self._selector.close()
        try:
            self._processes.close()
        finally:
            self._threads.close()
