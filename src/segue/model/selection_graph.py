"""An asset graph for selections out of definitions, where no manifest has been made yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, cast

import msgspec

from segue.model.asset_words import DEFAULT_GROUP
from segue.model.keys import AssetCheckKey, AssetKey


class DependsOn(Protocol):
    """A dependency: anything with an `asset_key`."""

    @property
    def asset_key(self) -> AssetKey: ...


class SelectableSpec(Protocol):
    """What is read of an asset's description."""

    @property
    def key(self) -> AssetKey: ...
    @property
    def deps(self) -> Iterable[DependsOn]: ...
    @property
    def group_name(self) -> str | None: ...
    @property
    def tags(self) -> Mapping[str, str]: ...
    @property
    def owners(self) -> Sequence[str]: ...
    @property
    def kinds(self) -> Collection[str]: ...


class AssetsComputation(Protocol):
    """What is read of a definition of assets that one computation makes."""

    @property
    def specs(self) -> Iterable[SelectableSpec]: ...
    @property
    def check_keys(self) -> Iterable[AssetCheckKey]: ...
    @property
    def is_materializable(self) -> bool: ...
    @property
    def is_executable(self) -> bool: ...
    @property
    def can_subset(self) -> bool: ...


# A spec by itself is an external asset.
SelectableDefinition = AssetsComputation | SelectableSpec


class DefinedAsset(msgspec.Struct, frozen=True):
    """One asset, as selections see it."""

    key: AssetKey
    group_name: str = DEFAULT_GROUP
    tags: Mapping[str, str] = {}
    owners: Sequence[str] = ()
    kinds: Collection[str] = ()
    is_materializable: bool = False
    is_external: bool = True


class DefinedCheck(msgspec.Struct, frozen=True):
    """One check, as selections see it."""

    key: AssetCheckKey


class DefinitionsGraph:
    """A `SelectableGraph` of given nodes and edges; a parent that nobody defines is an external asset.

    Args:
        nodes: the assets.
        parents: for each asset, what it is made from.
        checks: the checks.
        siblings: groups of assets that can only be made together.
    """

    def __init__(
        self,
        nodes: Iterable[DefinedAsset],
        parents: Mapping[AssetKey, Iterable[AssetKey]],
        checks: Iterable[AssetCheckKey] = (),
        siblings: Iterable[Collection[AssetKey]] = (),
    ) -> None:
        self.nodes = {node.key: node for node in nodes}
        self.checks = {key: DefinedCheck(key) for key in checks}
        self._parents = {key: tuple(dict.fromkeys(upstream)) for key, upstream in parents.items()}
        self._children: dict[AssetKey, list[AssetKey]] = {}
        for key, upstream in self._parents.items():
            for parent in upstream:
                self._children.setdefault(parent, []).append(key)
                if parent not in self.nodes:
                    self.nodes[parent] = DefinedAsset(parent)
        self._siblings = {key: keys for keys in siblings for key in keys}

    def parents(self, key: AssetKey) -> Iterable[AssetKey]:
        """What it is made from."""
        return self._parents.get(key, ())

    def children(self, key: AssetKey) -> Iterable[AssetKey]:
        """What is made from it."""
        return self._children.get(key, ())

    def siblings(self, key: AssetKey) -> Iterable[AssetKey]:
        """What can only be made together with it, itself included."""
        return self._siblings.get(key, (key,))


def definitions_graph(definitions: Iterable[object]) -> DefinitionsGraph:
    """The graph of a list of definitions: `AssetsDefinition`s, and specs or source assets, which are external."""
    nodes: list[DefinedAsset] = []
    parents: dict[AssetKey, list[AssetKey]] = {}
    checks: list[AssetCheckKey] = []
    siblings: list[list[AssetKey]] = []
    for definition in definitions:
        computation = cast("AssetsComputation", definition) if hasattr(definition, "specs") else None
        specs = list(computation.specs) if computation else [cast("SelectableSpec", definition)]
        for spec in specs:
            parents[spec.key] = [dependency.asset_key for dependency in getattr(spec, "deps", ())]
            nodes.append(
                DefinedAsset(
                    spec.key,
                    spec.group_name or DEFAULT_GROUP,
                    spec.tags,
                    getattr(spec, "owners", ()),
                    getattr(spec, "kinds", ()),
                    is_materializable=computation is not None and computation.is_materializable,
                    is_external=computation is None or not computation.is_executable,
                )
            )
        if computation:
            checks.extend(computation.check_keys)
            if computation.is_executable and not computation.can_subset:
                siblings.append([spec.key for spec in specs])
    return DefinitionsGraph(nodes, parents, checks, siblings)
