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


class Launched(msgspec.Struct, frozen=True):
    """When a run was launched first and last, in seconds of a clock that nobody sets."""

    first: float
    last: float


class Launching(msgspec.Struct, frozen=True):
    """What to do about runs that nobody took: launch them again, or end them."""

    again: tuple[Run, ...]
    lost: tuple[Run, ...]


def overdue_launches(starting: Iterable[Run], launched: Mapping[str, Launched], now: float) -> Launching:
    """Which runs to launch again, and which to give up: those that were launched by this control plane in vain.

    Args:
        starting: the runs that left the queue and that no worker has taken.
        launched: when this control plane launched each of them; those of an earlier one are not in it.
        now: by the same clock.
    """
    again: list[Run] = []
    lost: list[Run] = []
    for run in starting:
        if run.status is not RunStatus.STARTING or run.worker is not None:
            continue
        found = launched.get(run.run_id)
        if found is None:
            again.append(run)
        elif now - found.last >= AGAIN_SECONDS:
            (lost if now - found.first >= GIVE_UP_SECONDS else again).append(run)
    return Launching(tuple(again), tuple(lost))
