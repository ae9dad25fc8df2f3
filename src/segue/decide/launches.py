"""Which runs that left the queue are to be launched again, because nobody took them. Pure.

A run is taken out of the queue first and launched then; the control plane may die in between, and so may the process that
was launched, before it said that it has the run. Launching a run twice does no harm: one process gets its lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from segue.model.run import Run, RunStatus

AGAIN_SECONDS = 60.0
GIVE_UP_SECONDS = 300.0


class Launching(msgspec.Struct, frozen=True):
    """What to do about runs that nobody took: launch them again, or end them."""

    again: tuple[Run, ...]
    lost: tuple[Run, ...]


def overdue_launches(starting: Iterable[Run], launched_at: Mapping[str, float], now: float) -> Launching:
    """Which runs to launch again, and which to give up: those that were launched by this control plane in vain.

    Args:
        starting: the runs that left the queue and that no worker has taken.
        launched_at: when this control plane launched each of them last, in seconds since 1970, UTC; those of an earlier one
            are not in it.
        now: seconds since 1970, UTC.
    """
    waiting = [run for run in starting if run.status is RunStatus.STARTING and run.worker is None]
    overdue = [
        run for run in waiting if not 0 <= now - launched_at.get(run.run_id, now - AGAIN_SECONDS) < AGAIN_SECONDS
    ]
    lost = [run for run in overdue if run.run_id in launched_at and now - run.updated_at >= GIVE_UP_SECONDS]
    return Launching(tuple(run for run in overdue if run not in lost), tuple(lost))
