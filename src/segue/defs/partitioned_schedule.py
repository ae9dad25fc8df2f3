"""Schedules of jobs with partitions: each tick asks for the runs of the partitions that have just ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from segue.defs.job_definition import JobDefinition
from segue.defs.partitioned_config import PartitionedConfig
from segue.defs.schedule import ScheduleDefinition
from segue.defs.schedule_context import ScheduleEvaluationContext
from segue.defs.target import AnyJob, ExecutableDefinition, Target, read_targets
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.asset_words import require_owners
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition
from segue.model.request import RunRequest
from segue.model.tick import CatchUp, DefaultScheduleStatus, SkipReason


class UnresolvedPartitionedAssetScheduleDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule of an asset job whose partitions are known only when the definitions are read.

    Attributes:
        name, job, description, default_status, tags, metadata, owners, catch_up: as of the schedule it becomes.
        hour_of_day, minute_of_hour, day_of_month, day_of_week: when it ticks, where not at the end of each partition.
        cron_schedule, execution_timezone: when it ticks, for partitions that are not windows of time.
    """

    name: str
    job: AnyJob
    description: str | None = None
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED
    minute_of_hour: int | None = None
    hour_of_day: int | None = None
    day_of_week: int | None = None
    day_of_month: int | None = None
    cron_schedule: str | None = None
    execution_timezone: str | None = None
    tags: Mapping[str, str] | None = None
    metadata: Mapping[str, object] | None = None
    owners: Sequence[str] | None = None
    catch_up: CatchUp | str | None = None

    def __post_init__(self) -> None:
        require_owners(self.owners, f"schedule {self.name!r}")

    @property
    def target(self) -> Target:
        """The job it starts."""
        return Target(self.job.name, self.job)

    def with_metadata(self, metadata: Mapping[str, object]) -> UnresolvedPartitionedAssetScheduleDefinition:
        """The same with other metadata."""
        return msgspec.structs.replace(self, metadata=metadata)

    def resolve(self, partitions: PartitionsDefinition | None) -> ScheduleDefinition:
        """The schedule, now that the partitions of the job's assets are known.

        Raises:
            InvalidDefinitionError: there are none, or the parameters do not fit them.
        """
        where = f"build_schedule_from_partitioned_job of {self.job.name!r}"
        if partitions is None:
            raise InvalidDefinitionError(f"{where}: the job is not partitioned; use ScheduleDefinition(job=...).")
        cron, timezone = self._rhythm(partitions, where)

        def partitions_that_ended(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
            keys = _keys_at(partitions, context)
            if not keys:
                return SkipReason(f"No partition of {self.job.name} has ended yet, or the last one is excluded.")
            return [self._request(partitions, key) for key in keys]

        return ScheduleDefinition(
            name=self.name,
            cron_schedule=cron,
            job=self.job,
            execution_timezone=timezone,
            execution_fn=partitions_that_ended,
            description=self.description,
            default_status=self.default_status,
            metadata=self.metadata,
            owners=self.owners,
            catch_up=self.catch_up,
        ).as_decorated(None, None)

    def _request(self, partitions: PartitionsDefinition, key: str) -> RunRequest:
        config: Any = getattr(self.job, "config", None)
        own: Mapping[str, str] = (
            {} if not isinstance(config, PartitionedConfig) else config.get_tags_for_partition_key(key)
        )
        return RunRequest(
            run_key=key,
            job_name=self.job.name,
            partition_key=key,
            tags={**own, **(self.tags or {}), **partitions.get_tags_for_partition_key(key)},
            run_config=config.get_run_config_for_partition_key(key) if isinstance(config, PartitionedConfig) else None,
        )

    def _rhythm(self, partitions: PartitionsDefinition, where: str) -> tuple[str, str | None]:
        """When the schedule ticks: cron schedule and time zone."""
        times = _times_of(partitions)
        if times is None:
            if self.cron_schedule is None:
                raise WrongDeclarationError(
                    f"{where}: the partitions are not time windows, so cron_schedule must be provided."
                )
            return self.cron_schedule, self.execution_timezone
        if self.cron_schedule is not None or self.execution_timezone is not None:
            raise WrongDeclarationError(
                f"{where}: the schedule of time-window partitions follows from their end, so cron_schedule and "
                "execution_timezone cannot be set; use minute_of_hour, hour_of_day, day_of_week and day_of_month to run "
                "later than that."
            )
        offsets = (self.minute_of_hour, self.hour_of_day, self.day_of_week, self.day_of_month)
        return times.get_cron_schedule(*offsets), times.timezone


def _times_of(partitions: PartitionsDefinition) -> TimeWindowPartitionsDefinition | None:
    """The windows of time among its partitions: itself, or one of its dimensions."""
    if isinstance(partitions, TimeWindowPartitionsDefinition):
        return partitions
    if getattr(partitions, "has_time_window_dimension", False):
        multi: Any = partitions
        return multi.time_window_partitions_def
    return None


def _keys_at(partitions: PartitionsDefinition, context: ScheduleEvaluationContext) -> Sequence[str]:
    """The partitions to run at the time of a tick: the last window of time, or all where there are no windows."""
    times, now = _times_of(partitions), context.scheduled_execution_time
    if times is None:
        return partitions.get_partition_keys(current_time=now, dynamic_partitions_store=context.instance_if_any)
    window = times.get_last_partition_window_ignoring_exclusions(now)
    if window is None or times.is_window_start_excluded(window.start):
        return []
    last = times.get_partition_key_for_timestamp(window.start.timestamp())
    if times is partitions:
        return [last]
    multi: Any = partitions
    return multi.get_multipartition_keys_with_dimension_value(
        dimension_name=multi.time_window_dimension.name,
        dimension_partition_key=last,
        dynamic_partitions_store=context.instance_if_any,
        current_time=now,
    )


def build_schedule_from_partitioned_job(
    job: ExecutableDefinition,
    description: str | None = None,
    name: str | None = None,
    minute_of_hour: int | None = None,
    hour_of_day: int | None = None,
    day_of_week: int | None = None,
    day_of_month: int | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    tags: Mapping[str, str] | None = None,
    cron_schedule: str | None = None,
    execution_timezone: str | None = None,
    metadata: Mapping[str, object] | None = None,
    owners: Sequence[str] | None = None,
    catch_up: CatchUp | str | None = None,
) -> UnresolvedPartitionedAssetScheduleDefinition | ScheduleDefinition:
    """A schedule that runs a job for each partition that has ended.

    With time-based partitions it ticks when a window ends (or later, as the offsets say) and requests a run of that
    window; with other partitions it ticks at `cron_schedule` and requests a run of each.

    Args:
        job: the job; its partitions are its own or those of its assets.
        description, metadata, owners: for people.
        name: from the job's name when None.
        hour_of_day, minute_of_hour, day_of_month, day_of_week: when it ticks, if not at the end of each window.
        default_status: whether it runs before anyone has switched it on.
        tags: tags of the runs.
        cron_schedule, execution_timezone: when it ticks, for partitions that are not windows of time.
        catch_up: what becomes of times that passed while no control plane ran; as of `ScheduleDefinition`.

    Returns:
        The schedule; if only the job's assets know their partitions, `Definitions` completes it.

    Raises:
        InvalidDefinitionError: parameters that do not fit the partitions.
        WrongDeclarationError: a job without partitions.
    """
    target = read_targets("build_schedule_from_partitioned_job", None, job=job)[0].job
    assert target is not None  # a job was given
    declared = UnresolvedPartitionedAssetScheduleDefinition(
        name=name or f"{target.name}_schedule",
        job=target,
        description=description,
        default_status=default_status,
        minute_of_hour=minute_of_hour,
        hour_of_day=hour_of_day,
        day_of_week=day_of_week,
        day_of_month=day_of_month,
        cron_schedule=cron_schedule,
        execution_timezone=execution_timezone,
        tags=tags,
        metadata=metadata,
        owners=None
        if owners is None
        else require_owners(owners, f"build_schedule_from_partitioned_job of {target.name!r}"),
        catch_up=catch_up,
    )
    partitions = target.partitions_def
    config: Any = getattr(target, "config", None)
    if partitions is None and isinstance(config, PartitionedConfig):
        partitions = config.partitions_def
    if partitions is None and isinstance(target, JobDefinition):
        raise WrongDeclarationError(
            f"build_schedule_from_partitioned_job: the job {target.name!r} is not partitioned. Set its partitions_def=, "
            "or use ScheduleDefinition(job=..., cron_schedule=...)."
        )
    return declared if partitions is None else declared.resolve(partitions)
