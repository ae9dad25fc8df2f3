"""What every partition mapping is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

import msgspec

from segue.errors import NotSupportedError, UnknownPartitionError
from segue.model.json_data import JsonValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset


class Sides(NamedTuple):
    """What a mapping joins, at a time: the upstream definition and the downstream one (None: not partitioned)."""

    upstream: PartitionsDefinition
    downstream: PartitionsDefinition | None
    now: datetime


class PartitionMapping:
    """How the partitions of an asset and of one it depends on belong together.

    A mapping of your own subclasses this and implements `upstream_of` and `downstream_of`.
    """

    __slots__ = ()

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Raises InvalidDefinitionError if the mapping cannot join these two definitions."""

    def upstream_of(self, downstream: PartitionSubset | None, sides: Sides) -> PartitionSubset:
        """The upstream partitions that these downstream ones need (None: the downstream asset has no partitions).

        Raises:
            UnknownPartitionError: partitions are needed that do not exist.
        """
        raise self._opaque()

    def downstream_of(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        """The existing downstream partitions that need one of these upstream ones."""
        raise self._opaque()

    def to_wire(self) -> dict[str, JsonValue]:
        """The mapping as JSON values with its tag under `kind`; see `wire.mapping_from_wire` for the way back.

        Raises:
            NotSupportedError: a class of the user's own, which only the user's code can understand.
        """
        raise self._opaque()

    def _opaque(self) -> NotSupportedError:
        return NotSupportedError(
            f"{type(self).__name__} is a partition mapping of your own: it has no stored form, and works where your "
            "code runs, through its methods upstream_of and downstream_of. Those that come with Segue work everywhere."
        )


class ValueMapping(PartitionMapping):
    """A mapping that is its arguments, and immutable."""

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = ()
    tag: ClassVar[str]  # on the wire; looked for on the class itself: subclasses of the user's own do not have it

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be deleted.")

    def __getstate__(self) -> dict[str, object]:
        return {"fields": {name: getattr(self, name) for name in self.fields}}

    def __setstate__(self, state: dict[str, dict[str, object]]) -> None:
        for name, value in state["fields"].items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ValueMapping) or type(self) is not type(other):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in self.fields)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.fields)})"

    def to_wire(self) -> dict[str, JsonValue]:
        if "tag" not in vars(type(self)):
            return super().to_wire()
        return {"kind": self.tag, **{name: msgspec.to_builtins(getattr(self, name)) for name in self.fields}}

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> PartitionMapping:
        """The mapping that `to_wire` wrote."""
        return cls(**{name: data[name] for name in cls.fields})


def missing_partitions(
    first: Sequence[str], number: int, definition: PartitionsDefinition, now: datetime, hint: str = ""
) -> UnknownPartitionError:
    """The error for needed partitions that do not exist: the first of them, and how many there are in all."""
    names = ", ".join(first[:5]) + (", ..." if number > 5 else "")
    return UnknownPartitionError(
        f"Needed upstream partitions do not exist at {now.isoformat()}: {names} ({number} of {definition!r}). "
        f"{hint}".rstrip()
    )
