"""What a step's assets are made from: the versions of its code and of its dependencies, at the moment it makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segue.model.data_version import INITIAL, version_tags
from segue.model.event import EventType
from segue.model.keys import AssetKey
from segue.model.partitions.subset import keys_of_subset, subset_size
from segue.model.stores import EventFilter, Store

if TYPE_CHECKING:
    from segue.execute.attempt import StepAttempt

Version = tuple[str, int | None]
"""The version of an asset's data and the place of its event in the log, where that is known."""

MOST_PARTITIONS = 100  # of a dependency whose versions are looked at one by one; beyond, the last one stands for all


def with_provenance(attempt: StepAttempt, key: AssetKey, data_version: str | None) -> tuple[str, dict[str, str]]:
    """The data version of an asset that the step makes, and the tags that say what it is made from.

    One answer for all partitions that the step makes at once: what they are made from is looked up once.
    """
    graph = attempt.scope.described.graph
    inputs = {dep: _version_of(attempt, dep) for dep in graph.real_parents(key) if dep != key}
    version, tags = version_tags(graph.nodes[key].code_version or attempt.run.run_id, inputs, data_version)
    attempt.scope.versions[key] = (version, None)
    return version, tags


def _version_of(attempt: StepAttempt, key: AssetKey) -> Version:
    """The version of a dependency: of what this run made of it, else of what is recorded."""
    known = attempt.scope.versions.get(key)
    if known is not None:
        return known
    store = attempt.instance.store
    partitions = _partitions_of(attempt, key)
    if partitions is None:
        found = attempt.scope.versions[key] = latest_version(store, key)  # once for all steps of the run
        return found
    versions = [partition_version(store, key, partition) for partition in partitions]
    return versions[0] if len(versions) == 1 else (joined([version for version, _ in versions]), None)


def _partitions_of(attempt: StepAttempt, key: AssetKey) -> Sequence[str] | None:
    """The partitions of a dependency that the step needs; None where it is not partitioned, or they are too many."""
    definition = attempt.scope.described.graph.nodes[key].partitions
    if definition is None:
        return None
    for each in attempt.step.inputs:
        if each.asset_key == key and each.partitions is not None:
            if subset_size(definition, each.partitions, attempt.scope.now) > MOST_PARTITIONS:
                return None
            return keys_of_subset(definition, each.partitions, attempt.scope.now)
    if attempt.scope.subset is not None and definition == attempt.scope.partitions_def:
        size = subset_size(definition, attempt.scope.subset, attempt.scope.now)
        return None if size > MOST_PARTITIONS else keys_of_subset(definition, attempt.scope.subset, attempt.scope.now)
    return None


def joined(versions: Sequence[str]) -> str:
    """One version for several: the same where all are."""
    return versions[0] if len(set(versions)) == 1 else version_tags("", _numbered(versions), None)[0]


def _numbered(versions: Sequence[str]) -> Mapping[AssetKey, Version]:
    return {AssetKey(f"{at:04}"): (version, None) for at, version in enumerate(versions)}


def latest_version(store: Store, key: AssetKey) -> Version:
    """The version of the last materialization of an asset, or of its last observation where nothing makes it."""
    state = store.asset_states([key]).get(key)
    if state is not None:
        return state.materialization.data_version or state.run_id or f"event {state.storage_id}", state.storage_id
    return _last_event(store, key, EventType.ASSET_OBSERVATION, None) or (INITIAL, None)


def partition_version(store: Store, key: AssetKey, partition: str) -> Version:
    """The version of the last materialization, or else observation, of one partition."""
    for kind in (EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION):
        found = _last_event(store, key, kind, partition)
        if found is not None:
            return found
    return INITIAL, None


def _last_event(store: Store, key: AssetKey, kind: EventType, partition: str | None) -> Version | None:
    which = EventFilter(
        asset_key=key, types=(kind,), partitions=None if partition is None else (partition,), ascending=False
    )
    for record in store.events(which, 1):
        fact = record.asset_event
        named = None if fact is None else fact.data_version
        return named or record.run_id or f"event {record.storage_id}", record.storage_id
    return None
