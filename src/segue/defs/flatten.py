"""From graphs in graphs to a list of steps, each with its path, its op, and where its inputs come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from segue.defs.dependency import (
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    InputMapping,
    MultiDependencyDefinition,
)
from segue.defs.graph import GraphDefinition
from segue.defs.graph_checks import after_two_dynamic_outputs
from segue.defs.io_marks import is_nothing
from segue.defs.node import NodeDefinition, NodeUse
from segue.defs.op import OpDefinition
from segue.defs.trigger_inputs import require_defaults
from segue.errors import InvalidDefinitionError
from segue.model.asset_deps import coerce_asset_key
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy
from segue.model.steps import (
    AnySource,
    AssetSource,
    CollectSource,
    FanInSource,
    GraphInputSource,
    GraphOutputNode,
    OutputSource,
    OwnSource,
    StepInputNode,
    StepNode,
)


class Flat(msgspec.Struct, frozen=True):
    """The steps of a graph.

    Attributes:
        steps: each after what it depends on.
        ops: the op behind each step, by path.
        hooks: the hooks of each step that has some, by path.
        outputs: the step output that each output of the graph is.
    """

    steps: tuple[StepNode, ...]
    ops: Mapping[str, OpDefinition]
    hooks: Mapping[str, frozenset[Any]]
    outputs: tuple[GraphOutputNode, ...]


def flatten(
    graph: GraphDefinition,
    inputs: Mapping[str, AnySource] | None = None,
    *,
    prefix: str = "",
    hooks: frozenset[Any] = frozenset(),
    retry_policy: RetryPolicy | None = None,
    step_policy: StepPolicy | None = None,
) -> Flat:
    """The steps of a graph.

    Args:
        graph: the graph, with graphs in it.
        inputs: where its own inputs come from; from the run when None.
        prefix: the path of the graph, with a dot behind; empty for that of a job.
        hooks: hooks of all steps.
        retry_policy, step_policy: for steps that name none themselves.

    Raises:
        InvalidDefinitionError: a list in a list, or a step after two dynamic outputs.
    """
    sources = {name: GraphInputSource(name) for name in graph.input_names} if inputs is None else inputs
    walk = _Walk(retry_policy, step_policy)
    walk.graph(graph, prefix, sources, hooks)
    _check_dynamic(walk)
    outputs = [
        GraphOutputNode(each.graph_output_name, *step_output(graph, prefix, each.graph_output_name))
        for each in graph.output_mappings
    ]
    return Flat(tuple(walk.steps), walk.ops, walk.hooks, tuple(outputs))


def step_output(graph: GraphDefinition, prefix: str, output_name: str) -> tuple[str, str]:
    """The path and output of the step whose output an output of a graph is."""
    mapping = next(each for each in graph.output_mappings if each.graph_output_name == output_name)
    return _node_output(graph, prefix, mapping.mapped_node_name, mapping.mapped_node_output_name)


def _node_output(graph: GraphDefinition, prefix: str, node: str, output: str) -> tuple[str, str]:
    definition = graph.uses[node].definition
    if isinstance(definition, GraphDefinition):
        return step_output(definition, f"{prefix}{node}.", output)
    return f"{prefix}{node}", output


class _Walk:
    """Goes through a graph and the graphs in it, and gathers steps."""

    def __init__(self, retry_policy: RetryPolicy | None, step_policy: StepPolicy | None) -> None:
        self.retry_policy = retry_policy
        self.step_policy = step_policy
        self.steps: list[StepNode] = []
        self.ops: dict[str, OpDefinition] = {}
        self.hooks: dict[str, frozenset[Any]] = {}

    def graph(
        self, graph: GraphDefinition, prefix: str, inputs: Mapping[str, AnySource], hooks: frozenset[Any]
    ) -> None:
        """Gathers the steps of one graph."""
        mappings: dict[tuple[str, str], list[InputMapping]] = {}
        for mapping in graph.input_mappings:
            mappings.setdefault((mapping.mapped_node_name, mapping.mapped_node_input_name), []).append(mapping)
        for use in graph.nodes_in_topological_order:
            sources = {
                name: self._source(graph, prefix, use.name, name, mappings.get((use.name, name), ()), inputs)
                for name in use.definition.input_names
            }
            path = f"{prefix}{use.name}"
            own_hooks = hooks | use.hook_defs
            if isinstance(use.definition, GraphDefinition):
                for name, source in sources.items():
                    if isinstance(source, OwnSource):
                        sources[name] = GraphInputSource(name, path)
                self.graph(use.definition, f"{path}.", sources, own_hooks)
            else:
                self._step(use, path, sources, own_hooks)

    def _step(self, use: NodeUse, path: str, sources: Mapping[str, AnySource], hooks: frozenset[Any]) -> None:
        op = cast("OpDefinition", use.definition)
        inputs: list[StepInputNode] = []
        for name, source in sources.items():
            given = op.ins[name]
            inputs.append(
                StepInputNode(
                    name,
                    source,
                    io_manager_key=given.input_manager_key,
                    has_value=not is_nothing(given.dagster_type),
                    has_default=given.has_default_value,
                )
            )
        self.ops[path] = op
        policy = use.step_policy or op.step_policy or self.step_policy
        single = [
            each.name for each in inputs if each.has_value and isinstance(each.source, (OutputSource, AssetSource))
        ]
        require_defaults(op, policy, single, f"the step {path!r}")
        if hooks:
            self.hooks[path] = hooks
        self.steps.append(
            StepNode(
                path=path,
                computation=op.name,
                inputs=tuple(inputs),
                tags=dict(use.tags),
                retry_policy=use.retry_policy or op.retry_policy or self.retry_policy,
                step_policy=policy,
                hooks=tuple(sorted(str(getattr(each, "name", each)) for each in hooks)),
            )
        )

    def _source(
        self,
        graph: GraphDefinition,
        prefix: str,
        node: str,
        input_name: str,
        mappings: Sequence[InputMapping],
        inputs: Mapping[str, AnySource],
    ) -> AnySource:
        """Where the input of a node comes from."""
        dependency = graph.node_dependencies.get(node, {}).get(input_name)
        if isinstance(dependency, DependencyDefinition):
            return OutputSource(*_node_output(graph, prefix, dependency.node, dependency.output))
        if isinstance(dependency, DynamicCollectDependencyDefinition):
            return CollectSource(*_node_output(graph, prefix, dependency.node, dependency.output))
        if dependency is not None or any(each.fan_in_index is not None for each in mappings):
            return self._fan_in(graph, prefix, f"{prefix}{node}:{input_name}", dependency, mappings, inputs)
        asset = graph.input_assets.get(node, {}).get(input_name)
        if asset is not None:
            return AssetSource(coerce_asset_key(asset))
        return inputs[mappings[0].graph_input_name] if mappings else OwnSource()

    def _fan_in(
        self,
        graph: GraphDefinition,
        prefix: str,
        where: str,
        dependency: Dependency | None,
        mappings: Sequence[InputMapping],
        inputs: Mapping[str, AnySource],
    ) -> FanInSource:
        by_index = {each.fan_in_index: inputs[each.graph_input_name] for each in mappings}
        elements = dependency.dependencies if isinstance(dependency, MultiDependencyDefinition) else []
        found: list[OutputSource | AssetSource | GraphInputSource] = []
        for index, each in enumerate(elements):
            source = (
                OutputSource(*_node_output(graph, prefix, each.node, each.output))
                if isinstance(each, DependencyDefinition)
                else by_index.get(index)
            )
            if not isinstance(source, (OutputSource, AssetSource, GraphInputSource)):
                raise InvalidDefinitionError(
                    f"{where}: element {index} of its list is a list itself or is not connected: connect it to "
                    "a single output."
                )
            found.append(source)
        return FanInSource(tuple(found))


def _check_dynamic(walk: _Walk) -> None:
    """Refuses a step that would run once for each value of one dynamic output for each value of another."""
    origins: dict[str, OutputSource] = {}
    for step in walk.steps:
        for each in step.inputs:
            if not isinstance(each.source, OutputSource):
                continue
            source = OutputSource(each.source.step, each.source.output)
            inner = origins.get(source.step)
            is_origin = walk.ops[source.step].is_dynamic(source.output)
            origin = source if is_origin else inner
            if origin is None:
                continue
            first = inner if is_origin and inner is not None else origins.setdefault(step.path, origin)
            if first != origin:
                places = (f"{first.step}:{first.output}", f"{origin.step}:{origin.output}")
                raise after_two_dynamic_outputs(repr(step.path), *places)


def all_definitions(graph: GraphDefinition) -> dict[str, NodeDefinition]:
    """The ops and graphs that a graph is made of, by name, those inside of graphs included."""
    found: dict[str, NodeDefinition] = {}
    for definition in graph.node_defs:
        found[definition.name] = definition
        if isinstance(definition, GraphDefinition):
            found.update(all_definitions(definition))
    return found
