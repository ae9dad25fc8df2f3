"""A run: what was asked for, how far it came. The status is a fold over the run's events."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

import msgspec

from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.named_fields import NamedFields
from segue.model.tags import BACKFILL_TAG, RESUME_RETRY_TAG, SCHEDULE_NAME_TAG, SENSOR_NAME_TAG, TICK_TAG


class HasName(Protocol):
    """A schedule or sensor, as far as its runs bear its name."""

    @property
    def name(self) -> str: ...


class RunStatus(enum.Enum):
    """The status of a run."""

    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    MANAGED = "MANAGED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUSPENDED = "SUSPENDED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


class FailureReason(enum.Enum):
    """Why a run ended in FAILURE."""

    STEP_FAILURE = "step_failure"
    RESOURCE_FAILURE = "resource_failure"
    INTERRUPTED = "interrupted"
    PLATFORM = "platform"
    RESOURCE_BUSY = "resource_busy"
    REFUSED = "refused"


FINISHED_STATUSES = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED})


class Run(NamedFields, msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        run_id: unique, sortable by time of creation.
        job_name: the job, or `__ephemeral_asset_job__` for a selection without one.
        status: see `status_after`.
        tags: what people and Segue attach to it.
        run_config: the config as it was passed, before defaults; JSON values.
        asset_selection, asset_check_selection: what it makes and checks.
        op_selection: which ops of its job it runs, as they were asked for; None for all.
        step_keys_to_execute: the steps that it runs, where these are a part of its job only; None for all.
        partition_start, partition_end: the first and last partition key, equal for a single one; None without partitions.
        root_run_id, parent_run_id: the runs it retries: the first of the chain and the one before.
        plan_hash: the content hash of its plan.
        manifest_hash: the content hash of the definitions it was planned from.
        location: the code location that executes it; None for a run of a process of the user's own.
        worker: who executes it, as the store names workers; None before the start.
        created_at, updated_at, started_at, ended_at: seconds since 1970, UTC; it is updated when its status or tags change.
        failure_reason: why it failed, for a run in FAILURE.
    """

    run_id: str
    job_name: str
    status: RunStatus = RunStatus.NOT_STARTED
    tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    asset_selection: frozenset[AssetKey] = frozenset()
    asset_check_selection: frozenset[AssetCheckKey] = frozenset()
    op_selection: tuple[str, ...] | None = None
    step_keys_to_execute: list[str] | None = None
    partition_start: str | None = None
    partition_end: str | None = None
    root_run_id: str | None = None
    parent_run_id: str | None = None
    plan_hash: str | None = None
    manifest_hash: str | None = None
    location: str | None = None
    worker: str | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    failure_reason: FailureReason | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in FINISHED_STATUSES

    @property
    def is_success(self) -> bool:
        """Whether it ended well."""
        return self.status is RunStatus.SUCCESS

    @property
    def is_failure(self) -> bool:
        """Whether it failed."""
        return self.status is RunStatus.FAILURE

    @property
    def is_failure_or_canceled(self) -> bool:
        """Whether it ended, and not well."""
        return self.status in (RunStatus.FAILURE, RunStatus.CANCELED)

    @property
    def is_cancelable(self) -> bool:
        """Whether it waits or works, and can be stopped."""
        return self.status in (RunStatus.QUEUED, RunStatus.STARTED, RunStatus.SUSPENDED)

    @property
    def is_resume_retry(self) -> bool:
        """Whether it is a retry of an earlier run."""
        return self.tags.get(RESUME_RETRY_TAG) == "true"

    @property
    def was_suspended(self) -> bool:
        """Whether it has begun before, and is to go on: it waits in the queue, or is being started."""
        return self.started_at is not None and self.status in (RunStatus.QUEUED, RunStatus.STARTING)

    @property
    def is_partitioned(self) -> bool:
        """Whether it is about one partition, or a range of them."""
        return self.partition_start is not None

    @property
    def entity_selection(self) -> frozenset[AssetKey | AssetCheckKey]:
        """What it makes and checks, together."""
        return self.asset_selection | self.asset_check_selection

    @property
    def resolved_op_selection(self) -> frozenset[str] | None:
        """The ops that it runs, each by the path of its step; None where none were selected."""
        return None if self.op_selection is None else frozenset(self.step_keys_to_execute or self.op_selection)

    @property
    def previous_run_id(self) -> str | None:
        """The run it retries."""
        return self.parent_run_id

    @property
    def job_snapshot_id(self) -> str | None:
        """The same as `manifest_hash`."""
        return self.manifest_hash

    @property
    def execution_plan_snapshot_id(self) -> str | None:
        """The same as `plan_hash`."""
        return self.plan_hash

    def get_root_run_id(self) -> str | None:
        """The first run of the chain of retries that it belongs to; None for one that retries nothing."""
        return self.root_run_id

    def get_parent_run_id(self) -> str | None:
        """The run it retries."""
        return self.parent_run_id

    def with_status(self, status: RunStatus) -> Run:
        """The same run with another status."""
        return msgspec.structs.replace(self, status=status)

    def with_tags(self, tags: Mapping[str, str]) -> Run:
        """The same run with other tags."""
        return msgspec.structs.replace(self, tags=dict(tags))

    @staticmethod
    def tags_for_backfill_id(backfill_id: str) -> dict[str, str]:
        """The tags of the runs of a backfill."""
        return {BACKFILL_TAG: backfill_id}

    @staticmethod
    def tags_for_tick_id(tick_id: str) -> dict[str, str]:
        """The tags of the runs that a tick of a schedule or sensor requested."""
        return {TICK_TAG: tick_id}

    @staticmethod
    def tags_for_schedule(schedule: HasName) -> dict[str, str]:
        """The tags of the runs that a schedule requested."""
        return {SCHEDULE_NAME_TAG: schedule.name}

    @staticmethod
    def tags_for_sensor(sensor: HasName) -> dict[str, str]:
        """The tags of the runs that a sensor requested."""
        return {SENSOR_NAME_TAG: sensor.name}


class PlannedRun(msgspec.Struct, frozen=True):
    """A run that is recorded without a plan, as it is planned by who executes it.

    Attributes:
        run: with what it has come to make, its tags, its config, and the hashes of plan and manifest; how it stands stays as it is
            recorded.
        plan, manifest: the contents with these hashes.
    """

    run: Run
    plan: bytes
    manifest: bytes


_STATUS_BY_EVENT = {
    "RUN_ENQUEUED": RunStatus.QUEUED,
    "RUN_STARTING": RunStatus.STARTING,
    "RUN_START": RunStatus.STARTED,
    "RUN_SUSPENDED": RunStatus.SUSPENDED,
    "RUN_SUCCESS": RunStatus.SUCCESS,
    "RUN_FAILURE": RunStatus.FAILURE,
    "RUN_CANCELING": RunStatus.CANCELING,
    "RUN_CANCELED": RunStatus.CANCELED,
}
_ALLOWED: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.NOT_STARTED: frozenset(
        {RunStatus.QUEUED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.FAILURE, RunStatus.CANCELED}
    ),
    RunStatus.QUEUED: frozenset(
        {RunStatus.STARTING, RunStatus.STARTED, RunStatus.FAILURE, RunStatus.CANCELING, RunStatus.CANCELED}
    ),
    RunStatus.STARTING: frozenset({RunStatus.STARTED, RunStatus.FAILURE, RunStatus.CANCELING, RunStatus.CANCELED}),
    RunStatus.STARTED: frozenset(
        {RunStatus.SUSPENDED, RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELING, RunStatus.CANCELED}
    ),
    RunStatus.SUSPENDED: frozenset({RunStatus.QUEUED, RunStatus.FAILURE, RunStatus.CANCELED}),
    RunStatus.CANCELING: frozenset({RunStatus.CANCELED, RunStatus.FAILURE, RunStatus.SUCCESS}),
}


def status_of_event(event_type: str) -> RunStatus | None:
    """The status that a run is brought to by an event with this wire name; None for one that is not about that."""
    return _STATUS_BY_EVENT.get(event_type)


def status_after(status: RunStatus, event_type: str) -> RunStatus | None:
    """The status of a run after one more event.

    Args:
        status: the status before.
        event_type: the wire name of the event.

    Returns:
        The new status; the same one for an event that is not about the run as a whole; None where the run may not
        go there, so that the caller can refuse the event (a finished run stays as it ended).
    """
    wanted = _STATUS_BY_EVENT.get(event_type)
    if wanted is None:
        return status
    return wanted if wanted in _ALLOWED.get(status, frozenset()) else None
