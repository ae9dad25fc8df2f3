"""What automation looks at, as the store has it: read once, and then kept up by what the log says.

Everything is as of one place in the log, up to which nothing can appear any more. On a database with many writers an event
of a higher number may be there before one of a lower: what is told by states is cut back to that place, or the late one
would be missed.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import structs

from segue.decide.automation.backfilling import Share, part_to_ask_for, shares_of
from segue.decide.automation.reads import Targets
from segue.decide.freshness import freshness_state
from segue.decide.sensors import ASSET_EVENTS, RUN_ENDS
from segue.host.asset_memory import (
    AssetMemory,
    Places,
    earlier_update,
    read_assets,
    read_checks,
    update_of,
)
from segue.model.condition import leaves
from segue.model.condition.facts import AutomationFacts, EntityFacts, SubsetValue, Update
from segue.model.condition.view import AssetGraphView
from segue.model.event import AssetCheckEvaluationData, AssetWipedData, EventType, StepMaterializationData
from segue.model.event_log import EventLogRecord
from segue.model.freshness import FreshnessState
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey, EntityKey
from segue.model.partitions import subset as sets
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store

ACTIVE = (RunStatus.QUEUED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)
ACTIVE_READERS = (leaves.RunInProgressAutomationCondition, leaves.BackfillInProgressAutomationCondition)
RUN_READERS = (leaves.LatestRunExecutedWithRootTargetCondition, leaves.RunTagsCondition)
UPDATE_READERS = (leaves.AnyNewUpdateHasRunTagsCondition, leaves.AllNewUpdatesHaveRunTagsCondition)
AT_ONCE = 1_000


class RecordedFacts:
    """What is recorded of the targets that conditions look at.

    Args:
        graph: what depends on what, with its partitions as they are now.
        store: where the facts are recorded.
        targets: whose conditions will be evaluated.
        since: how far the log went when they were evaluated last; None for the first time.
        now: the time of the evaluation.

    Attributes:
        facts: for the evaluation that comes next.
    """

    def __init__(self, graph: AssetGraph, store: Store, targets: Targets, since: int | None, now: datetime) -> None:
        self._store = store
        self._targets = targets
        self._graph = graph
        self._now = now
        self._until = self._settled_place()
        self._since = self._until if since is None else since
        checks = [key for key in targets.readers if isinstance(key, AssetCheckKey)]
        assets = {key for key in targets.readers if isinstance(key, AssetKey)} | {key.asset_key for key in checks}
        self._shares: Mapping[AssetKey, Sequence[Share]] = {}
        self._backfilling: dict[AssetKey, SubsetValue] = {}
        self._follow_backfills(assets, ())
        self._active = self._active_runs()
        self._failed = self._failed_runs({}, [])
        self._whole = {key for key in targets.looked_back if isinstance(key, AssetKey)}
        self._whole |= {key.asset_key for key in checks if graph.checks[key].partitions is not None}
        self._assets: dict[AssetKey, AssetMemory] = {}
        self._entities: dict[EntityKey, EntityFacts] = {}
        self._note_failed()
        self._read(assets)
        self._checks = read_checks(graph, store, checks, self._until)
        window = self._window()
        updated = {key for key, memory in self._assets.items() if _is_new(memory, self._since)}
        updated |= _keys_of(window) & self._assets.keys()
        self._renew(assets, window)
        self.facts = self._facts(updated, set())

    def follow(self, graph: AssetGraph, now: datetime, repartitioned: Mapping[AssetKey, bool]) -> None:
        """Goes on to what is recorded now.

        Args:
            graph: the graph with its partitions as they are now.
            now: the time of the next evaluation.
            repartitioned: the assets whose partitions are others than the last time; whether they only became more.
        """
        self._graph, self._now = graph, now
        self._since, self._until = self._until, self._settled_place()
        self._forget()
        window = self._window()
        recut = repartitioned.keys() & self._assets.keys()
        backfilled = self._follow_backfills(self._assets, recut)
        changed = {*recut, *backfilled, *self._follow_runs()}
        lost = {key for key in recut if not repartitioned[key]}
        lost |= _keys_of(event for event in window if isinstance(event.event.payload, AssetWipedData))
        lost |= self._note_failed()
        lost &= self._assets.keys()
        for event in window:
            self._take(event, lost)
        self._read(lost)
        wiped = [check for check in self._checks if check.asset_key in lost]
        self._checks |= read_checks(graph, self._store, wiped, self._until)
        updated = _keys_of(window) & self._assets.keys()
        places = Places(now)
        for key in recut | updated:
            self._assets[key].settle(graph.node(key).partitions, places)
        aged = {key for key in self._targets.freshness if self._freshness(key) is not self._entities[key].freshness}
        self._renew({*recut, *backfilled, *updated, *lost, *aged}, window)
        self.facts = self._facts(updated, changed | aged)

    def _settled_place(self) -> int:
        """The place of the last event before which nothing is missing; 0 for an empty log."""
        newest = self._store.events(EventFilter(ascending=False, settled=True), 1)
        return newest[0].storage_id if newest else 0

    def _window(self, *types: EventType) -> list[EventLogRecord]:
        """What the log says of assets since the last time, oldest first."""
        found: list[EventLogRecord] = []
        place = self._since
        while place < self._until:
            which = EventFilter(types=types or ASSET_EVENTS, after=place, before=self._until + 1)
            page = self._store.events(which, AT_ONCE)
            found += page
            place = page[-1].storage_id if len(page) == AT_ONCE else self._until
        return found

    def _read(self, keys: Collection[AssetKey]) -> None:
        """Reads assets anew."""
        for key, memory in read_assets(self._graph, self._store, keys, self._since, self._until, self._now).items():
            self._assets[key] = memory
            self._drop_old(key)

    def _take(self, event: EventLogRecord, lost: Collection[EntityKey]) -> None:
        """Adds an event to what is kept."""
        key, payload = event.asset_key, event.event.payload
        if key is None or key not in self._assets or key in lost or isinstance(payload, AssetWipedData):
            return
        if isinstance(payload, AssetCheckEvaluationData):
            check = AssetCheckKey(key, payload.evaluation.check_name)
            if check in self._checks:
                has_partitions = self._graph.checks[check].partitions is not None
                self._checks[check].take(event, payload.evaluation, has_partitions)
        else:
            self._assets[key].take(event, self._graph.node(key).partitions is not None)

    def _forget(self) -> None:
        """Drops what counted only for the evaluation before."""
        for key in self.facts.updated:
            if isinstance(key, AssetKey):
                memory = self._assets[key]
                memory.observed_before = dict(memory.observed)
                self._drop_old(key)

    def _drop_old(self, key: AssetKey) -> None:
        """Keeps of an asset with partitions only those updates that are new, or are made by active runs."""
        if key not in self._whole and self._graph.node(key).partitions is not None:
            self._assets[key].forget(lambda each: each.storage_id > self._since or each.run_id in self._active)

    def _renew(self, keys: Iterable[EntityKey], window: Sequence[EventLogRecord]) -> None:
        """Makes the facts of assets and of the checks on them anew."""
        updates = self._all_updates(window)
        for key in keys:
            if not isinstance(key, AssetKey):
                continue
            memory = self._assets[key]
            freshness = self._freshness(key)
            backfilling = self._backfilling.get(key, False)
            if memory.is_observed and self._graph.node(key).is_external:
                observed = memory.observed
                made = self._made_of(key, observed)
                self._entities[key] = EntityFacts(
                    made=made,
                    latest=dict(observed),
                    before=memory.observed_before,
                    is_observed=True,
                    freshness=freshness,
                    backfilling=backfilling,
                )
            else:
                self._entities[key] = EntityFacts(
                    made=memory.made,
                    latest=dict(memory.latest),
                    before=self._before(key, memory),
                    updates={name: tuple(several) for name, several in updates.get(key, {}).items()},
                    freshness=freshness,
                    backfilling=backfilling,
                )
            for check in self._graph.checks_of(key):
                if check in self._checks:
                    found = self._checks[check].facts(memory)
                    made = self._made_of(check, found.passed)
                    self._entities[check] = structs.replace(found, made=made)

    def _made_of(self, key: AssetKey | AssetCheckKey, latest: Collection[str | None]) -> bool | PartitionSubset:
        """These partitions as a set, as far as there are such; whether there is one, of a target without partitions."""
        is_asset = isinstance(key, AssetKey)
        definition = self._graph.node(key).partitions if is_asset else self._graph.checks[key].partitions
        if definition is None:
            return None in latest
        there = [name for name in latest if name is not None and definition.contains(name, self._now)]
        return sets.subset_of_keys(definition, there, self._now)

    def _before(self, key: AssetKey, memory: AssetMemory) -> dict[str | None, Update]:
        """What was there before what is new, where conditions compare versions."""
        if not self._targets.uses(leaves.DataVersionChangedCondition):
            return {}
        new = [name for name, update in memory.latest.items() if update.storage_id > self._since]
        earlier = {name: earlier_update(self._store, key, name, self._since) for name in new}
        return {name: update for name, update in earlier.items() if update is not None}

    def _all_updates(self, window: Iterable[EventLogRecord]) -> dict[AssetKey, dict[str | None, list[Update]]]:
        """Every new materialization by asset and partition, where conditions look at all of them."""
        found: dict[AssetKey, dict[str | None, list[Update]]] = {}
        for event in window if self._targets.uses(*UPDATE_READERS) else ():
            if event.asset_key is not None and isinstance(event.event.payload, StepMaterializationData):
                name, update = update_of(event)
                found.setdefault(event.asset_key, {}).setdefault(name, []).append(update)
        return found

    def _freshness(self, key: EntityKey) -> FreshnessState:
        memory = self._assets[key] if isinstance(key, AssetKey) else AssetMemory()
        policy = self._graph.node(key).freshness_policy if isinstance(key, AssetKey) else None
        return freshness_state(policy, None if memory.last is None else memory.last.timestamp, self._now)

    def _facts(self, updated: Collection[AssetKey], changed: Collection[EntityKey]) -> AutomationFacts:
        return AutomationFacts(
            now=self._now,
            last_storage_id=self._until,
            entities=self._entities,
            runs=self._runs(updated) if self._targets.uses(*RUN_READERS) else {},
            active_runs=tuple(self._active.values()),
            failed_runs=tuple(self._failed.values()),
            updated=frozenset(self._with_checks(updated)),
            changed=frozenset(self._with_checks(changed)),
        )

    def _with_checks(self, keys: Collection[EntityKey]) -> set[EntityKey]:
        """Targets, and the checks on those that are assets."""
        checks = {check for key in keys if isinstance(key, AssetKey) for check in self._graph.checks_of(key)}
        return {*keys, *checks}

    def _runs(self, updated: Iterable[AssetKey]) -> dict[str, Run]:
        """The runs behind new updates, and behind all where conditions look back."""
        ids: set[str | None] = set()
        for key in {*updated, *self._targets.looked_back}:
            facts = self._entities.get(key)
            if facts is not None:
                ids |= {update.run_id for update in facts.latest.values()}
                ids |= {update.run_id for several in facts.updates.values() for update in several}
        return self._runs_named(ids)

    def _runs_named(self, ids: Iterable[str | None]) -> dict[str, Run]:
        wanted = tuple(sorted({each for each in ids if each is not None}))
        found = self._store.list_runs(RunsFilter(run_ids=wanted), None, None) if wanted else ()
        return {run.run_id: run for run in found}

    def _active_runs(self) -> dict[str, Run]:
        """The runs that wait or are under way, and those whose end is not settled yet."""
        if not self._targets.uses(*ACTIVE_READERS):
            return {}
        active = self._store.list_runs(RunsFilter(statuses=ACTIVE), None, None)
        ended = self._store.events(EventFilter(types=RUN_ENDS, after=self._until), None)
        return {run.run_id: run for run in active} | self._runs_named(event.run_id for event in ended)

    def _follow_backfills(self, assets: Container[AssetKey], recut: Collection[AssetKey]) -> set[AssetKey]:
        """The assets of which backfills are still going to make something else than the last time.

        Backfills are read before the active runs: what is no longer among what they will ask for is then part of a run.
        """
        is_asked = self._targets.uses(leaves.BackfillInProgressAutomationCondition)
        before, shares = self._shares, shares_of(self._store.active_backfills() if is_asked else (), assets)
        self._shares = shares
        view = AssetGraphView(self._graph, self._now)
        changed: set[AssetKey] = set()
        for key in before.keys() | shares.keys():
            if key in recut or before.get(key) != shares.get(key):
                part = part_to_ask_for(view, key, shares.get(key, ()))
                if part != self._backfilling.get(key, False):
                    self._backfilling[key] = part
                    changed.add(key)
        return changed

    def _failed_runs(self, known: Mapping[str, Run], window: Iterable[EventLogRecord]) -> dict[str, Run]:
        """The runs that failed, as far as that is settled."""
        if not self._targets.uses(leaves.ExecutionFailedAutomationCondition):
            return {}
        later = self._store.events(EventFilter(types=(EventType.RUN_FAILURE,), after=self._until), None)
        unsettled = {event.run_id for event in later}
        new = self._runs_named(event.run_id for event in window)
        found = {run_id: run for run_id, run in {**known, **new}.items() if run_id not in unsettled}
        failed = RunsFilter(statuses=(RunStatus.FAILURE,))
        if self._store.count_runs(failed) == len(found) + len(unsettled):
            return found
        every = self._store.list_runs(failed, None, None)  # some were removed
        return {run.run_id: run for run in every if run.run_id not in unsettled}

    def _follow_runs(self) -> set[EntityKey]:
        """Which targets are to be made by runs that began, ended or failed since the last time."""
        active, failed = self._active, self._failed
        self._active = self._active_runs()
        is_asked = self._targets.uses(leaves.ExecutionFailedAutomationCondition)
        self._failed = self._failed_runs(failed, self._window(EventType.RUN_FAILURE) if is_asked else ())
        turned = [
            run for one, other in ((active, self._active), (failed, self._failed)) for run in _difference(one, other)
        ]
        return {key for run in turned for key in (*run.asset_selection, *run.asset_check_selection)}

    def _note_failed(self) -> set[AssetKey]:
        """The targets of failed runs of which not all updates are kept so far: all count that came since a run began."""
        keys = {key for run in self._failed.values() for key in run.asset_selection} - self._whole
        self._whole |= keys
        return keys


def _difference(one: Mapping[str, Run], other: Mapping[str, Run]) -> list[Run]:
    """The runs that are in one of both."""
    return [*(one[each] for each in one.keys() - other.keys()), *(other[each] for each in other.keys() - one.keys())]


def _is_new(memory: AssetMemory, since: int) -> bool:
    """Whether an asset was made or seen behind a place of the log."""
    updates = (*memory.latest.values(), *memory.observed.values())
    return any(update.storage_id > since for update in updates)


def _keys_of(events: Iterable[EventLogRecord]) -> set[AssetKey]:
    """The assets that events are about."""
    return {key for event in events if (key := event.asset_key) is not None}
