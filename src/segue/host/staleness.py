"""Which assets are stale, given what is recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from segue.decide.stale import RecordedVersion, stale_state
from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.execute.provenance import latest_version, partition_version
from segue.model.data_version import DataProvenance, StaleState, StaleStatus
from segue.model.event import EventType
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.selection import AssetSelection, CoercibleToAssetSelection
from segue.model.stores import EventFilter, Store


def stale_states(
    defs: Definitions,
    instance: Instance,
    selection: CoercibleToAssetSelection | None = None,
    partition_key: str | None = None,
) -> Mapping[AssetKey, StaleState]:
    """Whether assets are what their code and the assets they are made from would make of them now, and why not.

    Args:
        defs: the definitions.
        instance: the instance with the recorded state.
        selection: which assets; all when None.
        partition_key: the partition of partitioned assets to look at; their last materialization when None.

    An asset is stale when its code version is another one, when what it is made from has another data version, or when it is
    made from other assets than before. One made elsewhere is never stale. A virtual one is missing while something that it
    is a view of is, and else fresh; what is made from it is stale when that changes.
    """
    graph = defs.asset_graph
    keys = list(graph.nodes) if selection is None else sorted(AssetSelection.from_coercible(selection).resolve(graph))
    recorded = recorded_versions(graph, instance.store, keys, partition_key)
    return {key: stale_state(graph, recorded, key) for key in keys}


def stale_keys(graph: AssetGraph, store: Store, keys: Collection[AssetKey], partition_key: str | None) -> set[AssetKey]:
    """Those of the assets that are missing or stale."""
    recorded = recorded_versions(graph, store, keys, partition_key)
    return {key for key in keys if stale_state(graph, recorded, key).status is not StaleStatus.FRESH}


def recorded_versions(
    graph: AssetGraph, store: Store, keys: Collection[AssetKey], partition_key: str | None
) -> dict[AssetKey, RecordedVersion]:
    """What is recorded of the assets and of what they are made from."""
    wanted = dict.fromkeys([*keys, *(parent for key in keys for parent in graph.real_parents(key))])
    found: dict[AssetKey, RecordedVersion] = {}
    for key in wanted:
        definition = graph.node(key).partitions
        partition = partition_key if definition is not None and _has(graph, key, partition_key) else None
        version, place = latest_version(store, key) if partition is None else partition_version(store, key, partition)
        if place is not None:
            found[key] = RecordedVersion(version, _provenance(store, key, partition))
    return found


def _has(graph: AssetGraph, key: AssetKey, partition_key: str | None) -> bool:
    definition = graph.node(key).partitions
    return partition_key is not None and definition is not None and definition.has_partition_key(partition_key)


def _provenance(store: Store, key: AssetKey, partition: str | None) -> DataProvenance | None:
    if partition is None:
        state = store.asset_states([key]).get(key)
        return None if state is None else DataProvenance.from_tags(state.materialization.tags)
    which = EventFilter(
        asset_key=key, types=(EventType.ASSET_MATERIALIZATION,), partitions=(partition,), ascending=False
    )
    for record in store.events(which, 1):
        return DataProvenance.from_tags(record.event.materialization.tags)
    return None
