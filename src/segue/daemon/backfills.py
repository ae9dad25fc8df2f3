"""Backfills: what has ended is taken in, and what can start is put in the queue, in one write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from segue.daemon.loop import Turn
from segue.decide.backfills.advance import BackfillRun, EndedRun, advance
from segue.decide.requests import wanted_run
from segue.errors import NotSupportedError, SegueError
from segue.location.base import CodeLocation, Locations
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.control_stores import ControlStore
from segue.model.event import EventType
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset, difference, intersection, subset_of_keys
from segue.model.run import FINISHED_STATUSES, Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.model.tags import BACKFILL_ATTEMPT_TAG, BACKFILL_TAG
from segue.model.tick_record import WantedRun
from segue.model.tick_task import RequestedRun
from segue.storage.ids import new_id

OPEN = (BackfillStatus.REQUESTED, BackfillStatus.PAUSED, BackfillStatus.CANCELING)
UNFINISHED = tuple(status for status in RunStatus if status not in FINISHED_STATUSES)
RUN_ENDS = (EventType.RUN_SUCCESS, EventType.RUN_FAILURE, EventType.RUN_CANCELED)
AT_ONCE = 1_000


class Backfills:
    """The loop over backfills.

    Args:
        store: runs and events.
        control: the backfills.
        locations: the code locations, for their definitions.
    """

    def __init__(self, store: Store, control: ControlStore, locations: Locations) -> None:
        self._store = store
        self._control = control
        self._locations = locations

    def round(self, turn: Turn) -> float | None:
        """Takes every open backfill one round further."""
        again = False
        for backfill in self._control.backfills(OPEN, AT_ONCE):
            again |= self._advance(backfill, turn)
        return turn.now if again else None

    def _advance(self, backfill: Backfill, turn: Turn) -> bool:
        """One round of one backfill; whether it can go on at once."""
        location = self._locations.get(backfill.location)
        graph = None if location is None else location.graph
        if location is None or graph is None:
            return False  # it waits for its code location, whose state says why
        # Counted before the log is read: a run that ends in between is counted and read, never neither.
        unfinished = self._store.count_runs(_runs_of(backfill, UNFINISHED))
        ended, cursor = self._ended(backfill, graph, datetime.fromtimestamp(turn.now, UTC))
        try:
            step = advance(backfill, graph, ended, unfinished, datetime.fromtimestamp(turn.now, UTC), AT_ONCE)
            runs = [self._wanted(backfill, run, location, graph, turn.now) for run in step.runs]
            after = step.backfill
        except (SegueError, NotSupportedError) as error:
            runs, after = [], msgspec.structs.replace(backfill, error=str(error))
        after = msgspec.structs.replace(after, cursor=cursor, warning=_warning(backfill, location))
        if after.status.has_ended:
            after = msgspec.structs.replace(after, ended_at=turn.now)
        if after == backfill:
            return False
        after = msgspec.structs.replace(after, updated_at=turn.now)
        self._control.update_backfill(after, backfill, runs, turn.lease)
        return len(runs) == AT_ONCE

    def _ended(self, backfill: Backfill, graph: AssetGraph, now: datetime) -> tuple[list[EndedRun], int]:
        """The runs of a backfill that have ended since its cursor, and the cursor after them."""
        found: list[EndedRun] = []
        cursor = backfill.cursor
        for record in self._store.events(EventFilter(types=RUN_ENDS, after=cursor), AT_ONCE):
            cursor = record.storage_id
            run = self._store.get_run(record.run_id)
            if run is not None and run.tags.get(BACKFILL_TAG) == backfill.backfill_id:
                found.append(self._ended_run(run, graph, now))
        return found, cursor

    def _ended_run(self, run: Run, graph: AssetGraph, now: datetime) -> EndedRun:
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
            here = subset_of_keys(definition, [key for key in keys if key is not None], now)
            here = intersection(definition, here, target.partitions, now)
            left = difference(definition, target.partitions, here, now)
            if here:
                done.append(BackfillTarget(target.key, here))
            if left:
                failed.append(BackfillTarget(target.key, left))
        return EndedRun(run.run_id, tuple(done), tuple(failed), attempt, run.status is RunStatus.CANCELED)

    def _made(self, run: Run) -> dict[AssetKey, list[str | None]]:
        """What a run made: partitions by asset; None for an asset without."""
        found: dict[AssetKey, list[str | None]] = {}
        which = EventFilter(run_id=run.run_id, types=(EventType.ASSET_MATERIALIZATION,))
        for record in self._store.events(which, None):
            materialization = record.asset_materialization
            if materialization is not None:
                found.setdefault(materialization.asset_key, []).append(materialization.partition)
        return found

    def _wanted(
        self, backfill: Backfill, run: BackfillRun, location: CodeLocation, graph: AssetGraph, now: float
    ) -> WantedRun:
        start, end = (None, None) if run.bounds is None else run.bounds
        request = RequestedRun(
            asset_selection=run.assets,
            partition_start=start,
            partition_end=end,
            tags=backfill.tags,
            run_config=backfill.run_config,
        )
        own = {BACKFILL_TAG: backfill.backfill_id}
        if run.attempt > 1:
            own[BACKFILL_ATTEMPT_TAG] = str(run.attempt)
        wanted = wanted_run(
            request,
            graph,
            run_id=new_id(),
            now=now,
            location=location.name,
            manifest_hash=location.state.manifest_hash,
            tags=own,
        )
        if run.parent_run_id is None:
            return wanted
        parent = self._store.get_run(run.parent_run_id)
        root = run.parent_run_id if parent is None else parent.root_run_id or parent.run_id
        again = msgspec.structs.replace(wanted.run, parent_run_id=run.parent_run_id, root_run_id=root)
        return msgspec.structs.replace(wanted, run=again)


def _runs_of(backfill: Backfill, statuses: Sequence[RunStatus]) -> RunsFilter:
    return RunsFilter(statuses=tuple(statuses), tags={BACKFILL_TAG: backfill.backfill_id})


def _targets(run: Run, keys: Iterable[AssetKey]) -> Iterable[BackfillTarget]:
    """What a run was to make."""
    start, end = run.partition_start, run.partition_end
    part = None if start is None or end is None else PartitionSubset(((start, end),))
    return (BackfillTarget(key, part) for key in sorted(keys))


def _warning(backfill: Backfill, location: CodeLocation) -> str | None:
    """What people should know of a backfill: that it goes on with other code than it began with."""
    if backfill.manifest_hash in (None, location.state.manifest_hash):
        return backfill.warning
    return f"The definitions of {location.name!r} have changed since this backfill began."
