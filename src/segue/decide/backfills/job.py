"""One round of a backfill over the partitions of a job: each of them is a run of its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from segue.decide.backfills.advance import asked, room_of
from segue.model.backfill import Backfill, BackfillStatus
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    difference,
    keys_of_subset,
    positions_of,
    union_of_all,
)


class EndedJobRun(msgspec.Struct, frozen=True):
    """A run of the backfill that has ended.

    Attributes:
        run_id: which.
        bounds: the first and last partition that it was to make.
        has_failed: whether it ended otherwise than well.
        attempt: which attempt at it this was, from 1.
        is_canceled: whether it was canceled, which nobody tries again.
    """

    run_id: str
    bounds: tuple[str, str]
    has_failed: bool = False
    attempt: int = 1
    is_canceled: bool = False


class JobRun(msgspec.Struct, frozen=True):
    """A run that the backfill asks for: partitions, which attempt at them it is, and the run that failed before."""

    bounds: tuple[str, str]
    attempt: int = 1
    parent_run_id: str | None = None


class JobRound(msgspec.Struct, frozen=True):
    """What a round comes to: how the backfill stands then, and the runs it asks for."""

    backfill: Backfill
    runs: tuple[JobRun, ...] = ()


def advance_job(
    backfill: Backfill,
    definition: PartitionsDefinition,
    ended: Sequence[EndedJobRun],
    unfinished: int,
    now: datetime,
    most_runs: int = 1_000,
    *,
    is_gone: bool = False,
) -> JobRound:
    """Takes one round of a backfill of a job.

    Args:
        backfill: as it is recorded; it has not ended.
        definition: how the job was partitioned when the backfill began.
        ended, unfinished, now, most_runs: as of `segue.decide.backfills.advance.advance`.
        is_gone: whether the code that is loaded now has no such job.
    """
    requested = backfill.requested_job_partitions or EMPTY
    failed = backfill.failed_job_partitions or EMPTY
    again: list[JobRun] = []
    lost: list[PartitionSubset] = []
    for run in ended:
        if not run.has_failed:
            continue
        may_try = not is_gone and not run.is_canceled and run.attempt <= backfill.retries
        if may_try and backfill.status is not BackfillStatus.CANCELING:
            again.append(JobRun(run.bounds, run.attempt + 1, run.run_id))
        else:
            lost.append(_part(run.bounds))
    failed = union_of_all(definition, (failed, *lost), now)
    left = difference(definition, backfill.job_partitions or EMPTY, requested, now)
    runs = list(again)
    if backfill.status is not BackfillStatus.CANCELING and not is_gone:
        room = max(room_of(backfill, unfinished, now, most_runs) - len(again), 0)
        new = _cut(definition, left, now, room, is_single=bool(backfill.single_run))
        runs += map(JobRun, new)
        requested = union_of_all(definition, (requested, *map(_part, new)), now)
    left = difference(definition, left, requested, now)
    status, error = backfill.status, None
    if unfinished == 0 and not runs:
        if is_gone and left and status is BackfillStatus.REQUESTED:
            failed = union_of_all(definition, (failed, left), now)
            left = EMPTY
            error = (
                f"The job {backfill.job_name!r} was not found in the definitions that are currently loaded: its remaining "
                "partitions were abandoned. Restore the job and retry the failed partitions."
            )
        if status is BackfillStatus.CANCELING:
            status = BackfillStatus.CANCELED
        elif not left:
            status = BackfillStatus.COMPLETED_FAILED if failed else BackfillStatus.COMPLETED_SUCCESS
    after = msgspec.structs.replace(
        backfill,
        status=status,
        requested_job_partitions=requested,
        failed_job_partitions=failed,
        runs=backfill.runs + len(runs),
        failed_runs=backfill.failed_runs + sum(run.has_failed for run in ended),
        error=error,
    )
    return JobRound(asked(after, len(runs), now), tuple(runs))


def _cut(
    definition: PartitionsDefinition, part: PartitionSubset, now: datetime, most: int, *, is_single: bool
) -> Sequence[tuple[str, str]]:
    """The first partitions of a part, each by itself; or its ranges, each as one."""
    if most <= 0:
        return []
    if is_single:
        return part.ranges[:most]
    if len(definition.axes) > 1:
        return [(key, key) for key in keys_of_subset(definition, part, now)[:most]]
    found: list[tuple[str, str]] = []
    for start, stop in positions_of(definition, part, now):
        for position in range(start, min(stop, start + most - len(found))):
            key = definition.key_at(position, now)
            found.append((key, key))
    return found


def _part(bounds: tuple[str, str]) -> PartitionSubset:
    return PartitionSubset((bounds,))
