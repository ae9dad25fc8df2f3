"""Runs as the API shows them."""

from __future__ import annotations

import msgspec

from segue.model.run import Run
from segue.model.stores import Store


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A run.

    Times are seconds since 1970, UTC; None where it did not come to it yet.

    Attributes:
        run_id, job_name, status, tags: as recorded.
        assets: the assets it makes, as `a/b`.
        partition_start, partition_end: the partitions, both included.
        location: the code location.
        blocked_by: for a run that waits: what holds it back.
    """

    run_id: str
    job_name: str
    status: str
    tags: dict[str, str]
    assets: tuple[str, ...]
    partition_start: str | None
    partition_end: str | None
    location: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    failure_reason: str | None
    parent_run_id: str | None
    blocked_by: str | None = None


def read_run(store: Store, run_id: str) -> RunDocument | None:
    """The run, or None."""
    run = store.get_run(run_id)
    return None if run is None else run_document(run)


def run_document(run: Run, blocked_by: str | None = None) -> RunDocument:
    """A run as a document."""
    return RunDocument(
        run_id=run.run_id,
        job_name=run.job_name,
        status=run.status.value,
        tags=run.tags,
        assets=tuple(sorted(key.to_user_string() for key in run.asset_selection)),
        partition_start=run.partition_start,
        partition_end=run.partition_end,
        location=run.location,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        failure_reason=None if run.failure_reason is None else run.failure_reason.value,
        parent_run_id=run.parent_run_id,
        blocked_by=blocked_by,
    )
