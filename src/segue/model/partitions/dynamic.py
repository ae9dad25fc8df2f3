"""Partitions whose keys are added while the system runs: customers, files, experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from segue.errors import InvalidDefinitionError, InvariantViolationError, WrongArgumentError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.json_data import JsonValue
from segue.model.named_fields import NamedFields
from segue.model.partitions.base import FrozenPartitionsDefinition, ListedPartitions, PartitionsDefinition
from segue.model.partitions.key_range import check_partition_key
from segue.model.partitions.loading import DynamicPartitionsStore, store_or_ambient


class Partition:
    """A partition as returned by functions of `DynamicPartitionsDefinition(partition_fn)`: a value with a name.

    Args:
        value: anything.
        name: the partition key; the value as text when None.
    """

    __slots__ = ("name", "value")

    def __init__(self, value: object, name: str | None = None) -> None:
        self.value = value
        self.name = str(value) if name is None else name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Partition) and (self.value, self.name) == (other.value, other.name)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Partition(value={self.value!r}, name={self.name!r})"


class _KeysRequest(NamedFields, msgspec.Struct, frozen=True):
    partitions_def_name: str
    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        check_dynamic_keys(self.partitions_def_name, self.partition_keys)


class AddDynamicPartitionsRequest(_KeysRequest, frozen=True, tag="add"):
    """Asks, as part of a `SensorResult`, that keys be added to a dynamic partitions definition.

    Attributes:
        partitions_def_name: the name of the definition.
        partition_keys: the keys; those it has already stay.
    """


class DeleteDynamicPartitionsRequest(_KeysRequest, frozen=True, tag="delete"):
    """Asks, as part of a `SensorResult`, that keys be taken from a dynamic partitions definition.

    Attributes:
        partitions_def_name: the name of the definition.
        partition_keys: the keys; those it does not have are passed over.
    """


PartitionFunction = Callable[[datetime | None], Sequence[str] | Sequence[Partition]]


class DynamicPartitionsDefinition(FrozenPartitionsDefinition):
    """Partitions whose keys are not in the code.

    Args:
        partition_fn: a function of the current time that returns the keys; it is called whenever they are needed.
        name: the name under which an instance keeps the keys: `instance.add_dynamic_partitions(name, [...])`, or a
            sensor's `definition.build_add_request([...])`. Definitions of one name share their keys.

    Raises:
        InvalidDefinitionError: neither, or both.
    """

    __slots__ = ("name", "partition_fn")
    partition_fn: PartitionFunction | None
    name: str | None

    def __init__(self, partition_fn: PartitionFunction | None = None, name: str | None = None) -> None:
        if (partition_fn is None) == (name is None) or name == "":
            raise InvalidDefinitionError(
                "DynamicPartitionsDefinition must have either a name, under which an instance stores the partition keys, "
                "or a partition_fn that returns them."
            )
        if partition_fn is not None and not callable(partition_fn):
            raise WrongDeclarationError(f"partition_fn must be a function of the current time, got {partition_fn!r}.")
        require_kind("DynamicPartitionsDefinition", "name", name, str)
        object.__setattr__(self, "partition_fn", partition_fn)
        object.__setattr__(self, "name", name)

    @property
    def is_listed(self) -> bool:
        return False

    @property
    def dynamic_names(self) -> tuple[str, ...]:
        return () if self.name is None else (self.name,)

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """The keys: the result of `partition_fn`, or the keys in the store, oldest first.

        Raises:
            WrongArgumentError: the partition keys are stored by an instance, and none was provided.
        """
        if self.partition_fn is not None:
            given = self.partition_fn(current_time)
            return [each.name if isinstance(each, Partition) else each for each in given]
        store = store_or_ambient(dynamic_partitions_store)
        if store is None:
            raise WrongArgumentError(
                f"The partition keys of {self!r} are stored by an instance, and no instance was provided: pass "
                "dynamic_partitions_store=instance, or wrap the call in `with "
                "partition_loading_context(dynamic_partitions_store=instance):`."
            )
        return list(store.get_dynamic_partitions(self._name))

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> bool:
        """Whether the key exists, without reading the others."""
        store = store_or_ambient(dynamic_partitions_store)
        if self.name is None or store is None:
            return partition_key in self.get_partition_keys(current_time, store)
        return store.has_dynamic_partition(self.name, partition_key)

    def contains(self, key: str, now: datetime) -> bool:
        return self.has_partition_key(key, now)

    def index_of(self, key: str, now: datetime) -> int:
        return self.listed(now, None).index_of(key, now)

    def opened(self, keys: Iterable[str]) -> PartitionsDefinition:
        return ListedPartitions(self, keys, is_open=True)

    def build_add_request(self, partition_keys: Sequence[str]) -> AddDynamicPartitionsRequest:
        """A request by a sensor to add partition keys.

        Raises:
            InvariantViolationError: the keys come from a function.
        """
        return AddDynamicPartitionsRequest(self._name, partition_keys)

    def build_delete_request(self, partition_keys: Sequence[str]) -> DeleteDynamicPartitionsRequest:
        """A request by a sensor to remove partition keys.

        Raises:
            InvariantViolationError: the keys come from a function.
        """
        return DeleteDynamicPartitionsRequest(self._name, partition_keys)

    @property
    def _name(self) -> str:
        if self.name is None:
            raise InvariantViolationError(
                f"The partition keys of {self!r} come from its partition_fn and cannot be added or deleted."
            )
        return self.name

    def to_wire(self) -> dict[str, JsonValue]:
        if self.name is None or type(self) is not DynamicPartitionsDefinition:
            return super().to_wire()
        return {"kind": "dynamic", "name": self.name}

    @classmethod
    def from_wire(cls, data: Mapping[str, object]) -> DynamicPartitionsDefinition:
        """The definition that `to_wire` wrote."""
        return cls(name=msgspec.convert(data["name"], str))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DynamicPartitionsDefinition):
            return NotImplemented
        return type(self) is type(other) and (self.name, self.partition_fn) == (other.name, other.partition_fn)

    def __hash__(self) -> int:
        return hash((self.name, self.partition_fn))

    def __repr__(self) -> str:
        if self.partition_fn is None:
            return f"{type(self).__name__}(name={self.name!r})"
        return f"{type(self).__name__}(partition_fn={getattr(self.partition_fn, '__name__', self.partition_fn)})"

    def __str__(self) -> str:
        return repr(self) if self.name is None else f'Dynamic partitions: "{self.name}"'

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.partition_fn, self.name)


def check_dynamic_keys(name: str, keys: Sequence[str]) -> None:
    """Raises InvalidDefinitionError if these partition keys cannot be added under a name."""
    if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(
            f"The name of a dynamic partitions definition must be a non-empty string, got {name!r}."
        )
    if isinstance(keys, str):
        raise InvalidDefinitionError(f"partition_keys must be a list of strings, got the single string {keys!r}.")
    for key in keys:
        check_partition_key(key)
