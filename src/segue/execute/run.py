"""One run, from its first event to its last: `RunProgress` says what to do, this does it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from segue.defs.log import running
from segue.errors import ResourceFunctionError, SegueError, StorageError
from segue.execute.claim_gate import gate_of
from segue.execute.executors.base import StepExecutor
from segue.execute.executors.placement import IN_PROCESS, Placement
from segue.execute.failure import error_info, shown_text
from segue.execute.failure_facts import failure_class
from segue.execute.interrupts import raise_execution_interrupts
from segue.execute.loggers import start_loggers
from segue.execute.loop import Execution, RunResult
from segue.execute.run_claims import RunClaims, abandon, claims_of_run, wait_for_claims, within
from segue.execute.run_scope import RunScope
from segue.execute.set_up import set_up_for, tear_down
from segue.execute.watched_lease import watched_lease
from segue.model.event import (
    EngineEventData,
    LogMessageData,
    RunCanceledData,
    RunFailureData,
    RunStartData,
    RunSuccessData,
)
from segue.model.failure_class import FailureClass
from segue.model.run import FailureReason
from segue.model.run_events import RunSuspendedData
from segue.output_copies import OutputCopier
from segue.plan.deadlines import run_seconds
from segue.plan.instructions import FinishedStep
from segue.plan.plan import Plan


@raise_execution_interrupts()
def execute_run(
    plan: Plan,
    scope: RunScope,
    finished: Mapping[str, FinishedStep] | None = None,
    placement: Placement = IN_PROCESS,
) -> RunResult:
    """Executes the steps of a plan.

    Args:
        plan: what to do.
        scope: the definitions, the run and where it is recorded.
        finished: steps that an earlier run brought to a good end, with the outputs they gave.
        placement: where the steps are executed.

    Returns:
        How it ended; every event of it is stored.

    Raises:
        KeyboardInterrupt: the user stopped it; the run is recorded as canceled.
        StorageError: events could not be recorded.
    """
    sink, finished = scope.sink, finished or {}
    token, around = running.set(scope), within.set((*within.get(), scope.run.run_id))
    try:
        start_loggers(scope)
        sink.emit(RunStartData(scope.instance.store.worker()))
        count = sum(step.key not in finished for step in plan.steps)
        sink.emit(EngineEventData(f"Executing {count} steps {placement.where}."))
        claims = claims_of_run(plan, scope, finished)
        has_claims = sink.start(None if claims is None else claims.request)
        with watched_lease(scope.instance.store, sink.fence):
            result = _run_with_resources(plan, scope, finished, placement, None if has_claims else claims)
            sink.flush()
    except StorageError:
        abandon(scope.run.run_id)
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # not from user code: whoever looks must not take the run for one that goes on
        message, platform = f"The run could not be continued: {error!r}", FailureClass.PLATFORM
        sink.end(RunFailureData(FailureReason.PLATFORM, message, error=error_info(error), failure_class=platform))
        raise
    finally:
        if sink.fence is not None:  # its end is not recorded
            scope.instance.store.give_up(scope.run.run_id)
        running.reset(token)
        within.reset(around)
    return result


def _run_with_resources(
    plan: Plan,
    scope: RunScope,
    finished: Mapping[str, FinishedStep],
    placement: Placement,
    missing: RunClaims | None,
) -> RunResult:
    """Waits for claims that are missing, sets up, executes, tears down whatever happens, and says how it ended."""
    sink, stack = scope.sink, contextlib.ExitStack()
    try:
        refused = None if missing is None else wait_for_claims(missing, scope)
        if refused is not None:
            sink.emit(refused.payload)
            return RunResult(refused.error)
        started = time.monotonic()  # what it waited for others is not its own time
        here = [step for step in plan.steps if step.key not in finished and placement.is_here(step)]
        step_key = plan.steps[0].key if len(plan.steps) == 1 else None
        failure = set_up_for(here, scope, stack, step_key) if here or not plan.steps else None
        result = _execute(plan, scope, finished, placement, started) if failure is None else RunResult(failure)
        torn = tear_down(sink, stack)
    except KeyboardInterrupt:
        tear_down(sink, stack)
        sink.emit(RunCanceledData("Interrupted by the user."))
        sink.flush()
        raise
    except BaseException:
        tear_down(sink, stack)
        raise
    if failure is None:
        sink.emit(EngineEventData(f"Finished steps {placement.where}."))
    sink.emit(_end(scope, result, failure or torn))
    if torn is None and scope.torn is not None:
        torn = ResourceFunctionError(scope.torn.message)
    return msgspec.structs.replace(result, error=result.error or torn)


def _end(
    scope: RunScope, result: RunResult, failure: SegueError | None
) -> RunSuccessData | RunFailureData | RunSuspendedData:
    """The event that ends or suspends the run: failed steps say more than a resource that did, here or in the process of a step."""
    if result.awaiting and not result.out_of_time and failure is None and scope.torn is None:
        return RunSuspendedData(result.awaiting)
    if result.failed_steps or result.out_of_time:
        steps = ", ".join(result.failed_steps) or "none"
        message = f"{result.out_of_time or f'Run of {scope.run.job_name} failed.'} Steps failed: {steps}."
        error = None if result.error is None else error_info(result.error)
        failed = result.failed_steps
        answers = scope.answers or {}
        is_refused = any(key in answers and not answers[key].is_given for key in failed)
        reason = FailureReason.REFUSED if is_refused else FailureReason.STEP_FAILURE
        return RunFailureData(reason, message, failed, error, result.failure_class)
    if failure is not None:
        cause = failure.__cause__ or failure
        found = failure_class(cause, scope.described.failure_rules)
        return RunFailureData(FailureReason.RESOURCE_FAILURE, shown_text(failure), (), error_info(cause), found)
    if scope.torn is not None:
        torn = scope.torn
        return RunFailureData(FailureReason.RESOURCE_FAILURE, torn.message, (), torn.error, torn.failure_class)
    return RunSuccessData()


def _execute(
    plan: Plan, scope: RunScope, finished: Mapping[str, FinishedStep], placement: Placement, started: float
) -> RunResult:
    """Runs the steps in the executor of the run."""
    with _copied_output(scope):  # around the executor, which closes the files
        executor = placement.make(scope)
        try:
            return _in_executor(executor, plan, scope, finished, placement, started)
        finally:
            executor.close()


def _copied_output(scope: RunScope) -> contextlib.AbstractContextManager[object]:
    """A `with` block in which what steps write is copied to where the settings say."""
    instance, run_id = scope.instance, scope.run.run_id
    url = instance.steps.logs_url_of(run_id)
    if url is None or not instance.is_persistent:
        return contextlib.nullcontext()
    folder = Path(instance.steps.logs_of(instance.root_directory, run_id))
    return OutputCopier(folder, url, lambda text: scope.sink.emit(LogMessageData(logging.WARNING, text)))


def _in_executor(
    executor: StepExecutor,
    plan: Plan,
    scope: RunScope,
    finished: Mapping[str, FinishedStep],
    placement: Placement,
    started: float,
) -> RunResult:
    """Runs the steps in an executor, under the rules of the run."""
    rules, seconds = scope.rules, run_seconds(scope.run.tags, scope.instance.steps.max_runtime)
    limits = msgspec.structs.replace(
        placement.limits,
        gate=gate_of(scope, plan.steps),
        retries=rules.retries,
        requires_success=rules.requires_success,
        run_seconds=seconds,
        run_started=started,
        failed=scope.failed_before,
        answers=scope.answers,
    )
    return Execution(plan, scope, finished, executor, limits).run()
