"""Sets of partitions combined and mapped, each pair once: thousands of assets are cut alike, and most stand alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from segue.model.partitions import subset as sets
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.mapping_choice import default_mapping, downstream_subset, needed_subset
from segue.model.partitions.regions import region_of
from segue.model.partitions.sequence import starting_from
from segue.model.partitions.subset import EMPTY, PartitionSubset
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

Way: TypeAlias = Literal["union", "intersection", "difference"]
_MOST = 50_000  # answers that are kept; of assets that all stand differently none would come again


class Combinations:
    """What sets of partitions come to at one moment.

    Args:
        now: the moment.
    """

    __slots__ = ("_combined", "_defaults", "_known", "_latest", "_mapped", "_now", "_wholes")

    def __init__(self, now: datetime) -> None:
        self._now = now
        # Definitions are told apart by the first one that is equal: comparing them costs more than most answers.
        self._known: dict[int, tuple[PartitionsDefinition, PartitionsDefinition]] = {}
        self._wholes: dict[int, PartitionSubset] = {}
        self._latest: dict[tuple[int, timedelta | None], PartitionSubset] = {}
        self._combined: dict[tuple[Way, int, PartitionSubset, PartitionSubset], PartitionSubset] = {}
        self._defaults: dict[tuple[int, int], PartitionMapping] = {}
        self._mapped: dict[tuple[bool, int, int, int, PartitionSubset], tuple[PartitionMapping, PartitionSubset]] = {}

    def whole(self, definition: PartitionsDefinition) -> PartitionSubset:
        """All partitions of a definition."""
        first = self._first(definition)
        found = self._wholes.get(id(first))
        if found is None:
            found = self._wholes[id(first)] = sets.whole(first, self._now)
        return found

    def latest(self, definition: PartitionsDefinition, lookback: timedelta | None) -> PartitionSubset:
        """What lies in the last time window that has ended; with a lookback, in those that start at most so long before its
        end. Dimensions that are not of time windows are left whole.
        """
        question = (id(self._first(definition)), lookback)
        found = self._latest.get(question)
        if found is None:
            box = tuple([self._latest_of_axis(axis, lookback) for axis in definition.axes])
            found = self._latest[question] = sets.subset_of_region(definition, region_of([box], len(box)), self._now)
        return found

    def _latest_of_axis(self, axis: PartitionsDefinition, lookback: timedelta | None) -> tuple[int, int]:
        count = axis.count(self._now)
        if not isinstance(axis, TimeWindowPartitionsDefinition) or not count:
            return 0, count
        if lookback is None:
            return count - 1, count
        low = axis.window_at(count - 1).end.timestamp() - lookback.total_seconds()
        return max(starting_from(axis.windows, low), 0), count

    def combine(
        self, way: Way, definition: PartitionsDefinition, one: PartitionSubset, other: PartitionSubset
    ) -> PartitionSubset:
        """What is in either, in both, or in the first and not in the other."""
        if not one or not other or one == other:
            if way == "union":
                return one or other
            if way == "intersection":
                return one and other
            return one if not other else EMPTY
        question = (way, id(self._first(definition)), one, other)
        found = self._combined.get(question)
        if found is None:
            combine = {"union": sets.union, "intersection": sets.intersection, "difference": sets.difference}[way]
            if len(self._combined) >= _MOST:
                self._combined.clear()
            found = self._combined[question] = combine(definition, one, other, self._now)
        return found

    def default(self, upstream: PartitionsDefinition, downstream: PartitionsDefinition) -> PartitionMapping:
        """The mapping between two definitions where a dependency names none."""
        pair = (id(self._first(upstream)), id(self._first(downstream)))
        found = self._defaults.get(pair)
        if found is None:
            found = self._defaults[pair] = default_mapping(upstream, downstream)
        return found

    def mapped(
        self,
        mapping: PartitionMapping,
        part: PartitionSubset,
        upstream: PartitionsDefinition,
        downstream: PartitionsDefinition,
        *,
        up: bool,
    ) -> PartitionSubset:
        """What belongs to a part downstream in the definition upstream (`up`), as far as it exists, or the other way round."""
        question = (up, id(mapping), id(self._first(upstream)), id(self._first(downstream)), part)
        found = self._mapped.get(question)
        if found is None:
            if len(self._mapped) >= _MOST:
                self._mapped.clear()
            if up:
                # Here a partition that is needed and not there is no error.
                answer = needed_subset(mapping, part, downstream, upstream, self._now).subset
            else:
                answer = downstream_subset(mapping, part, upstream, downstream, self._now)
            found = self._mapped[question] = (mapping, answer)  # the mapping stays, or its number would be another's
        return found[1]

    def _first(self, definition: PartitionsDefinition) -> PartitionsDefinition:
        """The first definition that was asked about and is equal to this one."""
        found = self._known.get(id(definition))
        if found is None:
            first = next((first for _, first in self._known.values() if first == definition), definition)
            found = self._known[id(definition)] = (definition, first)
        return found[1]
