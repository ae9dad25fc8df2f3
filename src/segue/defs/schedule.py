"""Schedules: when a job starts by the clock, and with what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

from segue.defs.evaluation import EvaluationFunction, call_directly, read_evaluation
from segue.defs.op_words import require_resource_keys
from segue.defs.resolve_request import resolved
from segue.defs.schedule_context import ScheduleEvaluationContext
from segue.defs.signature import UserFunction, function_name
from segue.defs.superseded import warn_superseded
from segue.defs.target import AutomationTarget, ExecutableDefinition, Target, read_targets
from segue.errors import (
    InvalidDefinitionError,
    InvalidInvocationError,
    InvariantViolationError,
    ScheduleExecutionError,
    SegueError,
    WrongDeclarationError,
)
from segue.model.arguments import require_kind, require_names
from segue.model.asset_words import require_owners
from segue.model.cron import require_cron
from segue.model.keys import require_name
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.partitions.zones import zone_named
from segue.model.request import ConvertsToConfig, RunRequest, run_tags
from segue.model.tags import SCHEDULE_NAME_TAG
from segue.model.tick import CatchUp, DefaultScheduleStatus, ScheduleTick, SkipReason

RunConfigSource: TypeAlias = ConvertsToConfig | Mapping[str, Any]
ScheduleAnswer: TypeAlias = (
    RunRequest | SkipReason | RunConfigSource | Sequence[RunRequest] | Iterator[RunRequest | SkipReason] | None
)
TagsFunction: TypeAlias = Callable[[ScheduleEvaluationContext], Mapping[str, str] | None]
ShouldExecute: TypeAlias = Callable[[ScheduleEvaluationContext], bool]


def _catch_up(where: str, value: str) -> CatchUp:
    """A `CatchUp`, or its value as users write it.

    Raises:
        InvalidDefinitionError: there is no such value.
    """
    try:
        return CatchUp(value)
    except ValueError as error:
        known = ", ".join(each.value for each in CatchUp)
        raise InvalidDefinitionError(f"{where}: catch_up must be one of {known}, got {value!r}.") from error


class ScheduleDefinition:
    """A job, and the cron schedules at which it starts.

    Each tick requests one run of the job with `run_config` and `tags`, unless functions say otherwise: either
    `execution_fn` alone, or any of `should_execute`, `run_config_fn` and `tags_fn`.

    Args:
        name: unique among schedules and sensors; from the job's name when None.
        cron_schedule: a cron schedule, or several: it ticks whenever one of them does.
        job_name, job, target: exactly one: the name of a job, a job, or either a job or assets to run.
        run_config, run_config_fn: the config of its runs, as a value or by a function of the context.
        tags, tags_fn: the tags of its runs, as a value or by a function of the context.
        should_execute: whether a tick starts anything.
        environment_vars: superseded; set variables where the schedule runs.
        execution_timezone: the time zone in which the cron schedules are read; UTC when None.
        execution_fn: returns what a tick requests: a `RunRequest`, several of them, or a `SkipReason`.
        description, metadata, owners: for people.
        default_status: whether it runs before anyone has switched it on.
        required_resource_keys: the resources that its functions take from the context.
        catch_up: what becomes of times that passed while no control plane ran, a `CatchUp` or its value: `"skip"`, `"latest"`
            or `"all"`; None for what the deployment says, which is `"latest"` unless set.

    Raises:
        InvalidDefinitionError: no target or several, an invalid cron schedule, time zone, name or owner, or functions that exclude
            each other.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        cron_schedule: str | Sequence[str] | None = None,
        job_name: str | None = None,
        run_config: RunConfigSource | None = None,
        run_config_fn: Callable[..., RunConfigSource | None] | None = None,
        tags: Mapping[str, Any] | None = None,
        tags_fn: TagsFunction | None = None,
        metadata: Mapping[str, object] | None = None,
        should_execute: ShouldExecute | None = None,
        environment_vars: Mapping[str, str] | None = None,
        execution_timezone: str | None = None,
        execution_fn: Callable[..., ScheduleAnswer] | None = None,
        description: str | None = None,
        job: ExecutableDefinition | None = None,
        default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
        required_resource_keys: Set[str] | None = None,
        target: AutomationTarget | None = None,
        owners: Sequence[str] | None = None,
        catch_up: CatchUp | str | None = None,
    ) -> None:
        where = f"ScheduleDefinition({name!r})" if name else "ScheduleDefinition"
        require_kind(where, "default_status", default_status, DefaultScheduleStatus)
        require_kind(where, "description", description, str)
        require_kind(where, "tags", tags, Mapping)
        require_names(where, "tags", tags)
        keys = require_resource_keys(required_resource_keys, where)
        self.catch_up: CatchUp | None = None if catch_up is None else _catch_up(where, catch_up)
        targets = read_targets(where, name, job_name=job_name, job=job, target=target)
        if not targets:
            raise WrongDeclarationError(f"{where} has no target: provide job, target or job_name.")
        self.target: Target = targets[0]
        self.name: str = require_name(name or f"{self.target.job_name}_schedule", "a schedule", where)
        require_cron(cron_schedule, where, may_have_seconds=True)
        self.cron_schedule: str | Sequence[str] = cron_schedule or ()
        if execution_timezone:
            zone_named(execution_timezone)
        self.execution_timezone = execution_timezone or None
        if tags and tags_fn is not None:
            raise InvalidDefinitionError(f"{where}: both tags and tags_fn were provided; keep one.")
        if run_config and run_config_fn is not None:
            raise InvalidDefinitionError(f"{where}: both run_config and run_config_fn were provided; keep one.")
        if execution_fn is not None and (run_config or run_config_fn or tags_fn or should_execute):
            raise InvalidDefinitionError(
                f"{where}: execution_fn cannot be combined with run_config, run_config_fn, tags_fn or should_execute."
            )
        self.tags: Mapping[str, str] = run_tags(tags)
        self.description = description
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)
        if environment_vars is not None:
            warn_superseded(f"environment_vars of {where}", "set variables where the schedule runs")
        self.environment_vars = environment_vars
        self.default_status = default_status
        self.owners: Sequence[str] | None = None if owners is None else list(require_owners(owners, where))
        self.run_config = run_config
        self._run_config_fn = run_config_fn
        self._tags_fn = tags_fn
        self._should_execute = should_execute
        what = f"schedule {self.name!r}"
        self.evaluation: EvaluationFunction | None = (
            None if execution_fn is None else read_evaluation(execution_fn, keys, what)
        )
        self.required_resource_keys: Set[str] = keys if self.evaluation is None else self.evaluation.required
        self._decorated = False

    @property
    def job_name(self) -> str:
        """The name of the job it starts."""
        return self.target.job_name

    @property
    def has_job(self) -> bool:
        """Whether the job itself is known, not just its name."""
        return self.target.job is not None

    @property
    def has_anonymous_job(self) -> bool:
        """Whether the job was created for the schedule's target."""
        return self.target.is_anonymous

    @property
    def job(self) -> ExecutableDefinition:
        """The job it starts.

        Raises:
            InvalidDefinitionError: only its name is known.
        """
        if self.target.job is None:
            raise InvalidDefinitionError(
                f"The schedule {self.name!r} only has the name of its job, {self.job_name!r}: pass job= instead."
            )
        return self.target.job

    def with_attributes(
        self, *, job: ExecutableDefinition | None = None, metadata: Mapping[str, object] | None = None
    ) -> ScheduleDefinition:
        """The same schedule with another job or other metadata."""
        other = object.__new__(ScheduleDefinition)
        other.__dict__.update(self.__dict__)
        if job is not None:
            other.target = read_targets(f"schedule {self.name!r}", self.name, job=job)[0]
        if metadata is not None:
            other.metadata = normalize_metadata(metadata)
        return other

    @property
    def is_static(self) -> bool:
        """Whether each tick requests the same run, without a user function."""
        functions = (self.evaluation, self._should_execute, self._run_config_fn, self._tags_fn)
        return all(each is None for each in functions)

    def with_updated_job(self, new_job: ExecutableDefinition) -> ScheduleDefinition:
        """The same schedule with another job."""
        return self.with_attributes(job=new_job)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """What the decorated function gives for a context, as a test calls it.

        Raises:
            InvalidInvocationError: the schedule was not made by `@schedule`, or wrong arguments.
        """
        if not self._decorated or self.evaluation is None:
            raise InvalidInvocationError(
                f"The schedule {self.name!r} was not made by @schedule and cannot be called: use evaluate_tick(context)."
            )
        return call_directly(self.evaluation, ScheduleEvaluationContext, args, kwargs, f"The schedule {self.name!r}")

    def evaluate_tick(self, context: ScheduleEvaluationContext) -> ScheduleTick:
        """What the schedule requests at the context's time.

        Raises:
            ScheduleExecutionError: one of its functions raised; the cause is what it raised.
            InvariantViolationError: a function returned something else, or several run requests without run keys.
        """
        requests, reason = self._answer(context)
        if not requests:
            return ScheduleTick(skip_message=reason)
        if len(requests) > 1 and not all(request.run_key for request in requests):
            raise InvariantViolationError(
                f"The schedule {self.name!r} requested {len(requests)} runs in one tick, so each RunRequest must have a "
                "run_key."
            )
        now = context.scheduled_execution_time if context.has_time else datetime.now(UTC)
        own_partitions = None if self.target.job is None else self.target.job.partitions_def
        full = [
            resolved(request, request.job_name or self.job_name, context, (), now, own_partitions)
            for request in requests
        ]
        own = {SCHEDULE_NAME_TAG: self.name}
        return ScheduleTick(run_requests=[each.with_replaced_attrs(tags={**each.tags, **own}) for each in full])

    def _answer(self, context: ScheduleEvaluationContext) -> tuple[list[RunRequest], str | None]:
        """The requests, and what to say where there are none."""
        if self._should_execute is not None and not self._ask(self._should_execute, context):
            return [], f"should_execute of {self.name} returned false."
        if self.evaluation is None:
            config = self._ask(self._run_config_fn, context) if self._run_config_fn is not None else self.run_config
            return [self._request(config, context)], None
        returned = self._ask_evaluation(self.evaluation, context)
        if isinstance(returned, Mapping) or hasattr(returned, "to_config_dict"):
            return [self._request(cast("RunConfigSource", returned), context)], None
        several = cast("list[object]", returned) if isinstance(returned, (list, tuple)) else [returned]
        answers = [each for each in several if each is not None]
        for each in answers:
            if not isinstance(each, (RunRequest, SkipReason)):
                raise InvariantViolationError(
                    f"The schedule {self.name!r} returned {each!r}; expected RunRequests, a SkipReason or run config."
                )
        skips = [each for each in answers if isinstance(each, SkipReason)]
        if skips and len(answers) > 1:
            raise InvariantViolationError(
                f"The schedule {self.name!r} returned a SkipReason together with other results ({len(answers)} in all): "
                "return it alone."
            )
        if skips:
            return [], skips[0].skip_message
        requests = [each for each in answers if isinstance(each, RunRequest)]
        return requests, f"{self.name} requested no runs."

    def _request(self, config: RunConfigSource | None, context: ScheduleEvaluationContext) -> RunRequest:
        tags = self.tags if self._tags_fn is None else self._ask(self._tags_fn, context)
        return RunRequest(run_config=config, tags=tags)

    def _ask_evaluation(self, evaluation: EvaluationFunction, context: ScheduleEvaluationContext) -> Any:
        try:
            returned = evaluation.call(context)
            return list(cast("Iterator[object]", returned)) if isinstance(returned, Iterator) else returned
        except SegueError:
            raise
        except Exception as error:
            raise self._raised(error) from error

    def _ask(self, function: Callable[..., Any], context: ScheduleEvaluationContext) -> Any:
        """What one of the small functions says; it takes the context, or nothing."""
        try:
            return read_evaluation(function, None, f"schedule {self.name!r}").call(context)
        except SegueError:
            raise
        except Exception as error:
            raise self._raised(error) from error

    def _raised(self, error: Exception) -> ScheduleExecutionError:
        return ScheduleExecutionError(f"The schedule {self.name!r} could not be evaluated: {error!r}", error)

    def as_decorated(self, should_execute: ShouldExecute | None, tags_fn: TagsFunction | None) -> ScheduleDefinition:
        """The schedule of a decorated function, which may be called and has these functions beside it."""
        self._decorated, self._should_execute, self._tags_fn = True, should_execute, tags_fn
        return self


def schedule(
    cron_schedule: str | Sequence[str],
    *,
    job_name: str | None = None,
    name: str | None = None,
    tags: Mapping[str, Any] | None = None,
    tags_fn: TagsFunction | None = None,
    metadata: Mapping[str, object] | None = None,
    should_execute: ShouldExecute | None = None,
    environment_vars: Mapping[str, str] | None = None,
    execution_timezone: str | None = None,
    description: str | None = None,
    job: ExecutableDefinition | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    required_resource_keys: Set[str] | None = None,
    target: AutomationTarget | None = None,
    owners: Sequence[str] | None = None,
    catch_up: CatchUp | str | None = None,
) -> Callable[[UserFunction], ScheduleDefinition]:
    """Declares a schedule by a function that returns what each tick requests.

    The function takes the context and resources, both optional, and returns (or yields) `RunRequest`s, a
    `SkipReason`, the run config of one run, or nothing. `tags` and `tags_fn` apply to runs it returns as config; a
    RunRequest has its own.

    Args:
        cron_schedule ... catch_up: as of `ScheduleDefinition`; the name is the function's when None.

    Raises:
        InvalidDefinitionError: as `ScheduleDefinition`.
    """

    def decorate(function: UserFunction) -> ScheduleDefinition:
        if tags and tags_fn is not None:
            raise InvalidDefinitionError("@schedule: both tags and tags_fn were provided; keep one.")
        own_name = name or function_name(function, "schedule")
        definition = ScheduleDefinition(
            name=own_name,
            cron_schedule=cron_schedule,
            job_name=job_name,
            tags=tags,
            metadata=metadata,
            environment_vars=environment_vars,
            execution_timezone=execution_timezone,
            execution_fn=function,
            description=description,
            job=job,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            target=target,
            owners=owners,
            catch_up=catch_up,
        )
        return definition.as_decorated(should_execute, tags_fn)

    return decorate
