"""Each attempt in a thread of this process; async functions on one event loop that all of the run share.

In which way a step runs is asked for each: `threads` side by side, `in_process` one after another, `async` side by side where
its function is async and one after another where it is not.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import inspect
import logging
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from segue.defs.bindings import bound
from segue.defs.hook import HookDefinition
from segue.errors import ExecutionInterruptedError
from segue.execute.attempt import StepAttempt
from segue.execute.executors.base import AttemptEnd
from segue.execute.hooks import hooks_of, run_hooks
from segue.execute.run_scope import RunScope
from segue.execute.step import StepOutcome, execute_step
from segue.execute.tee import AttemptOutput, teed_streams
from segue.execute.time_limit import is_within_user_code, time_limit
from segue.model.event import Event, LogMessageData
from segue.model.failure_class import FailureClass
from segue.plan.plan import PlanStep

_AGAIN_SECONDS = 0.02


class _Running:
    """An attempt in its thread."""

    def __init__(self, made: StepAttempt, hooks: Sequence[HookDefinition], output: AttemptOutput | None) -> None:
        self.made, self.hooks, self.output = made, hooks, output
        self.thread: threading.Thread | None = None
        self.stop_reason: str | None = None
        self.is_told = False
        self.give_up_at = 0.0


class ThreadsExecutor:
    """Runs each attempt in a thread.

    A thread cannot be killed. One that is asked to stop gets an `ExecutionInterruptedError` as soon as it is in Python code
    of the user's; where it does not end within the grace period, its attempt counts as ended and the thread is left alone.

    Args:
        scope: what the run's steps share.
        max_concurrent: how many at once; None for any number.
        way_of: in which way a step runs: `threads`, `in_process` or `async`.
        grace_seconds: the grace period; None for the one that is set for all steps.
    """

    def __init__(
        self,
        scope: RunScope,
        max_concurrent: int | None,
        way_of: Callable[[PlanStep], str],
        grace_seconds: float | None = None,
    ) -> None:
        self._scope = scope
        self.capacity = max_concurrent
        self._way_of = way_of
        self._grace = scope.instance.steps.stop_grace if grace_seconds is None else grace_seconds
        self._running: dict[str, _Running] = {}
        self._given: dict[str, _Running] = {}
        self._ended: queue.SimpleQueue[tuple[str, StepOutcome | BaseException]] = queue.SimpleQueue()
        self._one_by_one = threading.Lock()
        self._interrupt: KeyboardInterrupt | None = None  # that came while a thread was started
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None
        if scope.instance.is_persistent:  # one in memory is gone before anybody could look
            self._folder = Path(scope.instance.steps.logs_of(scope.instance.root_directory, scope.run.run_id))
            self._stack.enter_context(teed_streams())

    def fileno(self) -> int:
        """The descriptor that can be read when an attempt has ended."""
        return self._wake.fileno()

    def start(self, step: PlanStep, attempt: int) -> None:
        """See `StepExecutor.start`."""
        made = StepAttempt(self._scope, step, attempt)
        hooks = hooks_of(self._scope, step)
        made.has_hooks = bool(hooks)
        output = (
            None
            if self._folder is None
            else AttemptOutput(self._folder, step.key, attempt, self._scope.instance.steps.log_limit)
        )
        each = self._running[step.key] = _Running(made, hooks, output)
        way = self._way_of(step)
        is_async = way == "async" and _is_async(made.op.function)
        context = contextvars.copy_context()
        if is_async:
            context.run(bound("share_event_loop"), self._stack)
        alone = contextlib.nullcontext() if is_async or way == "threads" else self._one_by_one
        each.thread = threading.Thread(
            target=context.run, args=(self._work, each, alone), name=f"segue step {step.key}", daemon=True
        )
        try:
            each.thread.start()
        except KeyboardInterrupt as error:  # the thread runs all the same: `poll` tells of both
            self._interrupt = error

    def _work(self, each: _Running, alone: contextlib.AbstractContextManager[object]) -> None:
        """In the thread of the attempt: runs it, and says how it ended."""
        made = each.made
        deadlines = self._scope.deadlines
        seconds = None if deadlines is None else deadlines.left(made.step_key, time.monotonic())
        told: StepOutcome | BaseException
        try:
            with alone, each.output or contextlib.nullcontext(), time_limit(made, seconds):
                told = execute_step(made)
        except KeyboardInterrupt as error:
            told = StepOutcome(error=error, failure_class=FailureClass.KILLED)
        except BaseException as error:  # noqa: BLE001 reason: the store cannot be written, which `poll` raises
            told = error
        self._ended.put((made.step_key, told))
        with contextlib.suppress(OSError):  # it is closed: nobody waits any more
            self._woken.send(b"x")

    def poll(self, timeout: float | None) -> Sequence[AttemptEnd]:
        """See `StepExecutor.poll`.

        Raises:
            StorageError: an attempt could not record what happened.
            KeyboardInterrupt: the user stopped the run.
        """
        if self._interrupt is not None:
            interrupt, self._interrupt = self._interrupt, None
            raise interrupt
        self._scope.sink.flush()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self._take_ended()
            left = None if deadline is None else deadline - time.monotonic()
            if found or (left is not None and left <= 0):
                return found
            again = self.seconds_left()
            wait = left if again is None else again if left is None else min(again, left)
            try:
                first = self._ended.get(timeout=wait)
            except queue.Empty:
                self._tell_stopped()
                continue
            self._ended.put(first)

    def seconds_left(self) -> float | None:
        """In how many seconds to look after attempts that are to stop; None where there are none."""
        return _AGAIN_SECONDS if any(each.stop_reason is not None for each in self._running.values()) else None

    def _take_ended(self) -> list[AttemptEnd]:
        """Those that have ended, or are given up."""
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass
        self._tell_stopped()
        found: list[AttemptEnd] = []
        while True:
            try:
                step_key, told = self._ended.get_nowait()
            except queue.Empty:
                break
            each = self._running.pop(step_key, None)
            if each is None:  # it was given up before
                continue
            self._record_output(each)
            if isinstance(told, BaseException):
                raise told
            found.append(self._end(each, told))
        now = time.monotonic()
        for each in [
            each for each in self._running.values() if each.stop_reason is not None and each.give_up_at <= now
        ]:
            del self._running[each.made.step_key]
            said = (
                f"The thread of step {each.made.step_key!r} did not end within {self._grace:g} seconds and is "
                "abandoned."
            )
            error = ExecutionInterruptedError(f"{said} It had been asked to stop: {each.stop_reason}")
            found.append(self._end(each, StepOutcome(error=error, failure_class=FailureClass.KILLED)))
        return found

    def _end(self, each: _Running, outcome: StepOutcome) -> AttemptEnd:
        self._given[each.made.step_key] = each
        return AttemptEnd(each.made.step_key, each.made.attempt, outcome)

    def _record_output(self, each: _Running) -> None:
        """Says where what an attempt wrote is kept."""
        if each.output is None:
            return
        captured = each.output.end()
        if captured is not None:
            self._scope.sink.emit(captured, each.made.step_key)
        if each.output.failed is not None:
            text = f"The stdout and stderr of the step could not be captured: {each.output.failed}"
            self._scope.sink.emit(LogMessageData(logging.WARNING, text), each.made.step_key)

    def stop(self, step_key: str, *, reason: str) -> None:
        """See `StepExecutor.stop`."""
        each = self._running.get(step_key)
        if each is not None and each.stop_reason is None:
            each.stop_reason, each.give_up_at = reason, time.monotonic() + self._grace
            self._tell_stopped()

    def _tell_stopped(self) -> None:
        """Raises in the threads that are to stop, as soon as they are in code of the user's."""
        for each in self._running.values():
            ident = None if each.thread is None else each.thread.ident
            if each.stop_reason is None or each.is_told or ident is None:
                continue
            if is_within_user_code(sys._current_frames().get(ident)):  # pyright: ignore[reportPrivateUsage] reason: the documented way to other threads' frames
                each.is_told = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(ident), ctypes.py_object(ExecutionInterruptedError)
                )

    def finish(self, step_key: str, recorded: Event | None, error: BaseException | None) -> None:
        """See `StepExecutor.finish`; hooks run here, while attempts go on in their threads."""
        each = self._given.pop(step_key, None)
        if each is None or not each.hooks:
            return
        if recorded is not None:
            each.made.events.append(recorded)
        run_hooks(each.made, each.hooks, error)

    def close(self) -> None:
        """See `StepExecutor.close`."""
        self._stack.close()
        self._wake.close()
        self._woken.close()


def _is_async(function: Callable[..., object]) -> bool:
    inner = inspect.unwrap(function)
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)
