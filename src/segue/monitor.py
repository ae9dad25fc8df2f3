"""Noticing workers that are gone: the facts come from a store, `decide/stuck` judges, and the ends are recorded.

Whoever shows runs to people looks once before (`monitor_once`), and the control plane goes on looking (`watch`). Any
number of processes may do so at once: a run is taken from its dead worker by one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from segue.decide.stuck import interrupted_runs
from segue.errors import InvariantViolationError, LeaseLostError, RunNotFoundError, StorageUnavailableError
from segue.model.run import Run
from segue.model.stores import RunStore, Store

LONGEST_WAIT = 2.0
"""Seconds after which `watch` looks again, whatever it has heard: a worker that began meanwhile may have gone already."""


def monitor_once(store: RunStore, now: float) -> Sequence[Run]:
    """Ends the runs that nobody works on any more, as interrupted.

    Args:
        store: where they are recorded.
        now: seconds since 1970, UTC.

    Returns:
        The runs that this call ended, as they were before.

    Raises:
        StorageError: the store cannot be read or written.
    """
    return end_interrupted(store, store.unfinished_runs(), now)


def monitor_if_possible(store: RunStore) -> None:
    """The same for who only wants to read: a home that cannot be written is read all the same, and whoever goes on to write
    meets the error.
    """
    with suppress(StorageUnavailableError):
        monitor_once(store, time.time())


def end_interrupted(
    store: RunStore, unfinished: Sequence[tuple[Run, bool]], now: float, how: str | None = None
) -> Sequence[Run]:
    """Ends those of these runs that nobody works on any more.

    Args:
        store: where they are recorded.
        unfinished: runs that had not ended when they were read, each with whether its worker lives.
        now: seconds since 1970, UTC.
        how: in which way their workers ended, where that is known.

    Returns:
        The runs that this call ended. One that ended by itself meanwhile, or that another process ended, is left out.
    """
    ended: list[Run] = []
    for run, event in interrupted_runs(unfinished, now, how):
        try:
            store.take_over(run.run_id, [event])
        except (LeaseLostError, RunNotFoundError):  # it has a living worker by now, or it was deleted
            continue
        except InvariantViolationError:
            current = store.get_run(run.run_id)
            if current is None or not current.is_finished:
                raise
            continue
        ended.append(run)
    return ended


def end_exited(store: RunStore, run_id: str, how: str, now: float) -> Sequence[Run]:
    """Ends a run whose process is known to be gone, if it did not end by itself.

    Args:
        store: where it is recorded.
        run_id: the run.
        how: in which way its process ended, as `was killed by SIGKILL`.
        now: seconds since 1970, UTC.

    Returns:
        The run as it was before, if this call ended it. Where a lease says for a while yet that its worker lives, it is left
        to the monitor.

    Raises:
        StorageError: the store cannot be read or written.
    """
    run = store.get_run(run_id)
    if run is None or run.is_finished:
        return []
    return end_interrupted(store, [(run, False)], now, how)


def watch(store: Store, is_stopped: Callable[[], bool], on_ended: Callable[[Run], object]) -> None:
    """Ends interrupted runs as soon as their workers are gone, until told to stop.

    Args:
        store: where runs are recorded.
        is_stopped: asked after each look, which is every `LONGEST_WAIT` seconds at least.
        on_ended: called with each run that this process ended, as it was before.

    Raises:
        StorageError: the store cannot be read or written.
    """
    while not is_stopped():
        for run in monitor_once(store, time.time()):
            on_ended(run)
        store.wait_for_exit(LONGEST_WAIT)
