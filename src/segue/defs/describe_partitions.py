"""Whether the partitions of assets and checks fit together."""

from __future__ import annotations

from segue.defs.collect import Collection
from segue.errors import InvalidDefinitionError, SegueError
from segue.model.graph import AssetGraph
from segue.model.manifest import AssetNode, DependencyNode
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_choice import check_mapping


def check_partitions(collection: Collection, graph: AssetGraph) -> tuple[InvalidDefinitionError, ...]:
    """Notes ambiguous partition keys, mappings that do not fit, and checks that are partitioned differently than their asset.

    Returns:
        The errors about dependencies that name no mapping where nothing says how partitions belong together: such
        definitions load, as the partition of the same key is taken, and `validate_loadable` refuses them.
    """
    for check in graph.checks.values():
        asset = graph.nodes[check.asset_key]
        if check.partitions is not None and not asset.is_external and check.partitions != asset.partitions:
            collection.error(
                f"The partitions definition of the check {check.key.to_user_string()!r}, {check.partitions!r}, does not match that "
                f"of its asset {asset.key.to_user_string()!r}, {asset.partitions!r}: use the same, or none."
            )
    unclear: list[InvalidDefinitionError] = []
    valid: dict[int, PartitionsDefinition] = {}
    for node in graph.nodes.values():
        if node.partitions is not None and id(node.partitions) not in valid:
            _check_keys(collection, node, node.partitions)
            valid[id(node.partitions)] = node.partitions
        if node.computation is None:
            continue
        for dep in node.deps:
            if dep.mapping is None and not graph.has_partitions:
                continue
            upstream = graph.nodes[dep.key].partitions
            if upstream is None and dep.mapping is None:
                continue
            error = _mapping_error(collection, node, dep, upstream)
            if error is not None:
                (unclear if dep.mapping is None else collection.errors).append(error)
    return tuple(unclear)


def _check_keys(collection: Collection, node: AssetNode, definition: PartitionsDefinition) -> None:
    try:
        definition.validate_partition_definition()
    except SegueError as error:
        collection.error(f"{_source(collection, node)}the partitions of {node.key.to_user_string()!r}: {error}")


def _mapping_error(
    collection: Collection, node: AssetNode, dep: DependencyNode, upstream: PartitionsDefinition | None
) -> InvalidDefinitionError | None:
    try:
        check_mapping(dep.mapping, upstream, node.partitions)
    except SegueError as error:
        text = f"{node.key.to_user_string()!r} depends on {dep.key.to_user_string()!r}: {error}"
        return InvalidDefinitionError(f"{_source(collection, node)}{text}")
    return None


def _source(collection: Collection, node: AssetNode) -> str:
    """Where an asset is declared, as far as it is known."""
    made_by = collection.made_by.get(node.key)
    return "" if made_by is None else f"{made_by[0].source}: "
