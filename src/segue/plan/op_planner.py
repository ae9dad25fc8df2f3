"""From the steps of a graph to steps of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from segue.errors import InvalidSubsetError
from segue.model.concurrency import step_slots
from segue.model.graph import AssetGraph
from segue.model.keys import DEFAULT_IO_MANAGER_KEY
from segue.model.manifest import ComputationNode, JobNode, OutputNode
from segue.model.ordering import require_acyclic
from segue.model.step_policy import priority_of
from segue.model.steps import (
    AnySource,
    AssetSource,
    CollectSource,
    FanInSource,
    OutputSource,
    OwnSource,
    StepInputNode,
    StepNode,
)
from segue.plan.dynamic import TEMPLATE
from segue.plan.plan import Plan, PlanStep, StepInput, StepOutput


def plan_job(
    graph: AssetGraph, job: JobNode, *, selection: Set[str] | None = None, partition: str | None = None
) -> Plan:
    """The plan of one run of a job of ops.

    Args:
        graph: all there is.
        job: the job.
        selection: the paths of the steps to run; all when None.
        partition: the partition of the run.

    Raises:
        InvalidSubsetError: nothing selected.
    """
    chosen = [step for step in job.steps if selection is None or step.path in selection]
    if not chosen and job.steps:
        raise InvalidSubsetError(f"The selection matches no steps of the job {job.name!r}.")
    steps = plan_graph_steps(graph, _by_start(chosen))
    return Plan(job_name=job.name, steps=tuple(steps), partition_start=partition, partition_end=partition)


def _by_start(steps: Iterable[StepNode]) -> list[StepNode]:
    """The steps in the order in which they can start, one after the other; those that could start together by path."""
    by_path = {step.path: step for step in sorted(steps, key=lambda step: step.path)}
    return [by_path[path] for path in require_acyclic({path: upstream_paths(by_path[path]) for path in by_path})]


def plan_graph_steps(graph: AssetGraph, chosen: Sequence[StepNode]) -> list[PlanStep]:
    """The steps of a plan for steps of a graph, in the same order.

    An input that takes the output of a step that is not among them is taken as tied to nothing.
    """
    planner = _GraphPlanner(graph, chosen)
    return [planner.step(node) for node in chosen]


class _GraphPlanner:
    def __init__(self, graph: AssetGraph, chosen: Iterable[StepNode]) -> None:
        self.graph = graph
        self.computations: dict[str, ComputationNode] = {}
        self.origins: dict[str, tuple[str, str]] = {}
        for node in chosen:
            self.computations[node.path] = graph.computations[node.computation]
            for each in node.inputs:
                origin = self._origin(each.source)
                if origin is not None:
                    self.origins[node.path] = origin

    def _origin(self, source: AnySource) -> tuple[str, str] | None:
        if not isinstance(source, OutputSource) or source.step not in self.computations:
            return None
        if self._output(source.step, source.output).is_dynamic:
            return self.key(source.step), source.output
        return self.origins.get(source.step)

    def key(self, path: str) -> str:
        """The key of a step in the plan."""
        return path + TEMPLATE if path in self.origins else path

    def step(self, node: StepNode) -> PlanStep:
        """One step of the plan."""
        computation = self.computations[node.path]
        inputs = [self._input(each) for each in node.inputs]
        sources = [each.source for each in inputs if each.source is not None]
        singles = [each for each in sources if isinstance(each, OutputSource)]
        lists = [each for each in sources if isinstance(each, (FanInSource, CollectSource))]
        groups = [outputs_of(each) for each in lists]
        waits = [(each.step, each.output) for each in singles] + [each for group in groups for each in group]
        slots = step_slots(computation.pool, node.tags, node.step_policy, node.path)
        return PlanStep(
            key=self.key(node.path),
            computation=node.computation,
            inputs=tuple(inputs),
            outputs=tuple(
                [
                    StepOutput(
                        name=each.name,
                        io_manager_key=each.io_manager_key,
                        is_required=each.is_required,
                        is_dynamic=each.is_dynamic,
                    )
                    for each in computation.outputs
                ]
            ),
            depends_on=tuple(dict.fromkeys(step for step, _ in waits)),
            needs=tuple(dict.fromkeys((each.step, each.output) for each in singles)),
            retry_policy=node.retry_policy,
            needs_any=tuple(group for group in groups if group),
            origin=self.origins.get(node.path),
            pool=slots.pool,
            pool_weight=slots.weight,
            priority=priority_of(node.step_policy, slots.priority),
            policy=node.step_policy,
        )

    def _input(self, node: StepInputNode) -> StepInput:
        if isinstance(node.source, AssetSource):
            asset = self.graph.nodes.get(node.source.asset_key)
            named = node.io_manager_key or node.source.io_manager_key
            manager = named or (DEFAULT_IO_MANAGER_KEY if asset is None else asset.io_manager_key)
            return StepInput(
                name=node.name, asset_key=node.source.asset_key, io_manager_key=manager, has_value=node.has_value
            )
        return StepInput(
            name=node.name,
            asset_key=None,
            io_manager_key=node.io_manager_key or "",
            source=self._source(node.source, node.io_manager_key),
            has_value=node.has_value,
            has_default=node.has_default,
        )

    def _source(self, source: AnySource, io_manager_key: str | None) -> AnySource:
        """The source with keys of the plan and the IO managers that load from it."""
        if isinstance(source, (OutputSource, CollectSource)):
            if source.step not in self.computations:
                return OwnSource()
            manager = io_manager_key or self._output(source.step, source.output).io_manager_key
            return msgspec.structs.replace(source, step=self.key(source.step), io_manager_key=manager)
        if isinstance(source, FanInSource):
            found = [self._source(each, io_manager_key) for each in source.sources]
            if any(isinstance(each, OwnSource) for each in found):
                found = [each for each in found if not isinstance(each, OwnSource)]
            return FanInSource(tuple(found))
        return source

    def _output(self, path: str, name: str) -> OutputNode:
        return next(each for each in self.computations[path].outputs if each.name == name)


def outputs_of(source: AnySource) -> tuple[tuple[str, str], ...]:
    """The outputs (step, output) that a list is made of."""
    if isinstance(source, FanInSource):
        return tuple((each.step, each.output) for each in source.sources if isinstance(each, OutputSource))
    return ((source.step, source.output),) if isinstance(source, CollectSource) else ()


def managers_of(step: PlanStep) -> set[str]:
    """The IO managers that a step loads from and stores with."""
    keys = {output.io_manager_key for output in step.outputs if output.check_name is None}
    for each in step.inputs:
        if each.io_manager_key:
            keys.add(each.io_manager_key)
        source = each.source
        if source is None:
            continue
        if isinstance(source, (OutputSource, CollectSource)):
            keys.add(source.io_manager_key)
        elif isinstance(source, FanInSource):
            keys.update(part.io_manager_key for part in source.sources if isinstance(part, OutputSource))
    return keys


def step_closure(steps: Mapping[str, StepNode], wanted: Iterable[str]) -> set[str]:
    """The paths of these steps and of all that they depend on."""
    found: set[str] = set()
    open_paths = list(wanted)
    while open_paths:
        path = open_paths.pop()
        if path in found or path not in steps:
            continue
        found.add(path)
        open_paths.extend(upstream_paths(steps[path]))
    return found


def upstream_paths(node: StepNode) -> list[str]:
    """The paths of the steps whose outputs a step takes."""
    found: list[str] = []
    for each in node.inputs:
        if isinstance(each.source, (OutputSource, CollectSource)):
            found.append(each.source.step)
        else:
            found.extend(step for step, _ in outputs_of(each.source))
    return found
