"""A graph whose partitions only a store or the user's code knows, with these as they are at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.stores import DynamicPartitionStore


class StoredKeys:
    """The keys of dynamic partitions as a store has them: `segue.model.partitions.loading.DynamicPartitionsStore`."""

    def __init__(self, store: DynamicPartitionStore) -> None:
        self._store = store

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a definition, oldest first."""
        return self._store.dynamic_partitions(partitions_def_name)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether it has this key."""
        return self._store.has_dynamic_partition(partitions_def_name, partition_key)


def listed_graph(
    graph: AssetGraph, keys: Iterable[AssetKey], now: datetime, store: DynamicPartitionsStore
) -> AssetGraph:
    """The graph with the partitions of some assets as they are now; itself where all answer for themselves."""
    found: dict[PartitionsDefinition, PartitionsDefinition] = {}
    changed: dict[AssetKey, PartitionsDefinition] = {}
    for key in keys:
        node = graph.nodes.get(key)
        if node is None or node.partitions is None or node.partitions.is_listed:
            continue
        if node.partitions not in found:
            found[node.partitions] = node.partitions.listed(now, store)
        changed[key] = found[node.partitions]
    return graph.with_partitions(changed) if changed else graph
