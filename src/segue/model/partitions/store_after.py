"""The keys of dynamic partitions as they will be once what was asked for is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from segue.model.partitions.dynamic import DeleteDynamicPartitionsRequest
from segue.model.partitions.loading import DynamicPartitionsStore


class DynamicPartitionsRequest(Protocol):
    """A request to add partitions, or to remove some."""

    @property
    def partitions_def_name(self) -> str: ...
    @property
    def partition_keys(self) -> Sequence[str]: ...


class _StoreAfter(NamedTuple):
    asked: Sequence[DynamicPartitionsRequest]
    store: DynamicPartitionsStore | None

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a definition, those that are asked to be added at the end."""
        keys = dict.fromkeys(self.store.get_dynamic_partitions(partitions_def_name) if self.store is not None else ())
        for each in self.asked:
            if each.partitions_def_name != partitions_def_name:
                continue
            if isinstance(each, DeleteDynamicPartitionsRequest):
                gone = set(each.partition_keys)
                keys = {key: None for key in keys if key not in gone}
            else:
                keys.update(dict.fromkeys(each.partition_keys))
        return list(keys)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether a definition will have a key: the last request that names it says so, or else the store."""
        for each in reversed(self.asked):
            if each.partitions_def_name == partitions_def_name and partition_key in each.partition_keys:
                return not isinstance(each, DeleteDynamicPartitionsRequest)
        return self.store is not None and self.store.has_dynamic_partition(partitions_def_name, partition_key)


def store_after(
    asked: Sequence[DynamicPartitionsRequest], store: DynamicPartitionsStore | None
) -> DynamicPartitionsStore | None:
    """The store as it will be.

    Args:
        asked: requests to add and to remove keys, in order.
        store: what is there now; None for nothing.
    """
    return _StoreAfter(asked, store) if asked else store
