"""The mappings of partitions of several dimensions: dimension by dimension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import ClassVar, NamedTuple

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind, require_type
from segue.model.json_data import JsonValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping import IdentityPartitionMapping
from segue.model.partitions.mapping_base import (
    Needed,
    PartitionMapping,
    Sides,
    ValueMapping,
    fed_downstream,
    missing_of,
    needed_upstream,
)
from segue.model.partitions.multi import MultiPartitionsDefinition
from segue.model.partitions.regions import Box, boxes_of, intersection_of, positions_in, region_of
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    positions_of,
    region_of_subset,
    subset_at,
    subset_of_region,
)
from segue.model.partitions.time_window_mapping import TimeWindowPartitionMapping
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


class DimensionPartitionMapping(msgspec.Struct, frozen=True):
    """Which dimension downstream belongs to one upstream, and how.

    Attributes:
        dimension_name: the dimension downstream.
        partition_mapping: how the two belong together.
    """

    dimension_name: str
    partition_mapping: PartitionMapping

    def __post_init__(self) -> None:
        require_type(self, "dimension_name", self.dimension_name, str)
        require_type(self, "partition_mapping", self.partition_mapping, PartitionMapping)


class DimensionDependency(NamedTuple):
    """A dimension upstream that a mapping joins to one downstream; None is the only one of a definition of one dimension."""

    partition_mapping: PartitionMapping
    upstream_dimension_name: str | None = None
    downstream_dimension_name: str | None = None


class _Join(NamedTuple):
    """The same, by the places of the dimensions in `axes`."""

    upstream: int
    downstream: int
    mapping: PartitionMapping


class BaseMultiPartitionMapping(ValueMapping):
    """A mapping that works dimension by dimension.

    A dimension upstream that is joined to none downstream is needed in full; one downstream that is joined to none
    upstream does not matter.
    """

    __slots__ = ()

    def get_dimension_dependencies(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition
    ) -> Sequence[DimensionDependency]:
        """The dimensions that are joined.

        Raises:
            InvalidDefinitionError: the definitions do not have them.
        """
        raise self._unsaid("get_dimension_dependencies")

    def _joins(self, upstream: PartitionsDefinition, downstream: PartitionsDefinition) -> Sequence[_Join]:
        return [
            _Join(
                _place_in(upstream, each.upstream_dimension_name),
                _place_in(downstream, each.downstream_dimension_name),
                each.partition_mapping,
            )
            for each in self.get_dimension_dependencies(upstream, downstream)
        ]

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        if downstream_partitions_def is None:
            raise InvalidDefinitionError(f"{type(self).__name__} requires a partitioned downstream asset.")
        upstream, downstream = upstream_partitions_def, downstream_partitions_def
        for join in self._joins(upstream, downstream):
            join.mapping.validate_partition_mapping(upstream.axes[join.upstream], downstream.axes[join.downstream])

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        if downstream is None or sides.downstream is None:
            raise InvalidDefinitionError(f"{type(self).__name__} requires a partitioned downstream asset.")
        joins = {join.upstream: join for join in self._joins(sides.upstream, sides.downstream)}
        columns: dict[tuple[int, tuple[int, int] | None], _Column] = {}
        found: list[Box] = []
        missing: dict[str, None] = {}
        for box in _boxes(downstream, sides.downstream, sides, _shared(joins.values())):
            row: list[_Column] = []
            for place, axis in enumerate(sides.upstream.axes):
                join = joins.get(place)
                span = None if join is None else box[join.downstream]
                column = columns.get((place, span))
                if column is None:
                    column = _column(axis, join, span, sides)
                    columns[place, span] = column
                row.append(column)
            found += [tuple(runs) for runs in product(*[column.runs for column in row])]
            if any(column.missing for column in row):
                missing.update(dict.fromkeys(_incomplete(sides.upstream, row, sides)))
        subset = subset_of_region(sides.upstream, region_of(found, len(sides.upstream.axes)), sides.now)
        return Needed(subset, missing_of(list(missing)) if missing else None)

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        if sides.downstream is None:
            return EMPTY
        joins = self._joins(sides.upstream, sides.downstream)
        found: list[Box] = []
        for box in boxes_of(region_of_subset(sides.upstream, upstream, sides.now)):
            row: list[Sequence[tuple[int, int]]] = []
            for place, axis in enumerate(sides.downstream.axes):
                runs: Sequence[tuple[int, int]] = [(0, axis.count(sides.now))]
                for join in joins:
                    if join.downstream == place:
                        upper = sides.upstream.axes[join.upstream]
                        given = subset_at(upper, [box[join.upstream]], sides.now)
                        fed = fed_downstream(join.mapping, given, Sides(upper, axis, sides.now))
                        runs = _common(runs, positions_of(axis, fed, sides.now))
                row.append(runs)
            found += [tuple(runs) for runs in product(*row)]
        return subset_of_region(sides.downstream, region_of(found, len(sides.downstream.axes)), sides.now)


class MultiPartitionMapping(BaseMultiPartitionMapping):
    """Each upstream dimension corresponds to a downstream dimension, with its own mapping.

    Args:
        downstream_mappings_by_upstream_dimension: by the dimension upstream, the dimension downstream and the mapping
            between the two. A dimension upstream that is not named is needed in full.
    """

    __slots__ = ("downstream_mappings_by_upstream_dimension",)
    fields: ClassVar[tuple[str, ...]] = ("downstream_mappings_by_upstream_dimension",)
    tag: ClassVar[str] = "multi"
    downstream_mappings_by_upstream_dimension: Mapping[str, DimensionPartitionMapping]

    def __init__(self, downstream_mappings_by_upstream_dimension: Mapping[str, DimensionPartitionMapping]) -> None:
        given = dict(downstream_mappings_by_upstream_dimension)
        for name, each in given.items():
            if not isinstance(each, DimensionPartitionMapping):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
                raise WrongDeclarationError(
                    f"MultiPartitionMapping expected a DimensionPartitionMapping for each dimension, got {each!r} for "
                    f"{name!r}."
                )
        object.__setattr__(self, "downstream_mappings_by_upstream_dimension", given)

    @property
    def description(self) -> str:
        joined = self.downstream_mappings_by_upstream_dimension.items()
        lines = [
            f"{up!r} upstream, {each.dimension_name!r} downstream: {each.partition_mapping.description}"
            for up, each in joined
        ]
        return "Dimension by dimension. " + " ".join(lines)

    def get_dimension_dependencies(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition
    ) -> Sequence[DimensionDependency]:
        upper, lower = (
            _multi_of(each, side)
            for each, side in ((upstream_partitions_def, "upstream"), (downstream_partitions_def, "downstream"))
        )
        joins: list[DimensionDependency] = []
        for name, each in self.downstream_mappings_by_upstream_dimension.items():
            for side, definition, dimension in (("upstream", upper, name), ("downstream", lower, each.dimension_name)):
                if dimension not in definition.partition_dimension_names:
                    raise InvalidDefinitionError(
                        f"MultiPartitionMapping: dimension {dimension!r} not found in {definition!r} ({side})."
                    )
            joins.append(DimensionDependency(each.partition_mapping, name, each.dimension_name))
        return joins

    def to_wire(self) -> dict[str, JsonValue]:
        if type(self) is not MultiPartitionMapping:
            return super().to_wire()
        return {
            "kind": self.tag,
            "dimensions": {
                name: [each.dimension_name, each.partition_mapping.to_wire()]
                for name, each in self.downstream_mappings_by_upstream_dimension.items()
            },
        }


class MultiToSingleDimensionPartitionMapping(BaseMultiPartitionMapping):
    """One dimension of the asset with several belongs to the partitions of the asset with one.

    Args:
        partition_dimension_name: the dimension; None where only one dimension fits.
    """

    __slots__ = ("partition_dimension_name",)
    fields: ClassVar[tuple[str, ...]] = ("partition_dimension_name",)
    tag: ClassVar[str] = "multi_to_single"
    partition_dimension_name: str | None

    def __init__(self, partition_dimension_name: str | None = None) -> None:
        require_kind(
            "MultiToSingleDimensionPartitionMapping", "partition_dimension_name", partition_dimension_name, str
        )
        object.__setattr__(self, "partition_dimension_name", partition_dimension_name)

    @property
    def description(self) -> str:
        name = self.partition_dimension_name
        which = "The dimension that fits" if name is None else f"The dimension {name!r}"
        return f"{which} of the asset with several dimensions belongs to the partitions of the other."

    def get_dimension_dependencies(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition
    ) -> Sequence[DimensionDependency]:
        upper, lower = upstream_partitions_def, downstream_partitions_def
        is_upper = isinstance(upper, MultiPartitionsDefinition)
        multi, single = (upper, lower) if is_upper else (lower, upper)
        if not isinstance(multi, MultiPartitionsDefinition) or isinstance(single, MultiPartitionsDefinition):
            raise InvalidDefinitionError(
                "MultiToSingleDimensionPartitionMapping requires a MultiPartitionsDefinition on one side and a "
                f"single-dimension partitions definition on the other, got {upper!r} (upstream) and {lower!r} "
                "(downstream)."
            )
        place, mapping = self._place(multi, single)
        name = multi.partition_dimension_names[place]
        return [DimensionDependency(mapping, name) if is_upper else DimensionDependency(mapping, None, name)]

    def _place(self, multi: MultiPartitionsDefinition, single: PartitionsDefinition) -> tuple[int, PartitionMapping]:
        name = self.partition_dimension_name
        if name is not None and name not in multi.partition_dimension_names:
            raise InvalidDefinitionError(
                f"MultiToSingleDimensionPartitionMapping: dimension {name!r} not found in {multi!r}."
            )
        fitting = [
            (place, mapping)
            for place, axis in enumerate(multi.axes)
            if name in (None, multi.partition_dimension_names[place])
            and (mapping := mapping_of_dimension(axis, single)) is not None
        ]
        same = [(place, mapping) for place, mapping in fitting if multi.axes[place] == single]
        fitting = same or fitting
        if len(fitting) != 1:
            how_many = "more than one dimension" if fitting else "no dimension"
            raise InvalidDefinitionError(
                f"{how_many} of {multi!r} matches {single!r}: set partition_dimension_name, or choose another partition "
                "mapping."
            )
        return fitting[0]


def mapping_of_dimension(axis: PartitionsDefinition, single: PartitionsDefinition) -> PartitionMapping | None:
    """How a dimension belongs to partitions of one dimension, where that is plain."""
    if axis == single:
        return IdentityPartitionMapping()
    if isinstance(axis, TimeWindowPartitionsDefinition) and isinstance(single, TimeWindowPartitionsDefinition):
        return TimeWindowPartitionMapping()
    return None


class _Column(NamedTuple):
    """What is needed of one dimension upstream: the positions that exist, and keys that do not."""

    runs: Sequence[tuple[int, int]]
    missing: Sequence[str]


def _column(axis: PartitionsDefinition, join: _Join | None, span: tuple[int, int] | None, sides: Sides) -> _Column:
    if join is None or span is None or sides.downstream is None:
        return _Column([(0, axis.count(sides.now))], ())
    lower = sides.downstream.axes[join.downstream]
    needed = needed_upstream(join.mapping, subset_at(lower, [span], sides.now), Sides(axis, lower, sides.now))
    missing = () if needed.missing is None else needed.missing.keys(None)
    return _Column(positions_of(axis, needed.subset, sides.now), missing)


def _incomplete(upstream: PartitionsDefinition, row: Sequence[_Column], sides: Sides) -> list[str]:
    """The keys that are needed of a box and do not exist: one of their parts is missing."""
    found = [
        [(key, True) for run in column.runs for key in axis.keys_between(*run, sides.now)]
        + [(key, False) for key in column.missing]
        for axis, column in zip(upstream.axes, row, strict=True)
    ]
    return [
        upstream.join_key([key for key, _ in parts])
        for parts in product(*found)
        if not all(there for _, there in parts)
    ]


def _boxes(
    subset: PartitionSubset, definition: PartitionsDefinition, sides: Sides, shared: frozenset[int]
) -> list[Box]:
    """The set as boxes; one position wide in dimensions that several upstream dimensions belong to."""
    boxes: list[Box] = []
    for box in boxes_of(region_of_subset(definition, subset, sides.now)):
        columns = [
            [(at, at + 1) for at in range(*span)] if place in shared else [span] for place, span in enumerate(box)
        ]
        boxes += [tuple(each) for each in product(*columns)]
    return boxes


def _shared(joins: Iterable[_Join]) -> frozenset[int]:
    seen: set[int] = set()
    return frozenset({each.downstream for each in joins if each.downstream in seen or seen.add(each.downstream)})


def _common(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The positions in both."""
    left, right = (region_of([(each,) for each in runs], 1) for runs in (one, other))
    return positions_in(intersection_of(left, right, 1))


def _place_in(definition: PartitionsDefinition, name: str | None) -> int:
    """The place of a dimension in `axes`."""
    return definition.place_of(name) if name is not None and isinstance(definition, MultiPartitionsDefinition) else 0


def _multi_of(definition: PartitionsDefinition, side: str) -> MultiPartitionsDefinition:
    if not isinstance(definition, MultiPartitionsDefinition):
        raise InvalidDefinitionError(
            f"MultiPartitionMapping requires a MultiPartitionsDefinition on both sides; {side} is {definition!r}."
        )
    return definition
