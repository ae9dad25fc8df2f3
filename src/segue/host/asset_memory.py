"""What automation keeps of single assets and checks: what was made, as a set, and single updates only where they count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from msgspec import structs

from segue.errors import InvariantViolationError
from segue.model.checks import AssetCheckEvaluation
from segue.model.condition.facts import EntityFacts, SubsetValue, Update
from segue.model.event import AssetObservationData, AssetWipedData, EventType, StepMaterializationData
from segue.model.event_log import EventLogRecord
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.partitions import subset as sets
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset
from segue.model.stores import EventFilter, Store


class Places:
    """Where partitions lie in their definitions at one moment, each looked up once: many assets are cut alike.

    Attributes:
        now: the moment.
    """

    __slots__ = ("_known", "now")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._known: dict[int, tuple[PartitionsDefinition, dict[str, int | None]]] = {}

    def existing(self, definition: PartitionsDefinition, names: Iterable[str]) -> set[str]:
        """Those of some partitions that there are."""
        known = self._of(definition)
        for name in names:
            if name not in known:
                there = definition.contains(name, self.now)
                is_line = there and len(definition.axes) == 1
                known[name] = definition.index_of(name, self.now) if is_line else -1 if there else None
        return {name for name in names if known[name] is not None}

    def subset(self, definition: PartitionsDefinition, names: Collection[str]) -> PartitionSubset:
        """The set of some partitions that were found to be there."""
        if len(definition.axes) > 1:
            return sets.subset_of_keys(definition, names, self.now)
        known = self._of(definition)
        found = [place for name in names if (place := known[name]) is not None]
        return sets.subset_at(definition, [(place, place + 1) for place in found], self.now)

    def _of(self, definition: PartitionsDefinition) -> dict[str, int | None]:
        return self._known.setdefault(id(definition), (definition, {}))[1]


class AssetMemory:
    """One asset.

    Attributes:
        made: the partitions that were made; of an asset without partitions, whether it was.
        latest: the last materialization by partition; of an asset with partitions, of some.
        last: the last materialization of any partition.
        observed: the last observations of one that is made elsewhere, by partition.
        observed_before: those before the previous evaluation.
    """

    __slots__ = ("_added", "last", "latest", "made", "observed", "observed_before")

    def __init__(self) -> None:
        self.made: SubsetValue = False
        self.latest: dict[str | None, Update] = {}
        self.last: Update | None = None
        self.observed: dict[str | None, Update] = {}
        self.observed_before: dict[str | None, Update] = {}
        self._added: set[str] = set()  # made, and not in the set yet: new, or of a partition that there is not

    @property
    def is_observed(self) -> bool:
        """Whether nothing but observations is known of it."""
        return bool(self.observed) and not self.made and not self._added

    def take(self, event: EventLogRecord, has_partitions: bool) -> None:
        """Adds a materialization or observation that comes after all it knows."""
        name, update = update_of(event)
        if isinstance(event.event.payload, StepMaterializationData):
            self.last = update
            self.make(name if has_partitions else None, update, has_partitions)
        else:
            self.observed[name] = update

    def make(self, name: str | None, update: Update, has_partitions: bool) -> None:
        """Notes the last materialization of a partition."""
        if not has_partitions:
            self.latest[None] = update
        elif name:
            self.latest[name] = update
            self._added.add(name)

    def settle(self, definition: PartitionsDefinition | None, places: Places) -> None:
        """Brings the set up to date with what was noted, as far as there are such partitions."""
        if definition is None:
            self.made = bool(self.latest)
            return
        made = sets.EMPTY if isinstance(self.made, bool) else self.made
        there = places.existing(definition, self._added)
        if there:
            made = sets.union(definition, made, places.subset(definition, there), places.now)
            self._added -= there
        self.made = made

    def forget(self, keeps: Callable[[Update], bool]) -> None:
        """Drops single materializations, but some."""
        self.latest = {name: update for name, update in self.latest.items() if keeps(update)}


class CheckMemory:
    """One check.

    Attributes:
        executions: the last by partition, each with what it found; under None for a check without partitions.
    """

    __slots__ = ("executions",)

    def __init__(self) -> None:
        self.executions: dict[str | None, tuple[Update, AssetCheckEvaluation]] = {}

    def take(self, event: EventLogRecord, evaluation: AssetCheckEvaluation, has_partitions: bool) -> None:
        """Adds an execution that comes after all it knows."""
        update = Update(event.storage_id, event.event.timestamp, event.event.run_id)
        self.executions[evaluation.partition if has_partitions else None] = (update, evaluation)

    def facts(self, asset: AssetMemory) -> EntityFacts:
        """What is recorded of the check on an asset: a result counts until the asset is made anew by another run."""
        passed: dict[str | None, bool] = {}
        for name, (update, evaluation) in self.executions.items():
            if _holds(evaluation, update, asset.last if name is None else asset.latest.get(name)):
                passed[name] = evaluation.passed
        return EntityFacts(latest={name: update for name, (update, _) in self.executions.items()}, passed=passed)


def _holds(evaluation: AssetCheckEvaluation, execution: Update, made: Update | None) -> bool:
    """Whether the result of a check speaks of what the asset is now: nothing was made since by another run."""
    if made is None or (made.run_id is not None and made.run_id == execution.run_id):
        return True
    target = evaluation.target_materialization_data
    return made.storage_id <= (execution.storage_id if target is None else target.storage_id)


def read_assets(
    graph: AssetGraph, store: Store, keys: Collection[AssetKey], since: int, until: int, now: datetime
) -> dict[AssetKey, AssetMemory]:
    """What is recorded of assets up to a place of the log.

    Args:
        graph: their partitions as they are now.
        store: where it is recorded.
        keys: the assets.
        since: how far the log went in the evaluation before.
        until: the place.
        now: the time of the evaluation.
    """
    found = {key: AssetMemory() for key in keys}
    for key, state in store.asset_states(sorted(found)).items() if found else ():
        memory, has_partitions = found[key], graph.node(key).partitions is not None
        last = Update(state.storage_id, state.timestamp, state.run_id, state.materialization.data_version)
        memory.last = last if last.storage_id <= until else _newest(store, key, None, until)
        if not has_partitions and memory.last is not None:
            memory.make(None, memory.last, has_partitions)
        for name, each in store.partition_states(key).items() if has_partitions else ():
            update: Update | None = Update(each.storage_id, each.timestamp, each.run_id, each.data_version)
            if each.storage_id > until:
                update = _newest(store, key, name, until)
            if update is not None:
                memory.make(name, update, has_partitions)
    places = Places(now)
    for key, memory in found.items():
        memory.settle(graph.node(key).partitions, places)
    external = sorted(key for key in found if graph.node(key).is_external)
    for key in store.observation_states(external) if external else ():
        for event in store.events(_about(key, EventType.ASSET_OBSERVATION, until), None):
            name, update = update_of(event)
            found[key].observed.setdefault(name, update)
            if update.storage_id <= since:
                found[key].observed_before.setdefault(name, update)
    return found


def read_checks(
    graph: AssetGraph, store: Store, keys: Collection[AssetCheckKey], until: int
) -> dict[AssetCheckKey, CheckMemory]:
    """What is recorded of checks up to a place of the log."""
    found = {key: CheckMemory() for key in keys}
    for key, state in store.check_states(sorted(found)).items() if found else ():
        has_partitions = graph.checks[key].partitions is not None
        if not has_partitions and state.storage_id <= until:
            update = Update(state.storage_id, state.timestamp, state.run_id)
            found[key].executions[None] = (update, state.evaluation)
            continue
        for event in reversed(store.events(_about(key.asset_key, EventType.ASSET_CHECK_EVALUATION, until), None)):
            evaluation = event.event.asset_check_evaluation_data
            if evaluation.check_name == key.name:
                found[key].take(event, evaluation, has_partitions)
    return found


def earlier_update(store: Store, key: AssetKey, name: str | None, until: int) -> Update | None:
    """The last materialization of a partition (None: of any) up to a place of the log, whatever was wiped since."""
    which = _about(key, EventType.ASSET_MATERIALIZATION, until, name)
    found = store.events(which, 1)
    return update_of(found[0])[1] if found else None


def _newest(store: Store, key: AssetKey, name: str | None, until: int) -> Update | None:
    """The same, if it was not wiped up to there."""
    found = earlier_update(store, key, name, until)
    if found is None:
        return None
    wipes = store.events(structs.replace(_about(key, EventType.ASSET_WIPED, until), after=found.storage_id), None)
    for wipe in wipes:
        wiped = wipe.event.payload.partitions if isinstance(wipe.event.payload, AssetWipedData) else None
        if wiped is None or name in wiped:
            return None
    return found


def _about(key: AssetKey, kind: EventType, until: int, name: str | None = None) -> EventFilter:
    """Events about an asset up to a place of the log, newest first."""
    partitions = None if name is None else (name,)
    return EventFilter(asset_key=key, types=(kind,), partitions=partitions, before=until + 1, ascending=False)


def update_of(event: EventLogRecord) -> tuple[str | None, Update]:
    """A materialization or observation as an update of its partition."""
    payload = event.event.payload
    if isinstance(payload, StepMaterializationData):
        fact: AssetMaterialization | AssetObservation = payload.materialization
    elif isinstance(payload, AssetObservationData):
        fact = payload.asset_observation
    else:
        raise InvariantViolationError(f"Event {event.storage_id} is neither a materialization nor an observation.")
    return fact.partition, Update(event.storage_id, event.event.timestamp, event.event.run_id, fact.data_version)
