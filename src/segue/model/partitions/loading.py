"""What partitions are looked up with where nobody says: the moment, and the store of dynamic keys.

`with partition_loading_context(effective_dt, store):` says both for the code inside.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import msgspec


class DynamicPartitionsStore(Protocol):
    """Who knows the keys of dynamic partitions: an `Instance`, or `DynamicKeys`."""

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a definition, oldest first."""
        ...

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether it has this key."""
        ...


class DynamicKeys(msgspec.Struct, frozen=True):
    """The keys of dynamic partitions as facts: by name of the definition, oldest first."""

    keys: Mapping[str, Sequence[str]]

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a definition, none where nothing is known of it."""
        return self.keys.get(partitions_def_name, ())

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether it has this key."""
        return partition_key in self.get_dynamic_partitions(partitions_def_name)


class PartitionLoadingContext(NamedTuple):
    """The moment and the store that `partition_loading_context` has set; None where it has not."""

    current_time: datetime | None = None
    dynamic_partitions_store: DynamicPartitionsStore | None = None

    @property
    def effective_dt(self) -> datetime:
        """The moment: the one set, or the present."""
        return current_time_or_now(self.current_time)


_NOTHING_SAID = PartitionLoadingContext()
_AMBIENT: ContextVar[PartitionLoadingContext] = ContextVar("partition_loading", default=_NOTHING_SAID)


@contextmanager
def partition_loading_context(
    effective_dt: datetime | None = None,
    dynamic_partitions_store: DynamicPartitionsStore | None = None,
    *,
    new_ctx: PartitionLoadingContext | None = None,
) -> Generator[PartitionLoadingContext]:
    """Says for the code inside which moment partitions are looked up at, and who knows the dynamic ones.

    Args:
        effective_dt: the moment; as outside when None, and the present where nothing outside says.
        dynamic_partitions_store: an instance, or another that knows the keys of dynamic partitions; as outside when None.
        new_ctx: both at once, instead of what holds outside.
    """
    outside = _AMBIENT.get() if new_ctx is None else new_ctx
    inside = PartitionLoadingContext(
        outside.current_time if effective_dt is None else effective_dt,
        outside.dynamic_partitions_store if dynamic_partitions_store is None else dynamic_partitions_store,
    )
    token = _AMBIENT.set(inside)
    try:
        yield inside
    finally:
        _AMBIENT.reset(token)


def current_time_or_now(current_time: datetime | None) -> datetime:
    """The time given, that of the context, or the present: the one place in `model` that reads the clock."""
    if current_time is None:
        current_time = _AMBIENT.get().current_time
    return datetime.now(UTC) if current_time is None else current_time


def store_or_ambient(store: DynamicPartitionsStore | None) -> DynamicPartitionsStore | None:
    """The store given, or that of the context."""
    return _AMBIENT.get().dynamic_partitions_store if store is None else store
