"""What stands in a manifest for custom partitions definitions and mappings: their name.

Only the code that declares them can answer for them; runs in that code's process do not meet these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NoReturn

import msgspec

from segue.errors import NotSupportedError
from segue.model.json_data import JsonValue
from segue.model.partitions.base import FrozenPartitionsDefinition
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.partitions.mapping_base import Needed, Sides, ValueMapping
from segue.model.partitions.subset import PartitionSubset


class OpaquePartitionsDefinition(FrozenPartitionsDefinition):
    """A partitions definition that only the user's code can answer for."""

    __slots__ = ("description", "id")
    id: str
    description: str

    def __init__(self, id: str, description: str) -> None:
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "description", description)

    @property
    def is_listed(self) -> bool:
        return False

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """Raises NotSupportedError."""
        _refuse("partitions definition", self.id)

    def to_wire(self) -> dict[str, JsonValue]:
        return {"kind": "opaque", "id": self.id, "description": self.description}

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> OpaquePartitionsDefinition:
        """What `to_wire` wrote."""
        return cls(msgspec.convert(data["id"], str), msgspec.convert(data["description"], str))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpaquePartitionsDefinition) and self.to_wire() == other.to_wire()

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return self.description


class OpaquePartitionMapping(ValueMapping):
    """A partition mapping that only the user's code can answer for."""

    __slots__ = ("_description", "id")
    fields = ("id", "_description")
    id: str
    _description: str

    def __init__(self, id: str, description: str) -> None:
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "_description", description)

    @property
    def description(self) -> str:
        return self._description

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        _refuse("partition mapping", self.id)

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        _refuse("partition mapping", self.id)

    def to_wire(self) -> dict[str, JsonValue]:
        return {"kind": "opaque", "id": self.id, "description": self._description}

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> OpaquePartitionMapping:
        """What `to_wire` wrote."""
        return cls(msgspec.convert(data["id"], str), msgspec.convert(data["description"], str))


def _refuse(what: str, name: str) -> NoReturn:
    raise NotSupportedError(f"{name} is a custom {what}, and can only be used where the code that defines it runs.")
