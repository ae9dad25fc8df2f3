"""What `--json` prints: the shape of every document, and how it is made from recorded values.

Times are seconds since 1970, UTC; lengths of time are seconds. Assets are written `a/b`, checks `a/b:name`. A status is
one of the words that people see too. Metadata values are objects with their `type` and what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from segue.model.checks import AssetCheckEvaluation
from segue.model.event import ErrorInfo
from segue.model.materialization import AssetMaterialization
from segue.model.metadata_values import MetadataValue
from segue.model.run import FailureReason, Run
from segue.model.usage import StepUsage

INTERRUPTED = "interrupted"


class ErrorDocument(msgspec.Struct, frozen=True):
    """An exception that user code raised, and its traceback as text, causes first."""

    message: str
    traceback: str


class MaterializationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """That an asset, or a partition of it, was made."""

    asset: str
    partition: str | None = None
    timestamp: float
    run_id: str | None = None
    description: str | None = None
    data_version: str | None = None
    metadata: Mapping[str, MetadataValue] = {}


class CheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found; `passed` is null where it never ran, `severity` is `WARN` or `ERROR`."""

    check: str
    passed: bool | None = None
    severity: str | None = None
    blocking: bool = False
    partition: str | None = None
    timestamp: float | None = None
    run_id: str | None = None
    description: str | None = None
    metadata: Mapping[str, MetadataValue] = {}


class StepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run.

    Attributes:
        status: `waiting`, `running`, `retrying`, `succeeded`, `failed`, `skipped`; `interrupted` where the run ended
            while it ran; `not started` where the run ended before it; `succeeded before` where the run retries one in
            which it did; `unknown` where retention has removed what tells.
        attempts: how often it was started.
        error: how its last attempt failed.
        failure_class: what sort of failure that was, as `FailureClass` has it.
        waits: why it has not started, or not again, where that was said.
        usage: what its last attempt used: `wall_seconds`, `cpu_seconds`, `peak_memory_bytes` of its process so far,
            `bytes_read` and `bytes_written`; what was not measured is left out.
    """

    step: str
    status: str
    attempts: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    duration: float | None = None
    materializations: tuple[MaterializationDocument, ...] = ()
    checks: tuple[CheckDocument, ...] = ()
    error: ErrorDocument | None = None
    failure_class: str | None = None
    waits: str | None = None
    usage: StepUsage | None = None


class LogDocument(msgspec.Struct, frozen=True):
    """A line of a run's log; `level` is a name of the logging module."""

    timestamp: float
    level: str
    step: str | None
    message: str


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as `segue runs` lists it.

    Attributes:
        status: `queued`, `not_started`, `starting`, `started`, `success`, `failure`, `canceling`, `canceled`, or
            `interrupted` where the process that executed it ended before it did.
        partition, partition_end: first and last partition, equal for a single one.
        parent_run_id, root_run_id: the run it retries and the first of that chain.
        failure_reason: `step_failure`, `resource_failure`, `interrupted` or `platform`, for a run that failed.
        failure_class: what sort of failure ended it, as `FailureClass` has it; null where none is recorded.
    """

    run_id: str
    job: str
    status: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    duration: float | None
    partition: str | None
    partition_end: str | None
    assets: tuple[str, ...]
    checks: tuple[str, ...]
    tags: Mapping[str, str]
    parent_run_id: str | None
    root_run_id: str | None
    failure_reason: str | None
    failure_class: str | None = None


class RunDetailsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One run with all it did, as `segue show` and `segue materialize` give it.

    Attributes:
        run: the run as `segue runs` lists it.
        run_config: the config it was given.
        message: why it ended as it did, where that is recorded; of one that goes on, what was said of it last
            before its steps.
        error: the exception that ended it outside of a step.
        logs: what it logged; null unless asked for.
    """

    run: RunDocument
    run_config: Mapping[str, object]
    message: str | None
    error: ErrorDocument | None
    steps: tuple[StepDocument, ...]
    logs: tuple[LogDocument, ...] | None = None


class NotRunDocument(msgspec.Struct, frozen=True):
    """Assets and partitions that were not run, and why."""

    assets: tuple[str, ...]
    partitions: tuple[str, ...]
    reason: str


class MaterializeDocument(msgspec.Struct, frozen=True):
    """What `segue materialize --json` and `segue runs retry --json` print."""

    success: bool
    runs: tuple[RunDetailsDocument, ...]
    not_run: tuple[NotRunDocument, ...] = ()


def status_of(run: Run) -> str:
    """The status of a run in the words of `RunDocument`."""
    return INTERRUPTED if run.failure_reason is FailureReason.INTERRUPTED else run.status.value.lower()


def duration_of(run: Run) -> float | None:
    """Seconds from start to end; None where one is missing."""
    return None if run.started_at is None or run.ended_at is None else run.ended_at - run.started_at


def run_document(run: Run, failure_class: str | None = None) -> RunDocument:
    """A run as a document, with the class of the failure that ended it."""
    return RunDocument(
        run_id=run.run_id,
        job=run.job_name,
        status=status_of(run),
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        duration=duration_of(run),
        partition=run.partition_start,
        partition_end=run.partition_end,
        assets=tuple(key.to_user_string() for key in sorted(run.asset_selection)),
        checks=tuple(key.to_user_string() for key in sorted(run.asset_check_selection)),
        tags=run.tags,
        parent_run_id=run.parent_run_id,
        root_run_id=run.root_run_id,
        failure_reason=None if run.failure_reason is None else run.failure_reason.value,
        failure_class=failure_class,
    )


def error_document(error: ErrorInfo | None) -> ErrorDocument | None:
    """A recorded exception as a document."""
    return None if error is None else ErrorDocument(error.message.strip(), error.to_string())


def materialization_document(
    made: AssetMaterialization, timestamp: float, run_id: str | None
) -> MaterializationDocument:
    """A materialization as a document."""
    return MaterializationDocument(
        asset=made.asset_key.to_user_string(),
        partition=made.partition,
        timestamp=timestamp,
        run_id=run_id,
        description=made.description,
        data_version=made.data_version,
        metadata=made.metadata,
    )


def check_document(found: AssetCheckEvaluation, timestamp: float, run_id: str | None) -> CheckDocument:
    """The result of a check as a document."""
    return CheckDocument(
        check=found.asset_check_key.to_user_string(),
        passed=found.passed,
        severity=found.severity.value,
        blocking=bool(found.blocking),
        partition=found.partition,
        timestamp=timestamp,
        run_id=run_id,
        description=found.description,
        metadata=found.metadata,
    )


def verdict(found: CheckDocument) -> str:
    """What a check found, in one word: `passed`, `failed`, `warning` (failed, but of severity WARN) or `never ran`."""
    if found.passed is None:
        return "never ran"
    if found.passed:
        return "passed"
    return "warning" if found.severity == "WARN" else "failed"
