"""Part of an asset, check or job: some of its partitions, or for one without partitions all or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Literal

from segue.errors import InvariantViolationError
from segue.model.condition.facts import SubsetValue
from segue.model.keys import AssetKey, EntityKey
from segue.model.partitions import subset as sets
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset

if TYPE_CHECKING:
    from segue.model.condition.view import AssetGraphView


class EntitySubset:
    """Part of one target, with set algebra. Immutable.

    Made by an `AssetGraphView`, which knows the partitions: `context.asset_graph_view.get_full_subset(key=...)`,
    `context.get_empty_subset()`.
    """

    __slots__ = ("_view", "key", "value")
    key: EntityKey
    _view: AssetGraphView
    value: SubsetValue

    def __class_getitem__(cls, item: object) -> type[EntitySubset]:
        return cls

    def __init__(self, asset_graph_view: AssetGraphView, key: EntityKey, value: SubsetValue) -> None:
        object.__setattr__(self, "_view", asset_graph_view)
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"EntitySubset is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntitySubset) and self.key == other.key and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.key, self.value))

    def __repr__(self) -> str:
        return f"EntitySubset({self.key!r}, {self.value!r})"

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How the target is cut into partitions."""
        return self._view.partitions_def(self.key)

    @property
    def is_partitioned(self) -> bool:
        """Whether the target has partitions."""
        return not isinstance(self.value, bool)

    @property
    def is_empty(self) -> bool:
        """Whether it is nothing of the target."""
        return not self.value

    @property
    def size(self) -> int:
        """How many partitions; for a target without partitions 1 or 0."""
        definition = self.partitions_def
        if definition is None or isinstance(self.value, bool):
            return int(bool(self.value))
        return sets.subset_size(definition, self.value, self._view.effective_dt)

    def get_internal_value(self) -> SubsetValue:
        """The partitions, or whether the target is meant."""
        return self.value

    def get_internal_bool_value(self) -> bool:
        """Whether a target without partitions is meant.

        Raises:
            InvariantViolationError: the target has partitions.
        """
        if not isinstance(self.value, bool):
            raise InvariantViolationError(
                f"{self.key.to_user_string()!r} is partitioned: use get_internal_subset_value()."
            )
        return self.value

    def get_internal_subset_value(self) -> PartitionSubset:
        """The partitions.

        Raises:
            InvariantViolationError: the target has none.
        """
        if isinstance(self.value, bool):
            raise InvariantViolationError(
                f"{self.key.to_user_string()!r} is not partitioned: use get_internal_bool_value()."
            )
        return self.value

    def expensively_compute_partition_keys(self) -> AbstractSet[str]:
        """The keys of the partitions, all of them: for large sets use the algebra instead."""
        definition = self.partitions_def
        if definition is None or isinstance(self.value, bool):
            raise InvariantViolationError(f"{self.key.to_user_string()!r} is not partitioned.")
        return set(sets.keys_of_subset(definition, self.value, self._view.effective_dt))

    def expensively_compute_asset_partitions(self) -> AbstractSet[tuple[EntityKey, str | None]]:
        """Pairs of the target and each partition; None for a target without partitions."""
        if isinstance(self.value, bool):
            return {(self.key, None)} if self.value else set()
        return {(self.key, partition) for partition in self.expensively_compute_partition_keys()}

    def compute_union(self, other: EntitySubset) -> EntitySubset:
        """What is in either."""
        return self._combined("union", other)

    def compute_intersection(self, other: EntitySubset) -> EntitySubset:
        """What is in both."""
        return self._combined("intersection", other)

    def compute_difference(self, other: EntitySubset) -> EntitySubset:
        """What is in this and not in the other."""
        return self._combined("difference", other)

    def compute_intersection_with_partition_keys(self, partition_keys: Iterable[str]) -> EntitySubset:
        """What is among these partitions."""
        return self.compute_intersection(self._view.get_subset(key=self.key, partition_keys=partition_keys))

    def compute_parent_subset(self, parent_key: AssetKey) -> EntitySubset:
        """What it needs of an asset upstream."""
        return self._view.mapped(self, parent_key, up=True)

    def compute_child_subset(self, child_key: EntityKey) -> EntitySubset:
        """What needs it of a target downstream."""
        return self._view.mapped(self, child_key, up=False)

    def compute_mapped_subset(self, to_key: EntityKey, direction: Literal["up", "down"]) -> EntitySubset:
        """What belongs to it in another target."""
        return self._view.mapped(self, to_key, up=direction == "up")

    def _combined(self, how: Literal["union", "intersection", "difference"], other: EntitySubset) -> EntitySubset:
        if other.key is not self.key and other.key != self.key:
            raise InvariantViolationError(
                f"{self!r} and {other!r} have different targets: map one of them to the other's target first."
            )
        one, two = self.value, other.value
        definition = None if isinstance(one, bool) else self.partitions_def
        if definition is None or isinstance(one, bool) or isinstance(two, bool):
            left, right = bool(one), bool(two)
            value = {"union": left or right, "intersection": left and right, "difference": left and not right}[how]
            return EntitySubset(self._view, self.key, value)
        value = self._view.combinations.combine(how, definition, one, two)
        return self if value is one else EntitySubset(self._view, self.key, value)
