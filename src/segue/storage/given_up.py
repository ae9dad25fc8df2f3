"""Runs that a worker of this process has stopped executing though their end could not be recorded, the store being away.

The process lives on, and with it the worker, so that nobody would end them. For the process itself they are runs whose
worker is gone; for others as well, as soon as it has ended.
"""

from __future__ import annotations

_runs: set[tuple[str | None, str]] = set()


def give_up(worker: str, run_id: str) -> None:
    """From now on the run counts as one whose worker is gone, as long as it is this worker that has it."""
    _runs.add((worker, run_id))


def is_given_up(worker: str | None, run_id: str) -> bool:
    """Whether it does; `worker` is the one that has it."""
    return (worker, run_id) in _runs


def take_up(worker: str, run_id: str) -> None:
    """The worker executes the run."""
    _runs.discard((worker, run_id))
