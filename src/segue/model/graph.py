"""The asset graph: what depends on what, read from a manifest. The only graph there is."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from functools import cached_property
from typing import overload

from msgspec import structs

from segue.errors import InvalidSubsetError, UnresolvedSelectionError
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import AssetNode, CheckNode, ComputationNode, JobNode, Manifest, PlacedAssetNode
from segue.model.ordering import require_acyclic
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.mapping_choice import default_mapping
from segue.model.tags import IMPLICIT_JOB_NAME


class AssetGraph:
    """Assets, checks and computations of one manifest, with the edges between them.

    Attributes:
        manifest: what it was built from.
        nodes: asset nodes by key, in order of declaration.
        checks: check nodes by key.
        computations: computation nodes by name.
        jobs: job nodes by name.
        has_virtual: whether there is a virtual asset.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.nodes: Mapping[AssetKey, AssetNode] = {node.key: node for node in manifest.assets}
        self.checks: Mapping[AssetCheckKey, CheckNode] = {node.key: node for node in manifest.checks}
        self.computations: Mapping[str, ComputationNode] = {node.name: node for node in manifest.computations}
        self.jobs: Mapping[str, JobNode] = {node.name: node for node in manifest.jobs}
        self.has_virtual = any(node.is_virtual for node in manifest.assets)

    @cached_property
    def has_partitions(self) -> bool:
        """Whether an asset is partitioned."""
        return any(node.partitions is not None for node in self.nodes.values())

    @cached_property
    def _parents(self) -> dict[AssetKey, tuple[AssetKey, ...]]:
        return {node.key: tuple([dep.key for dep in node.deps]) for node in self.manifest.assets}

    @cached_property
    def _children(self) -> dict[AssetKey, list[AssetKey]]:
        found: dict[AssetKey, list[AssetKey]] = {}
        for key, parents in self._parents.items():
            for parent in parents:
                found.setdefault(parent, []).append(key)
        return found

    @cached_property
    def _checks_of(self) -> dict[AssetKey, list[AssetCheckKey]]:
        found: dict[AssetKey, list[AssetCheckKey]] = {}
        for key in self.checks:
            found.setdefault(key.asset_key, []).append(key)
        return found

    def make_ready(self) -> None:
        """Works out now what every plan asks for: processes that are forked from this one then find it."""
        _ = self.has_partitions, self._parents, self._children, self._checks_of

    def with_partitions(self, definitions: Mapping[AssetKey, PartitionsDefinition]) -> AssetGraph:
        """The same with other partitions definitions for some assets: those that have been asked for their keys."""
        changed = copy.copy(self)
        nodes = {key: structs.replace(self.nodes[key], partitions=each) for key, each in definitions.items()}
        changed.nodes = {**self.nodes, **nodes}
        return changed

    def with_mappings(self, mappings: Mapping[tuple[AssetKey, AssetKey], PartitionMapping]) -> AssetGraph:
        """The same with other mappings by which some assets (the first of each pair) take partitions of others."""
        changed = copy.copy(self)
        nodes = dict(self.nodes)
        for key in {key for key, _ in mappings}:
            deps = [structs.replace(dep, mapping=mappings.get((key, dep.key), dep.mapping)) for dep in nodes[key].deps]
            nodes[key] = structs.replace(nodes[key], deps=tuple(deps))
        changed.nodes = nodes
        return changed

    def parents(self, key: AssetKey) -> Sequence[AssetKey]:
        """The assets it is made from."""
        return self._parents.get(key, ())

    def real_parents(self, key: AssetKey) -> Sequence[AssetKey]:
        """The assets it is made from, where a virtual one counts as those that it is a view of."""
        if not self.has_virtual:
            return self.parents(key)
        found: dict[AssetKey, None] = {}
        seen = {key}
        open_keys = list(reversed(self.parents(key)))
        while open_keys:
            parent = open_keys.pop()
            if not self.nodes[parent].is_virtual:
                found[parent] = None
            elif parent not in seen:
                seen.add(parent)
                open_keys.extend(reversed(self.parents(parent)))
        return tuple(found)

    def views_between(self, upstream: AssetKey, downstream: AssetKey) -> Sequence[AssetKey]:
        """The virtual assets that an asset is made from and that are views of another, where it is not its parent itself."""
        if not self.has_virtual or upstream in self.parents(downstream):
            return ()
        return [
            key
            for key in self.parents(downstream)
            if key != downstream and self.nodes[key].is_virtual and upstream in self.real_parents(key)
        ]

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

    def require_whole(self, keys: Set[AssetKey]) -> None:
        """Refuses a selection that holds a part of what a function makes all at once.

        Raises:
            UnresolvedSelectionError: the selection leaves some of it out.
        """
        for key in keys:
            missing = [each for each in self.siblings(key) if each not in keys]
            if missing:
                raise made_at_once(self.nodes[key].computation or "", missing)

    def require_executable(self, keys: Iterable[AssetKey]) -> None:
        """Refuses a selection that no run can materialize or observe as a whole.

        Raises:
            UnresolvedSelectionError: the selection includes external assets.
        """
        external = sorted(key.to_user_string() for key in keys if not self.node(key).is_executable)
        if external:
            raise UnresolvedSelectionError(
                "The selection includes external assets, which no run can materialize: "
                f"{', '.join(external)}. Remove them from the selection."
            )

    def node(self, key: AssetKey) -> AssetNode:
        """The node of an asset.

        Raises:
            InvalidSubsetError: there is none.
        """
        found = self.nodes.get(key)
        if found is None:
            raise InvalidSubsetError(f"Asset {key.to_user_string()!r} not found in these definitions.")
        return found

    @property
    def materializable_keys(self) -> list[AssetKey]:
        """The assets a run can make, in order of declaration."""
        return [key for key, node in self.nodes.items() if node.is_materializable]

    def nodes_of(self, keys: Set[AssetKey]) -> Sequence[AssetNode]:
        """The nodes of assets, those of most in order of declaration: going through many as they lie in memory is far faster.

        Raises:
            InvalidSubsetError: asset not found.
        """
        if len(keys) * 4 >= len(self.nodes):
            found = [node for key, node in self.nodes.items() if key in keys]
            if len(found) == len(keys):
                return found
        return [self.node(key) for key in keys]

    def has(self, key: AssetKey | AssetCheckKey) -> bool:
        """Whether there is such an asset or check."""
        return key in (self.checks if isinstance(key, AssetCheckKey) else self.nodes)

    @overload
    def get(self, key: AssetKey) -> PlacedAssetNode: ...
    @overload
    def get(self, key: AssetCheckKey) -> CheckNode: ...
    def get(self, key: AssetKey | AssetCheckKey) -> PlacedAssetNode | CheckNode:
        """The node of an asset or check.

        Raises:
            InvalidSubsetError: there is none.
        """
        if not isinstance(key, AssetCheckKey):
            return self._placed(self.node(key))
        if key not in self.checks:
            raise InvalidSubsetError(f"Asset check {key.to_user_string()!r} not found in these definitions.")
        return self.checks[key]

    @property
    def asset_nodes(self) -> Collection[PlacedAssetNode]:
        """The nodes of all assets, in order of declaration."""
        return [self._placed(node) for node in self.nodes.values()]

    def _placed(self, node: AssetNode) -> PlacedAssetNode:
        alike: set[AssetKey | AssetCheckKey] = {*self.siblings(node.key)}
        made_by = self.computations[node.computation] if node.computation is not None else None
        if made_by is not None and not made_by.can_subset:
            alike |= {
                key
                for each in self.siblings(node.key)
                for key in self.checks_of(each)
                if self.checks[key].computation == made_by.name
            }
        return PlacedAssetNode(
            **structs.asdict(node),
            child_keys=frozenset(self.children(node.key)),
            check_keys=frozenset(self.checks_of(node.key)),
            execution_set_entity_keys=frozenset(alike),
        )

    @property
    def asset_check_keys(self) -> Set[AssetCheckKey]:
        """The keys of all checks."""
        return set(self.checks)

    def get_all_asset_keys(self) -> Set[AssetKey]:
        """The keys of all assets."""
        return set(self.nodes)

    @property
    def materializable_asset_keys(self) -> Set[AssetKey]:
        """The assets a run can make."""
        return {key for key, node in self.nodes.items() if node.is_materializable}

    @property
    def observable_asset_keys(self) -> Set[AssetKey]:
        """The assets a run can look at."""
        return {key for key, node in self.nodes.items() if node.is_observable}

    @property
    def external_asset_keys(self) -> Set[AssetKey]:
        """The assets that are made elsewhere, those that a run can look at included."""
        return {key for key, node in self.nodes.items() if node.is_external}

    @property
    def executable_asset_keys(self) -> Set[AssetKey]:
        """The assets a run can make or look at."""
        return {key for key, node in self.nodes.items() if node.is_executable}

    @property
    def unexecutable_asset_keys(self) -> Set[AssetKey]:
        """The assets a run can do nothing with."""
        return {key for key, node in self.nodes.items() if not node.is_executable}

    @property
    def unpartitioned_asset_keys(self) -> Set[AssetKey]:
        """The assets without partitions."""
        return {key for key, node in self.nodes.items() if node.partitions is None}

    @property
    def root_materializable_asset_keys(self) -> Set[AssetKey]:
        """The assets a run can make that are not made, directly or not, from another such."""
        return {
            key for key in self.materializable_asset_keys if not self._is_below(key, self.materializable_asset_keys)
        }

    @property
    def root_executable_asset_keys(self) -> Set[AssetKey]:
        """The assets a run can make or look at that are not made, directly or not, from another such."""
        return {key for key in self.executable_asset_keys if not self._is_below(key, self.executable_asset_keys)}

    def _is_below(self, key: AssetKey, others: Set[AssetKey]) -> bool:
        return any(each in others for each in self.get_ancestor_asset_keys(key))

    def get_ancestor_asset_keys(self, asset_key: AssetKey, include_self: bool = False) -> Set[AssetKey]:
        """All that an asset is made from, directly or not."""
        found: set[AssetKey] = set()
        open_keys = list(self.parents(asset_key))
        while open_keys:
            key = open_keys.pop()
            if key not in found:
                found.add(key)
                open_keys.extend(self.parents(key))
        return found | {asset_key} if include_self else found - {asset_key}

    def get_materializable_roots(self, asset_key: AssetKey) -> Set[AssetKey]:
        """The first assets on the way to this one that a run can make; itself, where it has none before it."""
        above = {key for key in self.get_ancestor_asset_keys(asset_key, True) if self.node(key).is_materializable}
        return {key for key in above if not self.has_materializable_parents(key)}

    def has_materializable_parents(self, asset_key: AssetKey) -> bool:
        """Whether it is made from an asset that a run can make, apart from itself."""
        return any(self.node(key).is_materializable for key in self.parents(asset_key) if key != asset_key)

    @property
    def toposorted_asset_keys(self) -> Sequence[AssetKey]:
        """All assets, each after what it is made from."""
        return [key for level in self.toposorted_asset_keys_by_level for key in level]

    @property
    def toposorted_asset_keys_by_level(self) -> Sequence[Sequence[AssetKey]]:
        """All assets: those made from nothing, then those made from these alone, and so on; each level in order of keys."""
        levels: dict[AssetKey, int] = {}
        by_name = {key.to_escaped_user_string(): key for key in self.nodes}
        edges = {
            name: [each.to_escaped_user_string() for each in self.parents(key) if each != key]
            for name, key in by_name.items()
        }
        found: list[list[AssetKey]] = []
        for name in require_acyclic(edges):
            key = by_name[name]
            level = 1 + max((levels[each] for each in self.parents(key) if each != key), default=-1)
            levels[key] = level
            if level == len(found):
                found.append([])
            found[level].append(key)
        return [sorted(level) for level in found]

    @property
    def all_group_names(self) -> Set[str]:
        """The names of all groups."""
        return {node.group_name for node in self.nodes.values()}

    def asset_keys_for_group(self, group_name: str) -> Set[AssetKey]:
        """The assets in a group."""
        return {key for key, node in self.nodes.items() if node.group_name == group_name}

    @property
    def all_partitions_defs(self) -> Sequence[PartitionsDefinition]:
        """The partitions definitions of all assets, each once, in order of declaration."""
        return list(dict.fromkeys([node.partitions for node in self.nodes.values() if node.partitions is not None]))

    def asset_keys_for_partitions_def(self, partitions_def: PartitionsDefinition) -> Set[AssetKey]:
        """The assets with a partitions definition."""
        return {key for key, node in self.nodes.items() if node.partitions == partitions_def}

    def asset_keys_for_job(self, job_name: str) -> Set[AssetKey]:
        """The assets that a job makes."""
        return set(self.jobs[job_name].assets) if job_name in self.jobs else set()

    def get_check_keys_for_assets(self, asset_keys: Iterable[AssetKey]) -> Set[AssetCheckKey]:
        """The checks that look at one of these assets."""
        return {check for key in asset_keys for check in self.checks_of(key)}

    def get_partition_mapping(self, key: AssetKey, parent_asset_key: AssetKey) -> PartitionMapping:
        """The mapping by which an asset takes partitions of one that it is made from: the declared one, or the default.

        Raises:
            InvalidSubsetError: asset not found.
        """
        node, parent = self.node(key), self.node(parent_asset_key)
        declared = next((dep.mapping for dep in node.deps if dep.key == parent_asset_key), None)
        return declared or default_mapping(parent.partitions, node.partitions)


def made_at_once(computation: str, missing: Sequence[AssetKey]) -> UnresolvedSelectionError:
    """The error for a selection of a part of what a function makes all at once."""
    names = ", ".join(key.to_user_string() for key in missing)
    return UnresolvedSelectionError(
        f"{computation!r} always materializes all of its assets, and the selection leaves out {names}. Select these too, "
        "or declare the function with can_subset=True."
    )


def implicit_job_node(graph: AssetGraph) -> JobNode:
    """The job over all assets that a run can make or observe, and all checks: there without being declared."""
    return JobNode(
        name=IMPLICIT_JOB_NAME,
        assets=tuple([key for key, node in graph.nodes.items() if node.is_executable]),
        checks=tuple([(key.asset_key, key.name) for key in graph.checks]),
    )
