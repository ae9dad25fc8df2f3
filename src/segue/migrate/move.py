"""Moves the records: counts what there is to move and, when asked to, writes it.

What is here already stays: a run with a known id is passed over, and so is an event that is not newer than what is
recorded of its asset, partition or check. So a second round moves only what came since, and one that was cut short goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar

import msgspec

from segue.defs.instance import Instance
from segue.migrate.instigators import Change, change_of, place_here, run_key_of, sensor_here, standing_of
from segue.migrate.records import Unreadable, asset_events, check_events, recorded_run
from segue.migrate.source import Source
from segue.model.control_stores import ControlStore
from segue.model.event import (
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    EventType,
    StepMaterializationData,
)
from segue.model.instigator import InstigatorId, InstigatorStatus
from segue.model.keys import AssetKey
from segue.model.manifest import Manifest, encode_manifest
from segue.model.stores import EventFilter, PartitionState, Store
from segue.plan.plan import Plan, encode_plan

_BATCH = 500  # events in one transaction
Thing = TypeVar("Thing")


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How much was moved; of a dry run, how much there is to move.

    Attributes:
        runs: runs, those that had not ended included.
        unfinished_runs: those that had not ended; they are recorded as interrupted or canceled.
        known_runs: runs that were here already.
        materializations, observations, evaluations: latest states of assets, their partitions and checks.
        dynamic_partitions: keys added.
        pools: pools whose limit was set.
        instigators: schedules and sensors that were switched on or off, or whose cursor was set.
        running: how many of these run as soon as a control plane does.
        run_keys: keys by which sensors know what they have asked for.
        left: what does not go on as it stood, one line each.
        failed: what could not be understood and stays behind, one line each.
    """

    runs: int
    unfinished_runs: int
    known_runs: int
    materializations: int
    observations: int
    evaluations: int
    dynamic_partitions: int
    pools: int
    instigators: int
    running: int
    run_keys: int
    left: tuple[str, ...]
    failed: tuple[str, ...]


def move(
    source: Source,
    instance: Instance,
    control: ControlStore,
    *,
    locations: Sequence[str],
    now: float,
    apply: bool,
    progress: Callable[[str, int], object],
) -> Moved:
    """Moves what Dagster recorded.

    Args:
        source: Dagster's rows.
        instance, control: where to: the records, and how schedules and sensors stand.
        locations: the names of the code locations here.
        now: the time, in seconds since 1970.
        apply: whether to write; False only counts.
        progress: called with what is being moved and how many there have been so far.

    Raises:
        StorageError: a side that cannot be read or written; what was written until then stays, and a second round goes on.
    """
    store, unreadable = instance.store, Unreadable()
    runs, unfinished, known = _move_runs(source, store, apply, progress, unreadable)
    run_keys = _move_run_keys(source, control, locations, apply)

    def is_recorded(run_id: str) -> bool:
        return not apply or store.get_run(run_id) is not None

    news = _Newer(store)
    counts = dict.fromkeys(EventType, 0)
    events = chain(
        asset_events(source, is_recorded, unreadable),
        check_events(source, is_recorded, unreadable),
    )
    for batch in _batches(filter(news.is_news, events)):
        if apply:
            store.append(batch)
        for event in batch:
            counts[event.event_type] += 1
        progress("asset states", sum(counts.values()))
    pools = _move_pools(source, instance, apply)
    last = store.events(EventFilter(ascending=False), 1)
    changes, left = _changes(source, control, locations, last[0].storage_id if last else 0, unreadable)
    if apply:
        _apply(changes, control, now)
    return Moved(
        runs=runs,
        unfinished_runs=unfinished,
        known_runs=known,
        materializations=counts[EventType.ASSET_MATERIALIZATION],
        observations=counts[EventType.ASSET_OBSERVATION],
        evaluations=counts[EventType.ASSET_CHECK_EVALUATION],
        dynamic_partitions=_move_partitions(source, instance, apply),
        pools=pools,
        instigators=len(changes),
        running=sum(change.status is InstigatorStatus.RUNNING for change in changes),
        run_keys=run_keys,
        left=tuple(left),
        failed=tuple(unreadable.lines),
    )


def _move_runs(
    source: Source,
    store: Store,
    apply: bool,
    progress: Callable[[str, int], object],
    unreadable: Unreadable,
) -> tuple[int, int, int]:
    runs = unfinished = known = 0
    manifest = encode_manifest(Manifest())
    for row in source.run_rows():
        if store.get_run(row.run_id) is not None:
            known += 1
            continue
        recorded = unreadable.read(f"the run {row.run_id}", lambda row=row: recorded_run(row))
        if recorded is None:
            continue
        if apply:
            plan = encode_plan(Plan(job_name=recorded.run.job_name, steps=()))
            store.create_run(recorded.run, plan, manifest, recorded.events)
        runs += 1
        unfinished += not recorded.had_ended
        progress("runs", runs)
    return runs, unfinished, known


def _move_partitions(source: Source, instance: Instance, apply: bool) -> int:
    by_name: dict[str, list[str]] = {}
    for name, key in source.dynamic_partitions():
        by_name.setdefault(name, []).append(key)
    moved = 0
    for name, keys in by_name.items():
        there = set(instance.get_dynamic_partitions(name))
        new = [key for key in keys if key not in there]
        if new and apply:
            instance.add_dynamic_partitions(name, new)
        moved += len(new)
    return moved


def _move_pools(source: Source, instance: Instance, apply: bool) -> int:
    limits = instance.pool_limits()
    new = [(name, limit) for name, limit in source.pool_limits() if name not in limits]
    for name, limit in new if apply else ():
        instance.set_pool_limit(name, limit)
    return len(new)


def _move_run_keys(source: Source, control: ControlStore, locations: Sequence[str], apply: bool) -> int:
    """Has sensors know what they asked for, so that they do not ask for it again."""

    def keys() -> Iterator[tuple[InstigatorId, str, str]]:
        for row in source.run_rows():
            # What cannot be understood of a run is told where runs are moved.
            found = Unreadable().read(row.run_id, lambda row=row: run_key_of(row))
            which = None if found is None else sensor_here(found[0], found[1], locations)
            if found is not None and which is not None:
                yield which, found[2], row.run_id

    moved = 0
    for batch in _batches(keys()):
        by_sensor: dict[InstigatorId, dict[str, str]] = {}
        for which, key, run_id in batch:
            by_sensor.setdefault(which, {}).setdefault(key, run_id)
        for which, runs in by_sensor.items():
            moved += control.add_run_keys(which, runs) if apply else len(runs)
    return moved


def _changes(
    source: Source,
    control: ControlStore,
    locations: Sequence[str],
    newest: int,
    unreadable: Unreadable,
) -> tuple[list[Change], list[str]]:
    """What changes of schedules and sensors, and what does not go on as it stood, one line each."""
    changes: list[Change] = []
    left: list[str] = []
    for row in source.instigators():
        standing = unreadable.read(f"the state of a {row.kind.lower()}", lambda row=row: standing_of(row))
        if standing is None or not standing.says_anything:
            continue
        location = place_here(standing.location, locations)
        if location is None:
            left.append(f"{standing} of the code location {standing.location!r}: no code location here has that name")
            continue
        state = control.instigator_state(InstigatorId(location, standing.kind, standing.name))
        change = unreadable.read(
            str(standing), lambda standing=standing, state=state: change_of(standing, state, newest)
        )
        if change is not None:
            changes += [change] if change.is_any else []
            left += [] if change.left is None else [change.left]
    return changes, left


def _apply(changes: Iterable[Change], control: ControlStore, now: float) -> None:
    for change in changes:
        # The cursor first: a sensor that ran before it has one would ask for everything.
        if change.cursor is not None:
            control.set_cursor(change.which, change.cursor)
        if change.status is not None:
            control.set_instigator(change.which, change.status, now)


class _Newer:
    """Whether an event says something newer than what is recorded of its asset, partition or check."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._assets = {key: state.timestamp for key, state in store.asset_states(None).items()}
        self._checks = {key: state.timestamp for key, state in store.check_states(None).items()}
        self._partitions: dict[AssetKey, dict[str, PartitionState]] = {}

    def is_news(self, event: Event) -> bool:
        """The answer for one event."""
        return event.timestamp > self._recorded(event)

    def _recorded(self, event: Event) -> float:
        payload = event.payload
        if isinstance(payload, StepMaterializationData):
            key, partition = payload.materialization.asset_key, payload.materialization.partition
            if partition is None:
                return self._assets.get(key, 0.0)
            if key not in self._partitions:
                self._partitions[key] = dict(self._store.partition_states(key))
            state = self._partitions[key].get(partition)
            return 0.0 if state is None else state.timestamp
        if isinstance(payload, AssetCheckEvaluationData):
            return self._checks.get(payload.evaluation.asset_check_key, 0.0)
        assert isinstance(payload, AssetObservationData)  # nothing else is moved
        partition = payload.asset_observation.partition
        seen = EventFilter(
            asset_key=payload.asset_observation.asset_key,
            types=(EventType.ASSET_OBSERVATION,),
            partitions=None if partition is None else (partition,),
            ascending=False,
        )
        last = self._store.events(seen, 1)
        return last[0].event.timestamp if last else 0.0


def _batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    rest = iter(things)
    while batch := list(islice(rest, _BATCH)):
        yield batch
