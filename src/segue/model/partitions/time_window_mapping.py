"""The mapping between windows of time: those that share time belong together."""

from __future__ import annotations

from typing import ClassVar

from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_type
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import Missing, Needed, Sides, ValueMapping
from segue.model.partitions.regions import positions_in, region_of
from segue.model.partitions.sequence import positions_overlapping, spans_between
from segue.model.partitions.subset import EMPTY, PartitionSubset, Positions, positions_of, subset_at
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


class TimeWindowPartitionMapping(ValueMapping):
    """The upstream windows that share time with the downstream window.

    Args:
        start_offset, end_offset: the downstream window is first stretched: its start moved by so many downstream
            windows, its end by so many. -1 and 0: the window and the one before; -1 and -1: the one before.
        allow_nonexistent_upstream_partitions: upstream windows that do not exist (before the start, not over yet) are
            left out instead of being an error. They are never an error where an offset leads there: before the first
            partition with a negative start_offset, after the last with a positive end_offset.

    Raises:
        InvalidDefinitionError: the offsets leave nothing of the window (start_offset > end_offset).
    """

    __slots__ = ("allow_nonexistent_upstream_partitions", "end_offset", "start_offset")
    fields: ClassVar[tuple[str, ...]] = ("start_offset", "end_offset", "allow_nonexistent_upstream_partitions")
    tag: ClassVar[str] = "time_window"
    start_offset: int
    end_offset: int
    allow_nonexistent_upstream_partitions: bool

    def __init__(
        self, start_offset: int = 0, end_offset: int = 0, allow_nonexistent_upstream_partitions: bool = False
    ) -> None:
        require_type(self, "start_offset", start_offset, int)
        require_type(self, "end_offset", end_offset, int)
        require_type(self, "allow_nonexistent_upstream_partitions", allow_nonexistent_upstream_partitions, bool)
        if start_offset > end_offset:
            raise InvalidDefinitionError(
                f"TimeWindowPartitionMapping(start_offset={start_offset}, end_offset={end_offset}) is empty: start_offset "
                "must not be greater than end_offset."
            )
        object.__setattr__(self, "start_offset", start_offset)
        object.__setattr__(self, "end_offset", end_offset)
        object.__setattr__(self, "allow_nonexistent_upstream_partitions", allow_nonexistent_upstream_partitions)

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        _windows_of(upstream_partitions_def, "upstream")
        _windows_of(downstream_partitions_def, "downstream")

    @property
    def description(self) -> str:
        if not self.start_offset and not self.end_offset:
            return "The upstream windows that share time with the downstream window."
        return (
            "The upstream windows that share time with the downstream window, its start moved by "
            f"{self.start_offset} windows and its end by {self.end_offset}."
        )

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        upper, lower = _windows_of(sides.upstream, "upstream"), _windows_of(sides.downstream, "downstream")
        found: Positions = []
        for start, stop in positions_of(lower, downstream or EMPTY, sides.now):
            spans = spans_between(lower.windows, start + self.start_offset, stop + self.end_offset)
            found.extend(positions_overlapping(upper.windows, low, high) for low, high in spans)
        count = upper.count(sides.now)
        subset = subset_at(upper, [(max(start, 0), min(stop, count)) for start, stop in found], sides.now)
        if self.allow_nonexistent_upstream_partitions:
            return Needed(subset)
        missing = [(start, min(stop, 0)) for start, stop in found if start < 0 and self.start_offset >= 0]
        missing += [(max(start, count), stop) for start, stop in found if stop > count and self.end_offset <= 0]
        runs = positions_in(region_of([(each,) for each in missing], 1))
        if not runs:
            return Needed(subset)

        def keys(first: int | None) -> list[str]:
            runs_of_first = runs if first is None else [(start, min(stop, start + first)) for start, stop in runs]
            return [key for run in runs_of_first for key in upper.keys_between(*run, sides.now)][:first]

        number = sum(stop - start for start, stop in runs)
        return Needed(subset, Missing(number, keys), "allow_nonexistent_upstream_partitions=True leaves them out.")

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        upper, lower = _windows_of(sides.upstream, "upstream"), _windows_of(sides.downstream, "downstream")
        found: Positions = []
        for start, stop in positions_of(upper, upstream, sides.now):
            for low, high in spans_between(upper.windows, start, stop):
                first, last = positions_overlapping(lower.windows, low, high)
                if first < last:
                    found.append((first - self.end_offset, last - self.start_offset))
        count = lower.count(sides.now)
        return subset_at(lower, [(max(start, 0), min(stop, count)) for start, stop in found], sides.now)


def _windows_of(definition: PartitionsDefinition | None, side: str) -> TimeWindowPartitionsDefinition:
    if not isinstance(definition, TimeWindowPartitionsDefinition):
        raise InvalidDefinitionError(
            f"TimeWindowPartitionMapping requires a time-window partitions definition on both sides; {side} is "
            f"{definition!r}. Choose another partition_mapping."
        )
    return definition
