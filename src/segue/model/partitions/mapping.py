"""Which upstream partitions a downstream partition needs, and which downstream partitions an upstream one feeds.

The mappings here are immutable and equal by value. Those of time windows work on positions and moments, so a year of
hours costs no more than a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from segue.errors import InvalidDefinitionError
from segue.model.partitions.base import PartitionsDefinition, check_partition_key
from segue.model.partitions.mapping_base import PartitionMapping, Sides, ValueMapping, missing_partitions
from segue.model.partitions.sequence import positions_overlapping, spans_between
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    Positions,
    keys_of_subset,
    positions_of,
    subset_at,
    subset_of_keys,
    whole,
)
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


class IdentityPartitionMapping(ValueMapping):
    """The partition of the same key.

    Joins equal definitions, two static ones, or two of time windows that differ in start, end and exclusions only.
    """

    __slots__ = ()
    tag: ClassVar[str] = "identity"

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        upstream, downstream = upstream_partitions_def, downstream_partitions_def
        both_static = all(isinstance(each, StaticPartitionsDefinition) for each in (upstream, downstream))
        if upstream != downstream and not both_static and not _same_keys(upstream, downstream):
            raise InvalidDefinitionError(
                f"IdentityPartitionMapping cannot join {upstream!r} (upstream) and {downstream!r} (downstream): their "
                "keys are of different kinds. Choose another partition_mapping, such as AllPartitionMapping()."
            )

    def upstream_of(self, downstream: PartitionSubset | None, sides: Sides) -> PartitionSubset:
        if downstream is None or sides.downstream is None:
            raise InvalidDefinitionError(
                "IdentityPartitionMapping needs a partitioned downstream asset. Choose AllPartitionMapping()."
            )
        if sides.upstream == sides.downstream:
            return downstream
        if _same_keys(sides.upstream, sides.downstream):
            return TimeWindowPartitionMapping().upstream_of(downstream, sides)
        return _existing(sides.upstream, keys_of_subset(sides.downstream, downstream, sides.now), sides.now)

    def downstream_of(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        if sides.downstream is None or sides.upstream == sides.downstream:
            return upstream
        if _same_keys(sides.upstream, sides.downstream):
            return TimeWindowPartitionMapping().downstream_of(upstream, sides)
        keys = keys_of_subset(sides.upstream, upstream, sides.now)
        kept = [key for key in keys if sides.downstream.contains(key, sides.now)]
        return subset_of_keys(sides.downstream, kept, sides.now)


class _SamePartitionsMapping(ValueMapping):
    """Every downstream partition needs the same upstream ones."""

    __slots__ = ()

    def needed(self, upstream_definition: PartitionsDefinition, now: datetime) -> PartitionSubset:
        """The upstream partitions that each downstream one needs."""
        raise self._opaque()

    def upstream_of(self, downstream: PartitionSubset | None, sides: Sides) -> PartitionSubset:
        return self.needed(sides.upstream, sides.now) if downstream is None or downstream else EMPTY

    def downstream_of(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        if sides.downstream is None or not upstream:
            return EMPTY
        needed = positions_of(sides.upstream, self.needed(sides.upstream, sides.now), sides.now)
        given = positions_of(sides.upstream, upstream, sides.now)
        touched = any(low < stop and start < high for low, high in needed for start, stop in given)
        return whole(sides.downstream, sides.now) if touched else EMPTY


class AllPartitionMapping(_SamePartitionsMapping):
    """All upstream partitions that exist."""

    __slots__ = ()
    tag: ClassVar[str] = "all"

    def needed(self, upstream_definition: PartitionsDefinition, now: datetime) -> PartitionSubset:
        return whole(upstream_definition, now)


class LastPartitionMapping(_SamePartitionsMapping):
    """The last upstream partition that exists, if any does."""

    __slots__ = ()
    tag: ClassVar[str] = "last"

    def needed(self, upstream_definition: PartitionsDefinition, now: datetime) -> PartitionSubset:
        count = upstream_definition.count(now)
        return subset_at(upstream_definition, [(max(count - 1, 0), count)], now)


class SpecificPartitionsPartitionMapping(_SamePartitionsMapping):
    """Always these upstream partitions."""

    __slots__ = ("partition_keys",)
    fields: ClassVar[tuple[str, ...]] = ("partition_keys",)
    tag: ClassVar[str] = "specific"
    partition_keys: Sequence[str]

    def __init__(self, partition_keys: Sequence[str]) -> None:
        object.__setattr__(self, "partition_keys", list(_keys(partition_keys)))

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        if isinstance(upstream_partitions_def, StaticPartitionsDefinition):
            _require_keys("partition_keys", self.partition_keys, upstream_partitions_def)

    def needed(self, upstream_definition: PartitionsDefinition, now: datetime) -> PartitionSubset:
        return _existing(upstream_definition, self.partition_keys, now)


class StaticPartitionMapping(ValueMapping):
    """Said key by key: for each upstream partition the downstream partition (or several) that needs it."""

    __slots__ = ("downstream_partition_keys_by_upstream_partition_key",)
    fields: ClassVar[tuple[str, ...]] = ("downstream_partition_keys_by_upstream_partition_key",)
    tag: ClassVar[str] = "static"
    downstream_partition_keys_by_upstream_partition_key: Mapping[str, Sequence[str]]

    def __init__(
        self, downstream_partition_keys_by_upstream_partition_key: Mapping[str, str | Collection[str]]
    ) -> None:
        given = downstream_partition_keys_by_upstream_partition_key
        plain = {
            up: sorted(set(_keys([down] if isinstance(down, str) else down))) for up, down in sorted(given.items())
        }
        object.__setattr__(self, "downstream_partition_keys_by_upstream_partition_key", plain)

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        for side, definition in (("upstream", upstream_partitions_def), ("downstream", downstream_partitions_def)):
            if not isinstance(definition, StaticPartitionsDefinition):
                raise InvalidDefinitionError(
                    f"StaticPartitionMapping joins two StaticPartitionsDefinitions; {side} is {definition!r}."
                )
            _require_keys(f"the {side} side of StaticPartitionMapping", self._keys_of(side), definition)

    def upstream_of(self, downstream: PartitionSubset | None, sides: Sides) -> PartitionSubset:
        if downstream is None or sides.downstream is None:
            raise InvalidDefinitionError("StaticPartitionMapping needs a partitioned downstream asset.")
        wanted = set(keys_of_subset(sides.downstream, downstream, sides.now))
        table = self.downstream_partition_keys_by_upstream_partition_key
        return _existing(sides.upstream, [up for up, down in table.items() if not wanted.isdisjoint(down)], sides.now)

    def downstream_of(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        if sides.downstream is None:
            return EMPTY
        table = self.downstream_partition_keys_by_upstream_partition_key
        keys = (down for up in keys_of_subset(sides.upstream, upstream, sides.now) for down in table.get(up, ()))
        return subset_of_keys(sides.downstream, keys, sides.now)

    def _keys_of(self, side: str) -> list[str]:
        table = self.downstream_partition_keys_by_upstream_partition_key
        return list(table) if side == "upstream" else [key for keys in table.values() for key in keys]


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
        if start_offset > end_offset:
            raise InvalidDefinitionError(
                f"TimeWindowPartitionMapping(start_offset={start_offset}, end_offset={end_offset}) maps to nothing: "
                "start_offset must not be greater than end_offset."
            )
        object.__setattr__(self, "start_offset", start_offset)
        object.__setattr__(self, "end_offset", end_offset)
        object.__setattr__(self, "allow_nonexistent_upstream_partitions", allow_nonexistent_upstream_partitions)

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        _windows_of(upstream_partitions_def, "upstream")
        _windows_of(downstream_partitions_def, "downstream")

    def upstream_of(self, downstream: PartitionSubset | None, sides: Sides) -> PartitionSubset:
        upper, lower = _windows_of(sides.upstream, "upstream"), _windows_of(sides.downstream, "downstream")
        found: Positions = []
        for start, stop in positions_of(lower, downstream or EMPTY, sides.now):
            spans = spans_between(lower.windows, start + self.start_offset, stop + self.end_offset)
            found.extend(positions_overlapping(upper.windows, low, high) for low, high in spans)
        count = upper.count(sides.now)
        if not self.allow_nonexistent_upstream_partitions:
            missing = [(start, min(stop, 0)) for start, stop in found if start < 0 and self.start_offset >= 0]
            missing += [(max(start, count), stop) for start, stop in found if stop > count and self.end_offset <= 0]
            if number := sum(max(stop - start, 0) for start, stop in missing):
                first = [
                    key for start, stop in missing for key in upper.keys_between(start, min(stop, start + 5), sides.now)
                ]
                raise missing_partitions(
                    first, number, upper, sides.now, "allow_nonexistent_upstream_partitions=True leaves them out."
                )
        return subset_at(upper, [(max(start, 0), min(stop, count)) for start, stop in found], sides.now)

    def downstream_of(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        upper, lower = _windows_of(sides.upstream, "upstream"), _windows_of(sides.downstream, "downstream")
        found: Positions = []
        for start, stop in positions_of(upper, upstream, sides.now):
            for low, high in spans_between(upper.windows, start, stop):
                first, last = positions_overlapping(lower.windows, low, high)
                if first < last:
                    found.append((first - self.end_offset, last - self.start_offset))
        count = lower.count(sides.now)
        return subset_at(lower, [(max(start, 0), min(stop, count)) for start, stop in found], sides.now)


def upstream_subset(
    mapping: PartitionMapping,
    downstream: PartitionSubset | None,
    downstream_definition: PartitionsDefinition | None,
    upstream_definition: PartitionsDefinition,
    now: datetime,
) -> PartitionSubset:
    """The upstream partitions that these downstream ones need; None twice for a downstream asset without partitions.

    Raises:
        UnknownPartitionError: partitions are needed that do not exist at `now`; the message names them.
    """
    return mapping.upstream_of(downstream, Sides(upstream_definition, downstream_definition, now))


def downstream_subset(
    mapping: PartitionMapping,
    upstream: PartitionSubset,
    upstream_definition: PartitionsDefinition,
    downstream_definition: PartitionsDefinition,
    now: datetime,
) -> PartitionSubset:
    """The downstream partitions existing at `now` that need one of these upstream ones."""
    return mapping.downstream_of(upstream, Sides(upstream_definition, downstream_definition, now))


def default_mapping(
    upstream_definition: PartitionsDefinition | None, downstream_definition: PartitionsDefinition | None
) -> PartitionMapping:
    """The mapping of a dependency that names none.

    Raises:
        InvalidDefinitionError: both sides are partitioned and nothing says how they belong together.
    """
    if upstream_definition is None or downstream_definition is None:
        return AllPartitionMapping()
    if upstream_definition == downstream_definition:
        return IdentityPartitionMapping()
    for kind, mapping in (
        (TimeWindowPartitionsDefinition, TimeWindowPartitionMapping),
        (StaticPartitionsDefinition, IdentityPartitionMapping),
    ):
        if isinstance(upstream_definition, kind) and isinstance(downstream_definition, kind):
            return mapping()
    raise InvalidDefinitionError(
        f"Nothing says which partitions of {upstream_definition!r} (upstream) a partition of {downstream_definition!r} "
        "(downstream) needs: set partition_mapping, as in AssetDep(upstream, partition_mapping=AllPartitionMapping())."
    )


def check_mapping(
    mapping: PartitionMapping | None,
    upstream_definition: PartitionsDefinition | None,
    downstream_definition: PartitionsDefinition | None,
) -> None:
    """Raises InvalidDefinitionError if the mapping (None: the default one) cannot join the two definitions."""
    if mapping is None:
        default_mapping(upstream_definition, downstream_definition)
    elif upstream_definition is not None:
        mapping.validate_partition_mapping(upstream_definition, downstream_definition)


def _windows_of(definition: PartitionsDefinition | None, side: str) -> TimeWindowPartitionsDefinition:
    if not isinstance(definition, TimeWindowPartitionsDefinition):
        raise InvalidDefinitionError(
            f"TimeWindowPartitionMapping joins two time-window partitions definitions; {side} is {definition!r}. "
            "Choose another partition_mapping."
        )
    return definition


def _same_keys(one: PartitionsDefinition, other: PartitionsDefinition | None) -> bool:
    """Whether equal keys of two time-window definitions mean equal windows."""
    return (
        isinstance(one, TimeWindowPartitionsDefinition)
        and isinstance(other, TimeWindowPartitionsDefinition)
        and (one.cron_schedule, one.timezone, one.fmt) == (other.cron_schedule, other.timezone, other.fmt)
    )


def _keys(keys: Collection[str]) -> Collection[str]:
    if isinstance(keys, str):
        raise InvalidDefinitionError(f"Expected a list of partition keys, got the single string {keys!r}.")
    for key in keys:
        check_partition_key(key)
    return keys


def _require_keys(what: str, keys: Sequence[str], definition: StaticPartitionsDefinition) -> None:
    known = set(definition.get_partition_keys())
    unknown = sorted(set(keys) - known)
    if unknown:
        raise InvalidDefinitionError(f"{what} names {unknown}, which {definition!r} does not have.")


def _existing(definition: PartitionsDefinition, keys: Sequence[str], now: datetime) -> PartitionSubset:
    """The set of these upstream keys, which must exist."""
    missing = [key for key in keys if not definition.contains(key, now)]
    if missing:
        raise missing_partitions(missing, len(missing), definition, now)
    return subset_of_keys(definition, keys, now)
