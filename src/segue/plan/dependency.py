"""How the partitions of what a step makes belong to those of an asset that it is made from."""

from __future__ import annotations

from collections.abc import Iterable

from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping


def declared_dependency(
    graph: AssetGraph, made: Iterable[AssetKey], upstream: AssetKey
) -> tuple[PartitionMapping | None, PartitionsDefinition | None]:
    """The mapping that the assets of a step declare for an upstream asset, and how they are partitioned; None where nothing says
    so."""
    mapping: PartitionMapping | None = None
    partitions: PartitionsDefinition | None = None
    for key in made:
        node = graph.nodes[key]
        partitions = partitions or node.partitions
        mapping = mapping or next((dep.mapping for dep in node.deps if dep.key == upstream), None)
    return mapping, partitions
