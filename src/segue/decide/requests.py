"""From a request to a run that waits: which assets and checks it names, and the tags it has. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from segue.decide.run_retries import asked_retries
from segue.errors import InvalidSubsetError
from segue.model.event import Event, RunEnqueuedData
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import Run
from segue.model.tags import (
    EPHEMERAL_JOB_NAME,
    IMPLICIT_JOB_NAME,
    PARTITION_RANGE_END_TAG,
    PARTITION_RANGE_START_TAG,
    PARTITION_TAG,
)
from segue.model.tick_record import WantedRun
from segue.model.tick_task import RequestedRun


def wanted_run(
    request: RequestedRun,
    graph: AssetGraph,
    *,
    run_id: str,
    now: float,
    location: str,
    manifest_hash: str | None,
    tags: Mapping[str, str],
) -> WantedRun:
    """The run that a request asks for, to be put in the queue.

    Args:
        request: what is asked for.
        graph: the definitions of the location.
        run_id: the id of the run.
        now: seconds since 1970, UTC.
        location: the code location that will execute it.
        manifest_hash: the definitions it is asked of.
        tags: tags of who asks, below those of the request.

    Raises:
        InvalidSubsetError: a job, an asset or a check that is not there.
        InvalidInvocationError: the tag for the number of retries is not a whole number.
    """
    job_name = request.job_name or IMPLICIT_JOB_NAME
    assets, checks, job_tags = _of_job(graph, job_name)
    if request.asset_selection is not None:
        for key in request.asset_selection:
            graph.node(key)
        assets = frozenset(request.asset_selection)
        checks = frozenset(key for key in checks if key.asset_key in assets)
    if request.asset_check_keys is not None:
        for key in request.asset_check_keys:
            graph.get(key)
        checks = frozenset(request.asset_check_keys)
        if request.asset_selection is None:
            assets = frozenset[AssetKey]()
    run = Run(
        run_id=run_id,
        job_name=EPHEMERAL_JOB_NAME if request.job_name is None else job_name,
        tags={**job_tags, **tags, **request.tags, **_partition_tags(request)},
        run_config=request.run_config,
        asset_selection=assets,
        asset_check_selection=checks,
        op_selection=request.op_selection,
        partition_start=request.partition_start,
        partition_end=request.partition_end,
        manifest_hash=manifest_hash,
        location=location,
        created_at=now,
    )
    asked_retries(run.tags)
    return WantedRun(run, (Event(now, RunEnqueuedData(), None, run_id, run.job_name),), request.run_key)


def _of_job(graph: AssetGraph, job_name: str) -> tuple[frozenset[AssetKey], frozenset[AssetCheckKey], dict[str, str]]:
    """The assets, the checks and the tags of a job."""
    if job_name == IMPLICIT_JOB_NAME:
        return frozenset(graph.materializable_keys), frozenset(graph.checks), dict[str, str]()
    job = graph.jobs.get(job_name)
    if job is None:
        known = ", ".join(sorted(graph.jobs)) or "none"
        raise InvalidSubsetError(f"Job {job_name!r} not found; available jobs: {known}.")
    return frozenset(job.assets), frozenset(AssetCheckKey(key, name) for key, name in job.checks), dict(job.tags)


def _partition_tags(request: RequestedRun) -> dict[str, str]:
    """The tags that say which partitions a run makes, as user code reads them."""
    start, end = request.partition_start, request.partition_end
    if start is None or end is None:
        return {}
    if start == end:
        return {} if PARTITION_TAG in request.tags else {PARTITION_TAG: start}
    return {PARTITION_RANGE_START_TAG: start, PARTITION_RANGE_END_TAG: end}
