"""The time that a set of partitions spans."""

from __future__ import annotations

from datetime import datetime

from segue.errors import InvariantViolationError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import TimeWindow
from segue.model.partitions.regions import boxes_of
from segue.model.partitions.subset import PartitionSubset, region_of_subset
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


def time_window_of_subset(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> TimeWindow:
    """The time from the start of a set's first window to the end of its last.

    Raises:
        InvariantViolationError: the partitions are not windows of time, in no dimension, or the set is empty.
    """
    for place, axis in enumerate(definition.axes):
        if isinstance(axis, TimeWindowPartitionsDefinition):
            spans = [box[place] for box in boxes_of(region_of_subset(definition, subset, now))]
            if not spans:
                raise InvariantViolationError("An empty partitions subset has no time window.")
            first = axis.window_at(min(start for start, _ in spans))
            last = axis.window_at(max(stop for _, stop in spans) - 1)
            return TimeWindow(first.start, last.end)
    raise InvariantViolationError(f"The partitions of {definition!r} are not time windows.")
