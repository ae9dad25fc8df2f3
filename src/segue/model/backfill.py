"""Backfills: many partitions of many assets, or of one job, made by as many runs as it takes."""

from __future__ import annotations

import enum

import msgspec

from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset


class BackfillStatus(enum.Enum):
    """Where a backfill stands. It has ended in the last three."""

    REQUESTED = "REQUESTED"
    PAUSED = "PAUSED"
    CANCELING = "CANCELING"
    COMPLETED_SUCCESS = "COMPLETED_SUCCESS"
    COMPLETED_FAILED = "COMPLETED_FAILED"
    CANCELED = "CANCELED"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in (BackfillStatus.COMPLETED_SUCCESS, BackfillStatus.COMPLETED_FAILED, BackfillStatus.CANCELED)


class BackfillTarget(msgspec.Struct, frozen=True):
    """What of one asset a backfill makes: a subset of its partitions, or all of an unpartitioned one (None)."""

    key: AssetKey
    partitions: PartitionSubset | None = None


class OffPeak(msgspec.Struct, frozen=True):
    """The hours in which a backfill may start runs, by the clock of a time zone.

    Attributes:
        start, end: from this hour to that one, 0 to 24; an end before the start is on the next day.
        timezone: whose clock.
    """

    start: int
    end: int
    timezone: str = "UTC"


class BackfillChange(msgspec.Struct, frozen=True):
    """How what a backfill makes differs from what it was when the backfill began.

    Attributes:
        name: the asset, or the job.
        what: what differs, as `code version`, `partitions`, `dependencies`, `gone`.
    """

    name: str
    what: tuple[str, ...]


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """One backfill: what was asked for, and how far it came.

    Attributes:
        backfill_id: unique, sortable by time of creation.
        location: the code location.
        status: where it stands.
        created_at, updated_at, ended_at: seconds since 1970, UTC.
        job_name: the job whose partitions it makes; None for assets.
        job_partitions: of a job: the partitions.
        targets: of assets: what to make of each, upstream first.
        title, description: for people.
        tags, run_config: of its runs.
        manifest_hash: the definitions it began with, by which it is planned to its end; None before it began.
        max_concurrent: how many of its runs may be unfinished at once; None for no limit of its own.
        off_peak: when it may start runs; None for always.
        stagger: how many seconds lie between two runs that it asks for, at least; None for none.
        asked_at: when it asked for a run last.
        single_run: whether one run makes all partitions of an asset, whatever the assets say; None leaves it to them.
        retries: how many times a failed run is run again.
        requested: what it has asked runs for so far, by asset.
        done: what its runs have made so far, by asset.
        failed: what failed or will not come because something upstream failed, by asset.
        runs: how many runs it has asked for; `failed_runs` of them failed.
        requested_job_partitions, failed_job_partitions: the same for a job.
        cursor: the last event of the log that it has taken in.
        changes: what its runs execute that is not as it was when it began.
        warning: what people should know: that the code changed meanwhile.
        error: why it could not go on.
    """

    backfill_id: str
    location: str
    status: BackfillStatus = BackfillStatus.REQUESTED
    created_at: float = 0.0
    updated_at: float = 0.0
    ended_at: float | None = None
    job_name: str | None = None
    job_partitions: PartitionSubset | None = None
    targets: tuple[BackfillTarget, ...] = ()
    title: str | None = None
    description: str | None = None
    tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    manifest_hash: str | None = None
    max_concurrent: int | None = None
    off_peak: OffPeak | None = None
    stagger: float | None = None
    asked_at: float | None = None
    single_run: bool | None = None
    retries: int = 0
    requested: tuple[BackfillTarget, ...] = ()
    done: tuple[BackfillTarget, ...] = ()
    failed: tuple[BackfillTarget, ...] = ()
    requested_job_partitions: PartitionSubset | None = None
    failed_job_partitions: PartitionSubset | None = None
    runs: int = 0
    failed_runs: int = 0
    cursor: int = 0
    changes: tuple[BackfillChange, ...] = ()
    warning: str | None = None
    error: str | None = None
