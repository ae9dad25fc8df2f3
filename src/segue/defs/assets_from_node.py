"""Assets out of an op or graph that stands by itself: what `AssetsDefinition.from_graph` and `from_op` work out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from segue.defs.asset_outputs import checks_by_output
from segue.defs.assets_parts import AssetParts, default_output_keys, parts_of_node
from segue.defs.graph import GraphDefinition
from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey, CoercibleToAssetKeyPrefix
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping


def parts_from_node(
    node: NodeDefinition,
    *,
    keys_by_input_name: Mapping[str, AssetKey] | None,
    keys_by_output_name: Mapping[str, AssetKey] | None,
    key_prefix: CoercibleToAssetKeyPrefix | None,
    internal_asset_deps: Mapping[str, Set[AssetKey]] | None,
    partitions_def: PartitionsDefinition | None,
    partition_mappings: Mapping[str, PartitionMapping] | None,
    group_name: str | None,
    by_output_name: Mapping[str, Mapping[str, Any] | None],
    check_specs: Sequence[AssetCheckSpec] | None,
) -> AssetParts:
    """The parts of the definition of assets that an op or graph makes.

    Args:
        node: the op or graph.
        keys_by_input_name, keys_by_output_name: the assets behind inputs and outputs, where it is not the one of their
            name (for the only output of a graph or op, that of its own name).
        key_prefix: a prefix before the keys of the outputs.
        internal_asset_deps: by output, its dependencies, if they are not all inputs.
        partitions_def: how the assets are partitioned.
        partition_mappings: by input, which upstream partitions a downstream partition depends on.
        group_name: the group of all assets.
        by_output_name: further attributes of `AssetSpec`, each by output.
        check_specs: checks whose results the node gives.

    Raises:
        InvalidDefinitionError: a name that is not an input or output, two group names, or ops whose outputs are not used.
    """
    what = f"The assets of {node!r}"
    require_kind(what, "check_specs", check_specs, (list, tuple))
    if isinstance(node, GraphDefinition):
        _require_no_loose_ends(node, node.name)
    check_outputs = {spec.get_python_identifier() for spec in check_specs or ()}
    outputs = [name for name in node.output_names if name not in check_outputs]
    keys = {**default_output_keys(node, outputs), **(keys_by_output_name or {})}
    if key_prefix is not None:
        keys = {name: key.with_prefix(key_prefix) for name, key in keys.items()}
    inputs = {name: AssetKey(name) for name in node.input_names} | dict(keys_by_input_name or {})
    attributes = {name: dict(given or {}) for name, given in by_output_name.items()}
    if group_name is not None:
        if attributes.get("group_name"):
            raise InvalidDefinitionError(
                f"{what}: group_name and group_names_by_output_name were both provided; keep one."
            )
        attributes["group_name"] = dict.fromkeys(keys, group_name)
    for name, given in {**attributes, "internal_asset_deps": dict(internal_asset_deps or {})}.items():
        strange = [output for output in given if output not in keys]
        if strange:
            raise InvalidDefinitionError(
                f"{what}: {name} includes an unknown output {strange[0]!r}; available: {', '.join(keys) or 'none'}."
            )
    parts = parts_of_node(
        node,
        inputs,
        keys,
        specs=None,
        asset_deps={keys[output]: deps for output, deps in (internal_asset_deps or {}).items()},
        partitions_def=partitions_def,
        partition_mappings={inputs[name]: mapping for name, mapping in (partition_mappings or {}).items()},
        attributes={
            name: {keys[output]: value for output, value in given.items()} for name, given in attributes.items()
        },
        checks={},
        of_node={},
    )
    checks = checks_by_output(check_specs, parts.specs_by_output, what)
    return AssetParts(
        node_def=parts.node_def,
        specs_by_output=parts.specs_by_output,
        checks_by_output=checks,
        keys_by_input=_taken(node, parts.keys_by_input),
        io_manager_keys=parts.io_manager_keys,
    )


def _taken(node: NodeDefinition, keys: Mapping[str, AssetKey]) -> Mapping[str, AssetKey]:
    """The assets whose values the inputs take; an op only waits for those of inputs without a value."""
    if isinstance(node, GraphDefinition):
        return keys
    return {name: key for name, key in keys.items() if not node.input_def_named(name).dagster_type.is_nothing}


def _require_no_loose_ends(graph: GraphDefinition, path: str) -> None:
    """Refuses ops that give something which neither another op nor the graph's output takes: they would never count.

    Raises:
        InvalidDefinitionError: there are such.
    """
    taken = {
        (each.node, each.output)
        for inputs in graph.node_dependencies.values()
        for dependency in inputs.values()
        for each in getattr(dependency, "dependencies", [dependency])
        if hasattr(each, "node")
    }
    taken |= {(each.mapped_node_name, each.mapped_node_output_name) for each in graph.output_mappings}
    feeding = {node for node, _ in taken}
    loose = [name for name, use in graph.uses.items() if name not in feeding and use.definition.output_names]
    if loose:
        raise WrongDeclarationError(
            f"The graph {path!r} backs assets, so its leaf nodes must be outputs of the graph, but nothing uses the outputs of "
            f"{', '.join(f'{path}.{name}' for name in loose)}: return them, or pass them to another op."
        )
    for name, use in graph.uses.items():
        if isinstance(use.definition, GraphDefinition):
            _require_no_loose_ends(use.definition, f"{path}.{name}")


def require_op(node: object) -> OpDefinition:
    """The op, if it is one.

    Raises:
        InvalidDefinitionError: something else.
    """
    if not isinstance(node, OpDefinition):
        raise WrongDeclarationError(
            f"AssetsDefinition.from_op: op_def must be an op, got {node!r}; use from_graph for a graph."
        )
    return node


def require_graph(node: object) -> GraphDefinition:
    """The graph, if it is one.

    Raises:
        InvalidDefinitionError: something else.
    """
    if not isinstance(node, GraphDefinition):
        raise WrongDeclarationError(
            f"AssetsDefinition.from_graph: graph_def must be a graph, got {node!r}; use from_op for an op."
        )
    return node
