"""The runs of a backfill that have ended, and what they made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from segue.decide.backfills.advance import EndedRun
from segue.decide.sensors import RUN_ENDS
from segue.model.backfill import Backfill, BackfillTarget
from segue.model.event import EventType
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset, difference, intersection, subset_of_keys
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.model.tags import BACKFILL_ATTEMPT_TAG, BACKFILL_TAG

AT_ONCE = 1_000


class Ended(msgspec.Struct, frozen=True):
    """What was read of the log.

    Attributes:
        runs: the runs of the backfill that ended, as they ended, in order.
        cursor: the last event that was read.
        is_full: whether there is more to read at once.
        is_behind: whether a run has ended that is not among those that were read so far.
    """

    runs: Sequence[Run]
    cursor: int
    is_full: bool
    is_behind: bool


class EndedRuns:
    """Reads them.

    Args:
        store: the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, backfill: Backfill) -> Ended:
        """The runs of a backfill that have ended since its cursor."""
        page = self._store.events(EventFilter(types=RUN_ENDS, after=backfill.cursor, settled=True), AT_ONCE)
        cursor = page[-1].storage_id if page else backfill.cursor
        ids = dict.fromkeys(record.run_id for record in page)
        which = RunsFilter(run_ids=tuple(ids), tags={BACKFILL_TAG: backfill.backfill_id})
        runs = {run.run_id: run for run in self._store.list_runs(which, None, None)} if ids else {}
        # What another process is about to write before it, or has written and is still numbered behind others.
        rest = self._store.events(EventFilter(types=RUN_ENDS, after=cursor), 1)
        return Ended([runs[each] for each in ids if each in runs], cursor, len(page) == AT_ONCE, bool(rest))

    def result(self, run: Run, graph: AssetGraph, now: datetime) -> EndedRun:
        """What a run has made of what it was for."""
        targets = list(_targets(run, run.asset_selection))
        attempt = int(run.tags.get(BACKFILL_ATTEMPT_TAG, "1"))
        if run.is_success:
            return EndedRun(run.run_id, tuple(targets), (), attempt)
        made = self._made(run)
        done, failed = list[BackfillTarget](), list[BackfillTarget]()
        for target in targets:
            definition = graph.node(target.key).partitions
            keys = made.get(target.key, ())
            if definition is None or target.partitions is None:
                (done if keys else failed).append(target)
                continue
            here = subset_of_keys(
                definition, [key for key in keys if key is not None and definition.contains(key, now)], now
            )
            here = intersection(definition, here, target.partitions, now)
            left = difference(definition, target.partitions, here, now)
            if here:
                done.append(BackfillTarget(target.key, here))
            if left:
                failed.append(BackfillTarget(target.key, left))
        # What a person stopped or refused is not tried again.
        is_stopped = run.status is RunStatus.CANCELED or run.failure_reason is FailureReason.REFUSED
        return EndedRun(run.run_id, tuple(done), tuple(failed), attempt, is_stopped)

    def _made(self, run: Run) -> dict[AssetKey, list[str | None]]:
        """What a run made: partitions by asset; None for an asset without."""
        found: dict[AssetKey, list[str | None]] = {}
        which = EventFilter(run_id=run.run_id, types=(EventType.ASSET_MATERIALIZATION,))
        for record in self._store.events(which, None):
            materialization = record.asset_materialization
            if materialization is not None:
                found.setdefault(materialization.asset_key, []).append(materialization.partition)
        return found


def _targets(run: Run, keys: Iterable[AssetKey]) -> Iterable[BackfillTarget]:
    """What a run was to make; of an asset without partitions, all of it."""
    start, end = run.partition_start, run.partition_end
    part = None if start is None or end is None else PartitionSubset(((start, end),))
    return (BackfillTarget(key, part) for key in sorted(keys))
