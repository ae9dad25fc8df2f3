"""One attempt of one step, as a pipeline of named stages over one value.

    record_start -> read_config -> load_inputs -> call_function -> require_outputs -> require_checks -> record_success

Each stage does one thing to the `StepAttempt`; what a stage raises ends the attempt, and `execute_step` says how.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Final

import msgspec

from segue.defs.bindings import bound
from segue.defs.config_schema.place import ROOT
from segue.defs.context import current_context
from segue.defs.log import running
from segue.defs.op_config import config_of_op
from segue.defs.results import Failure, RetryRequested
from segue.defs.run_config import config_entry
from segue.defs.signature import call_arguments
from segue.errors import (
    AssetCheckFailedError,
    InvalidDefinitionError,
    InvalidInvocationError,
    InvalidSubsetError,
    InvariantViolationError,
    StepOutputNotFoundError,
    TypeCheckDidNotPass,
    TypeCheckError,
    UnknownPartitionError,
)
from segue.execute.attempt import StepAttempt
from segue.execute.failure import FailedAttempt, cause_chain, failed_attempt
from segue.execute.failure_facts import failure_class
from segue.execute.gates import passes_of, report_calls, require_closed
from segue.execute.output_order import in_order
from segue.execute.outputs import require_results, take_results
from segue.execute.usage import sample, used_since
from segue.execute.values import check_input, load_input, missing_input
from segue.model.error_info import IOSide
from segue.model.event import StepRestartedData, StepStartData, StepSuccessData
from segue.model.failure_class import FailureClass
from segue.model.policies import RetryPolicy
from segue.model.usage import StepUsage
from segue.plan.plan import StepOutput

# What says that the code is wrong, not that something went wrong: trying again would change nothing.
_MISTAKES: Final = (
    InvalidDefinitionError,
    InvalidInvocationError,
    InvalidSubsetError,
    InvariantViolationError,
    TypeCheckDidNotPass,
    TypeCheckError,
    UnknownPartitionError,
)


class StepOutcome(msgspec.Struct, frozen=True):
    """How an attempt ended.

    Attributes:
        outputs: the outputs it gave, also before it failed.
        mapping_keys: the keys of each dynamic output that it gave, in order.
        error: what it raised, when it did not.
        retryable: whether the failure may be retried.
        requested: the retry that user code asked for.
        failure: `error` as data, where the attempt ran in another process.
        failure_class: what sort of failure it was, when it did not end well.
        usage: what it used, when it did not end well; else the event of its success says it.
        io_side: `input` or `output`, where `error` is what an IO manager raised.
    """

    outputs: frozenset[str] = frozenset()
    mapping_keys: Mapping[str, tuple[str, ...]] = {}
    error: BaseException | None = None
    retryable: bool = True
    requested: RetryPolicy | None = None
    failure_class: FailureClass | None = None
    failure: FailedAttempt | None = None
    usage: StepUsage | None = None
    io_side: IOSide | None = None

    @property
    def failed(self) -> FailedAttempt | None:
        """How it failed, as data; None where it ended well."""
        if self.error is None or self.failure is not None:
            return self.failure
        return failed_attempt(self.error, self.failure_class, self.io_side)


def execute_step(attempt: StepAttempt) -> StepOutcome:
    """Runs the stages.

    Raises:
        KeyboardInterrupt: the user stopped the run.
        StorageError: events could not be recorded.
    """
    token = running.set(attempt)
    try:
        for stage in STAGES:
            stage(attempt)
    except KeyboardInterrupt:
        raise
    except RetryRequested as error:
        requested = RetryPolicy(max_retries=max(error.max_retries, 0), delay=max(error.seconds_to_wait or 0, 0))
        return _failed(attempt, error.__cause__ or error, requested=requested)
    except Failure as error:
        return _failed(attempt, error, retryable=error.allow_retries)
    except AssetCheckFailedError as error:
        return _failed(attempt, error, retryable=False)
    except BaseException as error:
        if attempt.sink_failed:
            raise
        return _failed(attempt, error, retryable=_is_worth_another_attempt(attempt, error))
    finally:
        running.reset(token)
    report_calls(attempt.scope, passes_of(attempt.scope, attempt.step), None)
    keys = {name: tuple(given) for name, given in attempt.mapping_keys.items()}
    return StepOutcome(outputs=frozenset(attempt.given), mapping_keys=keys)


def _is_worth_another_attempt(attempt: StepAttempt, error: BaseException) -> bool:
    """Whether the policy of a step applies to an error: not to mistakes in the code, unless the policy names classes of failures.

    What an IO manager raises may always pass.
    """
    policy = attempt.step.retry_policy
    is_named = policy is not None and policy.retry_on is not None
    is_of_storage = attempt.io_error is not None and attempt.io_error[1] is error
    return is_named or is_of_storage or not isinstance(error, _MISTAKES)


def _failed(
    attempt: StepAttempt, error: BaseException, *, retryable: bool = True, requested: RetryPolicy | None = None
) -> StepOutcome:
    """The outcome of an attempt that raised; of a dynamic output nobody knows whether all its values came."""
    found = failure_class(error, attempt.scope.described.failure_rules)
    passes = passes_of(attempt.scope, attempt.step)
    if passes:
        chain = cause_chain(error)
        told = {key for key, each in attempt.reported if any(each is one for one in chain)}
        report_calls(attempt.scope, [each for each in passes if each.name not in told], found)
    given = frozenset([name for name in attempt.given if name not in attempt.mapping_keys])
    usage = None if attempt.before is None else used_since(attempt.before)
    side = attempt.io_error[0] if attempt.io_error is not None and attempt.io_error[1] is error else None
    return StepOutcome(
        given, error=error, retryable=retryable, requested=requested, failure_class=found, usage=usage, io_side=side
    )


def record_start(attempt: StepAttempt) -> None:
    """Says that the attempt begins; durable before user code runs."""
    attempt.before = sample()
    attempt.emit(StepStartData() if attempt.attempt == 1 else StepRestartedData(attempt.attempt))
    attempt.flush()
    require_closed(attempt.instance.store, passes_of(attempt.scope, attempt.step))


def read_config(attempt: StepAttempt) -> None:
    """Makes the config of the function out of the run config."""
    entry = config_entry(attempt.run_config, "ops", attempt.path)
    if entry or attempt.op.has_config:
        attempt.config = config_of_op(attempt.op, entry, ROOT.below("ops", attempt.path))


def load_inputs(attempt: StepAttempt) -> None:
    """Loads the value of each input through its IO manager; once all are there, checks their types."""
    given = [each for each in attempt.step.inputs if each.has_value]
    for each in given:
        attempt.inputs[each.name] = missing_input(attempt, each) if each.is_missing else load_input(attempt, each)
    for each in given:
        if not each.is_missing:
            check_input(attempt, each.name, attempt.inputs[each.name])


def call_function(attempt: StepAttempt) -> None:
    """Calls the user's function and takes what it gives."""
    op = attempt.op
    context = attempt.context
    arguments = call_arguments(op.shape, context, attempt.config, attempt.inputs)
    for key in op.shape.resources:
        arguments[key] = attempt.all_resources[key]
    token = current_context.set(context)
    try:
        returned = op.function(**arguments)
        if isinstance(returned, (Coroutine, AsyncIterator)):
            returned = bound("run_async")(returned)
        attempt.returned_nothing = returned is None
        take_results(attempt, returned)
    finally:
        current_context.reset(token)
        attempt.inputs.clear()


def _is_told_by_silence(attempt: StepAttempt, output: StepOutput) -> bool:
    """Whether an optional asset counts as made because the function ended without a word on any of its outputs."""
    spec = None if attempt.definition is None else attempt.definition.specs_by_output.get(output.name)
    if spec is None or not attempt.returned_nothing or attempt.step.graph is not None:
        return False
    return attempt.op.can_subset or not spec.skippable  # with can_subset all are skippable, of themselves


def require_outputs(attempt: StepAttempt) -> None:
    """Makes sure that every output is there that must be; one without value is taken as given."""
    if attempt.requires_results:
        require_results(attempt)
    for output in attempt.step.outputs if len(attempt.step.outputs) == 1 else in_order(attempt):
        if output.name in attempt.given or not (output.is_required or _is_told_by_silence(attempt, output)):
            continue
        if output.is_dynamic:  # no value at all is an empty list
            attempt.given.add(output.name)
            attempt.mapping_keys[output.name] = []
            continue
        if output.check_name is None and output.name in attempt.op.valueless_outputs and not output.is_observed:
            attempt.materialize_without_value(output)
            continue
        where, cure = f"{attempt.op.shape.source}: {attempt.step.key!r}", "Return or yield it, or declare it optional."
        if output.check_name is not None:
            raise StepOutputNotFoundError(
                f"{where} did not yield the result of check {output.check_name!r}. {cure}",
                attempt.step.key,
                output.name,
            )
        raise StepOutputNotFoundError(
            f"{where} did not yield the output {output.name!r}. {cure}", attempt.step.key, output.name
        )


def require_checks(attempt: StepAttempt) -> None:
    """Fails the step when a blocking check did."""
    if attempt.blocked_by:
        count = len(attempt.blocked_by)
        names = "\n".join(f"{key.asset_key.to_user_string()}: {key.name}" for key in attempt.blocked_by)
        raise AssetCheckFailedError(
            f"{count} blocking check{'s' if count > 1 else ''} failed with severity ERROR:\n{names}"
        )


def record_success(attempt: StepAttempt) -> None:
    """Says that the step ended well; durable together with what it made."""
    assert attempt.before is not None  # the first stage has set it
    usage = used_since(attempt.before)
    attempt.emit(StepSuccessData(duration_ms=round(usage.wall_seconds * 1000, 3), usage=usage))


STAGES: tuple[Callable[[StepAttempt], None], ...] = (
    record_start,
    read_config,
    load_inputs,
    call_function,
    require_outputs,
    require_checks,
    record_success,
)
USER_CODE_STAGES = (load_inputs, call_function)
"""Those in which user code runs, that of IO managers included."""
