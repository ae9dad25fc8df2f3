"""A run: what was asked for, how far it came. The status is a fold over the run's events."""

from __future__ import annotations

import enum

import msgspec

from segue.model.keys import AssetCheckKey, AssetKey

PARTITION_TAG = "dagster/partition"
PARTITION_RANGE_START_TAG = "dagster/asset_partition_range_start"
PARTITION_RANGE_END_TAG = "dagster/asset_partition_range_end"
CODE_VERSION_TAG = "dagster/code_version"


class RunStatus(enum.Enum):
    """Where a run stands."""

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


FINISHED_STATUSES = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED})


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        run_id: unique, sortable by time of creation.
        job_name: the job, or `__ephemeral_asset_job__` for a selection without one.
        status: see `status_after`.
        tags: what people and Segue attach to it.
        run_config: the config as it was passed, before defaults; JSON values.
        asset_selection, asset_check_selection: what it makes and checks.
        partition_start, partition_end: the first and last partition key, equal for a single one; None without partitions.
        root_run_id, parent_run_id: the runs it retries: the first of the chain and the one before.
        plan_hash: the content hash of its plan.
        manifest_hash: the content hash of the definitions it was planned from.
        worker: who executes it, as the store names workers; None before the start.
        created_at, started_at, ended_at: seconds since 1970, UTC.
        failure_reason: why it failed, for a run in FAILURE.
    """

    run_id: str
    job_name: str
    status: RunStatus = RunStatus.NOT_STARTED
    tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    asset_selection: tuple[AssetKey, ...] = ()
    asset_check_selection: tuple[tuple[AssetKey, str], ...] = ()
    partition_start: str | None = None
    partition_end: str | None = None
    root_run_id: str | None = None
    parent_run_id: str | None = None
    plan_hash: str | None = None
    manifest_hash: str | None = None
    worker: str | None = None
    created_at: float = 0.0
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
    def check_keys(self) -> tuple[AssetCheckKey, ...]:
        """The checks it runs."""
        return tuple(AssetCheckKey(asset, name) for asset, name in self.asset_check_selection)


_STATUS_BY_EVENT = {
    "RUN_ENQUEUED": RunStatus.QUEUED,
    "RUN_STARTING": RunStatus.STARTING,
    "RUN_START": RunStatus.STARTED,
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
    RunStatus.STARTED: frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELING, RunStatus.CANCELED}),
    RunStatus.CANCELING: frozenset({RunStatus.CANCELED, RunStatus.FAILURE, RunStatus.SUCCESS}),
}


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
