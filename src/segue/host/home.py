"""The home folder that the settings name. Apart from other instances, because reading settings loads what few runs need."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from segue.decide.stuck import interrupted_runs
from segue.defs.instance import Instance
from segue.errors import InvariantViolationError, LeaseLostError, RunNotFoundError, StorageUnavailableError
from segue.host.instances import local_instance
from segue.model.run import Run
from segue.model.stores import RunStore
from segue.settings import read_settings


def default_instance() -> Instance:
    """The instance in the home folder that the settings name, with stuck runs already recorded as interrupted."""
    settings = read_settings()
    instance = local_instance(str(settings.home), str(settings.storage_directory), settings.concurrency)
    # A home that can only be read is still read; whoever goes on to write meets the same error.
    with suppress(StorageUnavailableError):
        end_interrupted(instance.store, instance.store.unfinished_runs(), time.time())
    return instance


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
            store.take_over(run.run_id, [event])
        except (LeaseLostError, RunNotFoundError):  # its worker lives after all, or the run was deleted
            continue
        except InvariantViolationError:
            current = store.get_run(run.run_id)
            if current is None or not current.is_finished:
                raise
            continue
        ended.append(run)
    return ended
