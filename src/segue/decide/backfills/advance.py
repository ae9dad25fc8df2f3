"""One round of a backfill: what has ended is taken in, what can start is named, and whether all is over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from segue.decide.backfills.parts import ONE, Bounds, Parts
from segue.decide.backfills.pinned import some_of
from segue.decide.backfills.readiness import Wanted
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget, OffPeak
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.subset import EMPTY, PartitionSubset

UNFINISHED_AT_MOST = 500
"""How many runs of a backfill wait or work at once, where it says nothing else."""


class EndedRun(msgspec.Struct, frozen=True):
    """A run of the backfill that has ended.

    Attributes:
        run_id: which.
        done: what it made.
        failed: what it was to make and did not.
        attempt: which attempt at it this was, from 1.
        is_canceled: whether it was canceled, which nobody tries again.
    """

    run_id: str
    done: tuple[BackfillTarget, ...] = ()
    failed: tuple[BackfillTarget, ...] = ()
    attempt: int = 1
    is_canceled: bool = False


class BackfillRun(msgspec.Struct, frozen=True):
    """A run that a backfill asks for.

    Attributes:
        assets: what it makes.
        bounds: first and last partition of each; None without partitions.
        attempt: which attempt at it this is.
        parent_run_id: the run that failed before.
    """

    assets: tuple[AssetKey, ...]
    bounds: Bounds = None
    attempt: int = 1
    parent_run_id: str | None = None


class Round(msgspec.Struct, frozen=True):
    """What a round comes to: how the backfill stands then, and the runs it asks for."""

    backfill: Backfill
    runs: tuple[BackfillRun, ...] = ()


def advance(
    backfill: Backfill,
    graph: AssetGraph,
    ended: Sequence[EndedRun],
    unfinished: int,
    now: datetime,
    most_runs: int = 1_000,
    gone: Set[AssetKey] = frozenset(),
) -> Round:
    """Takes one round of a backfill of assets.

    Args:
        backfill: as it is recorded; it has not ended.
        graph: the assets of the definitions that it began with.
        ended: its runs that have ended since the round before.
        unfinished: how many of its runs have not ended, counted before `ended` was read: a run that ends in between is in
            both, never in neither.
        now: with a time zone.
        most_runs: how many runs to ask for in one round at most; the rest comes with the next.
        gone: the assets that no run can make, because the code that is loaded now does not declare them.

    Raises:
        NotSupportedError: a partitions definition or mapping that only the user's code can answer for.
        InvalidSubsetError: an asset that these definitions do not have.
    """
    state = _State(backfill, graph, now, gone)
    again = state.take(ended)
    if backfill.status is BackfillStatus.CANCELING:
        status = BackfillStatus.CANCELED if unfinished == 0 else backfill.status
        return Round(state.written(status, ended, 0))
    if unfinished == 0:
        state.give_up_lost_runs(again)
    state.fail_what_needs_failed()
    room = room_of(backfill, unfinished, now, most_runs)
    runs = [*again, *islice(state.start(), max(room - len(again), 0))]
    state.request(runs)
    status = backfill.status
    if not runs and unfinished == 0 and (room > 0 or state.is_complete):
        # Nothing runs and nothing can start: whatever is left never will.
        state.fail_rest()
        status = BackfillStatus.COMPLETED_FAILED if state.has_failed else BackfillStatus.COMPLETED_SUCCESS
    return Round(asked(state.written(status, ended, len(runs)), len(runs), now), tuple(runs))


def room_of(backfill: Backfill, unfinished: int, now: datetime, most_runs: int) -> int:
    """How many runs may be asked for now: never so many that those in the queue hide all others behind them."""
    if backfill.status is BackfillStatus.PAUSED or not is_open(backfill.off_peak, now):
        return 0
    if backfill.stagger is not None:
        waits = next_at(backfill)
        # After the clock went back, the last run lies ahead: nobody is to wait for the clock to catch up.
        if waits is not None and waits - backfill.stagger <= now.timestamp() < waits:
            return 0
        most_runs = min(most_runs, 1)
    most = UNFINISHED_AT_MOST if backfill.max_concurrent is None else backfill.max_concurrent
    return max(min(most_runs, most - unfinished), 0)


def next_at(backfill: Backfill) -> float | None:
    """When a backfill whose runs lie apart may ask for the next one, in seconds since 1970, UTC; None for at once."""
    if backfill.stagger is None or backfill.asked_at is None:
        return None
    return backfill.asked_at + backfill.stagger


def asked(backfill: Backfill, runs: int, now: datetime) -> Backfill:
    """A backfill that remembers when it asked for runs, where that matters."""
    if runs == 0 or backfill.stagger is None:
        return backfill
    return msgspec.structs.replace(backfill, asked_at=now.timestamp())


def is_open(hours: OffPeak | None, now: datetime) -> bool:
    """Whether runs may start at this hour."""
    if hours is None:
        return True
    hour = now.astimezone(ZoneInfo(hours.timezone)).hour
    if hours.start <= hours.end:
        return hours.start <= hour < hours.end
    return hour >= hours.start or hour < hours.end


class _State:
    """How far each asset of a backfill has come, as it changes in one round."""

    def __init__(self, backfill: Backfill, graph: AssetGraph, now: datetime, gone: Set[AssetKey]) -> None:
        for each in backfill.targets:
            graph.node(each.key)
        self.backfill = backfill
        self.parts = Parts(graph, now)
        self.wanted = Wanted(graph, self.parts, _amounts(backfill.targets))
        self.requested = self._padded(backfill.requested)
        self.done = self._padded(backfill.done)
        self.failed = self._padded(backfill.failed)
        self.gone = gone
        self.error: str | None = None

    def _padded(self, targets: Iterable[BackfillTarget]) -> dict[AssetKey, PartitionSubset]:
        return {**dict.fromkeys(self.wanted.keys, EMPTY), **_amounts(targets)}

    def take(self, ended: Sequence[EndedRun]) -> list[BackfillRun]:
        """Takes in the runs that ended; gives those that try again what failed in them."""
        self._add(self.done, (part for each in ended for part in _amounts(each.done).items()))
        again: list[BackfillRun] = []
        failed: list[tuple[AssetKey, PartitionSubset]] = []
        for each in ended:
            left = [
                (key, self.parts.difference(key, part, self.done[key])) for key, part in _amounts(each.failed).items()
            ]
            may_try = not each.is_canceled and each.attempt <= self.backfill.retries
            if may_try and self.backfill.status is not BackfillStatus.CANCELING:
                again += self._again(each, [part for part in left if part[0] not in self.gone])
                left = [part for part in left if part[0] in self.gone]
            failed += left
        self._add(self.failed, failed)
        return again

    def _again(self, ended: EndedRun, left: Iterable[tuple[AssetKey, PartitionSubset]]) -> Iterator[BackfillRun]:
        by_bounds: dict[Bounds, list[AssetKey]] = {}
        for key, part in left:
            for bounds in self.parts.cut(key, part, None):
                by_bounds.setdefault(bounds, []).append(key)
        for bounds, assets in by_bounds.items():
            yield BackfillRun(tuple(assets), bounds, ended.attempt + 1, ended.run_id)

    def _add(self, amounts: dict[AssetKey, PartitionSubset], parts: Iterable[tuple[AssetKey, PartitionSubset]]) -> None:
        """Adds parts to the amounts of their assets, all of one asset at once: a round may have a thousand."""
        by_key: dict[AssetKey, list[PartitionSubset]] = {}
        for key, part in parts:
            by_key.setdefault(key, []).append(part)
        for key, added in by_key.items():
            amounts[key] = self.parts.union(key, amounts[key], *added)

    def open_parts(self) -> dict[AssetKey, PartitionSubset]:
        """What was not asked for yet and has not failed."""
        return {
            key: self.parts.difference(key, self.parts.difference(key, part, self.requested[key]), self.failed[key])
            for key, part in self.wanted.amounts.items()
        }

    def give_up_lost_runs(self, again: Sequence[BackfillRun]) -> None:
        """Takes what was asked for, and that no run works on any more, as failed: its runs were deleted."""
        tried = dict.fromkeys(self.wanted.keys, EMPTY)
        self._add(tried, _parts_of(again))
        for key in self.wanted.keys:
            missing = self.parts.difference(key, self.requested[key], self.done[key])
            missing = self.parts.difference(key, missing, tried[key])
            self.failed[key] = self.parts.union(key, self.failed[key], missing)

    def fail_what_needs_failed(self) -> None:
        """Takes what needs something that failed as failed."""
        for key, part in self.wanted.lost(self.failed, self.open_parts()).items():
            self.failed[key] = self.parts.union(key, self.failed[key], part)

    def start(self) -> Iterator[BackfillRun]:
        """The runs that can start, upstream first."""
        startable = {key: EMPTY if key in self.gone else part for key, part in self.open_parts().items()}
        ready = self.wanted.ready(startable, self.done)
        for assets, part in self.wanted.pieces(ready):
            for bounds in self.parts.cut(assets[0], part, self._partitions_per_run(assets)):
                yield BackfillRun(assets, bounds)

    def _partitions_per_run(self, assets: Sequence[AssetKey]) -> int | None:
        """How many partitions one run takes; None for all that lie together."""
        if self.backfill.single_run is not None:
            return None if self.backfill.single_run else 1
        policies = [self.wanted.graph.nodes[key].backfill_policy for key in assets]
        limits = [1 if policy is None else policy.max_partitions_per_run for policy in policies]
        known = [limit for limit in limits if limit is not None]
        return min(known) if known else None

    def request(self, runs: Iterable[BackfillRun]) -> None:
        """Remembers that runs were asked for."""
        self._add(self.requested, _parts_of(runs))

    def fail_rest(self) -> None:
        """Takes whatever can never start as failed."""
        left = {key: part for key, part in self.open_parts().items() if part}
        for key, part in left.items():
            self.failed[key] = self.parts.union(key, self.failed[key], part)
        missing = [key.to_user_string() for key in left if key in self.gone]
        if missing:
            self.error = (
                f"The definitions that are currently loaded can no longer materialize {some_of(missing)}: its remaining "
                "partitions, and those that depend on it, were abandoned. Restore the definition and retry the failed "
                "partitions."
            )
        elif left:
            self.error = "The remaining partitions depend on each other in a cycle, so none of their runs can start."

    @property
    def is_complete(self) -> bool:
        """Whether all that is wanted was asked for or has failed."""
        return not any(self.open_parts().values())

    @property
    def has_failed(self) -> bool:
        """Whether anything has failed."""
        return any(self.failed.values())

    def written(self, status: BackfillStatus, ended: Sequence[EndedRun], new_runs: int) -> Backfill:
        """The backfill as it stands now."""
        return msgspec.structs.replace(
            self.backfill,
            status=status,
            requested=_targets(self.requested),
            done=_targets(self.done),
            failed=_targets(self.failed),
            runs=self.backfill.runs + new_runs,
            failed_runs=self.backfill.failed_runs + sum(bool(each.failed) for each in ended),
            error=self.error,
        )


def _parts_of(runs: Iterable[BackfillRun]) -> Iterator[tuple[AssetKey, PartitionSubset]]:
    """What runs make of each asset."""
    for run in runs:
        part = ONE if run.bounds is None else PartitionSubset((run.bounds,))
        yield from ((key, part) for key in run.assets)


def _amounts(targets: Iterable[BackfillTarget]) -> dict[AssetKey, PartitionSubset]:
    return {each.key: ONE if each.partitions is None else each.partitions for each in targets}


def _targets(amounts: Mapping[AssetKey, PartitionSubset]) -> tuple[BackfillTarget, ...]:
    return tuple(BackfillTarget(key, None if part == ONE else part) for key, part in amounts.items() if part)
