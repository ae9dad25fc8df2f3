"""Partitions of several dimensions: a date and a region, each pair of them a partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple

import msgspec

from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongDeclarationError
from segue.model.arguments import require_type
from segue.model.json_data import JsonValue
from segue.model.partitions.base import FrozenPartitionsDefinition, PartitionsDefinition
from segue.model.partitions.dynamic import DynamicPartitionsDefinition
from segue.model.partitions.key_range import TimeWindow, unknown_key
from segue.model.partitions.loading import DynamicPartitionsStore, current_time_or_now
from segue.model.partitions.multi_key import SEPARATOR, MultiPartitionKey
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition
from segue.model.tags import PARTITION_TAG

_RESERVED = (SEPARATOR, ",", "[", "]")


class PartitionDimensionDefinition(NamedTuple):
    """One dimension: its name, and its partitions."""

    name: str
    partitions_def: PartitionsDefinition


class MultiPartitionsDefinition(FrozenPartitionsDefinition):
    """Every combination of the partitions of several definitions.

    Keys join those of the dimensions with `|`, in the order of the dimensions' sorted names; partitions come in the same
    order, the last dimension changing first.

    Args:
        partitions_defs: at least two definitions, by the name of the dimension.

    Raises:
        InvalidDefinitionError: fewer than two, one that has dimensions itself, one of dynamic keys without a name, static
            keys that contain one of `| , [ ]`, or two dimensions of windows of time.
    """

    __slots__ = ("_axes", "_names")
    _names: tuple[str, ...]
    _axes: tuple[PartitionsDefinition, ...]

    def __init__(self, partitions_defs: Mapping[str, PartitionsDefinition]) -> None:
        require_type(self, "partitions_defs", partitions_defs, Mapping)
        if len(partitions_defs) < 2:
            raise InvalidDefinitionError(
                f"MultiPartitionsDefinition must have at least two dimensions, got {len(partitions_defs)}: use the "
                "partitions definition of the single dimension directly."
            )
        for name, definition in partitions_defs.items():
            _check_dimension(name, definition)
        times = [name for name, each in partitions_defs.items() if isinstance(each, TimeWindowPartitionsDefinition)]
        if len(times) > 1:
            raise InvalidDefinitionError(
                f"At most one dimension of a MultiPartitionsDefinition can be a time window, got {', '.join(times)}."
            )
        names = tuple(sorted(partitions_defs))
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_axes", tuple([partitions_defs[name] for name in names]))

    # -- dimensions

    @property
    def partition_dimension_names(self) -> list[str]:
        """The names of the dimensions, sorted."""
        return list(self._names)

    @property
    def partitions_defs(self) -> Sequence[PartitionDimensionDefinition]:
        """The dimensions, in the order of their names."""
        pairs = zip(self._names, self._axes, strict=True)
        return [PartitionDimensionDefinition(name, axis.declared) for name, axis in pairs]

    def get_partitions_def_for_dimension(self, dimension_name: str) -> PartitionsDefinition:
        """The partitions of one dimension.

        Raises:
            InvalidInvocationError: dimension not found.
        """
        return self._axes[self.place_of(dimension_name)].declared

    def place_of(self, dimension_name: str) -> int:
        """The place of a dimension in `axes`.

        Raises:
            InvalidInvocationError: dimension not found.
        """
        if dimension_name not in self._names:
            raise InvalidInvocationError(
                f"Dimension {dimension_name!r} not found; available dimensions: {', '.join(self._names)}."
            )
        return self._names.index(dimension_name)

    @property
    def primary_dimension(self) -> PartitionDimensionDefinition:
        """The dimension of time windows, or the first."""
        return next((each for each in self.partitions_defs if _is_time(each)), self.partitions_defs[0])

    @property
    def secondary_dimension(self) -> PartitionDimensionDefinition:
        """The first dimension beside the primary one."""
        primary = self.primary_dimension.name
        return next(each for each in self.partitions_defs if each.name != primary)

    @property
    def has_time_window_dimension(self) -> bool:
        """Whether a dimension is of time windows."""
        return _is_time(self.primary_dimension)

    @property
    def time_window_dimension(self) -> PartitionDimensionDefinition:
        """The dimension of time windows.

        Raises:
            InvalidInvocationError: none is.
        """
        if not self.has_time_window_dimension:
            raise InvalidInvocationError(f"{self!r} has no time-window dimension.")
        return self.primary_dimension

    @property
    def time_window_partitions_def(self) -> TimeWindowPartitionsDefinition:
        """The partitions of the dimension of time windows.

        Raises:
            InvalidInvocationError: no dimension is of time windows.
        """
        times = self.time_window_dimension.partitions_def
        assert isinstance(times, TimeWindowPartitionsDefinition)  # that is what the dimension was chosen by
        return times

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The time window of a key.

        Raises:
            InvalidInvocationError: no dimension is of time windows.
            UnknownPartitionError: the key has no such dimensions, or names no window.
        """
        key = self.get_partition_key_from_str(partition_key).keys_by_dimension[self.time_window_dimension.name]
        return self.time_window_partitions_def.time_window_for_partition_key(key)

    def validate_partition_definition(self) -> None:
        """Raises InvalidDefinitionError if the keys of a dimension do not tell its partitions apart."""
        for axis in self._axes:
            axis.validate_partition_definition()

    # -- positions (pure)

    @property
    def axes(self) -> tuple[PartitionsDefinition, ...]:
        return self._axes

    def split_key(self, key: str) -> tuple[str, ...]:
        parts = tuple(key.split(SEPARATOR)) if isinstance(key, str) else ()  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        if len(parts) != len(self._axes):
            raise unknown_key(self, key)
        return parts

    def join_key(self, parts: Sequence[str]) -> str:
        return SEPARATOR.join(parts)

    def key_hint(self, key: str, now: datetime) -> str:
        parts = key.split(SEPARATOR)
        if len(parts) != len(self._axes):
            return f" Its keys are written {SEPARATOR.join(f'<{name}>' for name in self._names)}."
        hints = [
            f" Partition key {part!r} not found in dimension {name!r}.{axis.key_hint(part, now)}"
            for name, axis, part in zip(self._names, self._axes, parts, strict=True)
            if not axis.contains(part, now)
        ]
        return "".join(hints)

    def count(self, now: datetime) -> int:
        total = 1
        for axis in self._axes:
            total *= axis.count(now)
        return total

    def key_at(self, index: int, now: datetime) -> str:
        if index < 0:
            raise IndexError(f"Positions of partitions count from 0, got {index}.")
        parts: list[str] = []
        for axis in reversed(self._axes):
            index, at = divmod(index, axis.count(now))
            parts.append(axis.key_at(at, now))
        if index:
            raise IndexError("No partition there.")
        return SEPARATOR.join(reversed(parts))

    def index_of(self, key: str, now: datetime) -> int:
        index = 0
        for axis, part in zip(self._axes, self.split_key(key), strict=True):
            at, count = axis.index_of(part, now), axis.count(now)
            if at >= count:
                raise unknown_key(self, key)
            index = index * count + at
        return index

    def keys_between(self, start: int, stop: int, now: datetime) -> list[str]:
        if start >= stop:
            return []
        *_, last = self._axes
        per_row = last.count(now)
        if start == 0 and stop == self.count(now):
            columns = [axis.keys_between(0, axis.count(now), now) for axis in self._axes]
            return [SEPARATOR.join(parts) for parts in product(*columns)]
        keys: list[str] = []
        row = start - start % per_row
        while row < stop:
            prefix = self.key_at(row, now).rpartition(SEPARATOR)[0]
            low, high = max(start - row, 0), min(stop - row, per_row)
            keys += [f"{prefix}{SEPARATOR}{key}" for key in last.keys_between(low, high, now)]
            row += per_row
        return keys

    @property
    def is_listed(self) -> bool:
        return all(axis.is_listed for axis in self._axes)

    def listed(self, now: datetime, store: DynamicPartitionsStore | None) -> PartitionsDefinition:
        if self.is_listed:
            return self
        return self._with_axes([axis.listed(now, store) for axis in self._axes])

    @property
    def is_open(self) -> bool:
        return any(axis.is_open for axis in self._axes)

    def opened(self, keys: Iterable[str]) -> PartitionsDefinition:
        columns = list(zip(*map(self.split_key, keys), strict=True)) or [()] * len(self._axes)
        return self._with_axes([axis.opened(column) for axis, column in zip(self._axes, columns, strict=True)])

    def has_order_of(self, other: object) -> bool:
        return self is other or (
            isinstance(other, MultiPartitionsDefinition)
            and self._names == other._names
            and all(one.has_order_of(two) for one, two in zip(self._axes, other._axes, strict=True))
        )

    @property
    def declared(self) -> PartitionsDefinition:
        return self._with_axes([axis.declared for axis in self._axes])

    @property
    def dynamic_names(self) -> tuple[str, ...]:
        return tuple([name for axis in self._axes for name in axis.dynamic_names])

    def typed_key(self, key: str) -> str:
        return self.get_partition_key_from_str(key)

    def _with_axes(self, axes: Sequence[PartitionsDefinition]) -> MultiPartitionsDefinition:
        made = type(self).__new__(type(self))
        object.__setattr__(made, "_names", self._names)
        object.__setattr__(made, "_axes", tuple(axes))
        return made

    # -- for people

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[MultiPartitionKey]:
        """All combinations that exist at `current_time` (default: now): many, where the dimensions are long."""
        now = current_time_or_now(current_time)
        known = self.listed(now, dynamic_partitions_store)
        columns = [axis.keys_between(0, axis.count(now), now) for axis in known.axes]
        return [self._key(parts) for parts in product(*columns)]

    def get_partition_key_from_str(self, partition_key_str: str) -> MultiPartitionKey:
        """The key that a text is.

        Raises:
            UnknownPartitionError: it does not have as many dimensions.
        """
        if isinstance(partition_key_str, MultiPartitionKey) and set(partition_key_str.keys_by_dimension) == set(
            self._names
        ):
            return partition_key_str
        return self._key(self.split_key(partition_key_str))

    def is_valid_key_format(self, partition_key: str) -> bool:
        """Whether a text has as many dimensions."""
        return len(partition_key.split(SEPARATOR)) == len(self._names)

    def get_multipartition_keys_with_dimension_value(
        self,
        dimension_name: str,
        dimension_partition_key: str,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
        current_time: datetime | None = None,
    ) -> Sequence[MultiPartitionKey]:
        """The keys with this key in one dimension."""
        return self.get_multipartition_keys_with_dimension_values(
            dimension_name, [dimension_partition_key], dynamic_partitions_store, current_time
        )

    def get_multipartition_keys_with_dimension_values(
        self,
        dimension_name: str,
        dimension_partition_keys: Iterable[str],
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
        current_time: datetime | None = None,
    ) -> Sequence[MultiPartitionKey]:
        """The keys with one of these keys in one dimension, and any in the others; one of these after the other.

        Raises:
            InvalidInvocationError: dimension not found.
        """
        now = current_time_or_now(current_time)
        place = self.place_of(dimension_name)
        others = [axis for at, axis in enumerate(self._axes) if at != place]
        known = [axis.listed(now, dynamic_partitions_store) for axis in others]
        columns = [axis.keys_between(0, axis.count(now), now) for axis in known]
        return [
            self._key([*parts[:place], key, *parts[place:]])
            for key in dimension_partition_keys
            for parts in product(*columns)
        ]

    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        """The tags of a run of this partition: the key, and that of each dimension."""
        key = self.get_partition_key_from_str(partition_key)
        return {PARTITION_TAG: str(key)} | {
            f"{PARTITION_TAG}/{name}": each for name, each in key.keys_by_dimension.items()
        }

    def _key(self, parts: Sequence[str]) -> MultiPartitionKey:
        return MultiPartitionKey(dict(zip(self._names, parts, strict=True)))

    # -- as a value

    def to_wire(self) -> dict[str, JsonValue]:
        if type(self) is not MultiPartitionsDefinition:
            return super().to_wire()
        return {
            "kind": "multi",
            "dimensions": {name: axis.to_wire() for name, axis in zip(self._names, self._axes, strict=True)},
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultiPartitionsDefinition):
            return NotImplemented
        return type(self) is type(other) and self._names == other._names and self._axes == other._axes

    def __hash__(self) -> int:
        return hash((self._names, self._axes))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{each.name}: {each.partitions_def!r}' for each in self.partitions_defs)})"

    def __str__(self) -> str:
        shown = [f"{each.name.capitalize()}: {each.partitions_def}" for each in self.partitions_defs]
        return "Multi-partitioned, with dimensions: \n" + " \n".join(shown)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(zip(self._names, self._axes, strict=True)),)


def _is_time(dimension: PartitionDimensionDefinition) -> bool:
    return isinstance(dimension.partitions_def, TimeWindowPartitionsDefinition)


def _check_dimension(name: object, definition: object) -> None:
    """Raises InvalidDefinitionError if this cannot be a dimension."""
    if not isinstance(name, str) or not isinstance(definition, PartitionsDefinition):
        raise WrongDeclarationError(
            f"MultiPartitionsDefinition expected a partitions definition for each dimension name, got {name!r}: "
            f"{definition!r}."
        )
    if len(definition.axes) > 1:
        raise InvalidDefinitionError(
            f"Dimension {name!r} is itself multi-partitioned: list its dimensions here instead."
        )
    if isinstance(definition, DynamicPartitionsDefinition) and definition.name is None:
        raise InvalidDefinitionError(
            f"Dimension {name!r} gets its partition keys from a function, which is not supported with several dimensions. "
            "Write DynamicPartitionsDefinition(name=...), whose partition keys are stored by an instance."
        )
    keys = definition.get_partition_keys() if isinstance(definition, StaticPartitionsDefinition) else ()
    wrong = next(((key, sign) for key in keys for sign in _RESERVED if sign in key), None)
    if wrong is not None:
        raise InvalidDefinitionError(
            f"The partition key {wrong[0]!r} of dimension {name!r} contains {wrong[1]!r}: {SEPARATOR!r} separates the "
            "keys of the dimensions, and commas and brackets denote lists and ranges. Choose another key."
        )


def dimensions_from_wire(data: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    """The dimensions of what `MultiPartitionsDefinition.to_wire` wrote, each still as JSON values."""
    return msgspec.convert(data["dimensions"], dict[str, dict[str, object]])
