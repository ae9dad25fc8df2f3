"""Moves the records: counts what there is to move and, when asked to, writes it.

What is here already stays: a run with a known id is passed over, and so is an event that is not newer than what is
recorded of its asset, partition or check. So a second round moves only what came since, and one that was cut short goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

import msgspec

from segue.defs.instance import Instance
from segue.migrate.records import Unreadable, asset_events, check_events, recorded_run, sensors_with_cursors
from segue.migrate.source import Source
from segue.model.event import (
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    EventType,
    StepMaterializationData,
)
from segue.model.keys import AssetKey
from segue.model.manifest import Manifest, encode_manifest
from segue.model.stores import EventFilter, PartitionState, Store
from segue.plan.plan import Plan, encode_plan

_BATCH = 500  # events in one transaction


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How much was moved; of a dry run, how much there is to move.

    Attributes:
        runs: runs, those that had not ended included.
        unfinished_runs: those that had not ended; they are recorded as interrupted or canceled.
        known_runs: runs that were here already.
        materializations, observations, evaluations: latest states of assets, their partitions and checks.
        dynamic_partitions: keys added.
        cursors_left: the sensors whose cursors stay behind.
        failed: what could not be understood and stays behind, one line each.
    """

    runs: int
    unfinished_runs: int
    known_runs: int
    materializations: int
    observations: int
    evaluations: int
    dynamic_partitions: int
    cursors_left: tuple[str, ...]
    failed: tuple[str, ...]


def move(source: Source, instance: Instance, *, apply: bool, progress: Callable[[str, int], object]) -> Moved:
    """Moves what Dagster recorded.

    Args:
        source: Dagster's rows.
        instance: where to.
        apply: whether to write; False only counts.
        progress: called with what is being moved and how many there have been so far.

    Raises:
        StorageError: a side that cannot be read or written; what was written until then stays, and a second round goes on.
    """
    store, unreadable = instance.store, Unreadable()
    runs, unfinished, known = _move_runs(source, store, apply, progress, unreadable)

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
    return Moved(
        runs=runs,
        unfinished_runs=unfinished,
        known_runs=known,
        materializations=counts[EventType.ASSET_MATERIALIZATION],
        observations=counts[EventType.ASSET_OBSERVATION],
        evaluations=counts[EventType.ASSET_CHECK_EVALUATION],
        dynamic_partitions=_move_partitions(source, instance, apply),
        cursors_left=tuple(sensors_with_cursors(source)),
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


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    rest = iter(events)
    while batch := list(islice(rest, _BATCH)):
        yield batch
