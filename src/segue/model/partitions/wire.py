"""Partitions definitions and mappings on the wire: which tag belongs to which class.

What is stored names the tag, never the class, so that a class can be renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from segue.errors import NotSupportedError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.dynamic import DynamicPartitionsDefinition
from segue.model.partitions.mapping import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
)
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.multi import MultiPartitionsDefinition, dimensions_from_wire
from segue.model.partitions.multi_mapping import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
)
from segue.model.partitions.opaque import OpaquePartitionMapping, OpaquePartitionsDefinition
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_window_mapping import TimeWindowPartitionMapping
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


def _multi_from_wire(data: Mapping[str, object]) -> PartitionsDefinition:
    return MultiPartitionsDefinition(
        {name: definition_from_wire(each) for name, each in dimensions_from_wire(data).items()}
    )


def _multi_mapping_from_wire(data: Mapping[str, object]) -> PartitionMapping:
    dimensions = msgspec.convert(data["dimensions"], dict[str, tuple[str, dict[str, object]]])
    return MultiPartitionMapping(
        {up: DimensionPartitionMapping(down, mapping_from_wire(each)) for up, (down, each) in dimensions.items()}
    )


WIRE: Mapping[str, Callable[[Mapping[str, object]], PartitionsDefinition]] = {
    "static": StaticPartitionsDefinition.from_wire,
    "time_window": TimeWindowPartitionsDefinition.from_wire,
    "dynamic": DynamicPartitionsDefinition.from_wire,
    "multi": _multi_from_wire,
    "opaque": OpaquePartitionsDefinition.from_wire,
}
MAPPING_WIRE: Mapping[str, Callable[[Mapping[str, object]], PartitionMapping]] = {
    "multi": _multi_mapping_from_wire,
    "opaque": OpaquePartitionMapping.from_wire,
    **{
        kind.tag: kind.from_wire
        for kind in (
            AllPartitionMapping,
            IdentityPartitionMapping,
            LastPartitionMapping,
            MultiToSingleDimensionPartitionMapping,
            SpecificPartitionsPartitionMapping,
            StaticPartitionMapping,
            TimeWindowPartitionMapping,
        )
    },
}


def definition_from_wire(data: Mapping[str, object]) -> PartitionsDefinition:
    """The definition that `PartitionsDefinition.to_wire` wrote.

    Raises:
        NotSupportedError: a tag that this version does not know.
    """
    kind = WIRE.get(str(data.get("kind")))
    if kind is None:
        raise _unknown("partitions definition", data, WIRE)
    return kind(data)


def mapping_from_wire(data: Mapping[str, object]) -> PartitionMapping:
    """The mapping that `PartitionMapping.to_wire` wrote.

    Raises:
        NotSupportedError: a tag that this version does not know.
    """
    kind = MAPPING_WIRE.get(str(data.get("kind")))
    if kind is None:
        raise _unknown("partition mapping", data, MAPPING_WIRE)
    return kind(data)


def _unknown(what: str, data: Mapping[str, object], known: Iterable[str]) -> NotSupportedError:
    return NotSupportedError(
        f"{data.get('kind')!r} is not a kind of {what} that this version of Segue knows ({', '.join(known)}): it was "
        "written by a newer version. Upgrade Segue here."
    )
