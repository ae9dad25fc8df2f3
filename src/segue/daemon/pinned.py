"""The definitions that backfills began with, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable

from segue.model.backfill import Backfill
from segue.model.control_stores import DeploymentStore
from segue.model.graph import AssetGraph
from segue.model.manifest import decode_manifest


class PinnedGraphs:
    """Reads them, and keeps those that open backfills go by.

    Args:
        control: where they are stored, by content hash.
    """

    def __init__(self, control: DeploymentStore) -> None:
        self._control = control
        self._graphs: dict[str, AssetGraph] = {}

    def get(self, manifest_hash: str) -> AssetGraph | None:
        """Definitions by their content hash; None where they are not stored any more."""
        found = self._graphs.get(manifest_hash)
        if found is None:
            stored = self._control.get_manifest(manifest_hash)
            if stored is None:
                return None
            found = self._graphs[manifest_hash] = AssetGraph(decode_manifest(stored))
        return found

    def keep_only(self, backfills: Iterable[Backfill]) -> None:
        """Forgets what none of these backfills began with."""
        meant = {backfill.manifest_hash for backfill in backfills}
        self._graphs = {each: graph for each, graph in self._graphs.items() if each in meant}
