"""Which ticks of schedules are due. Pure.

A tick is due once for each time at which one of the schedule's cron schedules fires, after the last one that was decided and
after the schedule was switched on. What becomes of times that passed while nobody decided is the choice of `CatchUp`, of the
schedule or of the deployment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from segue.model.automation_nodes import ScheduleNode
from segue.model.cron_times import last_fire, next_fire
from segue.model.instigator import InstigatorState
from segue.model.tick import CatchUp

SHORT_BREAK_SECONDS = 60.0
"""A break of up to so long, in which another control plane takes over or the database is away, is none."""
MOST_MISSED = 100
"""How many missed times of a schedule are made up for at most, where nothing else is set."""


class DueTicks(msgspec.Struct, frozen=True):
    """What is due of one schedule.

    Attributes:
        times: the times to decide now, the oldest first, in seconds since 1970, UTC.
        next_at: when to look again; None for a cron schedule that never fires again.
    """

    times: tuple[float, ...]
    next_at: float | None


def due_ticks(
    node: ScheduleNode,
    state: InstigatorState,
    now: float,
    up_since: float,
    catch_up: CatchUp,
    limit: int,
    most_missed: int = MOST_MISSED,
) -> DueTicks:
    """The ticks of a running schedule that are due.

    Args:
        node: the schedule.
        state: what is recorded of it; its `started_at` is set.
        now: seconds since 1970, UTC.
        up_since: since when ticks are being decided without a break.
        catch_up: what becomes of earlier times, where the schedule itself does not say.
        limit: how many ticks to give at most; the rest is due at once.
        most_missed: how many of the earlier times `CatchUp.ALL` makes up for.
    """
    base = max(state.started_at or 0.0, state.last_tick_at or 0.0)
    up_since = min(up_since - SHORT_BREAK_SECONDS, now)
    if base < up_since:
        kept = {CatchUp.SKIP: 0, CatchUp.LATEST: 1, CatchUp.ALL: most_missed}[node.catch_up or catch_up]
        base = _before_last(node, base, up_since, kept)
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


def _before_last(node: ScheduleNode, base: float, until: float, kept: int) -> float:
    """The time after which only so many ticks up to `until` lie; `base` where there are no more behind it."""
    zone = node.execution_timezone or "UTC"
    for _ in range(kept):
        moment = datetime.fromtimestamp(until, UTC)
        fires = [last_fire(line, zone, moment) for line in node.cron_schedules]
        latest = max((fire.timestamp() for fire in fires if fire is not None), default=base)
        if latest <= base:
            return base
        until = _just_before(latest)
    return until


def _just_before(moment: float) -> float:
    """A time before this one, and after every earlier tick: no cron schedule is finer than a second."""
    return moment - 0.5
