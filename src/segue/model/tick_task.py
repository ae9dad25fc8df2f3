"""What the control plane asks of user code for one tick, and what it is answered: plain values that cross processes."""

from __future__ import annotations

import msgspec

from segue.errors import InvariantViolationError
from segue.model.backfill import BackfillTarget
from segue.model.condition_record import ConditionCursor, ConditionRecord
from segue.model.event import ErrorInfo, Event
from segue.model.instigator import InstigatorKind
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.tick_record import PartitionChange

MOST_REQUESTS = 10_000
"""How many runs one tick may ask for: all of them are recorded in one transaction."""


def require_few(requests: int, who: str) -> None:
    """Refuses more runs than one tick may ask for.

    Raises:
        InvariantViolationError: there are more.
    """
    if requests > MOST_REQUESTS:
        raise InvariantViolationError(
            f"The {who} requested {requests:,} runs in one tick; the maximum is {MOST_REQUESTS:,}. Request the rest in "
            "the next ticks, or start a backfill of the partitions."
        )


class RequestedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a schedule, a sensor, a condition or a person asks for, before it is recorded.

    Attributes:
        job_name: the job; None for a selection of assets without one.
        asset_selection, asset_check_keys: what to make and check; None for all of the job.
        partition_start, partition_end: first and last partition, both included; None without partitions.
        tags, run_config: of the run, besides those of its job.
        run_key: what makes it unique for its sensor.
        op_selection: which ops of its job to run; None for all.
    """

    job_name: str | None = None
    asset_selection: tuple[AssetKey, ...] | None = None
    asset_check_keys: tuple[AssetCheckKey, ...] | None = None
    partition_start: str | None = None
    partition_end: str | None = None
    tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    run_key: str | None = None
    op_selection: tuple[str, ...] | None = None


class TickTask(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation of a schedule or sensor.

    Times are seconds since 1970, UTC.

    Attributes:
        kind, name: which.
        location: of which code location.
        scheduled_at: of a schedule: the time it is for.
        cursor, last_run_key, last_tick_at, started_at: what is recorded of a sensor.
        payloads: what was sent to a sensor, as JSON, the oldest first.
    """

    kind: InstigatorKind
    name: str
    location: str = ""
    scheduled_at: float | None = None
    cursor: str | None = None
    last_run_key: str | None = None
    last_tick_at: float | None = None
    started_at: float | None = None
    payloads: tuple[str, ...] = ()


class RequestedBackfill(msgspec.Struct, frozen=True, kw_only=True):
    """A backfill that conditions ask for: what to make of each asset, and tags of its runs."""

    targets: tuple[BackfillTarget, ...]
    tags: dict[str, str] = {}


class TickAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule or sensor answered.

    Attributes:
        requests: the runs it asks for.
        skip_reason: why it asks for none.
        error: what it raised; nothing else counts then.
        cursor: what the next evaluation goes on from.
        partition_changes: changes of dynamic partitions.
        events: what it has seen of assets.
        backfills: of one that evaluates conditions: what it asks for of several partitions.
        evaluations: what its conditions said where that is news.
        condition_cursors: what of its memory of single targets is not as it is stored.
    """

    requests: tuple[RequestedRun, ...] = ()
    skip_reason: str | None = None
    error: ErrorInfo | None = None
    cursor: str | None = None
    partition_changes: tuple[PartitionChange, ...] = ()
    events: tuple[Event, ...] = ()
    backfills: tuple[RequestedBackfill, ...] = ()
    evaluations: tuple[ConditionRecord, ...] = ()
    condition_cursors: tuple[ConditionCursor, ...] = ()
