"""From what conditions ask for to runs and backfills, and which evaluations are news. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from segue.decide.automation.evaluate import AutomationDecision
from segue.model.backfill import BackfillTarget
from segue.model.condition.context import AutomationResult
from segue.model.condition.facts import AutomationCursor
from segue.model.condition.subset import EntitySubset
from segue.model.condition_record import ConditionRecord
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetJobKey, AssetKey, EntityKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset, keys_of_subset, subset_size
from segue.model.tags import FROM_CONDITION_TAG
from segue.model.tick_task import RequestedBackfill, RequestedRun


class Requests(msgspec.Struct, frozen=True):
    """What conditions ask for together."""

    runs: tuple[RequestedRun, ...] = ()
    backfills: tuple[RequestedBackfill, ...] = ()


def requests_of(
    requested: Mapping[EntityKey, EntitySubset],
    graph: AssetGraph,
    now: datetime,
    *,
    tags: Mapping[str, str],
    may_backfill: bool,
) -> Requests:
    """The runs and backfills that make what is asked for.

    Assets of which the same partition is asked for are made by one run, those without partitions by another. Where several
    partitions of an asset are asked for, a backfill makes all, unless it may not.

    Args:
        requested: what is asked for of each target.
        graph: the definitions.
        now: the moment, with a time zone.
        tags: of the runs.
        may_backfill: whether a backfill may make several partitions of an asset.
    """
    own = {**tags, FROM_CONDITION_TAG: "true"}
    parts = {key: part.value for key, part in requested.items() if not part.is_empty}
    assets = {key: value for key, value in parts.items() if isinstance(key, AssetKey)}
    runs = list(_job_runs(parts, graph, now, own))
    checks = [key for key in parts if isinstance(key, AssetCheckKey)]
    if may_backfill and any(_is_several(graph, key, value, now) for key, value in assets.items()):
        targets = [
            BackfillTarget(key, None if isinstance(value, bool) else value)
            for key in graph.toposorted_asset_keys
            if (value := assets.get(key)) is not None
        ]
        rest = [key for key in checks if key.asset_key not in assets]
        if rest:
            runs.append(RequestedRun(asset_selection=(), asset_check_keys=tuple(sorted(rest)), tags=own))
        return Requests(tuple(runs), (RequestedBackfill(targets=tuple(targets), tags=own),))
    runs += _asset_runs(assets, checks, graph, now, own)
    return Requests(tuple(runs))


def _job_runs(
    parts: Mapping[EntityKey, bool | PartitionSubset], graph: AssetGraph, now: datetime, tags: dict[str, str]
) -> Iterable[RequestedRun]:
    for key, value in parts.items():
        if not isinstance(key, AssetJobKey):
            continue
        job = graph.jobs[key.job_name]
        found = [graph.nodes[asset].partitions for asset in job.assets]
        definition = job.partitions or next((each for each in found if each is not None), None)
        if definition is None or isinstance(value, bool):
            yield RequestedRun(job_name=key.job_name, tags=tags)
            continue
        for partition in keys_of_subset(definition, value, now):
            yield RequestedRun(job_name=key.job_name, partition_start=partition, partition_end=partition, tags=tags)


def _asset_runs(
    assets: Mapping[AssetKey, bool | PartitionSubset],
    checks: Iterable[AssetCheckKey],
    graph: AssetGraph,
    now: datetime,
    tags: dict[str, str],
) -> Iterable[RequestedRun]:
    groups: list[tuple[PartitionsDefinition | None, str | None, list[AssetKey]]] = []
    for key, value in assets.items():
        definition = graph.nodes[key].partitions
        names = [None] if definition is None or isinstance(value, bool) else keys_of_subset(definition, value, now)
        for name in names:
            place = next((each for each in groups if each[1] == name and each[0] == definition), None)
            if place is None:
                groups.append((definition, name, [key]))
            else:
                place[2].append(key)
    for _, name, keys in groups:
        yield RequestedRun(asset_selection=tuple(sorted(keys)), partition_start=name, partition_end=name, tags=tags)
    alone = sorted(key for key in checks if key.asset_key not in assets)
    if alone:
        yield RequestedRun(asset_selection=(), asset_check_keys=tuple(alone), tags=tags)


def _is_several(graph: AssetGraph, key: AssetKey, value: bool | PartitionSubset, now: datetime) -> bool:
    definition = graph.nodes[key].partitions
    return definition is not None and not isinstance(value, bool) and subset_size(definition, value, now) > 1


def news_of(decision: AutomationDecision, before: AutomationCursor) -> tuple[ConditionRecord, ...]:
    """The evaluations that said something else than those before, or asked for something."""
    return tuple(
        ConditionRecord(
            result.key.to_user_string(),
            result.context.evaluation.facts.now.timestamp(),
            result.true_subset.size,
            result.serializable_evaluation,
        )
        for result in decision.results
        if _is_news(result, decision, before)
    )


def _is_news(result: AutomationResult, decision: AutomationDecision, before: AutomationCursor) -> bool:
    name = result.key.to_user_string()
    earlier, now = before.entities.get(name), decision.cursor.entities[name]
    if earlier is None or not result.true_subset.is_empty:
        return True
    return (earlier.requested, earlier.condition, earlier.nodes) != (now.requested, now.condition, now.nodes)
