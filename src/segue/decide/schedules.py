"""Which ticks of schedules are due. Pure.

A tick is due once for each time at which one of the schedule's cron lines fires, after the last one that was decided and
after the schedule was switched on. What becomes of times that passed while nobody decided is the choice of `CatchUp`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from segue.model.automation_nodes import ScheduleNode
from segue.model.cron_times import last_fire, next_fire
from segue.model.instigator import InstigatorState

SHORT_BREAK_SECONDS = 60.0


class CatchUp(enum.Enum):
    """What becomes of the times that passed while no control plane ran.

    SKIP: none of them is decided. LATEST: the last one is. ALL: each is, the oldest first. A break of up to a minute, in which
    another control plane takes over or the database is away, is none: what was due in it is decided.
    """

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class DueTicks(msgspec.Struct, frozen=True):
    """What is due of one schedule.

    Attributes:
        times: the times to decide now, the oldest first, in seconds since 1970, UTC.
        next_at: when to look again; None for a cron line that never fires again.
    """

    times: tuple[float, ...]
    next_at: float | None


def due_ticks(
    node: ScheduleNode, state: InstigatorState, now: float, up_since: float, catch_up: CatchUp, limit: int
) -> DueTicks:
    """The ticks of a running schedule that are due.

    Args:
        node: the schedule.
        state: what is recorded of it; its `started_at` is set.
        now: seconds since 1970, UTC.
        up_since: since when ticks are being decided without a break.
        catch_up: what becomes of earlier times.
        limit: how many ticks to give at most; the rest is due at once.
    """
    base = max(state.started_at or 0.0, state.last_tick_at or 0.0)
    up_since -= SHORT_BREAK_SECONDS
    if catch_up is CatchUp.SKIP:
        base = max(base, min(up_since, now))
    elif catch_up is CatchUp.LATEST and base < up_since:
        base = _before_latest(node, base, min(up_since, now))
    times: list[float] = []
    following = next_time(node, base)
    while following is not None and following <= now:
        if len(times) == limit:
            return DueTicks(tuple(times), now)
        times.append(following)
        following = next_time(node, following)
    return DueTicks(tuple(times), following)


def next_time(node: ScheduleNode, after: float) -> float | None:
    """The first time after another at which the schedule ticks, in seconds since 1970, UTC."""
    moment, zone = datetime.fromtimestamp(after, UTC), node.execution_timezone or "UTC"
    found = [fire for line in node.cron_schedules if (fire := next_fire(line, zone, moment)) is not None]
    # Datetimes of one zone compare by what its clock shows, which is no order where clocks go back.
    return min((fire.timestamp() for fire in found), default=None)


def following_times(node: ScheduleNode, after: float) -> Iterator[float]:
    """The times after another at which the schedule ticks, in order."""
    following = next_time(node, after)
    while following is not None:
        yield following
        following = next_time(node, following)


def _before_latest(node: ScheduleNode, base: float, until: float) -> float:
    """The time after which only the last tick up to `until` lies; `base` where none lies between."""
    moment, zone = datetime.fromtimestamp(until, UTC), node.execution_timezone or "UTC"
    found = [fire for line in node.cron_schedules if (fire := last_fire(line, zone, moment)) is not None]
    latest = max((fire.timestamp() for fire in found), default=base)
    return base if latest <= base else _just_before(latest)


def _just_before(moment: float) -> float:
    """A time before this one, and after every earlier tick: no cron line is finer than a second."""
    return moment - 0.5
