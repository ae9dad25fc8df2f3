"""Definitions with their dynamic partitions, as the store has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.listing import listed_graph
from segue.model.stores import DynamicPartitionStore


class _Keys:
    """`segue.model.partitions.loading.DynamicPartitionsStore` over a store."""

    def __init__(self, store: DynamicPartitionStore) -> None:
        self._store = store

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        return self._store.dynamic_partitions(partitions_def_name)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        return self._store.has_dynamic_partition(partitions_def_name, partition_key)


def listed(graph: AssetGraph, keys: Iterable[AssetKey], store: DynamicPartitionStore, now: datetime) -> AssetGraph:
    """The graph with the partitions of these assets, and of those they depend on, as they are now."""
    meant = set(keys)
    meant |= {parent for key in meant for parent in graph.parents(key)}
    return listed_graph(graph, meant, now, _Keys(store))
