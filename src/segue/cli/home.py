"""Opening the home folder: the first thing every command about runs does."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from segue.defs.instance import Instance
from segue.deployment import store_of
from segue.model.partitions.loading import partition_loading_context
from segue.model.stores import Store
from segue.monitor import monitor_if_possible
from segue.settings import Settings


@contextmanager
def open_store(settings: Settings) -> Generator[Store]:
    """The store in the home folder, with stuck runs already recorded as interrupted; closed at the end.

    Raises:
        StorageError: the home folder or its database cannot serve.
    """
    store = store_of(settings)
    try:
        monitor_if_possible(store)
        with partition_loading_context(dynamic_partitions_store=Instance(store, settings.storage_directory)):
            yield store
    finally:
        store.close()


def instance_of(settings: Settings, store: Store) -> Instance:
    """The instance that the settings name, over a store that is open."""
    return Instance(
        store,
        settings.storage_directory,
        home=settings.home,
        concurrency=settings.concurrency,
        database=settings.database,
        artifacts=settings.artifacts,
        steps=settings.steps,
    )


@contextmanager
def dynamic_keys(settings: Settings) -> Generator[None]:
    """Has dynamic partitions looked up in the home folder, which is not touched as long as there are none."""
    store = store_of(settings)
    try:
        with partition_loading_context(dynamic_partitions_store=Instance(store, settings.storage_directory)):
            yield
    finally:
        store.close()
