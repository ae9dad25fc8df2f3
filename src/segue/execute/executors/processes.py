"""Each attempt in a process of its own.

The coordinator runs no user code here: it has processes started, listens to them, keeps what they write and stops them.
Whatever a process does, its attempt ends: with the outcome that it tells, or with how it died.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from segue.channel import ChannelClosedError, Inbox, send
from segue.errors import ExecutionInterruptedError, ProcessHostError, SubprocessError
from segue.execute.capture import StepCapture, StreamCapture
from segue.execute.executors.base import AttemptEnd
from segue.execute.executors.deaths import Death, death_of, oom_kills
from segue.execute.executors.on_record import outputs_on_record
from segue.execute.failure import FailedAttempt
from segue.execute.run_scope import RunScope
from segue.execute.step import StepOutcome
from segue.model.event import ErrorInfo, Event
from segue.model.failure_class import FailureClass
from segue.model.lease import Fence
from segue.model.messages import (
    AttemptOutcome,
    Happened,
    Passed,
    ProcessEnded,
    ProcessStarted,
    Recorded,
    StepTask,
    TeardownFailed,
    decode_from_step,
    encode_message,
)
from segue.model.step_settings import LOG_LIMIT, STOP_GRACE
from segue.plan.plan import PlanStep, encode_step

_READ = 1 << 16
# those that are descriptors themselves, so that others can wait for them
_Selector: Any = getattr(selectors, "EpollSelector", None) or getattr(
    selectors, "KqueueSelector", selectors.DefaultSelector
)
_READS_AT_ONCE = 16  # of one stream, before others have their turn


class StepProcesses(Protocol):
    """What starts processes that have the user's code in them."""

    def fileno(self) -> int:
        """The descriptor that can be read when there are reports; -1 while nothing is there to report."""
        ...

    def start(self, number: int, task: bytes, descriptors: Sequence[int]) -> None:
        """Starts one that does a task; its socket, stdout and stderr are handed over.

        Raises:
            ProcessHostError: it cannot be started.
        """
        ...

    def reports(self) -> Sequence[ProcessStarted | ProcessEnded]:
        """Which were started (or not: `error`) and which have ended; never waits."""
        ...

    def signal(self, number: int, signal_number: int, *, to_group: bool = False) -> None:
        """Sends a signal to one, or to all that it has started as well."""
        ...

    def close(self) -> None:
        """Kills what is left."""
        ...


class ProcessSettings(msgspec.Struct, frozen=True):
    """How processes are run.

    Attributes:
        max_concurrent: how many at once.
        grace_seconds: how long one that is asked to stop may tidy up before it is killed.
        logs: the folder for what they write.
        log_limit: how many bytes of each stream of each attempt are kept.
    """

    max_concurrent: int
    logs: Path
    grace_seconds: float = STOP_GRACE
    log_limit: int = LOG_LIMIT


class _Running:
    """A process, what has been heard of it and what is still open."""

    def __init__(self, number: int, step: PlanStep, fence: Fence, capture: StepCapture) -> None:
        self.number, self.step, self.fence, self.capture = number, step, fence, capture
        self.channel, self.other = socket.socketpair()
        self.inbox = Inbox(self.channel)
        self.out, out = _pipe()
        self.err, err = _pipe()
        self.handed_over = (self.other.fileno(), out, err)
        self.outcome: AttemptOutcome | None = None
        self.stop_reason: str | None = None
        self.kill_at: float | None = None
        self.is_given = False  # by `poll`
        self.oom_kills = oom_kills()

    def let_go(self) -> None:
        """Closes what now belongs to the process."""
        self.other.close()
        for each in self.handed_over[1:]:
            os.close(each)


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    return read, write


class ProcessExecutor:
    """Runs each attempt in a process of its own.

    Args:
        scope: what the run's steps share, as far as the coordinator needs it.
        processes: what starts processes.
        settings: how they are run.
    """

    def __init__(self, scope: RunScope, processes: StepProcesses, settings: ProcessSettings) -> None:
        self._scope = scope
        self._processes = processes
        self._settings = settings
        self.capacity: int | None = settings.max_concurrent
        self._folder = settings.logs / scope.run.run_id
        self._by_number: dict[int, _Running] = {}
        self._by_key: dict[str, _Running] = {}
        self._next = 0
        self._ended: list[AttemptEnd] = []
        self._selector = _Selector()
        self._interrupt: KeyboardInterrupt | None = None  # that came while a process was started
        self._host: int | None = None  # the descriptor of `processes` that is listened to

    def fileno(self) -> int:
        """The descriptor that can be read when there is something for `poll` to do."""
        return self._selector.fileno()

    def seconds_left(self) -> float | None:
        """In how many seconds the next process is to be killed that was asked to stop; None where there is none."""
        ends = [each.kill_at for each in self._by_number.values() if each.kill_at is not None]
        return max(min(ends) - time.monotonic(), 0.0) if ends else None

    def start(self, step: PlanStep, attempt: int) -> None:
        """See `StepExecutor.start`.

        Raises:
            StorageError: events could not be recorded.
        """
        self._next += 1
        capture = StepCapture(self._folder, step.key, attempt, self._settings.log_limit)
        fence = self._scope.sink.open_step(self._scope.instance.store, step.key, attempt)
        each = _Running(self._next, step, fence, capture)
        limit = None if step.policy is None else step.policy.memory_bytes
        task = StepTask(step=encode_step(step), attempt=attempt, token=fence.token, memory_limit=limit)
        self._by_number[each.number] = self._by_key[step.key] = each
        for source, what in ((each.channel, None), (each.out, capture.out), (each.err, capture.err)):
            self._selector.register(source, selectors.EVENT_READ, (each, what))
        try:
            self._processes.start(each.number, encode_message(task), each.handed_over)
        except ProcessHostError as error:
            self._lost(each, str(error))
        except (
            KeyboardInterrupt
        ) as error:  # nobody knows whether it was started: what comes of it is not wanted any more
            self._lost(each, "the run was stopped while it was started.")
            self._interrupt = error
        finally:
            each.let_go()
        self._listen_to_host()

    def poll(self, timeout: float | None) -> Sequence[AttemptEnd]:
        """See `StepExecutor.poll`.

        Raises:
            StorageError: events could not be recorded.
        """
        if self._interrupt is not None:
            interrupt, self._interrupt = self._interrupt, None
            raise interrupt
        self._scope.sink.flush()
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ended:
            left = None if deadline is None else deadline - time.monotonic()
            self._turn(None if left is None else max(left, 0.0))
            if left is not None and left <= 0:
                break
        ended, self._ended = self._ended, []
        return ended

    def stop(self, step_key: str, *, reason: str) -> None:
        """See `StepExecutor.stop`: SIGTERM, and after the grace period SIGKILL to it and all it has started."""
        each = self._by_key.get(step_key)
        if each is not None and each.stop_reason is None:
            each.stop_reason = reason
            each.kill_at = time.monotonic() + self._settings.grace_seconds
            self._processes.signal(each.number, signal.SIGTERM)

    def finish(self, step_key: str, recorded: Event | None, error: BaseException | None) -> None:
        """See `StepExecutor.finish`: the process is told, and runs its hooks while others go on."""
        del error  # it was raised there
        each = self._by_key.pop(step_key, None)
        if each is not None and each.number in self._by_number:
            self._scope.sink.flush()
            with contextlib.suppress(ChannelClosedError):  # it is gone, and its hooks with it
                send(each.channel, encode_message(Recorded(event=recorded)))

    def close(self) -> None:
        """See `StepExecutor.close`: waits for hooks that still run, and kills attempts that nobody waits for."""
        try:
            while any(each.is_given for each in self._by_number.values()):
                self._turn(None)
        finally:
            self._processes.close()
            for each in list(self._by_number.values()):
                self._give_back(each)
            self._selector.close()

    def _listen_to_host(self) -> None:
        """Listens to who starts the processes; it may be another one than before."""
        descriptor = self._processes.fileno()
        if self._host is None and descriptor >= 0:
            self._selector.register(descriptor, selectors.EVENT_READ)
            self._host = descriptor

    def _turn(self, seconds: float | None) -> None:
        """Waits for the next thing to happen, and does what follows from it."""
        left = self.seconds_left()
        if left is not None:
            seconds = left if seconds is None else min(left, seconds)
        hears_host = False
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                hears_host = True
                continue
            each, stream = key.data
            if stream is None:
                self._hear(each)
            else:
                self._drain(key.fd, stream, _READS_AT_ONCE)
        if hears_host:  # last: what a process said before it ended has been heard then
            self._hear_host()
        now = time.monotonic()
        for each in self._by_number.values():
            if each.kill_at is not None and each.kill_at <= now:
                each.kill_at = None
                self._processes.signal(each.number, signal.SIGKILL, to_group=True)

    def _hear_host(self) -> None:
        reports = self._processes.reports()
        if self._processes.fileno() < 0 and self._host is not None:  # it is gone; the next start begins another one
            self._selector.unregister(self._host)
            self._host = None
        for report in reports:
            each = self._by_number.get(report.number)
            if each is None:
                continue
            if isinstance(report, ProcessEnded):
                self._end(each, report)
            elif report.error is not None:
                self._lost(each, report.error)

    def _hear(self, each: _Running) -> None:
        """Takes what a process says."""
        for data in each.inbox.messages():
            message = decode_from_step.decode(data)
            if isinstance(message, Happened):
                for event in message.events:
                    self._scope.sink.show(event)
            elif isinstance(message, Passed):
                for event in message.events:
                    self._scope.sink.take(event)
            elif isinstance(message, TeardownFailed):
                self._scope.torn = message
            else:
                each.outcome = message
                if message.waits:
                    self._give(each, self._told(each, message))
        if each.inbox.is_closed:
            with contextlib.suppress(KeyError):
                self._selector.unregister(each.channel)

    def _drain(self, descriptor: int, stream: StreamCapture, times: int) -> None:
        """Takes what a process has written; at the end of the stream, or after so many times, stops."""
        for _ in range(times):
            try:
                data = os.read(descriptor, _READ)
            except BlockingIOError:
                return
            if not data:
                self._selector.unregister(descriptor)
                return
            stream.take(data)
            if len(data) < _READ // 16:
                return

    def _end(self, each: _Running, report: ProcessEnded) -> None:
        """The process is gone: takes what it said and wrote last, and says how its attempt ended."""
        self._hear(each)
        for descriptor, stream in ((each.out, each.capture.out), (each.err, each.capture.err)):
            with contextlib.suppress(KeyError):
                self._selector.get_key(descriptor)
                self._drain(descriptor, stream, self._settings.log_limit // _READ + _READS_AT_ONCE)
        self._give_back(each)
        if each.is_given:
            return
        if each.outcome is not None:
            self._give(each, self._told(each, each.outcome))
        else:
            self._give(each, self._died(each, death_of(report, each.oom_kills)))

    def _lost(self, each: _Running, why: str) -> None:
        """The process was never there, or nobody can tell what became of it."""
        self._give_back(each)
        if not each.is_given:
            self._give(each, self._died(each, Death(f"was lost: {why}", FailureClass.PLATFORM)))

    def _give_back(self, each: _Running) -> None:
        """Closes what was open for a process, and records what it wrote."""
        del self._by_number[each.number]
        for source in (each.channel, each.out, each.err):
            with contextlib.suppress(KeyError):
                self._selector.unregister(source)
        each.channel.close()
        os.close(each.out)
        os.close(each.err)
        captured = each.capture.end()
        if captured is not None:
            self._scope.sink.emit(captured, each.step.key)

    def _give(self, each: _Running, outcome: StepOutcome) -> None:
        each.is_given = True
        assert each.fence.attempt is not None  # it is the lease of an attempt
        self._ended.append(AttemptEnd(each.step.key, each.fence.attempt, outcome))

    def _told(self, each: _Running, said: AttemptOutcome) -> StepOutcome:
        """The outcome as the process told it."""
        outputs = frozenset(said.outputs)
        if said.error is None:
            return StepOutcome(outputs=outputs, mapping_keys=said.mapping_keys)
        self._revoke(each)
        error: BaseException = SubprocessError(
            said.error.message, subprocess_error_infos=[said.error], step_key=each.step.key
        )
        if each.stop_reason is not None:
            error = ExecutionInterruptedError(each.stop_reason)
        return StepOutcome(
            outputs=outputs,
            error=error,
            retryable=said.retryable,
            requested=said.requested,
            failure_class=said.failure_class,
            usage=said.usage,
            failure=FailedAttempt(said.error, said.said, said.is_unforeseen, said.failure_class, said.io_side),
        )

    def _died(self, each: _Running, death: Death) -> StepOutcome:
        """The outcome of a process that did not live to tell one: what it recorded last still counts."""
        if not self._revoke(each):
            return outputs_on_record(self._scope, each.step.key)
        message = f"The process of step {each.step.key!r} {death.how}"
        if each.stop_reason is not None:
            message = f"{message} It had been asked to stop: {each.stop_reason}"
        info = ErrorInfo(f"{SubprocessError.__name__}: {message}", SubprocessError.__name__)
        error = SubprocessError(message, subprocess_error_infos=[info], step_key=each.step.key)
        return StepOutcome(
            error=error,
            failure_class=death.failure_class,
            failure=FailedAttempt(info, failure_class=death.failure_class),
        )

    def _revoke(self, each: _Running) -> bool:
        """Sees to it that the process writes nothing more; False where it has recorded its success before."""
        return self._scope.instance.store.revoke_step(each.fence)
