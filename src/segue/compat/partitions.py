"""Dagster's own classes of sets of partitions, which code for it sometimes makes by hand: here all are `PartitionsSubset`s."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from segue.model.partitions import loading
from segue.model.partitions.base import ListedPartitions, PartitionsDefinition
from segue.model.partitions.key_range import TimeWindow
from segue.model.partitions.partitions_subset import PartitionsSubset, all_of, subset_of
from segue.model.partitions.zones import zone_named


class TemporalContext(NamedTuple):
    """The moment at which things are looked at."""

    effective_dt: datetime
    last_event_id: int | None = None


class PartitionLoadingContext(loading.PartitionLoadingContext):
    """`segue.PartitionLoadingContext`, made of a temporal context."""

    def __new__(
        cls, temporal_context: TemporalContext, dynamic_partitions_store: loading.DynamicPartitionsStore | None
    ) -> PartitionLoadingContext:
        return super().__new__(cls, temporal_context.effective_dt, dynamic_partitions_store)


class PersistedTimeWindow(NamedTuple):
    """A stretch of time, in a zone."""

    start: datetime
    end: datetime

    @classmethod
    def from_public_time_window(cls, tw: TimeWindow, timezone: str) -> PersistedTimeWindow:
        """The same stretch, as clocks of the zone show it."""
        zone = zone_named(timezone)
        return cls(tw.start.astimezone(zone), tw.end.astimezone(zone))


class DefaultPartitionsSubset(PartitionsSubset):
    """A set of keys of which no definition is known."""

    __slots__ = ()

    def __init__(self, subset: AbstractSet[str] | None = None) -> None:
        keys = sorted(subset or ())
        unknown = ListedPartitions(None, keys, is_open=True)
        super().__init__(unknown, subset_of(unknown, keys).value)

    @classmethod
    def create_empty_subset(cls, partitions_def: PartitionsDefinition | None = None) -> PartitionsSubset:
        """No partition."""
        return cls() if partitions_def is None else partitions_def.empty_subset()


class AllPartitionsSubset(PartitionsSubset):
    """All partitions that exist at the moment of a context."""

    __slots__ = ()

    def __init__(self, partitions_def: PartitionsDefinition, context: loading.PartitionLoadingContext) -> None:
        found = all_of(partitions_def, context.effective_dt, context.dynamic_partitions_store)
        super().__init__(found.definition, found.value)


class TimeWindowPartitionsSubset(PartitionsSubset):
    """The partitions in stretches of time; `num_partitions` is counted here, whatever is given."""

    __slots__ = ()

    def __init__(
        self,
        partitions_def: PartitionsDefinition,
        num_partitions: int | None,
        included_time_windows: Sequence[PersistedTimeWindow | TimeWindow],
    ) -> None:
        super().__init__(partitions_def, partitions_def.subset_of_spans(_spans(included_time_windows)))


def _spans(windows: Iterable[PersistedTimeWindow | TimeWindow]) -> list[tuple[float, float]]:
    return [(each.start.timestamp(), each.end.timestamp()) for each in windows]
