"""The functions behind a job of assets as a graph: what each of them takes, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from segue.defs.dependency import Dependency, DependencyDefinition, NodeInvocation
from segue.defs.describe import Described
from segue.defs.graph import GraphDefinition
from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.errors import InvalidDefinitionError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import ComputationNode
from segue.model.turns import Turn, entity_of, made_from, take_turns


class AssetJobGraph(GraphDefinition):
    """A graph in which a function stands once for each of its turns."""

    @property
    def node_defs(self) -> Sequence[NodeDefinition]:
        """The function of each node."""
        return [use.definition for use in self.uses.values()]


def graph_of_job(
    described: Described, name: str, assets: Iterable[AssetKey], checks: Iterable[AssetCheckKey]
) -> GraphDefinition:
    """The functions behind these assets and checks, tied together by what they take and what they wait for."""
    graph, asset_keys, check_keys = described.graph, frozenset(assets), frozenset(checks)
    keys = {*asset_keys, *check_keys}
    single = [
        Turn(each.name, each, [output for output in each.outputs if entity_of(output) in keys])
        for each in _computations_of(graph, asset_keys, check_keys)
    ]
    found = _graph_of_turns(described, name, single)
    if found is not None:
        return found
    turns = take_turns(graph, single)
    found = None if turns is None else _graph_of_turns(described, name, turns)
    return found or AssetJobGraph(name, node_defs=[_node_of(described, turn.key) for turn in single])


def _computations_of(
    graph: AssetGraph, assets: Iterable[AssetKey], checks: Iterable[AssetCheckKey]
) -> list[ComputationNode]:
    wanted = {graph.nodes[key].computation for key in assets} | {graph.checks[key].computation for key in checks}
    return [node for name, node in graph.computations.items() if name in wanted]


def _graph_of_turns(described: Described, name: str, turns: Sequence[Turn]) -> GraphDefinition | None:
    """The graph of these turns; None where they wait for each other."""
    made = {output.asset_key: (turn.key, output.name) for turn in turns for output in turn.outputs if output.asset_key}
    dependencies: dict[NodeInvocation, dict[str, Dependency]] = {}
    for turn in turns:
        upstream = {key for output in turn.outputs for key in made_from(described.graph, output)}
        function = turn.computation.name
        taken = {
            input_name: made.get(key)
            for input_name, key in _inputs_of(described, function).items()
            if turn.is_only or key in upstream
        }
        dependencies[NodeInvocation(function, None if turn.number == 1 else turn.key)] = {
            input_name: DependencyDefinition(*source)
            for input_name, source in taken.items()
            if source is not None and source[0] != turn.key
        }
    nodes = [_node_of(described, each) for each in dict.fromkeys(turn.computation.name for turn in turns)]
    try:
        return AssetJobGraph(name, node_defs=nodes, dependencies=dependencies)
    except InvalidDefinitionError:  # functions that wait for each other
        return None


def _inputs_of(described: Described, computation: str) -> dict[str, AssetKey]:
    """The asset behind each input of a function, found by the parameter's name where that is how it was declared."""
    values = {each.name: each.asset_key for each in described.graph.computations[computation].inputs}
    definition = described.definitions[computation]
    found = {definition.keys_by_input[name]: key for name, key in values.items()}
    return {name: found.get(key, key) for name, key in definition.node_keys_by_input_name.items()}


def _node_of(described: Described, computation: str) -> NodeDefinition:
    """The function, with the inputs by which it waits for what it does not take."""
    definition = described.definitions[computation]
    is_op = isinstance(definition.node_def, OpDefinition)
    return definition.op if is_op else cast("NodeDefinition", definition.node_def)  # external assets are not in a job
