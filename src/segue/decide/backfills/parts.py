"""Parts of assets: sets of their partitions, where an asset without partitions is one part.

A part is a `PartitionSubset` here in every case; `ONE` stands for an asset without partitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping import IdentityPartitionMapping
from segue.model.partitions.mapping_choice import downstream_subset, needed_subset
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    difference,
    intersection,
    keys_of_subset,
    positions_of,
    union_of_all,
    whole,
)

ONE = PartitionSubset((("", ""),))
Bounds = tuple[str, str] | None
"""First and last key of a run, both included; None of one without partitions."""


class Parts:
    """The algebra of parts of the assets of a graph.

    Args:
        graph: the assets.
        now: the time at which partitions are looked up.
    """

    def __init__(self, graph: AssetGraph, now: datetime) -> None:
        self._graph = graph
        self._now = now

    def definition(self, key: AssetKey) -> PartitionsDefinition | None:
        """How an asset is partitioned."""
        return self._graph.nodes[key].partitions

    def union(self, key: AssetKey, *parts: PartitionSubset) -> PartitionSubset:
        """What is in any of the parts."""
        definition = self.definition(key)
        if definition is None:
            return next(filter(None, parts), EMPTY)
        return union_of_all(definition, parts, self._now)

    def intersection(self, key: AssetKey, one: PartitionSubset, other: PartitionSubset) -> PartitionSubset:
        """What is in both parts."""
        definition = self.definition(key)
        return (one and other) if definition is None else intersection(definition, one, other, self._now)

    def difference(self, key: AssetKey, one: PartitionSubset, other: PartitionSubset) -> PartitionSubset:
        """What is in the first part and not in the other."""
        definition = self.definition(key)
        if definition is None:
            return EMPTY if other else one
        return difference(definition, one, other, self._now)

    def fed(self, parent: AssetKey, child: AssetKey, part: PartitionSubset) -> PartitionSubset:
        """The part of an asset that needs anything of a part of its parent."""
        above, below = self.definition(parent), self.definition(child)
        if not part:
            return EMPTY
        if above is None:
            return ONE if below is None else whole(below, self._now)
        mapping = self._graph.get_partition_mapping(child, parent)
        if below is None:
            needed = needed_subset(mapping, None, None, above, self._now).subset
            return ONE if intersection(above, needed, part, self._now) else EMPTY
        return downstream_subset(mapping, part, above, below, self._now)

    def is_plain(self, parent: AssetKey, child: AssetKey) -> bool:
        """Whether each partition of an asset needs the same one of its parent, and nothing else of it."""
        above, below = self.definition(parent), self.definition(child)
        if above is None or below is None:
            return above is below
        return above == below and isinstance(self._graph.get_partition_mapping(child, parent), IdentityPartitionMapping)

    def cut(self, key: AssetKey, part: PartitionSubset, most: int | None) -> Iterator[Bounds]:
        """A part in pieces that lie together, in order, each of at most so many partitions (None: as long as they come)."""
        definition = self.definition(key)
        if definition is None:
            yield from [None] * len(part.ranges)
        elif most is None:
            yield from part.ranges
        elif len(definition.axes) > 1:
            yield from ((each, each) for each in keys_of_subset(definition, part, self._now))
        else:
            for start, stop in positions_of(definition, part, self._now):
                for first in range(start, stop, most):
                    last = min(first + most, stop) - 1
                    yield definition.key_at(first, self._now), definition.key_at(last, self._now)
