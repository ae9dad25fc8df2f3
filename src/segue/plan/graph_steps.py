"""From a graph behind assets to steps of a plan: its ops, and which of their outputs carry assets and checks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from segue.model.keys import AssetKey
from segue.model.manifest import ComputationNode, OutputNode
from segue.model.steps import AnySource, AssetSource, CollectSource, FanInSource, OutputSource, StepNode
from segue.plan.op_planner import step_closure
from segue.plan.plan import PlanStep

Place = tuple[str, str]  # a step, by its path, and one of its outputs


class GraphPart(msgspec.Struct, frozen=True):
    """The part of a graph that one plan needs.

    Attributes:
        computation: the graph.
        steps: the steps to run.
        carried: the asset or check that an output of a step carries.
        attached: checks that no output of the graph carries: the step that makes their asset answers them too, by step.
        is_whole: whether all that the graph can make is asked for.
    """

    computation: ComputationNode
    steps: tuple[StepNode, ...]
    carried: Mapping[Place, OutputNode]
    attached: Mapping[str, tuple[OutputNode, ...]]
    is_whole: bool

    def as_asset(self, source: AnySource) -> Any:
        """The asset that a source is, where it is the output of a step that carries one; the source itself where not."""
        if not isinstance(source, OutputSource):
            return source
        carried = self.carried.get((source.step, source.output))
        return source if carried is None or carried.asset_key is None else AssetSource(carried.asset_key)

    def place(self, output: OutputNode) -> Place:
        """The step that gives an output of the graph, and the name that it has there."""
        for place, each in self.carried.items():
            if each is output:
                return place
        step = next(step for step, outputs in self.attached.items() if output in outputs)
        return step, output.name


def graph_part(computation: ComputationNode, outputs: Sequence[OutputNode], key: str) -> GraphPart:
    """The part of a graph behind assets that makes these outputs.

    Args:
        computation: the graph.
        outputs: what it shall make.
        key: of the turn: what stands in the keys of its steps before the first dot.
    """
    computation = computation if key == computation.name else _under(computation, key)
    places = {each.name: (each.step, each.output) for each in computation.step_outputs}
    carried = {places[output.name]: output for output in outputs if output.name in places}
    makers = {output.asset_key: place[0] for place, output in carried.items() if output.asset_key is not None}
    last = computation.steps[-1].path
    attached: dict[str, list[OutputNode]] = {}
    for output in outputs:
        if output.name not in places:
            maker = last if output.check_asset_key is None else makers.get(output.check_asset_key, last)
            attached.setdefault(maker, []).append(output)
    is_whole = len(outputs) == len(computation.outputs)
    steps = computation.steps
    if not is_whole:
        made = {output.name for output in outputs}
        left_out = {
            places[each.name]: AssetSource(each.asset_key)
            for each in computation.outputs
            if each.asset_key is not None and each.name in places and each.name not in made
        }
        steps = tuple([_loading(node, left_out) for node in steps])
        by_path = {node.path: node for node in steps}
        needed = step_closure(by_path, [*(step for step, _ in carried), *attached])
        steps = tuple([node for node in steps if node.path in needed])
    return GraphPart(computation, steps, carried, {step: tuple(each) for step, each in attached.items()}, is_whole)


def _loading(node: StepNode, left_out: Mapping[Place, AssetSource]) -> StepNode:
    """A step that takes assets of its graph that are not asked for as they were made before."""

    def found(source: Any) -> Any:
        if isinstance(source, FanInSource):
            return FanInSource(tuple([found(one) for one in source.sources]))
        return left_out.get((source.step, source.output), source) if isinstance(source, OutputSource) else source

    inputs = [msgspec.structs.replace(each, source=found(each.source)) for each in node.inputs]
    return msgspec.structs.replace(node, inputs=tuple(inputs))


def _under(computation: ComputationNode, key: str) -> ComputationNode:
    """The graph with another name in front of its steps."""

    def renamed(path: str) -> str:
        return f"{key}.{path.partition('.')[2]}"

    def source(given: Any) -> Any:
        if isinstance(given, FanInSource):
            return FanInSource(tuple([source(one) for one in given.sources]))
        if isinstance(given, (OutputSource, CollectSource)):
            return msgspec.structs.replace(given, step=renamed(given.step))
        return given

    return msgspec.structs.replace(
        computation,
        steps=tuple(
            [
                msgspec.structs.replace(
                    node,
                    path=renamed(node.path),
                    inputs=tuple([msgspec.structs.replace(each, source=source(each.source)) for each in node.inputs]),
                )
                for node in computation.steps
            ]
        ),
        step_outputs=tuple(
            [msgspec.structs.replace(each, step=renamed(each.step)) for each in computation.step_outputs]
        ),
    )


def needed_outputs(part: GraphPart, step: PlanStep) -> set[str]:
    """The outputs that a step shall give: all of them, or those that carry something or that another step takes."""
    names = {output.name for output in step.outputs}
    if part.is_whole:
        return names
    taken = {output for path, output in part.carried if path == step.path}
    for node in part.steps:
        for each in node.inputs:
            source = each.source
            sources = source.sources if isinstance(source, FanInSource) else (source,)
            taken.update(
                one.output
                for one in sources
                if isinstance(one, (OutputSource, CollectSource)) and one.step == step.path
            )
    return taken & names


def taken_assets(node: StepNode) -> list[AssetKey]:
    """The assets whose values a step of a graph takes."""
    found: list[AssetKey] = []
    for each in node.inputs:
        sources = each.source.sources if isinstance(each.source, FanInSource) else (each.source,)
        found.extend(source.asset_key for source in sources if isinstance(source, AssetSource))
    return found
