"""What every partition mapping is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from segue.errors import NotSupportedError, UnknownPartitionError
from segue.model.json_data import JsonValue
from segue.model.partitions.base import ListedPartitions, PartitionsDefinition
from segue.model.partitions.loading import DynamicKeys, DynamicPartitionsStore, current_time_or_now
from segue.model.partitions.partitions_subset import PartitionsSubset, subset_of
from segue.model.partitions.positions import has_own_repr
from segue.model.partitions.subset import EMPTY, PartitionSubset


class Sides(msgspec.Struct, frozen=True):
    """What a mapping joins, at a time: the upstream definition and the downstream one (None: not partitioned)."""

    upstream: PartitionsDefinition
    downstream: PartitionsDefinition | None
    now: datetime


class Missing(msgspec.Struct, frozen=True):
    """Upstream partitions that are needed and do not exist: how many, and the keys of the first so many (None: all)."""

    number: int
    keys: Callable[[int | None], list[str]]


def missing_of(keys: Sequence[str]) -> Missing:
    """These keys as missing."""

    def listed(first: int | None) -> list[str]:
        return list(keys[:first])

    return Missing(len(keys), listed)


class Needed(msgspec.Struct, frozen=True):
    """What downstream partitions need upstream: what exists of it, and what does not."""

    subset: PartitionSubset
    missing: Missing | None = None
    hint: str = ""


class UpstreamPartitionsResult(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream partitions that a partition mapping returns for downstream partitions.

    Attributes:
        partitions_subset: the upstream partitions that exist.
        required_but_nonexistent_subset: those that are needed too and do not exist.
    """

    partitions_subset: PartitionsSubset
    required_but_nonexistent_subset: PartitionsSubset

    @property
    def required_but_nonexistent_partition_keys(self) -> Sequence[str]:
        """The keys that are needed and do not exist."""
        return list(self.required_but_nonexistent_subset)


class PartitionMapping:
    """How the partitions of an asset and of one it depends on belong together.

    A mapping of your own subclasses this (or one that comes with Segue) and implements
    `get_upstream_mapped_partitions_result_for_partitions` and `get_downstream_partitions_for_partitions`.
    """

    __slots__ = ()

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> UpstreamPartitionsResult:
        """The upstream partitions that downstream ones need.

        Args:
            downstream_partitions_subset: those downstream; None where the downstream asset has no partitions.
            downstream_partitions_def, upstream_partitions_def: the definitions that are joined.
            current_time: the moment at which partitions are looked up; now when None.
            dynamic_partitions_store: who knows dynamic keys.
        """
        raise self._unsaid("get_upstream_mapped_partitions_result_for_partitions")

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> PartitionsSubset:
        """The downstream partitions that need one of the upstream ones; arguments as of the other direction."""
        raise self._unsaid("get_downstream_partitions_for_partitions")

    def validate_partition_mapping(
        self, upstream_partitions_def: PartitionsDefinition, downstream_partitions_def: PartitionsDefinition | None
    ) -> None:
        """Raises InvalidDefinitionError if the mapping cannot join these two definitions."""

    @property
    def description(self) -> str:
        """A description."""
        return (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]

    def to_wire(self) -> dict[str, JsonValue]:
        """The mapping as JSON values with its tag under `kind`; see `wire.mapping_from_wire` for the way back.

        A custom class is written as opaque, by its name: only the user's code can interpret it.
        """
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return {"kind": "opaque", "id": name, "description": repr(self) if has_own_repr(self) else name}

    def _unsaid(self, method: str) -> NotSupportedError:
        return NotSupportedError(f"{type(self).__name__} does not implement {method}, which is required here.")


class ValueMapping(PartitionMapping):
    """A mapping that is its arguments, and immutable.

    Those that come with Segue say what they do in `needs` and `feeds`, on definitions that are listed.
    """

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = ()
    tag: ClassVar[str]  # on the wire; looked for on the class itself: subclasses of the user's own do not have it

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        """The upstream partitions that these downstream ones need (None: the downstream asset has no partitions)."""
        raise self._unsaid("needs")

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        """The existing downstream partitions that need one of these upstream ones."""
        raise self._unsaid("feeds")

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> UpstreamPartitionsResult:
        now = current_time_or_now(current_time)
        upstream = upstream_partitions_def.listed(now, dynamic_partitions_store)
        downstream = None
        value = None
        if downstream_partitions_def is not None and downstream_partitions_subset is not None:
            downstream = downstream_partitions_def.listed(now, dynamic_partitions_store)
            value = moved(downstream_partitions_subset, downstream)
        needed = self.needs(value, Sides(upstream, downstream, now))
        missing = () if needed.missing is None else needed.missing.keys(None)
        return UpstreamPartitionsResult(
            partitions_subset=PartitionsSubset(upstream, needed.subset),
            required_but_nonexistent_subset=named_only(upstream, missing),
        )

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> PartitionsSubset:
        now = current_time_or_now(current_time)
        upstream = upstream_partitions_def.listed(now, dynamic_partitions_store)
        downstream = downstream_partitions_def.listed(now, dynamic_partitions_store)
        found = self.feeds(moved(upstream_partitions_subset, upstream), Sides(upstream, downstream, now))
        return PartitionsSubset(downstream, found)

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


def moved(subset: PartitionsSubset, definition: PartitionsDefinition) -> PartitionSubset:
    """What of a set exists in a definition."""
    if subset.definition.has_order_of(definition):
        return subset.value
    return subset_of(definition, [key for key in subset if definition.knows(key)]).value


def needed_upstream(mapping: PartitionMapping, downstream: PartitionSubset | None, sides: Sides) -> Needed:
    """What a mapping says that downstream partitions need: of Segue's own, or one whose methods the user has written."""
    if isinstance(mapping, ValueMapping) and _is_own(mapping, "get_upstream_mapped_partitions_result_for_partitions"):
        return mapping.needs(downstream, sides)
    down = sides.downstream
    result = mapping.get_upstream_mapped_partitions_result_for_partitions(
        None if downstream is None or down is None else PartitionsSubset(down, downstream),
        None if down is None else down.declared,
        sides.upstream.declared,
        sides.now,
        known_keys(sides),
    )
    unknown = list(result.required_but_nonexistent_subset)
    return Needed(moved(result.partitions_subset, sides.upstream), missing_of(unknown) if unknown else None)


def fed_downstream(mapping: PartitionMapping, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
    """The existing downstream partitions that need upstream ones, in the same way."""
    if isinstance(mapping, ValueMapping) and _is_own(mapping, "get_downstream_partitions_for_partitions"):
        return mapping.feeds(upstream, sides)
    if sides.downstream is None:
        return EMPTY
    result = mapping.get_downstream_partitions_for_partitions(
        PartitionsSubset(sides.upstream, upstream),
        sides.upstream.declared,
        sides.downstream.declared,
        sides.now,
        known_keys(sides),
    )
    return moved(result, sides.downstream)


def _is_own(mapping: ValueMapping, method: str) -> bool:
    return getattr(type(mapping), method) is getattr(ValueMapping, method)


def known_keys(sides: Sides) -> DynamicPartitionsStore | None:
    """The dynamic keys that both sides know, for a custom mapping to ask."""
    keys: dict[str, Sequence[str]] = {}
    for axis in (*sides.upstream.axes, *(() if sides.downstream is None else sides.downstream.axes)):
        if isinstance(axis, ListedPartitions):
            keys.update(dict.fromkeys(axis.dynamic_names, axis.keys))
    return DynamicKeys(keys) if keys else None


def named_only(definition: PartitionsDefinition, keys: Sequence[str]) -> PartitionsSubset:
    """A set of keys that the definition does not have."""
    unknown = ListedPartitions(definition.declared, keys, is_open=True)
    return subset_of(unknown, keys)


def missing_partitions(
    missing: Missing, definition: PartitionsDefinition, now: datetime, hint: str
) -> UnknownPartitionError:
    """The error for needed partitions that do not exist: the first of them, and how many there are in all."""
    names = ", ".join(missing.keys(5)) + (", ..." if missing.number > 5 else "")
    return UnknownPartitionError(
        (
            f"Required upstream partitions do not exist at {now.isoformat()}: {names} ({missing.number} of {definition!r}). "
            f"{hint}"
        ).rstrip()
    )
