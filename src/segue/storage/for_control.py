"""What the control plane needs of a database besides the store: kept apart, so that no run loads it."""

from __future__ import annotations

from segue.model.retention import RetentionStore
from segue.model.stores import Store
from segue.storage.opening import postgres_module
from segue.storage.sqlite import SqliteStore, retention


def retention_of(store: Store) -> RetentionStore:
    """What removes old records from the database of a store that `open_store` opened."""
    if isinstance(store, SqliteStore):
        return retention.retention_of(store)
    return postgres_module("segue.storage.postgres.retention").retention_of(store)
