"""Which queued runs may start now, and what holds the others back. Pure.

Runs start by priority, then by turn: within one priority every backfill, and all other runs together, take turns, so that
a backfill of thousands of runs holds nobody up for longer than one of its runs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from segue.model.queueing import QueueLimits, TagLimit
from segue.model.tags import BACKFILL_TAG


class QueuedRun(msgspec.Struct, frozen=True):
    """A run that waits, or is in progress: what the limits are about.

    Attributes:
        run_id: which.
        location: the code location it runs in.
        tags: its tags.
        priority: the higher, the earlier.
        held_by: why it cannot start whatever the limits say (its location is not ready, a person must approve); None if it can.
    """

    run_id: str
    location: str
    tags: Mapping[str, str] = {}
    priority: int = 0
    held_by: str | None = None


class QueueDecision(msgspec.Struct, frozen=True):
    """What to do with the queue.

    Attributes:
        start: the runs to start, in order.
        blocked: what holds each of the others back, by run id.
    """

    start: tuple[str, ...]
    blocked: Mapping[str, str]


def decide_queue(
    queued: Sequence[QueuedRun], in_progress: Iterable[QueuedRun], limits: QueueLimits, most: int | None = None
) -> QueueDecision:
    """Decides which runs start.

    Args:
        queued: the runs that wait, in order of their priority, then of their arrival.
        in_progress: the runs that were started and have not ended.
        limits: what bounds them.
        most: how many to start at most in this round.
    """
    room = _Room(limits, in_progress)
    start: list[str] = []
    blocked: dict[str, str] = {}
    for run in _in_turn(queued):
        reason = run.held_by or room.what_blocks(run)
        if reason is None and most is not None and len(start) >= most:
            reason = f"{most} runs are already starting; this run starts with the next batch"
        if reason is None:
            start.append(run.run_id)
            room.take(run)
        else:
            blocked[run.run_id] = reason
    return QueueDecision(tuple(start), blocked)


class _Room:
    """What the limits leave, as runs start."""

    def __init__(self, limits: QueueLimits, in_progress: Iterable[QueuedRun]) -> None:
        self._limits = limits
        self._runs = 0
        self._by_location: Counter[str] = Counter()
        self._by_tag: Counter[tuple[str, str | None] | None] = Counter()
        for run in in_progress:
            self.take(run)

    def take(self, run: QueuedRun) -> None:
        """Counts a run as in progress."""
        self._runs += 1
        self._by_location[run.location] += 1
        self._by_tag.update({_place(limit, run) for limit in self._limits.tags})  # once where limits are about the same

    def what_blocks(self, run: QueuedRun) -> str | None:
        """Why a run may not start; None when it may."""
        limits = self._limits
        if limits.is_full(self._runs):
            return f"{self._runs} of {limits.max_runs} runs are in progress"
        of_location = limits.per_location.get(run.location)
        if of_location is not None and self._by_location[run.location] >= of_location:
            return f"{of_location} of {of_location} runs of code location {run.location!r} are in progress"
        for limit in limits.tags:
            place = _place(limit, run)
            if place is not None and self._by_tag[place] >= limit.limit:
                tag = limit.key if place[1] is None else f"{limit.key}={place[1]}"
                return f"{self._by_tag[place]} of {limit.limit} runs with the tag {tag} are in progress"
        return None


def _place(limit: TagLimit, run: QueuedRun) -> tuple[str, str | None] | None:
    """What of a limit a run counts for: the tag, with its value where values count apart; None where it does not count."""
    value = run.tags.get(limit.key)
    if value is None or limit.value not in (None, value):
        return None
    return limit.key, value if limit.is_per_value or limit.value is not None else None


def _in_turn(queued: Sequence[QueuedRun]) -> Iterable[QueuedRun]:
    """The runs by priority; within one, a run of each backfill (and of all other runs together) in turn."""
    for runs in _by_priority(queued):
        groups: dict[str | None, deque[QueuedRun]] = {}
        for run in runs:
            groups.setdefault(run.tags.get(BACKFILL_TAG), deque()).append(run)
        while groups:
            for name in list(groups):
                yield groups[name].popleft()
                if not groups[name]:
                    del groups[name]


def _by_priority(queued: Sequence[QueuedRun]) -> Iterable[list[QueuedRun]]:
    """Runs of the same priority together, the highest first."""
    found: dict[int, list[QueuedRun]] = {}
    for run in queued:
        found.setdefault(run.priority, []).append(run)
    for priority in sorted(found, reverse=True):
        yield found[priority]
