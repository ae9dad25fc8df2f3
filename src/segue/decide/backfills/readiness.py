"""What of a backfill can be made now, and which of it together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.decide.backfills.parts import Parts
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.subset import EMPTY, PartitionSubset

Amounts = Mapping[AssetKey, PartitionSubset]
Piece = tuple[tuple[AssetKey, ...], PartitionSubset]
"""Assets that one run makes together, and the part that is ready of each."""


class Wanted:
    """The assets of a backfill, upstream first, with what is wanted of each.

    Assets that one function makes at once form a unit: they are ready together or not at all.

    Args:
        graph: all assets.
        parts: the algebra of their parts.
        amounts: what is wanted of each.
    """

    def __init__(self, graph: AssetGraph, parts: Parts, amounts: Amounts) -> None:
        self.graph = graph
        self.parts = parts
        self.amounts = amounts
        self.keys = [key for key in graph.toposorted_asset_keys if key in amounts]
        self.parents = {key: [each for each in graph.real_parents(key) if each in amounts] for key in self.keys}
        self.units = self._units()

    def _units(self) -> list[tuple[AssetKey, ...]]:
        units: list[tuple[AssetKey, ...]] = []
        seen: set[AssetKey] = set()
        for key in self.keys:
            if key not in seen:
                unit = tuple(each for each in self.graph.siblings(key) if each in self.amounts)
                units.append(unit)
                seen.update(unit)
        return units

    def joins(self, parent: AssetKey, child: AssetKey) -> bool:
        """Whether one run may make a partition of both."""
        same_policy = self.graph.nodes[parent].backfill_policy == self.graph.nodes[child].backfill_policy
        return parent != child and same_policy and self.parts.is_plain(parent, child)

    def lost(self, failed: Amounts, open_parts: Amounts) -> dict[AssetKey, PartitionSubset]:
        """What of the open parts will never come, because something that it needs failed."""
        found = dict.fromkeys(self.keys, EMPTY)
        is_new = True
        while is_new:  # once more for each link of a chain through an asset's own partitions
            is_new = False
            for key in self.keys:
                for parent in self.parents[key]:
                    gone = self.parts.union(parent, failed.get(parent, EMPTY), found[parent])
                    hit = self.parts.intersection(key, self.parts.fed(parent, key, gone), open_parts[key])
                    new = self.parts.difference(key, hit, found[key])
                    if new:
                        found[key] = self.parts.union(key, found[key], new)
                        is_new = True
            self._spread_over_units(found, open_parts)
        return found

    def _spread_over_units(self, found: dict[AssetKey, PartitionSubset], open_parts: Amounts) -> None:
        """What one asset of a unit loses the others lose too."""
        for unit in self.units:
            if len(unit) > 1 and any(found[key] for key in unit):
                together = EMPTY
                for key in unit:
                    together = self.parts.union(key, together, found[key])
                for key in unit:
                    found[key] = self.parts.intersection(key, together, open_parts[key])

    def ready(self, open_parts: Amounts, done: Amounts) -> dict[AssetKey, PartitionSubset]:
        """What of the open parts needs nothing any more that is not done, or is made in the same run."""
        found: dict[AssetKey, PartitionSubset] = dict.fromkeys(self.keys, EMPTY)
        for unit in self.units:
            part = open_parts[unit[0]]
            for key in unit:
                part = self.parts.intersection(key, part, open_parts[key])
                for parent in self.parents[key]:
                    if parent in unit and self.parts.is_plain(parent, key):
                        continue
                    awaited = self.parts.difference(parent, self.amounts[parent], done[parent])
                    if self.joins(parent, key):
                        awaited = self.parts.difference(parent, awaited, found[parent])
                    part = self.parts.difference(key, part, self.parts.fed(parent, key, awaited))
            for key in unit:
                found[key] = part
        return found

    def pieces(self, ready: Amounts) -> list[Piece]:
        """What is ready, by the runs that make it: assets that may join are together wherever both are ready."""
        pieces: list[Piece] = []
        for group in self._groups():
            of_group: list[Piece] = []
            for unit in group:
                of_group = self._with_unit(of_group, unit, ready[unit[0]])
            pieces.extend(of_group)
        return pieces

    def _with_unit(self, pieces: list[Piece], unit: tuple[AssetKey, ...], part: PartitionSubset) -> list[Piece]:
        """Pieces with one more unit in those that lie in its part, and a piece for the rest of the part."""
        key, left = unit[0], part
        split: list[Piece] = []
        for assets, subset in pieces:
            both = self.parts.intersection(key, subset, left)
            if both:
                split.append(((*assets, *unit), both))
                left = self.parts.difference(key, left, both)
            others = self.parts.difference(key, subset, both)
            if others:
                split.append((assets, others))
        if left:
            split.append((unit, left))
        return split

    def _groups(self) -> Sequence[Sequence[tuple[AssetKey, ...]]]:
        """Units that edges over which runs may join lead to each other, upstream first."""
        unit_of = {key: index for index, unit in enumerate(self.units) for key in unit}
        group = list(range(len(self.units)))

        def root(index: int) -> int:
            while group[index] != index:
                group[index] = group[group[index]]
                index = group[index]
            return index

        for key in self.keys:
            for parent in self.parents[key]:
                if self.joins(parent, key):
                    one, other = sorted((root(unit_of[parent]), root(unit_of[key])))
                    group[other] = one
        members: dict[int, list[tuple[AssetKey, ...]]] = {}
        for index, unit in enumerate(self.units):
            members.setdefault(root(index), []).append(unit)
        return list(members.values())
