"""A part of a graph: what is left of it when only some of its steps are run."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec

from segue.defs.composition import Composed
from segue.defs.dependency import (
    Dependency,
    DependencyDefinition,
    InputMapping,
    MultiDependencyDefinition,
    OutputMapping,
)
from segue.defs.graph import GraphDefinition


def graph_subset(graph: GraphDefinition, paths: Set[str]) -> GraphDefinition:
    """The graph without the steps that are not selected; graphs in it are cut in the same way.

    Args:
        graph: the whole.
        paths: the selected steps, as the path of each in this graph.
    """
    kept = {name: _kept_node(each.definition, _below(paths, name)) for name, each in graph.uses.items()}
    uses = [
        msgspec.structs.replace(graph.uses[name], definition=definition)
        for name, definition in kept.items()
        if definition is not None
    ]
    names = {use.name for use in uses}
    dependencies: dict[str, dict[str, Dependency]] = {
        name: {key: cut for key, each in inputs.items() if (cut := _kept_dependency(each, kept)) is not None}
        for name, inputs in graph.node_dependencies.items()
        if name in names
    }
    input_mappings = [each for each in graph.input_mappings if _is_kept_input(each, kept)]
    taken = {each.graph_input_name for each in input_mappings}
    assets = {name: dict(each) for name, each in graph.input_assets.items() if name in names}
    return GraphDefinition.composed(
        graph.name,
        Composed(uses, dependencies, input_mappings, assets, returned=None),
        [each for each in graph.output_mappings if _is_kept_output(each, kept)],
        input_names=[name for name in graph.input_names if name in taken],
        description=graph.description,
        config=graph.config,
        tags=graph.tags,
        composition_fn=graph.composition_fn,
    )


def _below(paths: Set[str], name: str) -> set[str]:
    """The paths of one node, as it sees them; its own is empty."""
    return {each[len(name) + 1 :] for each in paths if each == name or each.startswith(f"{name}.")}


def _kept_node(definition: Any, paths: Set[str]) -> Any:
    """What is left of an op or graph; None where nothing is."""
    if not paths:
        return None
    if not isinstance(definition, GraphDefinition) or len(paths) == len(_steps(definition)):
        return definition
    return graph_subset(definition, paths)


def _steps(graph: GraphDefinition) -> list[str]:
    """The names of the ops in a graph, those of graphs in it included, each use once."""
    found: list[str] = []
    for use in graph.nodes:
        found += _steps(use.definition) if isinstance(use.definition, GraphDefinition) else [use.name]
    return found


def _gives(kept: Mapping[str, Any], node: str, output: str) -> bool:
    return kept[node] is not None and kept[node].has_output(output)


def _kept_dependency(dependency: Dependency, kept: Mapping[str, Any]) -> Dependency | None:
    """What an input still takes; None where all that it took is gone."""
    if not isinstance(dependency, MultiDependencyDefinition):
        return dependency if _gives(kept, dependency.node, dependency.output) else None
    left = [
        each
        for each in dependency.dependencies
        if not isinstance(each, DependencyDefinition) or _gives(kept, each.node, each.output)
    ]
    return MultiDependencyDefinition(left) if left else None


def _is_kept_input(mapping: InputMapping, kept: Mapping[str, Any]) -> bool:
    node = kept[mapping.mapped_node_name]
    return node is not None and node.has_input(mapping.mapped_node_input_name)


def _is_kept_output(mapping: OutputMapping, kept: Mapping[str, Any]) -> bool:
    return _gives(kept, mapping.mapped_node_name, mapping.mapped_node_output_name)
