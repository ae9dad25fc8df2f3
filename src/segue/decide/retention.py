"""What is too old, and how it goes: whole parts of the log where they can be dropped, batches of a bounded size elsewhere. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import UTC, datetime

from segue.model.backfill import Backfill
from segue.model.retention import LogPart, Retention

SMALLEST_BATCH, LARGEST_BATCH = 50, 5_000
_AIM_SECONDS = 0.03
"""For how long one transaction is to hold up other writers."""


class PartAction(enum.Enum):
    """What becomes of a part of the log.

    KEEP: nothing yet.
    DROP: all of it goes at once.
    BATCHES: what is old in it goes row by row.
    """

    KEEP = "keep"
    DROP = "drop"
    BATCHES = "batches"


def cutoff(kept_seconds: float | None, now: float) -> float | None:
    """Before when something is too old, in seconds since 1970; None where it is kept for ever."""
    return None if kept_seconds is None else now - kept_seconds


def all_older_than(older_than: float) -> Retention:
    """The policy of whoever wants everything gone that is older than so many seconds."""
    return Retention(
        events=older_than, output=older_than, ticks=older_than, failed_ticks=older_than, evaluations=older_than
    )


def part_action(part: LogPart, before: float, *, is_asked: bool) -> PartAction:
    """What becomes of a part of the log.

    The last month that has young runs in it waits until all of it can be dropped, which costs next to nothing, unless
    somebody asks for the space now.

    Args:
        part: the part.
        before: when a run must have ended for its events to be too old.
        is_asked: whether somebody asks for it.
    """
    if part.month is None:
        return PartAction.BATCHES
    moment = datetime.fromtimestamp(before, UTC)
    if part.month >= moment.year * 100 + moment.month:
        return PartAction.BATCHES if is_asked else PartAction.KEEP
    return PartAction.BATCHES if part.is_in_use else PartAction.DROP


def held_until(backfills: Iterable[Backfill], before: float) -> int | None:
    """The storage id up to which open backfills have taken the log in: what is behind it they still have to read. None where
    none is open; one that has not moved since `before` (its code location is gone) holds nothing back.
    """
    return min((each.cursor for each in backfills if each.updated_at >= before), default=None)


def next_batch(size: int, seconds: float) -> int:
    """How many rows the next transaction is to remove, when the last removed `size` in so many seconds."""
    fitting = int(size * _AIM_SECONDS / max(seconds, 0.001))
    return max(SMALLEST_BATCH, min(fitting, 2 * size, LARGEST_BATCH))
