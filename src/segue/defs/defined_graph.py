"""The graph of assets with the definitions behind them, as definitions give it to who asks in Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.defs.assets_definition import AssetsDefinition
from segue.errors import InvalidSubsetError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey


class DefinedAssetGraph(AssetGraph):
    """An asset graph that knows the definitions it was built from.

    Attributes:
        assets_defs: the definitions, each once; those of assets that are made elsewhere included.
    """

    def __init__(self, graph: AssetGraph, assets_defs: Iterable[AssetsDefinition]) -> None:
        vars(self).update(vars(graph))  # its tables, which take long to make where there are many assets
        self.assets_defs: Sequence[AssetsDefinition] = list({id(each): each for each in assets_defs}.values())

    def assets_def_for_key(self, key: AssetKey) -> AssetsDefinition:
        """The definition that makes an asset, or that declares one made elsewhere.

        Raises:
            InvalidSubsetError: there is none.
        """
        found = next((each for each in self.assets_defs if key in each.keys), None)
        if found is None:
            raise InvalidSubsetError(f"No definition declares the asset {key.to_user_string()!r}.")
        return found

    def assets_defs_for_keys(self, keys: Iterable[AssetKey]) -> Sequence[AssetsDefinition]:
        """The definitions of some assets, each once.

        Raises:
            InvalidSubsetError: one of them has none.
        """
        return list({id(each): each for each in map(self.assets_def_for_key, keys)}.values())
