"""Which assets are stale: the graph and the last recorded versions in, states with their causes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from segue.model.data_version import (
    INITIAL,
    DataProvenance,
    StaleCause,
    StaleCauseCategory,
    StaleState,
    StaleStatus,
)
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey


class RecordedVersion(msgspec.Struct, frozen=True):
    """What is recorded of the last materialization (or, made elsewhere, observation) of an asset or of one partition.

    Attributes:
        version: of the data.
        provenance: what it was made from; None where that is not known.
    """

    version: str
    provenance: DataProvenance | None = None


def stale_state(graph: AssetGraph, recorded: Mapping[AssetKey, RecordedVersion], key: AssetKey) -> StaleState:
    """The state of one asset.

    Only what it is made from directly counts: a dependency that is stale itself has not changed yet.

    Args:
        graph: what depends on what, with the versions of the code.
        recorded: the last of the asset and of its dependencies; without those that were never made.
        key: the asset.
    """
    node = graph.node(key)
    if node.is_external:
        return StaleState(StaleStatus.FRESH)
    if node.is_virtual:
        seen = [dep for dep in graph.real_parents(key) if not graph.node(dep).is_external]
        missing = any(dep not in recorded for dep in seen)
        return StaleState(StaleStatus.MISSING if missing else StaleStatus.FRESH)
    own = recorded.get(key)
    if own is None:
        return StaleState(StaleStatus.MISSING)
    if own.provenance is None:
        return StaleState(StaleStatus.FRESH)
    causes = tuple(_causes(graph, recorded, key, own.provenance))
    return StaleState(StaleStatus.STALE if causes else StaleStatus.FRESH, causes)


def _causes(
    graph: AssetGraph, recorded: Mapping[AssetKey, RecordedVersion], key: AssetKey, provenance: DataProvenance
) -> Iterator[StaleCause]:
    node = graph.node(key)
    if node.code_version is not None and node.code_version != provenance.code_version:
        yield StaleCause(key, StaleCauseCategory.CODE, f"its code version is now {node.code_version}")
    deps = sorted({dep for dep in graph.real_parents(key) if dep != key})
    for dep in sorted(set(provenance.input_data_versions) - {*deps, key}):
        reason = f"it no longer depends on {dep.to_user_string()}"
        yield StaleCause(key, StaleCauseCategory.DEPENDENCIES, reason, dep)
    for dep in deps:
        before = provenance.input_data_versions.get(dep)
        if before is None:
            reason = f"it has not been materialized from {dep.to_user_string()} yet"
            yield StaleCause(key, StaleCauseCategory.DEPENDENCIES, reason, dep)
            continue
        now = recorded[dep].version if dep in recorded else INITIAL
        if now != before.value:
            child = StaleCause(dep, StaleCauseCategory.DATA, "its data version has changed")
            reason = f"the data of {dep.to_user_string()} has changed"
            yield StaleCause(key, StaleCauseCategory.DATA, reason, dep, (child,))
