"""The loop over the steps of one run: what can start is started, what has ended says what can start next."""

from __future__ import annotations

import heapq
import math
import random
import time
from collections.abc import Mapping, Sequence, Set

import msgspec

from segue.errors import ExecutionInterruptedError, StepTimeoutError
from segue.execute.executors.base import AttemptEnd, StartGate, StepExecutor
from segue.execute.failure import failed_attempt
from segue.execute.run_scope import RunScope
from segue.execute.step import StepOutcome
from segue.execute.time_limit import timed_out, was_interrupted
from segue.model.approval import ApprovalAnswer, ApprovalWanted
from segue.model.event import (
    ErrorInfo,
    Event,
    LogMessageData,
    StepFailureData,
    StepRetryData,
    StepSkippedData,
)
from segue.model.failure_class import FailureClass
from segue.model.run import RunStatus
from segue.model.tag_limit import TagLimit
from segue.plan.deadlines import Deadlines
from segue.plan.instructions import (
    AbandonStep,
    AwaitApproval,
    FailStep,
    FinishedStep,
    Instruction,
    RefuseStep,
    SkipStep,
    StartStep,
    StepFailed,
    StepSucceeded,
)
from segue.plan.limits import has_room
from segue.plan.plan import Plan, PlanStep
from segue.plan.state import RunProgress

_INFO_LEVEL, _ERROR_LEVEL = 20, 40
_UNTIL_ONE_ENDS = math.inf
BETWEEN_QUESTIONS = 1.0
"""Seconds after which it is asked again whether the run is to be canceled."""

_Waiting = tuple[float, tuple[int, ...], StartStep]
"""When a start is due (monotonic time; 0 for at once), its place in the plan, and what is to start."""


class RunResult(msgspec.Struct, frozen=True):
    """How a run ended.

    Attributes:
        error: the exception of the first step that failed, or the ResourceFunctionError of a resource; None when all is well.
        failed_steps: the steps that failed, in order of the plan.
        failure_class: what sort of failure that of the first step was.
        out_of_time: what to say of a run that took too long.
        awaiting: the steps that wait for a person, of a run that is to be suspended.
    """

    error: BaseException | None = None
    failed_steps: tuple[str, ...] = ()
    failure_class: FailureClass | None = None
    out_of_time: str | None = None
    awaiting: tuple[ApprovalWanted, ...] = ()

    @property
    def success(self) -> bool:
        """Whether it ended well."""
        return self.error is None and not self.failed_steps and not self.awaiting


class LoopLimits(msgspec.Struct, frozen=True):
    """What keeps steps that are ready from starting.

    Attributes:
        gate: asked before each start; None where nothing outside of the run limits it.
        tag_limits: how many steps with some tag may run at once in this run.
        retries: whether failed steps are tried again at all.
        requires_success: whether a step waits for the success of those that it depends on; if not, for their outputs only.
        run_seconds: how long the run may take; None for as long as it takes.
        run_started: since when it takes that long (monotonic time), resources that were set up included; None for now.
        failed: the steps that failed before the run was suspended.
        answers: what people said of steps that need an approval; None where nobody is asked.
    """

    gate: StartGate | None = None
    tag_limits: tuple[TagLimit, ...] = ()
    retries: bool = True
    requires_success: bool = True
    run_seconds: float | None = None
    run_started: float | None = None
    failed: Set[str] = frozenset()
    answers: Mapping[str, ApprovalAnswer] | None = None


class Execution:
    """The steps of one run, executed.

    Args:
        plan: what to do.
        scope: what the steps share.
        finished: steps that an earlier run brought to a good end.
        executor: runs attempts.
        limits: what keeps steps from starting.
    """

    def __init__(
        self,
        plan: Plan,
        scope: RunScope,
        finished: Mapping[str, FinishedStep],
        executor: StepExecutor,
        limits: LoopLimits | None = None,
    ) -> None:
        self._scope = scope
        self._sink = scope.sink
        self._limits = limits or LoopLimits()
        self._progress = RunProgress(
            plan,
            finished,
            requires_success=self._limits.requires_success,
            failed=self._limits.failed,
            answers=self._limits.answers,
        )
        self._awaiting: dict[str, ApprovalWanted] = {}
        self._executor = executor
        self._is_limited = self._limits.gate is not None or bool(self._limits.tag_limits)
        self._running: dict[str, int] = {}
        self._ready: list[_Waiting] = []
        self._held: list[_Waiting] = []  # ready, and not let in; with the time at which to ask again
        self._first_error: BaseException | None = None
        self._first_class: FailureClass | None = None
        self._ended = False
        self._asked_at = time.monotonic()
        self._must_ask = scope.instance.store.lease_seconds is not None  # then nobody can send it a signal
        self._out_of_time: str | None = None
        seconds = self._limits.run_seconds
        if seconds is not None or any(step.policy is not None and step.policy.seconds for step in plan.steps):
            started = self._limits.run_started
            scope.deadlines = Deadlines(seconds, time.monotonic() if started is None else started)
        self._deadlines = scope.deadlines
        self._last: Event | None = None  # how the attempt that ended last was recorded, where it failed

    def run(self) -> RunResult:
        """Starts what can start, until the run has ended.

        Raises:
            KeyboardInterrupt: the user stopped the run; the steps that ran have ended, and their failure is recorded.
            StorageError: events could not be recorded.
        """
        try:
            self._carry_out(self._progress.begin(), None)
            if self._deadlines is not None:  # setting up resources may have taken all the time of the run
                self._stop_overdue(self._deadlines, time.monotonic())
            while not self._ended:
                wait = self._start_due()
                if self._deadlines is not None:
                    wait = self._until_next_deadline(self._deadlines, wait)
                if self._must_ask:
                    wait = BETWEEN_QUESTIONS if wait is None else min(wait, BETWEEN_QUESTIONS)
                for end in self._executor.poll(wait) if self._running else self._rest(wait):
                    self._take(end)
                now = time.monotonic()
                if self._deadlines is not None:
                    self._stop_overdue(self._deadlines, now)
                if now - self._asked_at > BETWEEN_QUESTIONS:
                    self._require_not_canceled(now)
        except KeyboardInterrupt as error:
            self._stop_running(error)
            raise
        if self._out_of_time is not None:
            error = self._first_error or StepTimeoutError(self._out_of_time)
            return RunResult(error, self._progress.failed_steps, FailureClass.TIMEOUT, self._out_of_time)
        awaiting = tuple(self._awaiting.values())
        return RunResult(self._first_error, self._progress.failed_steps, self._first_class, awaiting=awaiting)

    def _require_not_canceled(self, now: float) -> None:
        """Ends the run as an interrupt does, when somebody asked for that who cannot send one."""
        self._asked_at = now
        run = self._scope.instance.store.get_run(self._scope.run.run_id)
        if run is not None and run.status is RunStatus.CANCELING:
            raise ExecutionInterruptedError("The run was canceled.")

    def _until_next_deadline(self, deadlines: Deadlines, wait: float | None) -> float | None:
        """The lesser of a wait and the time to the next deadline."""
        left = deadlines.next_in(time.monotonic())
        return wait if left is None or (wait is not None and wait < left) else left

    def _stop_overdue(self, deadlines: Deadlines, now: float) -> None:
        """Stops the attempts whose time is over; when that of the run is, nothing starts any more."""
        for each in deadlines.overdue(now):
            self._executor.stop(each.step_key, reason=each.reason)
        if self._ended:
            return
        self._out_of_time = self._out_of_time or deadlines.run_is_over(now)
        if self._out_of_time is not None:
            self._ready.clear()
            self._held.clear()
            self._ended = not self._running

    def _start_due(self) -> float | None:
        """Starts what is due and has room; gives back in how many seconds to look again, None when nothing waits for time."""
        if self._held:
            self._ask_again(time.monotonic())
        capacity = self._executor.capacity
        while self._ready and (capacity is None or len(self._running) < capacity):
            due = self._ready[0][0]
            if due and due > time.monotonic():
                break
            _, place, start = heapq.heappop(self._ready)
            step = self._progress.steps[start.step_key]
            if self._is_limited:
                again = self._held_for(step, start.attempt)
                if again is not None:
                    self._held.append((time.monotonic() + again, place, start))
                    continue
            self._start(step, start.attempt)
        times = [each[0] for each in self._held if each[0] != _UNTIL_ONE_ENDS]
        if self._ready and (capacity is None or len(self._running) < capacity):
            times.append(self._ready[0][0])
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _start(self, step: PlanStep, attempt: int) -> None:
        self._running[step.key] = attempt
        if self._deadlines is not None:
            self._deadlines.start(step.key, None if step.policy is None else step.policy.seconds, time.monotonic())
        try:
            self._executor.start(step, attempt)
        except BaseException:
            self._gone(step.key)
            raise

    def _gone(self, step_key: str) -> None:
        """An attempt does not run any more."""
        attempt = self._running.pop(step_key)
        if self._limits.gate is not None:
            self._limits.gate.ended(self._progress.steps[step_key], attempt)

    def _held_for(self, step: PlanStep, attempt: int) -> float | None:
        """In how many seconds to ask again whether a step may start; None when it may."""
        limits = self._limits
        if limits.tag_limits:
            running = [self._scope.tags_of(self._progress.steps[key]) for key in self._running]
            if not has_room(limits.tag_limits, self._scope.tags_of(step), running):
                return _UNTIL_ONE_ENDS
        return None if limits.gate is None else limits.gate.ask(step, attempt)

    def _ask_again(self, now: float) -> None:
        """Puts the steps back among those that are ready whose time to ask again has come."""
        for each in [each for each in self._held if each[0] <= now]:
            self._held.remove(each)
            heapq.heappush(self._ready, (0.0, *each[1:]))

    def _rest(self, seconds: float | None) -> Sequence[AttemptEnd]:
        """Waits for the time of the next attempt, with nothing running."""
        self._sink.flush()
        time.sleep(seconds or 0.0)
        return ()

    def _take(self, end: AttemptEnd) -> None:
        """Records how an attempt ended, and what follows from it."""
        key, outcome, error = end.step_key, end.outcome, end.outcome.error
        self._gone(key)
        if self._held:
            self._ask_again(_UNTIL_ONE_ENDS)
        if error is None:
            if self._deadlines is not None:
                self._deadlines.end(key, False)
            self._executor.finish(key, None, None)
            self._carry_out(self._progress.handle(StepSucceeded(key, outcome.outputs, outcome.mapping_keys)), outcome)
            return
        is_retryable = outcome.retryable and self._limits.retries
        if self._deadlines is not None:
            reason = self._deadlines.end(key, was_interrupted(outcome))
            outcome = outcome if reason is None else timed_out(outcome, reason)
            is_retryable = is_retryable and self._deadlines.run_is_over(time.monotonic()) is None
        found = outcome.failure_class
        fact = StepFailed(key, is_retryable, outcome.requested, random.random(), found, outcome.outputs)
        self._carry_out(self._progress.handle(fact), outcome)
        self._executor.finish(key, self._last, error)

    def _carry_out(self, instructions: Sequence[Instruction], outcome: StepOutcome | None) -> None:
        for each in instructions:
            if isinstance(each, StartStep):
                self._make_ready(each, outcome)
            elif isinstance(each, FailStep):
                if outcome is not None:
                    self._fail(each.step_key, each.attempt, outcome)
            elif isinstance(each, SkipStep):
                self._sink.emit(LogMessageData(_INFO_LEVEL, f"Skipped. {each.reason}"), each.step_key)
                self._sink.emit(StepSkippedData(each.reason), each.step_key)
            elif isinstance(each, AbandonStep):
                names = ", ".join(each.failed_steps)
                message = f"Not started, because these upstream steps failed: {names}."
                self._sink.emit(LogMessageData(_ERROR_LEVEL, message), each.step_key)
            elif isinstance(each, AwaitApproval):
                self._awaiting[each.step_key] = ApprovalWanted(each.step_key, each.question)
                self._sink.emit(LogMessageData(_INFO_LEVEL, f"Waits for a person: {each.question}"), each.step_key)
            elif isinstance(each, RefuseStep):
                why = f": {each.answer.text}" if each.answer.text else "."
                error = ErrorInfo(f"{each.answer.by} did not approve the step{why}", "ApprovalRefused")
                self._sink.emit(StepFailureData(error), each.step_key)
            else:
                self._ended = True

    def _make_ready(self, start: StartStep, outcome: StepOutcome | None) -> None:
        """Takes a step among those that are ready; one that failed is recorded as to be tried again."""
        due = 0.0
        failed = None if start.attempt == 1 or outcome is None else outcome.failed
        if failed is not None:
            again = StepRetryData(start.attempt - 1, start.delay, failed.error, failed.failure_class)
            self._last = self._sink.emit(again, start.step_key)
            due = time.monotonic() + start.delay
            if self._is_limited:
                self._sink.flush()  # what the attempt held goes with the record of its end, and others wait for it
        heapq.heappush(self._ready, (due, self._progress.rank(start.step_key), start))

    def _fail(self, step_key: str, attempt: int, outcome: StepOutcome) -> None:
        """Records that a step failed for good."""
        failed = outcome.failed
        if failed is None:
            return
        self._first_error = self._first_error or outcome.error
        self._first_class = self._first_class or failed.failure_class
        unforeseen, found, usage = failed.is_unforeseen, failed.failure_class, outcome.usage
        payload = StepFailureData(failed.error, attempt, failed.said, unforeseen, found, usage, failed.io_side)
        self._last = self._sink.emit(payload, step_key)
        self._sink.flush()

    def _stop_running(self, error: KeyboardInterrupt) -> None:
        """Ends what runs because the run was stopped, and records it; a second interrupt ends it the hard way."""
        try:
            for key in self._running:
                self._executor.stop(key, reason=str(error) or "The run was stopped.")
            while self._running:
                for end in self._executor.poll(None):
                    self._gone(end.step_key)
                    if end.outcome.error is not None:
                        self._fail(end.step_key, end.attempt, end.outcome)
                    self._executor.finish(end.step_key, self._last, end.outcome.error)
        finally:
            failed = failed_attempt(error)
            for key, attempt in self._running.items():
                self._sink.emit(StepFailureData(failed.error, attempt, failure_class=FailureClass.KILLED), key)
