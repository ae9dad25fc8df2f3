"""Requests for runs, checked against the job and the partitions they name, with tags and config filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from segue.defs.not_found import not_found
from segue.defs.tick_context import DeclaredGraph, TickContext
from segue.errors import InvalidInvocationError, InvariantViolationError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.store_after import DynamicPartitionsRequest, store_after
from segue.model.request import RunRequest
from segue.model.tags import PARTITION_TAG


def resolved(
    request: RunRequest,
    job_name: str | None,
    context: TickContext,
    added: Sequence[DynamicPartitionsRequest],
    now: datetime,
    declared: PartitionsDefinition | None = None,
) -> RunRequest:
    """The request with the tags of its partition.

    Args:
        request: as the user's function gave it.
        job_name: the job it is for; None for assets without a job.
        context: the context it was made in.
        added: partitions that are added before the run is made.
        now: the time at which partitions are looked up.
        declared: the partitions that the job itself declares, for a context without definitions.

    Raises:
        InvariantViolationError: a partition, and no definitions to look it up in.
        InvalidInvocationError: a partition of something that has none.
        UnknownPartitionError: no such partition.
    """
    key = request.partition_key
    if key is None or request.tags.get(PARTITION_TAG) == key:  # who sets the tag has looked the partition up
        return request
    partitions = declared if context.definitions is None else None
    if partitions is None:
        partitions = _partitions_of(_definitions(context).asset_graph, request, job_name)
    if partitions is None:
        raise InvalidInvocationError(
            f"A run of {job_name or 'the assets'} was requested for the partition key {key!r}, but it is not partitioned."
        )
    partitions.validate_partition_key(key, now, store_after(added, context.instance_if_any))
    return request.with_replaced_attrs(tags={**request.tags, **partitions.get_tags_for_partition_key(key)})


def _definitions(context: TickContext) -> DeclaredGraph:
    if context.definitions is None:
        raise InvariantViolationError(
            "A run of a partition was requested, but this context has no definitions to look up the partition in: pass "
            f"definitions= (or repository_def=) to {context.builder}."
        )
    return context.definitions


def _partitions_of(graph: AssetGraph, request: RunRequest, job_name: str | None) -> PartitionsDefinition | None:
    job = None if job_name is None else graph.jobs.get(job_name)
    if job_name is not None and job is None:
        raise InvariantViolationError(not_found("job", job_name, graph.jobs))
    if job is not None and job.partitions is not None:
        return job.partitions
    keys: Sequence[AssetKey] = request.asset_selection or (() if job is None else job.assets)
    found = (graph.node(key).partitions for key in keys)
    return next((partitions for partitions in found if partitions is not None), None)
