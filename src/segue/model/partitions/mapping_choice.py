"""The mapping between two definitions: the one declared, or the one that is plain; and what it says."""

from __future__ import annotations

from datetime import datetime

from segue.errors import InvalidDefinitionError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.dynamic import DynamicPartitionsDefinition
from segue.model.partitions.mapping import AllPartitionMapping, IdentityPartitionMapping
from segue.model.partitions.mapping_base import (
    Needed,
    PartitionMapping,
    Sides,
    fed_downstream,
    missing_partitions,
    needed_upstream,
)
from segue.model.partitions.multi import MultiPartitionsDefinition
from segue.model.partitions.multi_mapping import MultiToSingleDimensionPartitionMapping
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import PartitionSubset
from segue.model.partitions.time_window_mapping import TimeWindowPartitionMapping
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


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
    needed = needed_subset(mapping, downstream, downstream_definition, upstream_definition, now)
    if needed.missing is not None:
        raise missing_partitions(needed.missing, upstream_definition, now, needed.hint)
    return needed.subset


def needed_subset(
    mapping: PartitionMapping,
    downstream: PartitionSubset | None,
    downstream_definition: PartitionsDefinition | None,
    upstream_definition: PartitionsDefinition,
    now: datetime,
) -> Needed:
    """As `upstream_subset`, with the partitions that do not exist beside those that do."""
    return needed_upstream(mapping, downstream, Sides(upstream_definition, downstream_definition, now))


def downstream_subset(
    mapping: PartitionMapping,
    upstream: PartitionSubset,
    upstream_definition: PartitionsDefinition,
    downstream_definition: PartitionsDefinition,
    now: datetime,
) -> PartitionSubset:
    """The downstream partitions existing at `now` that need one of these upstream ones."""
    return fed_downstream(mapping, upstream, Sides(upstream_definition, downstream_definition, now))


def default_mapping(
    upstream_definition: PartitionsDefinition | None, downstream_definition: PartitionsDefinition | None
) -> PartitionMapping:
    """The mapping of a dependency that names none.

    Where nothing says how the partitions of both sides belong together, it is the partition of the same key.
    """
    if upstream_definition is None or downstream_definition is None:
        return AllPartitionMapping()
    return _plain_mapping(upstream_definition, downstream_definition) or IdentityPartitionMapping()


def _plain_mapping(upstream: PartitionsDefinition, downstream: PartitionsDefinition) -> PartitionMapping | None:
    """The mapping that two definitions suggest, if they do."""
    if upstream == downstream:
        return IdentityPartitionMapping()
    for kind, mapping in (
        (TimeWindowPartitionsDefinition, TimeWindowPartitionMapping),
        (StaticPartitionsDefinition, IdentityPartitionMapping),
        (DynamicPartitionsDefinition, IdentityPartitionMapping),
    ):
        if isinstance(upstream.declared, kind) and isinstance(downstream.declared, kind):
            return mapping()
    return _of_dimensions(upstream, downstream)


def _of_dimensions(upstream: PartitionsDefinition, downstream: PartitionsDefinition) -> PartitionMapping | None:
    """The mapping where one side or both have several dimensions, if it is plain."""
    multi = [isinstance(each, MultiPartitionsDefinition) for each in (upstream, downstream)]
    mapping = (
        IdentityPartitionMapping() if all(multi) else MultiToSingleDimensionPartitionMapping() if any(multi) else None
    )
    if mapping is None:
        return None
    try:
        mapping.validate_partition_mapping(upstream, downstream)
    except InvalidDefinitionError:
        return None
    return mapping


def check_mapping(
    mapping: PartitionMapping | None,
    upstream_definition: PartitionsDefinition | None,
    downstream_definition: PartitionsDefinition | None,
) -> None:
    """Raises InvalidDefinitionError if the mapping cannot join the two definitions, or (None) nothing says which one does."""
    if upstream_definition is None:
        return
    if mapping is not None:
        mapping.validate_partition_mapping(upstream_definition, downstream_definition)
    elif downstream_definition is not None and _plain_mapping(upstream_definition, downstream_definition) is None:
        raise InvalidDefinitionError(
            f"There is no default partition mapping from {upstream_definition!r} (upstream) to {downstream_definition!r} "
            "(downstream): set partition_mapping, as in AssetDep(upstream, partition_mapping=AllPartitionMapping())."
        )
