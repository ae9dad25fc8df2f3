"""The keys of partitions that only a store or the user's code knows: asked once for a run, and then facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from segue.defs.describe import Described
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.listing import listed_graph
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.tags import PARTITION_TAG
from segue.plan.plan import Plan


def listed_for_run(
    described: Described,
    assets: Iterable[AssetKey],
    checks: Iterable[AssetCheckKey],
    now: datetime,
    store: DynamicPartitionsStore,
) -> Described:
    """The definitions with the partitions of what a run makes and reads as they are now."""
    graph = described.graph
    if not graph.has_partitions:
        return described
    meant = {*assets, *(check.asset_key for check in checks)}
    meant |= {parent for key in meant for parent in graph.parents(key)}
    names = {node.computation for key in meant if (node := graph.nodes.get(key)) is not None}
    names |= {graph.checks[check].computation for check in checks if check in graph.checks}
    for name in names:
        computation = None if name is None else graph.computations.get(name)
        meant.update(each.asset_key for each in (() if computation is None else computation.inputs))
    changed = listed_graph(graph, meant, now, store)
    return described if changed is graph else msgspec.structs.replace(described, graph=changed)


def listed_for_plan(described: Described, plan: Plan, now: datetime, store: DynamicPartitionsStore) -> Described:
    """The same for a run whose plan is there already."""
    outputs = [output for step in plan.steps for output in step.outputs]
    checks = [
        AssetCheckKey(output.check_asset_key, output.check_name)
        for output in outputs
        if output.check_asset_key is not None and output.check_name is not None
    ]
    taken = [each.asset_key for step in plan.steps for each in step.inputs if each.asset_key is not None]
    return listed_for_run(described, [*plan.asset_keys, *taken], checks, now, store)


def partition_tags(graph: AssetGraph, assets: Iterable[AssetKey], key: str) -> Mapping[str, str]:
    """The tags of a run of one partition of these assets."""
    found = (graph.nodes[each].partitions for each in assets)
    definition = next((each for each in found if each is not None), None)
    return {PARTITION_TAG: key} if definition is None else definition.get_tags_for_partition_key(key)
