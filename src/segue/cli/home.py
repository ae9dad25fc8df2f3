"""Opening the home folder: what every command that looks at runs does first."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from segue.decide.stuck import interrupted_runs
from segue.deployment import store_of
from segue.errors import InvariantViolationError, StorageUnavailableError
from segue.model.run import Run
from segue.model.stores import RunStore, Store
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


def end_interrupted(store: RunStore, unfinished: Sequence[tuple[Run, bool]], now: float) -> Sequence[Run]:
    """Ends the runs that nobody works on any more.

    Args:
        store: where they are recorded.
        unfinished: runs that had not ended when they were read, each with whether its worker lives.
        now: seconds since 1970, UTC.

    Returns:
        The runs that this call ended. One that ended by itself meanwhile, or that another process ended, is left out.
    """
    ended: list[Run] = []
    for run, event in interrupted_runs(unfinished, now):
        try:
            store.append([event])
        except InvariantViolationError:
            current = store.get_run(run.run_id)
            if current is None or not current.is_finished:
                raise
        else:
            ended.append(run)
    return ended
