"""Ticks on record: one evaluation of a schedule or sensor each, and what one transaction writes of it."""

from __future__ import annotations

import enum

import msgspec

from segue.model.backfill import Backfill
from segue.model.condition_record import ConditionCursor, ConditionRecord
from segue.model.event import ErrorInfo, Event
from segue.model.instigator import InstigatorId
from segue.model.run import Run


class TickStatus(enum.Enum):
    """How an evaluation ended."""

    SUCCESS = "success"
    SKIPPED = "skipped"
    FAILURE = "failure"


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation. Times are seconds since 1970, UTC.

    Attributes:
        instigator: of which schedule or sensor.
        status: how it ended.
        scheduled_at: of a schedule: the time it is for; None for a sensor.
        started_at, ended_at: when it was evaluated.
        run_ids: the runs it asked for, those included that an earlier tick with the same run key had made.
        backfill_ids: the backfills it asked for.
        skip_reason: why it asked for none.
        error: what it raised.
        cursor: of a sensor: what the next one goes on from.
        payloads: of a sensor: the numbers of the payloads it took.
    """

    instigator: InstigatorId
    status: TickStatus
    started_at: float
    ended_at: float
    scheduled_at: float | None = None
    run_ids: tuple[str, ...] = ()
    backfill_ids: tuple[str, ...] = ()
    skip_reason: str | None = None
    error: ErrorInfo | None = None
    cursor: str | None = None
    payloads: tuple[int, ...] = ()


class TickEntry(msgspec.Struct, frozen=True):
    """A tick with its place in the store, by which pages go on."""

    number: int
    tick: Tick


class WantedRun(msgspec.Struct, frozen=True):
    """A run that a tick or a backfill asks for, ready to be recorded.

    Attributes:
        run: it, with its id and status.
        events: its first events (that it was enqueued).
        run_key: what makes it unique for its sensor; None when nothing does.
    """

    run: Run
    events: tuple[Event, ...] = ()
    run_key: str | None = None


class PartitionChange(msgspec.Struct, frozen=True):
    """Keys that a tick adds to dynamic partitions, or (`is_removal`) removes."""

    name: str
    keys: tuple[str, ...]
    is_removal: bool = False


class TickCommit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one tick writes, in one transaction.

    Attributes:
        tick: the tick; its `run_ids` are filled in by the store, and what it took of `payloads` waits no longer.
        runs: the runs it asks for.
        partition_changes: changes of dynamic partitions, made before the runs.
        events: what it has seen of assets.
        backfills: those it asks for; they begin at the end of the log as it then is.
        evaluations: what conditions said.
        condition_cursors: what they remember of single targets, as far as that is not as it was.
        asked_with: of a sensor: the cursor that it was shown. Where somebody has set another one meanwhile, that one stays.
    """

    tick: Tick
    runs: tuple[WantedRun, ...] = ()
    partition_changes: tuple[PartitionChange, ...] = ()
    events: tuple[Event, ...] = ()
    backfills: tuple[Backfill, ...] = ()
    evaluations: tuple[ConditionRecord, ...] = ()
    condition_cursors: tuple[ConditionCursor, ...] = ()
    asked_with: str | msgspec.UnsetType | None = msgspec.UNSET


class CommittedTick(msgspec.Struct, frozen=True):
    """What became of a commit.

    Attributes:
        created: the ids of the runs that it made.
        known: the ids of the runs that an earlier tick had made for the same run keys.
        is_repeated: whether the schedule's tick for that time was there already; nothing was written then.
    """

    created: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    is_repeated: bool = False
