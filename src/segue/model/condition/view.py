"""Parts of assets, checks and jobs, seen at one moment: which partitions there are, and how those of neighbours meet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce

from segue.errors import InvalidDefinitionError, UnknownPartitionError
from segue.model.condition.combinations import Combinations
from segue.model.condition.facts import SubsetValue
from segue.model.condition.subset import EntitySubset
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetJobKey, AssetKey, EntityKey
from segue.model.partitions import subset as sets
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping import IdentityPartitionMapping
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.mapping_choice import default_mapping, needed_subset
from segue.model.partitions.subset import PartitionSubset
from segue.model.partitions.time_window_mapping import TimeWindowPartitionMapping


class AssetGraphView:
    """The asset graph at one moment.

    Attributes:
        asset_graph: what depends on what.
        effective_dt: the moment.
        combinations: what sets of partitions come to at that moment.
    """

    __slots__ = ("_definitions", "asset_graph", "combinations", "effective_dt")

    def __init__(self, asset_graph: AssetGraph, effective_dt: datetime) -> None:
        self.asset_graph = asset_graph
        self.effective_dt = effective_dt
        self.combinations = Combinations(effective_dt)
        self._definitions: dict[int, tuple[EntityKey, PartitionsDefinition | None]] = {}  # by id of the key

    def partitions_def(self, key: EntityKey) -> PartitionsDefinition | None:
        """How a target is cut into partitions; None for not at all."""
        known = self._definitions.get(id(key))
        if known is None:
            known = self._definitions[id(key)] = (key, self._partitions_def(key))
        return known[1]

    def _partitions_def(self, key: EntityKey) -> PartitionsDefinition | None:
        if isinstance(key, AssetKey):
            return self.asset_graph.node(key).partitions
        if isinstance(key, AssetCheckKey):
            check = self.asset_graph.checks.get(key)
            return None if check is None else check.partitions
        job = self.asset_graph.jobs.get(key.job_name)
        return None if job is None else job.partitions or self._partitions_of_all(job.assets)

    def _partitions_of_all(self, keys: Iterable[AssetKey]) -> PartitionsDefinition | None:
        """How all of these assets that have partitions are cut; None where none has, or they differ."""
        found = [self.asset_graph.nodes[key].partitions for key in keys]
        several = [definition for definition in found if definition is not None]
        return several[0] if several and all(each == several[0] for each in several) else None

    def get_full_subset(self, *, key: EntityKey) -> EntitySubset:
        """All of a target that exists at this moment."""
        definition = self.partitions_def(key)
        return EntitySubset(self, key, True if definition is None else self.combinations.whole(definition))

    def get_empty_subset(self, *, key: EntityKey) -> EntitySubset:
        """Nothing of a target."""
        return EntitySubset(self, key, False if self.partitions_def(key) is None else sets.EMPTY)

    def get_subset(self, *, key: EntityKey, partition_keys: Iterable[str]) -> EntitySubset:
        """These partitions of a target, as far as they exist."""
        definition = self.partitions_def(key)
        if definition is None:
            raise InvalidDefinitionError(f"{key.to_user_string()!r} is not partitioned.")
        kept = [each for each in partition_keys if definition.contains(each, self.effective_dt)]
        return EntitySubset(self, key, sets.subset_of_keys(definition, kept, self.effective_dt))

    def get_subset_of_value(self, *, key: EntityKey, value: SubsetValue | None) -> EntitySubset | None:
        """The part of a target that was written down earlier; None where it no longer fits the target."""
        definition = self.partitions_def(key)
        if value is None or isinstance(value, bool) == (definition is not None):
            return None
        if definition is None or isinstance(value, bool):
            return EntitySubset(self, key, value)
        try:
            kept = self.combinations.combine("intersection", definition, value, self.combinations.whole(definition))
        except UnknownPartitionError:
            kept = _clamped(definition, value, self.effective_dt)
        return EntitySubset(self, key, kept)

    def compute_latest_time_window_subset(
        self, *, key: EntityKey, lookback_delta: timedelta | None = None
    ) -> EntitySubset:
        """What of a target lies in the last time window that has ended; all of it where no dimension is of time windows.

        With a lookback, what lies in the windows that start at most so long before the end of the last one.
        """
        definition = self.partitions_def(key)
        if definition is None:
            return self.get_full_subset(key=key)
        return EntitySubset(self, key, self.combinations.latest(definition, lookback_delta))

    def mapped(self, subset: EntitySubset, to_key: EntityKey, *, up: bool) -> EntitySubset:
        """What belongs to a part of one target in another: upstream of it (`up`) or downstream."""
        if subset.is_empty:
            return self.get_empty_subset(key=to_key)
        upstream, downstream = (to_key, subset.key) if up else (subset.key, to_key)
        if isinstance(upstream, AssetKey) and isinstance(downstream, AssetKey):
            views = self.asset_graph.views_between(upstream, downstream)
            if views:
                found = [self.mapped(self.mapped(subset, view, up=up), to_key, up=up) for view in views]
                return reduce(EntitySubset.compute_union, found)
        source, target = self.partitions_def(subset.key), self.partitions_def(to_key)
        if target is None:
            return EntitySubset(self, to_key, True)
        value = subset.value
        if up:
            mapping = self._mapping(to_key, subset.key, target, source)
            if source is None or isinstance(value, bool):
                return EntitySubset(
                    self, to_key, needed_subset(mapping, None, source, target, self.effective_dt).subset
                )
            return EntitySubset(self, to_key, self.combinations.mapped(mapping, value, target, source, up=True))
        if source is None or isinstance(value, bool):
            return self.get_full_subset(key=to_key)
        mapping = self._mapping(subset.key, to_key, source, target)
        return EntitySubset(self, to_key, self.combinations.mapped(mapping, value, source, target, up=False))

    def is_same_run(self, upstream: EntityKey, downstream: EntityKey) -> bool:
        """Whether one run can make the same partition of both; a run of a job makes nothing outside of it."""
        if isinstance(downstream, AssetJobKey):
            return upstream in self.asset_graph.jobs[downstream.job_name].assets
        source, target = self.partitions_def(upstream), self.partitions_def(downstream)
        if source is None or source != target or isinstance(upstream, AssetCheckKey):
            return source == target
        mapping = self._mapping(upstream, downstream, source, target)
        return isinstance(mapping, IdentityPartitionMapping) or (
            isinstance(mapping, TimeWindowPartitionMapping) and mapping.start_offset <= 0 <= mapping.end_offset
        )

    def _mapping(
        self,
        upstream: EntityKey,
        downstream: EntityKey,
        source: PartitionsDefinition | None,
        target: PartitionsDefinition | None,
    ) -> PartitionMapping:
        node = self.asset_graph.nodes.get(downstream) if isinstance(downstream, AssetKey) else None
        for dep in () if node is None else node.deps:
            if dep.key == upstream and dep.mapping is not None:
                return dep.mapping
        if source is None or target is None:
            return default_mapping(source, target)
        return self.combinations.default(source, target)


def _clamped(definition: PartitionsDefinition, value: PartitionSubset, now: datetime) -> PartitionSubset:
    """A set whose definition has changed: a range whose one end is gone reaches to the end of what there is."""
    count = definition.count(now)
    positions: list[tuple[int, int]] = []
    for first, last in value.ranges:
        known = [definition.index_of(end, now) if definition.contains(end, now) else None for end in (first, last)]
        if known != [None, None]:
            start, stop = known
            positions.append((start or 0, count if stop is None else stop + 1))
    return sets.subset_at(definition, positions, now)
