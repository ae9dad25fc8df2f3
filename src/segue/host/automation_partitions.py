"""The partitions of all assets from one evaluation of automation to the next: which have become others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.loading import DynamicPartitionsStore


class Partitions:
    """Follows which partitions there are.

    Args:
        graph: what is declared.

    Attributes:
        graph: it, with the partitions as they were when they were looked at last.
    """

    def __init__(self, graph: AssetGraph) -> None:
        self.graph = graph
        self._declared = graph
        self._holders: dict[PartitionsDefinition, list[AssetKey]] = {}
        for key, node in graph.nodes.items():
            if node.partitions is not None:
                self._holders.setdefault(node.partitions, []).append(key)
        self._seen: dict[PartitionsDefinition, tuple[int, ...] | tuple[str, ...]] = {}

    def follow(self, now: datetime, store: DynamicPartitionsStore) -> Mapping[AssetKey, bool]:
        """Looks at the partitions, and gives the assets that have others than the last time; with each whether there have only
        been more added at the end.
        """
        changed: dict[AssetKey, bool] = {}
        listed: dict[AssetKey, PartitionsDefinition] = {}
        is_other = False
        for definition, keys in self._holders.items():
            before = self._seen.get(definition)
            if definition.is_listed:
                # What answers by itself is known by how many there are in each dimension: more come only at the end.
                counts = tuple([axis.count(now) for axis in definition.axes])
                has_grown = before is not None and all(
                    int(was) <= each for was, each in zip(before, counts, strict=True)
                )
                found: tuple[int, ...] | tuple[str, ...] = counts
            else:
                answered = definition.listed(now, store)
                listed |= dict.fromkeys(keys, answered)
                found, has_grown = tuple(answered.get_partition_keys(now)), False
                is_other |= before != found
            if before != found:
                changed |= dict.fromkeys(keys, has_grown)
            self._seen[definition] = found
        if is_other:
            self.graph = self._declared.with_partitions(listed)
        return changed
