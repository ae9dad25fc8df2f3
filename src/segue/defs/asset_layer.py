"""The assets of a job, as code that reads jobs asks for them."""

from __future__ import annotations

import msgspec

from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import AssetNode, Manifest


class AssetLayer(msgspec.Struct, frozen=True):
    """The assets of a job.

    Attributes:
        asset_graph: all assets of the definitions.
        executable_asset_keys: those that the job makes or observes.
        check_keys: the checks that it runs.
    """

    asset_graph: AssetGraph
    executable_asset_keys: frozenset[AssetKey] = frozenset()
    check_keys: frozenset[AssetCheckKey] = frozenset()

    @property
    def selected_asset_keys(self) -> frozenset[AssetKey]:
        """The same as `executable_asset_keys`."""
        return self.executable_asset_keys

    def has(self, asset_key: AssetKey) -> bool:
        """Whether there is such an asset, in the job or beside it."""
        return asset_key in self.asset_graph.nodes

    def get(self, asset_key: AssetKey) -> AssetNode:
        """An asset, in the job or beside it.

        Raises:
            InvalidSubsetError: the asset was not found.
        """
        return self.asset_graph.node(asset_key)


def layer_without_assets() -> AssetLayer:
    """The layer of a job of ops."""
    return AssetLayer(AssetGraph(Manifest()))
