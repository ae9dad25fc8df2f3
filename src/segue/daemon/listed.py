"""Definitions with their dynamic partitions, as the store has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.listing import StoredKeys, listed_graph
from segue.model.stores import DynamicPartitionStore


def listed(graph: AssetGraph, keys: Iterable[AssetKey], store: DynamicPartitionStore, now: datetime) -> AssetGraph:
    """The graph with the partitions of these assets, and of those they depend on, as they are now."""
    meant = set(keys)
    meant |= {parent for key in meant for parent in graph.parents(key)}
    return listed_graph(graph, meant, now, StoredKeys(store))
