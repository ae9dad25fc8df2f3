"""Sensors that are asked when a run came to a status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, ClassVar, overload

from segue.defs.evaluation import call_directly
from segue.defs.run_status_context import RunFailureSensorContext, RunStatusSensorContext
from segue.defs.sensor import SensorDefinition
from segue.defs.sensor_answer import Answer, answers_in
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.signature import UserFunction, function_name
from segue.defs.superseded import renamed
from segue.defs.target import ExecutableDefinition, MonitoredJob, monitored
from segue.errors import InvalidDefinitionError, InvariantViolationError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.event import EventType
from segue.model.event_log import EventLogRecord
from segue.model.request import RunRequest
from segue.model.run import Run, RunStatus
from segue.model.selectors import MonitoredJobs
from segue.model.stores import EventFilter
from segue.model.tick import DefaultSensorStatus, RunReaction, SensorResult, SensorType, SkipReason

EVENTS_PER_TICK = 50
_EVENT_OF_STATUS = {
    RunStatus.QUEUED: "RUN_ENQUEUED",
    RunStatus.STARTING: "RUN_STARTING",
    RunStatus.STARTED: "RUN_START",
    RunStatus.SUSPENDED: "RUN_SUSPENDED",
    RunStatus.SUCCESS: "RUN_SUCCESS",
    RunStatus.FAILURE: "RUN_FAILURE",
    RunStatus.CANCELING: "RUN_CANCELING",
    RunStatus.CANCELED: "RUN_CANCELED",
}


class RunStatusSensorDefinition(SensorDefinition):
    """A function that is evaluated for each run that reaches a status; it keeps its cursor.

    Its first evaluation only notes where the log ends.

    Args:
        name: unique among schedules and sensors.
        run_status: the status.
        run_status_sensor_fn: the function; it takes the context and resources, and gives what every sensor gives.
        monitored_jobs: jobs, or selectors of jobs, whose runs it looks at; all jobs when None.
        monitor_all_code_locations: whether it looks at the runs of other code locations too.
        request_job, request_jobs: the jobs it may request.
        minimum_interval_seconds ... required_resource_keys: as of `SensorDefinition`.

    Raises:
        InvalidDefinitionError: a status that runs never come to, both `monitored_jobs` and `monitor_all_code_locations`, or
            as `SensorDefinition`.
    """

    kind: ClassVar[SensorType] = SensorType.RUN_STATUS

    def __init__(
        self,
        name: str,
        run_status: RunStatus,
        run_status_sensor_fn: UserFunction,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        monitored_jobs: Sequence[MonitoredJob] | None = None,
        monitor_all_code_locations: bool | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        request_job: ExecutableDefinition | None = None,
        request_jobs: Sequence[ExecutableDefinition] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, object] | None = None,
        required_resource_keys: Set[str] | None = None,
    ) -> None:
        super().__init__(
            name=name,
            evaluation_fn=run_status_sensor_fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=request_job,
            jobs=request_jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
        )
        require_kind(f"sensor {name!r}", "run_status", run_status, RunStatus)
        require_kind(f"sensor {name!r}", "monitored_jobs", monitored_jobs, Iterable)
        if run_status not in _EVENT_OF_STATUS:
            known = ", ".join(status.value for status in _EVENT_OF_STATUS)
            raise WrongDeclarationError(
                f"sensor {name!r}: run_status {run_status!r} cannot be monitored; expected one of {known}."
            )
        if monitored_jobs is not None and monitor_all_code_locations:
            raise InvalidDefinitionError(
                f"sensor {name!r}: both monitored_jobs and monitor_all_code_locations were provided; keep one."
            )
        self.run_status = run_status
        self.monitor_all_code_locations = bool(monitor_all_code_locations)
        self.monitored_jobs: Sequence[MonitoredJobs] | None = (
            None if monitored_jobs is None else [monitored(each, name) for each in monitored_jobs]
        )

    @property
    def watched_status(self) -> RunStatus:
        return self.run_status

    def ask(self, context: RunStatusSensorContext) -> Any:
        """The result of the function for one run."""
        failed = self.run_status is RunStatus.FAILURE and not isinstance(context, RunFailureSensorContext)
        return self.evaluation.call(context.for_run_failure() if failed else context)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """What the function gives for one run, as a test calls it with `build_run_status_sensor_context`.

        Raises:
            InvalidInvocationError: no context where one is needed, or other arguments than context and resources.
            InvalidDefinitionError: a required resource key was not provided.
        """
        what = f"The sensor {self.name!r}"
        return call_directly(self.evaluation, RunStatusSensorContext, args, kwargs, what, self.ask)

    def answers(self, context: SensorEvaluationContext) -> list[Answer]:
        """The results of the function for each run that reached the status since the last evaluation."""
        if context.cursor is None:
            latest = self._events(context, None, ascending=False, limit=1)
            context.update_cursor(str(latest[0].storage_id if latest else 0))
            return [SkipReason(f"{self.name} started monitoring runs.")]
        results: list[SensorResult] = []
        reactions: list[RunReaction] = []
        skips: list[SkipReason] = []
        for stored in self._events(context, int(context.cursor), ascending=True, limit=EVENTS_PER_TICK):
            run = context.instance.get_run_by_id(stored.event.run_id or "")
            for each in self._answers_for(run, stored, context) if run is not None and self._monitors(run) else ():
                if isinstance(each, SensorResult):
                    results.append(each)
                elif isinstance(each, RunReaction):
                    reactions.append(each)
                else:
                    skips.append(each if isinstance(each, SkipReason) else SkipReason())
            context.update_cursor(str(stored.storage_id))
        return [*_together(results, skips), *reactions]

    def _events(
        self, context: SensorEvaluationContext, after: int | None, *, ascending: bool, limit: int
    ) -> Sequence[EventLogRecord]:
        wanted = EventType.__members__.get(_EVENT_OF_STATUS[self.run_status])
        if wanted is None:  # nothing records such events yet
            return []
        # Settled only: behind a cursor, what commits late would never be seen.
        which = EventFilter(types=(wanted,), after=after, settled=True, ascending=ascending)
        return context.instance.store.events(which, limit)

    def _monitors(self, run: Run) -> bool:
        every = self.monitored_jobs
        return every is None or any(each.includes(run.job_name, run.tags) for each in every)

    def _answers_for(self, run: Run, stored: EventLogRecord, context: SensorEvaluationContext) -> list[Answer]:
        of_run = RunStatusSensorContext(
            sensor_name=self.name,
            dagster_run=run,
            dagster_event=stored.event,
            instance=context.instance,
            context=context,
            resource_defs=context.resource_defs,
        )
        with of_run:
            answers = answers_in(self.ask(of_run), self.name)
        if any(isinstance(each, SensorResult) and each.cursor is not None for each in answers):
            raise InvariantViolationError(
                f"The sensor {self.name!r} returned a SensorResult with a cursor, but a run status sensor manages its own "
                "cursor: leave it out."
            )
        return [SensorResult([each]) if isinstance(each, RunRequest) else each for each in answers] or [
            RunReaction(run.run_id)
        ]


def _together(results: Sequence[SensorResult], skips: Sequence[SkipReason]) -> list[Answer]:
    """What was answered to several runs, as one result; the reasons to skip count where nothing else was answered."""
    requests = [request for each in results for request in each.run_requests]
    own = [each.skip_reason for each in results if each.skip_reason is not None]
    reasons = [each.skip_message for each in (*skips, *own) if each.skip_message]
    if not results and not skips:
        return []
    return [
        SensorResult(
            run_requests=requests,
            skip_reason=" ".join(reasons) if reasons and not requests else None,
            dynamic_partitions_requests=[item for each in results for item in each.dynamic_partitions_requests],
            asset_events=[event for each in results for event in each.asset_events],
        )
    ]


def run_status_sensor(
    run_status: RunStatus,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    monitored_jobs: Sequence[MonitoredJob] | None = None,
    job_selection: Sequence[MonitoredJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: ExecutableDefinition | None = None,
    request_jobs: Sequence[ExecutableDefinition] | None = None,
    monitor_all_repositories: bool | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Callable[[UserFunction], RunStatusSensorDefinition]:
    """Declares a sensor whose function is evaluated for each run that reaches a status.

    Args:
        run_status: the status.
        name ... metadata: as of `RunStatusSensorDefinition`; `job_selection` is superseded by `monitored_jobs`,
            `monitor_all_repositories` by `monitor_all_code_locations`.

    Raises:
        InvalidDefinitionError: as `RunStatusSensorDefinition`.
    """

    where = "a run status sensor"

    def decorate(function: UserFunction) -> RunStatusSensorDefinition:
        return RunStatusSensorDefinition(
            name=name or function_name(function, "run_status_sensor"),
            run_status=run_status,
            run_status_sensor_fn=function,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            monitored_jobs=renamed(where, "monitored_jobs", monitored_jobs, "job_selection", job_selection),
            monitor_all_code_locations=renamed(
                where,
                "monitor_all_code_locations",
                monitor_all_code_locations or None,
                "monitor_all_repositories",
                monitor_all_repositories or None,
            ),
            default_status=default_status,
            request_job=request_job,
            request_jobs=request_jobs,
            tags=tags,
            metadata=metadata,
        )

    return decorate


@overload
def run_failure_sensor(name: UserFunction) -> RunStatusSensorDefinition: ...
@overload
def run_failure_sensor(
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    monitored_jobs: Sequence[MonitoredJob] | None = None,
    job_selection: Sequence[MonitoredJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: ExecutableDefinition | None = None,
    request_jobs: Sequence[ExecutableDefinition] | None = None,
    monitor_all_repositories: bool | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Callable[[UserFunction], RunStatusSensorDefinition]: ...
def run_failure_sensor(
    name: UserFunction | str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    monitored_jobs: Sequence[MonitoredJob] | None = None,
    job_selection: Sequence[MonitoredJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: ExecutableDefinition | None = None,
    request_jobs: Sequence[ExecutableDefinition] | None = None,
    monitor_all_repositories: bool | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> RunStatusSensorDefinition | Callable[[UserFunction], RunStatusSensorDefinition]:
    """Declares a sensor whose function is evaluated for each failed run.

    Args:
        name ... metadata: as of `run_status_sensor`; bare, without arguments, it takes the function.

    Raises:
        InvalidDefinitionError: as `RunStatusSensorDefinition`.
    """
    decorate = run_status_sensor(
        RunStatus.FAILURE,
        name if isinstance(name, str) else None,
        minimum_interval_seconds,
        description,
        monitored_jobs,
        job_selection,
        monitor_all_code_locations,
        default_status,
        request_job,
        request_jobs,
        monitor_all_repositories,
        tags,
        metadata,
    )
    return decorate if name is None or isinstance(name, str) else decorate(name)
