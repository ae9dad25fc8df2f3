"""The asset graph: what depends on what, read from a manifest. The only graph there is."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from segue.errors import CycleError, InvalidSubsetError
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import AssetNode, CheckNode, ComputationNode, JobNode, Manifest
from segue.model.partitions.base import PartitionsDefinition


class AssetGraph:
    """Assets, checks and computations of one manifest, with the edges between them.

    Attributes:
        manifest: what it was built from.
        nodes: asset nodes by key, in order of declaration.
        checks: check nodes by key.
        computations: computation nodes by name.
        jobs: job nodes by name.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.nodes: Mapping[AssetKey, AssetNode] = {node.key: node for node in manifest.assets}
        self.checks: Mapping[AssetCheckKey, CheckNode] = {node.key: node for node in manifest.checks}
        self.computations: Mapping[str, ComputationNode] = {node.name: node for node in manifest.computations}
        self.jobs: Mapping[str, JobNode] = {node.name: node for node in manifest.jobs}
        self._parents: dict[AssetKey, tuple[AssetKey, ...]] = {
            node.key: tuple([dep.key for dep in node.deps]) for node in manifest.assets
        }
        self._children: dict[AssetKey, list[AssetKey]] = {}
        for key, parents in self._parents.items():
            for parent in parents:
                self._children.setdefault(parent, []).append(key)
        self._checks_of: dict[AssetKey, list[AssetCheckKey]] = {}
        for key in self.checks:
            self._checks_of.setdefault(key.asset_key, []).append(key)

    def with_partitions(self, definitions: Mapping[AssetKey, PartitionsDefinition]) -> AssetGraph:
        """The same with other partitions definitions for some assets: those that have been asked for their keys."""
        changed = copy.copy(self)
        nodes = {key: structs.replace(self.nodes[key], partitions=each) for key, each in definitions.items()}
        changed.nodes = {**self.nodes, **nodes}
        return changed

    def parents(self, key: AssetKey) -> Sequence[AssetKey]:
        """The assets it is made from."""
        return self._parents.get(key, ())

    def children(self, key: AssetKey) -> Sequence[AssetKey]:
        """The assets made from it."""
        return self._children.get(key, ())

    def checks_of(self, key: AssetKey) -> Sequence[AssetCheckKey]:
        """The checks that look at it."""
        return self._checks_of.get(key, ())

    def siblings(self, key: AssetKey) -> Sequence[AssetKey]:
        """The assets that must be made together with it, itself included: those of a computation that cannot subset."""
        computation = self.nodes[key].computation
        if computation is None or self.computations[computation].can_subset:
            return (key,)
        return tuple(
            output.asset_key for output in self.computations[computation].outputs if output.asset_key is not None
        )

    def node(self, key: AssetKey) -> AssetNode:
        """The node of an asset.

        Raises:
            InvalidSubsetError: there is none.
        """
        found = self.nodes.get(key)
        if found is None:
            raise InvalidSubsetError(f"There is no asset {key.to_user_string()!r} in these definitions.")
        return found

    @property
    def materializable_keys(self) -> list[AssetKey]:
        """The assets a run can make, in order of declaration."""
        return [key for key, node in self.nodes.items() if node.computation is not None]


def require_acyclic(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The names in an order in which each comes after what it depends on.

    Args:
        edges: for each name, the names it depends on; names that are no keys themselves are ignored.

    Returns:
        All keys; among those that are ready together, in the order of `edges`.

    Raises:
        CycleError: they go round in a circle; the error holds one such path.
    """
    waiting = {name: [each for each in depends_on if each in edges] for name, depends_on in edges.items()}
    missing = {name: len(depends_on) for name, depends_on in waiting.items()}
    dependents: dict[str, list[str]] = {}
    for name, depends_on in waiting.items():
        for each in depends_on:
            dependents.setdefault(each, []).append(name)
    order = [name for name, count in missing.items() if count == 0]
    for name in order:  # grows while it is walked: each name enters when its last dependency has been passed
        for dependent in dependents.get(name, ()):
            missing[dependent] -= 1
            if missing[dependent] == 0:
                order.append(dependent)
    if len(order) < len(waiting):
        raise CycleError(_find_cycle({name: waiting[name] for name, count in missing.items() if count > 0}))
    return order


def _find_cycle(waiting: Mapping[str, Sequence[str]]) -> list[str]:
    """One cycle among names that all wait for another, in the direction in which data would flow."""
    path: list[str] = []
    seen: dict[str, int] = {}
    name = min(waiting)
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = min(each for each in waiting[name] if each in waiting)
    cycle = [*path[seen[name] :], name]
    return cycle[::-1]
