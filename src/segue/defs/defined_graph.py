"""The graph of assets with the definitions behind them, as definitions give it to who asks in Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property

from msgspec import structs

from segue.defs.assets_definition import AssetsDefinition
from segue.errors import InvalidSubsetError
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import AssetNode, CheckNode, PlacedAssetNode


class DefinedAssetGraph(AssetGraph):
    """An asset graph that knows the definitions it was built from."""

    def __init__(self, graph: AssetGraph, find_assets_defs: Callable[[], Iterable[AssetsDefinition]]) -> None:
        # Its tables take long to make where there are many assets, as does finding their definitions.
        vars(self).update(vars(graph))
        self._find_assets_defs = find_assets_defs

    @cached_property
    def assets_defs(self) -> Sequence[AssetsDefinition]:
        """The definitions of assets and checks, each once; those of assets that are made elsewhere included."""
        return list({id(each): each for each in self._find_assets_defs()}.values())

    @cached_property
    def _specs(self) -> Mapping[AssetKey, AssetSpec]:
        return {spec.key: spec for each in self.assets_defs for spec in each.specs}

    def _placed(self, node: AssetNode) -> PlacedAssetNode:
        """The node with what its spec says, as it was declared: the manifest has it as it is stored."""
        placed, spec = super()._placed(node), self._specs.get(node.key)
        declared = placed if spec is None else spec
        return structs.replace(
            placed, metadata=declared.metadata, owners=list(declared.owners), kinds=frozenset(declared.kinds)
        )

    def assets_def_for_key(self, key: AssetKey) -> AssetsDefinition:
        """The definition that makes an asset, or that declares one made elsewhere.

        Raises:
            InvalidSubsetError: there is none.
        """
        found = next((each for each in self.assets_defs if key in each.keys), None)
        if found is None:
            raise InvalidSubsetError(f"The asset {key.to_user_string()!r} was not found in the definitions.")
        return found

    def assets_defs_for_keys(self, keys: Iterable[AssetKey]) -> Sequence[AssetsDefinition]:
        """The definitions of some assets, each once.

        Raises:
            InvalidSubsetError: one of them has none.
        """
        return list({id(each): each for each in map(self.assets_def_for_key, keys)}.values())

    def get_check_spec(self, key: AssetCheckKey) -> AssetCheckSpec:
        """The spec of a check.

        Raises:
            InvalidSubsetError: there is none.
        """
        found = next((spec for each in self.assets_defs for spec in each.check_specs if spec.key == key), None)
        if found is None:
            raise InvalidSubsetError(f"The check {key.to_user_string()!r} was not found in the definitions.")
        return found

    @property
    def asset_check_nodes(self) -> Collection[CheckNode]:
        """The nodes of all checks, in order of declaration."""
        return self.checks.values()

    @property
    def asset_dep_graph(self) -> Mapping[str, Mapping[AssetKey, Set[AssetKey]]]:
        """Under `upstream` what each asset is made from, under `downstream` what is made from it."""
        return {
            "upstream": {key: frozenset(self.parents(key)) for key in self.nodes},
            "downstream": {key: frozenset(self.children(key)) for key in self.nodes},
        }

    def get_parents(self, node: AssetNode) -> Sequence[AssetNode]:
        """The assets that one is made from."""
        return [self.nodes[key] for key in self.parents(node.key)]

    def get_children(self, node: AssetNode) -> Sequence[AssetNode]:
        """The assets that are made from one."""
        return [self.nodes[key] for key in self.children(node.key)]

    def upstream_key_iterator(self, asset_key: AssetKey) -> Iterator[AssetKey]:
        """What an asset is made from, and what that is made from in turn, each once, the nearest first."""
        seen, waiting = {asset_key}, [asset_key]
        for key in waiting:
            for parent in self.parents(key):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
                    yield parent

    def get_execution_set_asset_and_check_keys(
        self, asset_key_or_check_key: AssetKey | AssetCheckKey
    ) -> Set[AssetKey | AssetCheckKey]:
        """What a run cannot make without another: the assets and checks of one function that makes them all at once.

        Raises:
            InvalidSubsetError: there is no such asset or check.
        """
        name = self.get(asset_key_or_check_key).computation
        if name is None or self.computations[name].can_subset:
            return frozenset([asset_key_or_check_key])
        checks = [check.key for check in self.checks.values() if check.computation == name]
        return frozenset([*(key for key, node in self.nodes.items() if node.computation == name), *checks])
