"""The composition root: from settings to what a process needs to work. No logic of its own."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from segue.decide.stuck import interrupted_runs
from segue.errors import InvariantViolationError, StorageUnavailableError
from segue.model.run import Run
from segue.model.stores import RunStore, Store
from segue.settings import Settings
from segue.storage.sqlite import open_sqlite


@contextmanager
def open_store(settings: Settings) -> Generator[Store]:
    """The store in the home folder, with stuck runs already recorded as interrupted; closed at the end.

    Raises:
        StorageError: the home folder or its database cannot serve.
    """
    store = open_sqlite(settings.home)
    try:
        # A home that can only be read is still read; whoever goes on to write meets the same error.
        with suppress(StorageUnavailableError):
            sweep_interrupted(store, time.time())
        yield store
    finally:
        store.close()


def sweep_interrupted(store: RunStore, now: float) -> Sequence[Run]:
    """Ends the runs that nobody works on any more.

    Args:
        store: where they are recorded.
        now: seconds since 1970, UTC.

    Returns:
        The runs that this call ended. One that ended by itself meanwhile, or that another process swept, is left out.
    """
    ended: list[Run] = []
    for run, event in interrupted_runs(store.unfinished_runs(), now):
        try:
            store.append([event])
        except InvariantViolationError:
            current = store.get_run(run.run_id)
            if current is not None and not current.is_finished:
                raise
        else:
            ended.append(run)
    return ended
