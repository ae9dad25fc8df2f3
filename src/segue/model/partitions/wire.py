"""Partitions definitions and mappings on the wire: which tag belongs to which class.

What is stored names the tag, never the class, so that a class can be renamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segue.errors import NotSupportedError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
)
from segue.model.partitions.mapping_base import ValueMapping
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

WIRE: Mapping[str, type[StaticPartitionsDefinition] | type[TimeWindowPartitionsDefinition]] = {
    "static": StaticPartitionsDefinition,
    "time_window": TimeWindowPartitionsDefinition,
}
MAPPING_WIRE: Mapping[str, type[ValueMapping]] = {
    kind.tag: kind
    for kind in (
        AllPartitionMapping,
        IdentityPartitionMapping,
        LastPartitionMapping,
        SpecificPartitionsPartitionMapping,
        StaticPartitionMapping,
        TimeWindowPartitionMapping,
    )
}


def definition_from_wire(data: Mapping[str, object]) -> PartitionsDefinition:
    """The definition that `PartitionsDefinition.to_wire` wrote.

    Raises:
        NotSupportedError: a tag that this version does not know.
    """
    kind = WIRE.get(str(data.get("kind")))
    if kind is None:
        raise _unknown("partitions definition", data, WIRE)
    return kind.from_wire(data)


def mapping_from_wire(data: Mapping[str, object]) -> PartitionMapping:
    """The mapping that `PartitionMapping.to_wire` wrote.

    Raises:
        NotSupportedError: a tag that this version does not know.
    """
    kind = MAPPING_WIRE.get(str(data.get("kind")))
    if kind is None:
        raise _unknown("partition mapping", data, MAPPING_WIRE)
    return kind.from_wire(data)


def _unknown(what: str, data: Mapping[str, object], known: Iterable[str]) -> NotSupportedError:
    return NotSupportedError(
        f"{data.get('kind')!r} is no kind of {what} this version of Segue knows ({', '.join(known)}): "
        "a newer one wrote it. Upgrade Segue here."
    )
