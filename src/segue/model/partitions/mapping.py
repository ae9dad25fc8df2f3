"""Which upstream partitions a downstream partition needs, and which downstream partitions an upstream one feeds.

The mappings that come with Segue are immutable and equal by value, and work on positions, so a year of hours costs no
more than a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.dynamic import DynamicPartitionsDefinition
from segue.model.partitions.key_range import check_partition_key
from segue.model.partitions.mapping_base import Needed, Sides, ValueMapping, missing_of
from segue.model.partitions.multi import MultiPartitionsDefinition
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    intersection,
    keys_of_subset,
    subset_of_keys,
    whole,
)
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


class IdentityPartitionMapping(ValueMapping):
    """The partition of the same key.

    Joins equal definitions, and two of the same kind: of static or dynamic keys, of time windows that differ in start, end
    and exclusions only, of the same dimensions.
    """

    __slots__ = ()
    tag: ClassVar[str] = "identity"

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        upstream, downstream = upstream_partitions_def, downstream_partitions_def
        if downstream is None or not _same_kind(upstream, downstream):
            raise InvalidDefinitionError(
                f"IdentityPartitionMapping cannot map {upstream!r} (upstream) to {downstream!r} (downstream): their "
                "partition keys are of different kinds. Choose another partition_mapping, such as AllPartitionMapping()."
            )

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        if downstream is None or sides.downstream is None:
            raise InvalidDefinitionError(
                "IdentityPartitionMapping requires a partitioned downstream asset. Choose AllPartitionMapping()."
            )
        upstream = sides.upstream
        if upstream.has_order_of(sides.downstream):
            there = _clipped(upstream, downstream, sides.now)
            if there == downstream:
                return Needed(there)
        return existing(upstream, keys_of_subset(sides.downstream, downstream, sides.now), sides.now)

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        downstream = sides.downstream
        if downstream is None:
            return upstream
        if sides.upstream.has_order_of(downstream):
            return _clipped(downstream, upstream, sides.now)
        return existing(downstream, keys_of_subset(sides.upstream, upstream, sides.now), sides.now).subset


class _SamePartitionsMapping(ValueMapping):
    """Every downstream partition needs the same upstream ones."""

    __slots__ = ()

    def always(self, upstream_definition: PartitionsDefinition, now: datetime) -> Needed:
        """The upstream partitions that each downstream one needs."""
        raise self._unsaid("always")

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        return self.always(sides.upstream, sides.now) if downstream is None or downstream else Needed(EMPTY)

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        if sides.downstream is None or not upstream:
            return EMPTY
        needed = self.always(sides.upstream, sides.now).subset
        touched = intersection(sides.upstream, needed, upstream, sides.now)
        return whole(sides.downstream, sides.now) if touched else EMPTY


class AllPartitionMapping(_SamePartitionsMapping):
    """All upstream partitions that exist."""

    __slots__ = ()
    tag: ClassVar[str] = "all"

    def always(self, upstream_definition: PartitionsDefinition, now: datetime) -> Needed:
        return Needed(whole(upstream_definition, now))


class LastPartitionMapping(_SamePartitionsMapping):
    """The last upstream partition that exists, if any does."""

    __slots__ = ()
    tag: ClassVar[str] = "last"

    def always(self, upstream_definition: PartitionsDefinition, now: datetime) -> Needed:
        count = upstream_definition.count(now)
        return Needed(
            subset_of_keys(upstream_definition, [upstream_definition.key_at(count - 1, now)] if count else (), now)
        )


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

    def always(self, upstream_definition: PartitionsDefinition, now: datetime) -> Needed:
        return existing(upstream_definition, self.partition_keys, now)


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
        require_kind("StaticPartitionMapping", "its first argument", given, Mapping)
        _keys(given)
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
                    f"StaticPartitionMapping requires a StaticPartitionsDefinition on both sides; {side} is "
                    f"{definition!r}."
                )
            _require_keys(f"the {side} side of StaticPartitionMapping", self._keys_of(side), definition)

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        if downstream is None or sides.downstream is None:
            raise InvalidDefinitionError("StaticPartitionMapping requires a partitioned downstream asset.")
        wanted = set(keys_of_subset(sides.downstream, downstream, sides.now))
        table = self.downstream_partition_keys_by_upstream_partition_key
        return existing(sides.upstream, [up for up, down in table.items() if not wanted.isdisjoint(down)], sides.now)

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        if sides.downstream is None:
            return EMPTY
        table = self.downstream_partition_keys_by_upstream_partition_key
        keys = (down for up in keys_of_subset(sides.upstream, upstream, sides.now) for down in table.get(up, ()))
        return subset_of_keys(sides.downstream, keys, sides.now)

    def _keys_of(self, side: str) -> list[str]:
        table = self.downstream_partition_keys_by_upstream_partition_key
        return list(table) if side == "upstream" else [key for keys in table.values() for key in keys]


def _keys(keys: Collection[str]) -> Collection[str]:
    if isinstance(keys, str):
        raise InvalidDefinitionError(f"Expected a list of partition keys, got the single string {keys!r}.")
    if not isinstance(keys, Collection):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"Expected a list of partition keys, got {keys!r}.")
    for key in keys:
        check_partition_key(key)
    return keys


def _require_keys(what: str, keys: Sequence[str], definition: StaticPartitionsDefinition) -> None:
    known = set(definition.get_partition_keys())
    unknown = sorted(set(keys) - known)
    if unknown:
        raise InvalidDefinitionError(f"{what} refers to {unknown}, not found in {definition!r}.")


def existing(definition: PartitionsDefinition, keys: Sequence[str], now: datetime) -> Needed:
    """Those of these keys that exist, and the others."""
    missing = [key for key in keys if not definition.contains(key, now)]
    if not missing:
        return Needed(subset_of_keys(definition, keys, now))
    gone = set(missing)
    subset = subset_of_keys(definition, [key for key in keys if key not in gone], now)
    return Needed(subset, missing_of(missing))


def _clipped(definition: PartitionsDefinition, subset: PartitionSubset, now: datetime) -> PartitionSubset:
    """What of a set exists."""
    return intersection(definition, subset, whole(definition, now), now)


def _same_kind(one: PartitionsDefinition, other: PartitionsDefinition) -> bool:
    """Whether equal keys of two definitions mean the same."""
    if one == other:
        return True
    if isinstance(one, TimeWindowPartitionsDefinition) and isinstance(other, TimeWindowPartitionsDefinition):
        return (one.cron_schedule, one.fmt) == (other.cron_schedule, other.fmt)
    if isinstance(one, MultiPartitionsDefinition) and isinstance(other, MultiPartitionsDefinition):
        return one.partition_dimension_names == other.partition_dimension_names and all(
            _same_kind(upper, lower) for upper, lower in zip(one.axes, other.axes, strict=True)
        )
    kinds = (StaticPartitionsDefinition, DynamicPartitionsDefinition)
    return any(isinstance(one.declared, kind) and isinstance(other.declared, kind) for kind in kinds)
