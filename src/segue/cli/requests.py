"""From what was requested to run requests, in order. Pure.

A single partition, or none, is one run. A range is split by the backfill policies of the assets: assets that take all
partitions in a single run go in one, others in runs of as many partitions as their policy allows, assets without
partitions in one run. Where an asset depends on one with another policy, its runs come after all runs of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from segue.model.graph import AssetGraph, require_acyclic
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy
from segue.model.request import RunRequest
from segue.model.tags import PARTITION_RANGE_END_TAG, PARTITION_RANGE_START_TAG


class Batch(msgspec.Struct, frozen=True):
    """One run of several that are asked for together.

    Attributes:
        request: the request for it.
        assets: the assets it makes.
        partitions: the partitions it makes; empty without partitions.
        upstream: assets of earlier runs that it is made from, directly or not.
    """

    request: RunRequest
    assets: tuple[AssetKey, ...]
    partitions: tuple[str, ...] = ()
    upstream: frozenset[AssetKey] = frozenset()


def single_batch(assets: Sequence[AssetKey], request: RunRequest) -> list[Batch]:
    """One run for everything, over the partition that the request names, if any."""
    return [Batch(request, tuple(assets), () if request.partition_key is None else (request.partition_key,))]


def range_batches(
    graph: AssetGraph, assets: Sequence[AssetKey], partitions: Sequence[str], request: RunRequest
) -> list[Batch]:
    """The runs that make the partitions of a range, in the order in which they are to be run.

    Args:
        graph: all there is.
        assets: what to make.
        partitions: the partition keys of the range, in order, at least one.
        request: what all runs have in common: job, config, tags.
    """
    blocks = _blocks(graph, assets)
    batches: list[Batch] = []
    for block in blocks:
        upstream = _ancestors(graph, block, frozenset(assets))
        whole = len(blocks) == 1
        for chunk in _chunks(graph, block, partitions):
            batches.append(Batch(_request(request, block, chunk, whole), tuple(block), tuple(chunk), upstream))
    return batches


def blocked_by(batch: Batch, failed: Sequence[Batch]) -> Batch | None:
    """The failed run that makes this one pointless: it should have made what this one needs, for these partitions."""
    for other in failed:
        if batch.upstream.isdisjoint(other.assets):
            continue
        if not batch.partitions or not other.partitions or not set(batch.partitions).isdisjoint(other.partitions):
            return other
    return None


def _blocks(graph: AssetGraph, assets: Sequence[AssetKey]) -> list[list[AssetKey]]:
    """The assets in groups that can share runs, in order: each group needs only itself and earlier groups."""
    units: dict[str, list[AssetKey]] = {}
    unit_of: dict[AssetKey, str] = {}
    for key in assets:
        computation = graph.node(key).computation
        together = computation is not None and not graph.computations[computation].can_subset
        unit_of[key] = f"computation {computation}" if together else f"asset {key.to_user_string()}"
        units.setdefault(unit_of[key], []).append(key)
    parents = {
        unit: {unit_of[parent] for key in keys for parent in graph.parents(key) if unit_of.get(parent, unit) != unit}
        for unit, keys in units.items()
    }
    levels: dict[str, int] = {}
    blocks: dict[tuple[int, str], list[AssetKey]] = {}
    policies = {unit: _policy(graph, keys[0]) for unit, keys in units.items()}
    for unit in require_acyclic(parents):
        levels[unit] = max((levels[up] + (policies[up] != policies[unit]) for up in parents[unit]), default=0)
        blocks.setdefault((levels[unit], policies[unit]), []).extend(units[unit])
    return [blocks[place] for place in sorted(blocks)]


def _policy(graph: AssetGraph, key: AssetKey) -> str:
    """Assets with the same text here can share runs."""
    if graph.nodes[key].partitions is None:
        return "none"
    size = _partitions_per_run(graph, key)
    return "all" if size is None else str(size)


def _partitions_per_run(graph: AssetGraph, key: AssetKey) -> int | None:
    return (graph.nodes[key].backfill_policy or BackfillPolicy()).max_partitions_per_run


def _chunks(graph: AssetGraph, block: Sequence[AssetKey], partitions: Sequence[str]) -> list[Sequence[str]]:
    definition = graph.nodes[block[0]].partitions
    if definition is None:
        return [()]
    size = _partitions_per_run(graph, block[0])
    if size is None:
        return [partitions]
    return [row[start : start + size] for row in _rows(definition, partitions) for start in range(0, len(row), size)]


def _rows(definition: PartitionsDefinition, partitions: Sequence[str]) -> list[Sequence[str]]:
    """The partitions in pieces of which every stretch is a range: with several dimensions those that differ in the last only."""
    if len(definition.axes) == 1:
        return [partitions]
    return [list(row) for _, row in groupby(partitions, key=lambda key: definition.split_key(key)[:-1])]


def _request(common: RunRequest, block: Sequence[AssetKey], chunk: Sequence[str], whole: bool) -> RunRequest:
    """The request for one run; of a job that one run does whole, the selection is left to the job."""
    selection = None if whole and common.job_name is not None and common.asset_selection is None else tuple(block)
    tags: Mapping[str, str] = common.tags
    if len(chunk) > 1:
        tags = {**tags, PARTITION_RANGE_START_TAG: chunk[0], PARTITION_RANGE_END_TAG: chunk[-1]}
    return common.with_replaced_attrs(
        asset_selection=selection, tags=tags, partition_key=chunk[0] if len(chunk) == 1 else None
    )


def _ancestors(graph: AssetGraph, block: Sequence[AssetKey], selected: frozenset[AssetKey]) -> frozenset[AssetKey]:
    """Selected assets outside the block that it is made from, directly or through other selected assets."""
    found: set[AssetKey] = set()
    waiting = list(block)
    while waiting:
        for parent in graph.parents(waiting.pop()):
            if parent in selected and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return frozenset(found.difference(block))
