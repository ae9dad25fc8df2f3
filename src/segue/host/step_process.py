"""One attempt of one step, in a process of its own: made ready before the fork, executed after it."""

from __future__ import annotations

import contextlib
import pickle
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from segue.channel import receive, send
from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.defs.hook import HookDefinition
from segue.defs.instance import Instance
from segue.defs.log import running
from segue.execute.attempt import StepAttempt
from segue.execute.failure import error_info, shown_text
from segue.execute.failure_facts import failure_class
from segue.execute.hooks import hooks_of, run_hooks
from segue.execute.interrupts import raise_execution_interrupts
from segue.execute.run_claims import within
from segue.execute.run_scope import JobSide, RunScope
from segue.execute.set_up import set_up_for, tear_down
from segue.execute.sink import EventSink
from segue.execute.step import StepOutcome, execute_step
from segue.host.instances import local_instance
from segue.host.memory_limit import explained, limit_memory
from segue.host.partitions import listed_for_plan
from segue.host.recording import run_partitions
from segue.host.run_definitions import described_for_run
from segue.model.event import Event
from segue.model.failure_class import FailureClass
from segue.model.lease import Fence
from segue.model.messages import (
    AttemptOutcome,
    Happened,
    Passed,
    PrepareRun,
    StepTask,
    TeardownFailed,
    decode_recorded,
    encode_message,
)
from segue.plan.plan import Plan, PlanStep, decode_plan, decode_step


class PreparedRun(msgspec.Struct, frozen=True):
    """What all steps of a run need and no step changes.

    Attributes:
        message: what the coordinator said of the run.
        described: the definitions.
        plan: the plan.
        config: the config.
    """

    message: PrepareRun
    described: Described
    plan: Plan
    config: Mapping[str, Any]


def prepare(definitions: Definitions, message: PrepareRun) -> PreparedRun:
    """Makes ready what can be shared, so that each process finds it done."""
    config: Mapping[str, Any] = pickle.loads(message.config)
    described = described_for_run(definitions, message.run.job_name)
    return PreparedRun(message, described, decode_plan(message.plan), config)


def run_task(prepared: PreparedRun, task: StepTask, channel: socket.socket) -> None:
    """Executes one attempt and says on the channel how it ended.

    Whatever goes wrong is told as the failure of the attempt; only a coordinator that is gone raises.

    Raises:
        ChannelClosedError: nobody is there any more to hear it.
    """
    with raise_execution_interrupts():
        try:
            attempt = _Attempt(prepared, task, channel)
        except BaseException as error:  # noqa: BLE001 reason: told to the coordinator
            _tell(channel, StepOutcome(error=error))
            return
        attempt.run()


class _Attempt:
    """An attempt with what it has opened."""

    def __init__(self, prepared: PreparedRun, task: StepTask, channel: socket.socket) -> None:
        if task.memory_limit is not None:
            limit_memory(task.memory_limit)
        self.task = task
        self.channel = channel
        self.within = prepared.message.within
        self.step: PlanStep = decode_step(task.step)
        message = prepared.message
        self.instance = local_instance(
            message.home, message.storage_directory, message.concurrency, message.database, message.artifacts
        )
        run = message.run
        self.sink = EventSink(self.instance.store, run.run_id, (), run.job_name)
        if message.is_watched:
            self.sink.tell_written(self._forward)
        self.sink.start_step(Fence(run.run_id, task.token, self.step.key, task.attempt))
        self.sink.has_loggers_elsewhere = bool(prepared.config.get("loggers"))
        self.scope = _scope(prepared, self.step, self.instance, self.sink)
        self.stack = contextlib.ExitStack()

    def _forward(self, events: Sequence[Event]) -> None:
        send(self.channel, encode_message(Happened(events=tuple(events))))

    def _pass(self, events: Sequence[Event]) -> None:
        send(self.channel, encode_message(Passed(events=tuple(events))))

    def run(self) -> None:
        token, around = running.set(self.scope), within.set(self.within)
        hooks = hooks_of(self.scope, self.step)
        made = StepAttempt(self.scope, self.step, self.task.attempt)
        made.has_hooks = bool(hooks)
        try:
            outcome = self._execute(made)
            self.sink.hold()
            if hooks:
                self._run_hooks(made, hooks, outcome)
                self._close()
            else:
                failure = self._close()
                _tell(self.channel, outcome if failure is None or outcome.error is not None else failure)
        finally:
            running.reset(token)
            within.reset(around)

    def _execute(self, made: StepAttempt) -> StepOutcome:
        """Sets up what the step needs, and runs it."""
        try:
            error = set_up_for([self.step], self.scope, self.stack, self.step.key)
            outcome = self._failed(error) if error is not None else execute_step(made)
        except BaseException as raised:  # noqa: BLE001 reason: told to the coordinator
            return self._failed(raised)
        if isinstance(outcome.error, MemoryError) and self.task.memory_limit is not None:
            outcome = msgspec.structs.replace(outcome, error=explained(outcome.error, self.task.memory_limit))
        return outcome

    def _run_hooks(self, made: StepAttempt, hooks: Sequence[HookDefinition], outcome: StepOutcome) -> None:
        """Says how it ended, and once that is recorded runs the hooks."""
        self.sink.flush()
        _tell(self.channel, outcome, waits=True)
        self.sink.pass_on_to(self._pass)
        recorded = decode_recorded.decode(receive(self.channel)[0]).event
        if recorded is not None:
            made.events.append(recorded)
        with contextlib.suppress(KeyboardInterrupt):  # the step is recorded: what is stopped are the hooks
            run_hooks(made, hooks, outcome.error)

    def _close(self) -> StepOutcome | None:
        """Tears down what was set up and writes what is left; gives back what went wrong."""
        try:
            torn = tear_down(self.sink, self.stack)
            self.sink.flush()
            if torn is not None:
                cause = torn.__cause__ or torn
                found = failure_class(cause, self.scope.described.failure_rules)
                said = TeardownFailed(message=shown_text(torn), error=error_info(cause), failure_class=found)
                send(self.channel, encode_message(said))
        except BaseException as error:  # noqa: BLE001 reason: told to the coordinator
            return self._failed(error)
        return None

    def _failed(self, error: BaseException) -> StepOutcome:
        """The outcome of what was raised outside of the step itself, or because it was stopped."""
        if isinstance(error, KeyboardInterrupt):
            return StepOutcome(error=error, failure_class=FailureClass.KILLED)
        found = failure_class(error.__cause__ or error, self.scope.described.failure_rules)
        return StepOutcome(error=error, failure_class=found)


def _scope(prepared: PreparedRun, step: PlanStep, instance: Instance, sink: EventSink) -> RunScope:
    """What the steps of the run share, as far as this one needs it."""
    message, plan, described = prepared.message, prepared.plan, prepared.described
    now = datetime.fromtimestamp(message.now, UTC)
    job = described.jobs.get(message.run.job_name)
    meant = plan if plan.partition_start is not None else msgspec.structs.replace(plan, steps=(step,))
    described = listed_for_plan(described, meant, now, instance)
    return RunScope(
        described=described,
        run=message.run,
        instance=instance,
        sink=sink,
        run_config=prepared.config,
        partitions=run_partitions(meant, described, job, instance, now),
        now=now,
        capture=None,
        job_side=JobSide(input_values={} if job is None else job.input_values, finished_in=message.finished_in),
    )


def _tell(channel: socket.socket, outcome: StepOutcome, *, waits: bool = False) -> None:
    """Says how the attempt ended."""
    failed = outcome.failed
    said = AttemptOutcome(
        outputs=tuple(outcome.outputs),
        mapping_keys=dict(outcome.mapping_keys),
        error=None if failed is None else failed.error,
        said=None if failed is None else failed.said,
        is_unforeseen=failed is not None and failed.is_unforeseen,
        failure_class=outcome.failure_class,
        usage=outcome.usage,
        retryable=outcome.retryable,
        requested=outcome.requested,
        waits=waits,
        io_side=outcome.io_side,
    )
    send(channel, encode_message(said))
