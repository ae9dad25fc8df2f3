"""What the control plane needs of a database besides the store: kept apart, so that no run loads it."""

from __future__ import annotations

from segue.model.control_stores import ControlStore
from segue.model.retention import RetentionStore
from segue.model.stores import Store
from segue.storage.opening import postgres_module
from segue.storage.sqlite import SqliteStore, control, retention


def control_of(store: Store) -> ControlStore:
    """The store of the control plane, in the database of a store that `open_store` opened."""
    if isinstance(store, SqliteStore):
        return control.control_of(store)
    return postgres_module("segue.storage.postgres.control").control_of(store)


def retention_of(store: Store) -> RetentionStore:
    """What removes old records from the database of a store that `open_store` opened."""
    if isinstance(store, SqliteStore):
        return retention.retention_of(store)
    return postgres_module("segue.storage.postgres.retention").retention_of(store)
