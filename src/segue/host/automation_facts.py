"""What automation looks at, read from the store: as little as the conditions in use need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from segue.decide.freshness import freshness_state
from segue.errors import InvariantViolationError
from segue.model.checks import AssetCheckEvaluation
from segue.model.condition import leaves, scopes
from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition
from segue.model.condition.context import entity_cursor
from segue.model.condition.facts import AutomationCursor, AutomationFacts, EntityFacts, Update
from segue.model.event import AssetObservationData, EventType, StepMaterializationData
from segue.model.event_log import EventLogRecord
from segue.model.freshness import FreshnessState
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetJobKey, AssetKey, EntityKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import AssetState, EventFilter, Store

ACTIVE = (RunStatus.QUEUED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)
RUN_READERS = (
    leaves.LatestRunExecutedWithRootTargetCondition,
    leaves.RunTagsCondition,
)
UPDATE_READERS = (leaves.AnyNewUpdateHasRunTagsCondition, leaves.AllNewUpdatesHaveRunTagsCondition)


def gather_facts(
    graph: AssetGraph,
    store: Store,
    conditions: Mapping[EntityKey, AnyCondition],
    wanted: Collection[EntityKey],
    cursor: AutomationCursor,
    now: datetime,
) -> AutomationFacts:
    """The facts for one evaluation.

    Args:
        graph: what depends on what.
        store: where the facts are recorded.
        conditions: the condition of each target that has one.
        wanted: the targets that will be evaluated.
        cursor: what the evaluation before left.
        now: the time of the evaluation.
    """
    newest = store.events(EventFilter(ascending=False), 1)
    last = newest[0].storage_id if newest else 0
    used = list(_nodes_of(conditions[key] for key in wanted if key in conditions))
    if any(isinstance(each, scopes.AnyDownstreamConditionsCondition) for each in used):
        used = list(_nodes_of(conditions.values()))
    keys = _reachable(graph, used, wanted)
    since = min((found.last_storage_id for key in wanted if (found := entity_cursor(cursor, key))), default=last)
    entities = _Reader(graph, store, since, used, now).read(keys)
    active = _uses(used, leaves.RunInProgressAutomationCondition)
    failed = _uses(used, leaves.ExecutionFailedAutomationCondition)
    return AutomationFacts(
        now=now,
        last_storage_id=last,
        entities=entities,
        runs=_runs(store, entities.values()) if _uses(used, *RUN_READERS) else {},
        active_runs=_runs_in(store, ACTIVE) if active else (),
        failed_runs=_runs_in(store, (RunStatus.FAILURE,)) if failed else (),
    )


def _nodes_of(conditions: Iterable[AnyCondition]) -> Iterator[AnyCondition]:
    for condition in conditions:
        yield condition
        yield from _nodes_of(condition.children)


def uses(conditions: Iterable[AnyCondition], *kinds: type[AnyCondition]) -> bool:
    """Whether a condition of these kinds stands in any of these, or one of the user's own, which may look at anything."""
    return _uses(_nodes_of(conditions), *kinds)


def _uses(nodes: Iterable[AnyCondition], *kinds: type[AnyCondition]) -> bool:
    """Whether a condition of these kinds is in use, or one of the user's own, which may look at anything."""
    return any(isinstance(node, kinds) or not isinstance(node, BuiltinAutomationCondition) for node in nodes)


def _runs_in(store: Store, statuses: tuple[RunStatus, ...]) -> tuple[Run, ...]:
    return tuple(store.list_runs(RunsFilter(statuses=statuses), None, None))


def _runs(store: Store, entities: Iterable[EntityFacts]) -> dict[str, Run]:
    """The runs behind the updates."""
    ids = {update.run_id for facts in entities for update in facts.latest.values()}
    ids |= {update.run_id for facts in entities for several in facts.updates.values() for update in several}
    found = store.list_runs(RunsFilter(run_ids=tuple(sorted(each for each in ids if each is not None))), None, None)
    return {run.run_id: run for run in found}


def _reachable(graph: AssetGraph, nodes: Sequence[AnyCondition], wanted: Collection[EntityKey]) -> set[EntityKey]:
    """The targets that conditions may ask about: their own, what these depend on, the checks on them, those named."""
    assets: set[AssetKey] = set()
    for key in [*wanted, *(node.key for node in nodes if isinstance(node, scopes.EntityMatchesCondition))]:
        if isinstance(key, AssetJobKey):
            assets.update(graph.jobs[key.job_name].assets)
        elif isinstance(key, AssetCheckKey):
            assets.update((key.asset_key, *graph.checks[key].dep_keys))
        else:
            assets.add(key)
    layer = assets
    for _ in range(_depth(nodes)):
        layer = {parent for key in layer for parent in (*graph.parents(key), *graph.real_parents(key))} - assets
        assets |= layer
    return {*assets, *(check for key in assets for check in graph.checks_of(key))}


def _depth(nodes: Sequence[AnyCondition]) -> int:
    """How many dependencies away a condition can look, at most; one of the user's own as far as its neighbours."""
    return sum(
        1
        for node in nodes
        if isinstance(node, scopes.DepsAutomationCondition) or not isinstance(node, BuiltinAutomationCondition)
    )


class _Reader:
    """Reads what is recorded of targets."""

    def __init__(
        self, graph: AssetGraph, store: Store, since: int, nodes: Sequence[AnyCondition], now: datetime
    ) -> None:
        self.graph = graph
        self.store = store
        self.since = since
        self.now = now
        self.compares_versions = _uses(nodes, leaves.DataVersionChangedCondition)
        self.lists_updates = _uses(nodes, *UPDATE_READERS)

    def read(self, keys: Iterable[EntityKey]) -> dict[EntityKey, EntityFacts]:
        """The facts of each."""
        wanted = sorted(key for key in keys if isinstance(key, AssetKey))
        checks = sorted(key for key in keys if isinstance(key, AssetCheckKey))
        found: dict[EntityKey, EntityFacts] = {}
        states = self.store.asset_states(wanted)
        for key in wanted:
            state = states.get(key)
            if self.graph.node(key).partitions is not None:
                latest: dict[str | None, Update] = {
                    name: Update(each.storage_id, each.timestamp, each.run_id, each.data_version)
                    for name, each in self.store.partition_states(key).items()
                }
            elif state is not None:
                version = state.materialization.data_version
                latest = {None: Update(state.storage_id, state.timestamp, state.run_id, version)}
            else:
                latest = {}
            freshness = self._freshness(key, state)
            if not latest and self.graph.node(key).is_external:
                found[key] = self._observed(key, freshness)
            else:
                found[key] = self._made(key, latest, freshness)
        for key, state in self.store.check_states(checks).items():
            if self.graph.checks[key].partitions is not None:
                found[key] = self._by_partition(key, found.get(key.asset_key, EntityFacts()).latest)
                continue
            update = Update(state.storage_id, state.timestamp, state.run_id)
            asset = states.get(key.asset_key)
            last = None if asset is None else Update(asset.storage_id, asset.timestamp, asset.run_id)
            still_holds = _holds(state.evaluation, update, last)
            found[key] = EntityFacts(
                latest={None: update}, passed={None: state.evaluation.passed} if still_holds else {}
            )
        return found

    def _by_partition(self, key: AssetCheckKey, made: Mapping[str | None, Update]) -> EntityFacts:
        """The last execution of a check on each partition; `made` is the last update of the asset, by partition."""
        latest: dict[str | None, Update] = {}
        passed: dict[str | None, bool] = {}
        for event in self._events(key.asset_key, EventType.ASSET_CHECK_EVALUATION, None):
            evaluation = event.event.asset_check_evaluation_data
            if evaluation.check_name == key.name and evaluation.partition not in latest:
                latest[evaluation.partition] = Update(event.storage_id, event.event.timestamp, event.event.run_id)
                if _holds(evaluation, latest[evaluation.partition], made.get(evaluation.partition)):
                    passed[evaluation.partition] = evaluation.passed
        return EntityFacts(latest=latest, passed=passed)

    def _freshness(self, key: AssetKey, state: AssetState | None) -> FreshnessState:
        policy = self.graph.node(key).freshness_policy
        return freshness_state(policy, None if state is None else state.timestamp, self.now)

    def _made(self, key: AssetKey, latest: Mapping[str | None, Update], freshness: FreshnessState) -> EntityFacts:
        before: dict[str | None, Update] = {}
        updates: dict[str | None, tuple[Update, ...]] = {}
        new = [name for name, update in latest.items() if update.storage_id > self.since]
        for name in new if self.compares_versions else ():
            partitions = None if name is None else (name,)
            earlier = self._events(
                key, EventType.ASSET_MATERIALIZATION, 1, partitions=partitions, before=self.since + 1
            )
            before.update([(name, _update(event)) for event in earlier])
        if new and self.lists_updates:
            for event in self._events(key, EventType.ASSET_MATERIALIZATION, None, after=self.since):
                name = _partition(event)
                updates[name] = (*updates.get(name, ()), _update(event))
        return EntityFacts(latest=latest, before=before, updates=updates, freshness=freshness)

    def _observed(self, key: AssetKey, freshness: FreshnessState) -> EntityFacts:
        """What was only looked at: the last observation of each partition, and the last one before `since`."""
        latest: dict[str | None, Update] = {}
        before: dict[str | None, Update] = {}
        for event in self._events(key, EventType.ASSET_OBSERVATION, None):
            latest.setdefault(_partition(event), _update(event))
            if event.storage_id <= self.since:
                before.setdefault(_partition(event), _update(event))
        return EntityFacts(latest=latest, before=before, is_observed=True, freshness=freshness)

    def _events(
        self,
        key: AssetKey,
        kind: EventType,
        limit: int | None,
        *,
        partitions: tuple[str, ...] | None = None,
        after: int | None = None,
        before: int | None = None,
    ) -> Sequence[EventLogRecord]:
        """Events about an asset, newest first."""
        which = EventFilter(
            asset_key=key, types=(kind,), partitions=partitions, after=after, before=before, ascending=False
        )
        return self.store.events(which, limit)


def _holds(evaluation: AssetCheckEvaluation, execution: Update, made: Update | None) -> bool:
    """Whether the result of a check speaks of what the asset is now: nothing was made since by another run."""
    if made is None or (made.run_id is not None and made.run_id == execution.run_id):
        return True
    target = evaluation.target_materialization_data
    return made.storage_id <= (execution.storage_id if target is None else target.storage_id)


def _fact(event: EventLogRecord) -> AssetMaterialization | AssetObservation:
    payload = event.event.payload
    if isinstance(payload, StepMaterializationData):
        return payload.materialization
    if isinstance(payload, AssetObservationData):
        return payload.asset_observation
    raise InvariantViolationError(f"Event {event.storage_id} is neither a materialization nor an observation.")


def _partition(event: EventLogRecord) -> str | None:
    return _fact(event).partition


def _update(event: EventLogRecord) -> Update:
    return Update(event.storage_id, event.event.timestamp, event.event.run_id, _fact(event).data_version)
