"""Steps in the process and thread of the run, one after another."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from segue.defs.hook import HookDefinition
from segue.execute.attempt import StepAttempt
from segue.execute.executors.base import AttemptEnd
from segue.execute.failure import error_info
from segue.execute.hooks import hooks_of, run_hooks
from segue.execute.run_scope import RunScope
from segue.execute.step import execute_step
from segue.execute.tee import AttemptOutput, teed_streams
from segue.execute.time_limit import time_limit
from segue.model.event import Event, LogMessageData, StepFailureData
from segue.model.failure_class import FailureClass
from segue.plan.plan import PlanStep


class InlineExecutor:
    """Runs each attempt inside `start`.

    Args:
        scope: what the run's steps share.
    """

    capacity = 1

    def __init__(self, scope: RunScope) -> None:
        self._scope = scope
        self._ended: AttemptEnd | None = None
        self._attempt: StepAttempt | None = None
        self._hooks: Sequence[HookDefinition] = ()
        self._folder: Path | None = None
        self._streams = contextlib.ExitStack()
        if scope.instance.is_persistent:  # one in memory is gone before anybody could look
            self._folder = Path(scope.instance.steps.logs_of(scope.instance.root_directory, scope.run.run_id))
            self._streams.enter_context(teed_streams())

    def start(self, step: PlanStep, attempt: int) -> None:
        """See `StepExecutor.start`; the attempt has ended when this returns.

        Raises:
            KeyboardInterrupt: the user stopped the run; the failure of the step is recorded.
            StorageError: events could not be recorded.
        """
        made = self._attempt = StepAttempt(self._scope, step, attempt)
        hooks = self._hooks = hooks_of(self._scope, step)
        made.has_hooks = bool(hooks)
        deadlines = self._scope.deadlines
        seconds = None if deadlines is None else deadlines.left(step.key, time.monotonic())
        output = (
            None
            if self._folder is None
            else AttemptOutput(self._folder, step.key, attempt, self._scope.instance.steps.log_limit)
        )
        try:
            if output is None and seconds is None:
                outcome = execute_step(made)
            else:
                with output or contextlib.nullcontext(), time_limit(made, seconds):
                    outcome = execute_step(made)
        except KeyboardInterrupt as error:
            failed = StepFailureData(error_info(error), attempt, failure_class=FailureClass.KILLED)
            self._scope.sink.emit(failed, step.key)
            raise
        finally:
            if output is not None:
                self._record_output(output, step.key)
        self._ended = AttemptEnd(step.key, attempt, outcome)

    def _record_output(self, output: AttemptOutput, step_key: str) -> None:
        """Says where what an attempt wrote is kept."""
        captured = output.end()
        if captured is not None:
            self._scope.sink.emit(captured, step_key)
        if output.failed is not None:
            text = f"The stdout and stderr of the step could not be captured: {output.failed}"
            self._scope.sink.emit(LogMessageData(logging.WARNING, text), step_key)

    def poll(self, timeout: float | None) -> Sequence[AttemptEnd]:
        """See `StepExecutor.poll`; never waits."""
        del timeout  # what was started has ended
        ended, self._ended = self._ended, None
        return () if ended is None else (ended,)

    def stop(self, step_key: str, *, reason: str) -> None:
        """See `StepExecutor.stop`; there is never one to stop, since `start` returns when its attempt has ended."""
        raise AssertionError(f"{step_key!r} cannot be stopped ({reason}), because its attempt has ended.")

    def finish(self, step_key: str, recorded: Event | None, error: BaseException | None) -> None:
        """See `StepExecutor.finish`."""
        attempt, hooks = self._attempt, self._hooks
        if not hooks or attempt is None or attempt.step_key != step_key:
            return
        if recorded is not None:
            attempt.events.append(recorded)
        run_hooks(attempt, hooks, error)

    def close(self) -> None:
        """See `StepExecutor.close`: gives the streams of the process back."""
        self._streams.close()
