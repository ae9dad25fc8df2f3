"""What stands behind an op or graph: its ops, and the op output that an output of a graph is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segue.defs.graph import GraphDefinition
from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.model.assets import AssetSpec
from segue.model.keys import DEFAULT_IO_MANAGER_KEY
from segue.model.source_location import SourceLocation


def origin_output(node: NodeDefinition, output: str) -> str:
    """The name that an output of a graph has at the op it comes from; the same for an op."""
    while isinstance(node, GraphDefinition):
        mapping = next(each for each in node.output_mappings if each.graph_output_name == output)
        node, output = node.uses[mapping.mapped_node_name].definition, mapping.mapped_node_output_name
    return output


def ops_of(node: NodeDefinition | None) -> list[OpDefinition]:
    """The ops in an op or graph, each once."""
    if isinstance(node, OpDefinition):
        return [node]
    if not isinstance(node, GraphDefinition):
        return []
    return list({id(op): op for inner in node.node_defs for op in ops_of(inner)}.values())


def inner_hooks(node: NodeDefinition | None) -> frozenset[Any]:
    """The hooks of the ops and graphs in a graph."""
    if not isinstance(node, GraphDefinition):
        return frozenset()
    found = [use.hook_defs | inner_hooks(use.definition) for use in node.nodes]
    return frozenset[Any]().union(*found)


def hooks_on_path(node: NodeDefinition | None, names: Iterable[str]) -> frozenset[Any]:
    """The hooks of one step of a graph: of its use, and of the uses of the graphs around it.

    Args:
        node: the graph; an op has none.
        names: the uses on the way to the step, from the outside in.
    """
    found: frozenset[Any] = frozenset()
    for name in names:
        if not isinstance(node, GraphDefinition):
            break
        use = node.uses[name]
        found |= use.hook_defs
        node = use.definition
    return found


def inner_op(node: NodeDefinition, output: str) -> OpDefinition | None:
    """The op whose output an output of an op or graph is."""
    while isinstance(node, GraphDefinition):
        mapping = next(each for each in node.output_mappings if each.graph_output_name == output)
        node, output = node.uses[mapping.mapped_node_name].definition, mapping.mapped_node_output_name
    return node if isinstance(node, OpDefinition) else None


def source_of(node: NodeDefinition | None) -> SourceLocation:
    """Where an op or graph stands in the user's files."""
    code = getattr(getattr(node, "composition_fn", None), "__code__", None)
    if code is not None:
        return SourceLocation(code.co_filename, code.co_firstlineno)
    ops = ops_of(node)
    return ops[0].shape.source if ops else SourceLocation("?", 0)


def managers_in(node: NodeDefinition, outputs: Iterable[str]) -> dict[str, str]:
    """The resources that ops name for the outputs that carry assets, where it is not the default."""
    found: dict[str, str] = {}
    for output in outputs:
        op = inner_op(node, output)
        named = DEFAULT_IO_MANAGER_KEY if op is None else op.outs[origin_output(node, output)].io_manager_key
        if named != DEFAULT_IO_MANAGER_KEY:
            found[output] = named
    return found


def with_metadata_of_ops(node: NodeDefinition, specs: Mapping[str, AssetSpec]) -> dict[str, AssetSpec]:
    """The specs by output, with the metadata that ops declare for these outputs; what a spec says of its own goes before it."""
    found: dict[str, AssetSpec] = {}
    for output, spec in specs.items():
        op = inner_op(node, output)
        declared = None if op is None else op.outs[origin_output(node, output)].metadata
        found[output] = spec.replace_attributes(metadata={**declared, **spec.metadata}) if declared else spec
    return found
