"""Opening the home folder: what every command that looks at runs does first."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

from segue.deployment import store_of
from segue.errors import StorageUnavailableError
from segue.host.home import end_interrupted
from segue.model.stores import Store
from segue.settings import Settings


@contextmanager
def open_store(settings: Settings) -> Generator[Store]:
    """The store in the home folder, with stuck runs already recorded as interrupted; closed at the end.

    Raises:
        StorageError: the home folder or its database cannot serve.
    """
    store = store_of(settings)
    try:
        # A home that can only be read is still read; whoever goes on to write meets the same error.
        with suppress(StorageUnavailableError):
            end_interrupted(store, store.unfinished_runs(), time.time())
        yield store
    finally:
        store.close()
