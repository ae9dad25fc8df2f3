"""From a selection to a plan: which steps, in which order, taking and giving what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime

import msgspec

from segue.errors import CycleError, InvalidSubsetError, UnresolvedSelectionError
from segue.model.concurrency import step_slots
from segue.model.graph import AssetGraph, made_at_once
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetCheckKey, AssetKey
from segue.model.manifest import ComputationNode, OutputNode
from segue.model.ordering import require_acyclic
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_choice import default_mapping, upstream_subset
from segue.model.partitions.subset import PartitionSubset, whole
from segue.model.step_policy import priority_of
from segue.model.steps import AssetSource, FanInSource, OutputSource
from segue.model.tags import EPHEMERAL_JOB_NAME
from segue.model.turns import Turn, made_from, take_turns
from segue.plan.dependency import declared_dependency
from segue.plan.graph_steps import GraphPart, Place, graph_part, needed_outputs, taken_assets
from segue.plan.op_planner import plan_graph_steps
from segue.plan.plan import Plan, PlanStep, StepInput, StepOutput
from segue.plan.run_partitions import run_partitions_definition, run_subset_of


def plan_run(
    graph: AssetGraph,
    asset_keys: Set[AssetKey],
    check_keys: Set[AssetCheckKey],
    *,
    now: datetime,
    job_name: str = EPHEMERAL_JOB_NAME,
    partitions: tuple[str, str] | None = None,
) -> Plan:
    """The plan of one run.

    Args:
        graph: all there is.
        asset_keys: the assets to make.
        check_keys: the checks to run.
        now: the time at which partitions are looked up, with a time zone.
        job_name: the name the run will bear.
        partitions: first and last partition key to make, both inclusive; None without partitions.

    Raises:
        InvalidSubsetError: nothing selected; an asset that cannot be made here; a computation that cannot make only
            the selected part of its outputs; assets that are partitioned in different ways; a missing or superfluous
            partition key.
        UnknownPartitionError: a partition key that the definition does not have.
    """
    selected = _selected_computations(graph, asset_keys, check_keys)
    definition = run_partitions_definition(graph, asset_keys, check_keys, partitions)
    run_subset: PartitionSubset | None = None
    if definition is not None and partitions is not None:
        run_subset = run_subset_of(definition, partitions, now)
    try:
        steps = _Planner(graph, selected, run_subset, definition, now).ordered_steps(sorted(selected))
    except CycleError:
        turns = take_turns(graph, selected.values())
        if turns is None:
            raise
        by_key = {turn.key: turn for turn in turns}
        steps = _Planner(graph, by_key, run_subset, definition, now).ordered_steps(by_key)
    return Plan(
        job_name=job_name,
        steps=steps,
        partition_start=partitions[0] if partitions else None,
        partition_end=partitions[1] if partitions else None,
    )


def _selected_computations(
    graph: AssetGraph, asset_keys: Set[AssetKey], check_keys: Set[AssetCheckKey]
) -> dict[str, Turn]:
    """The computations that the selection needs, each once, with the outputs it shall give."""
    found: dict[str, Turn] = {}
    for made in graph.nodes_of(asset_keys):
        name = made.computation
        if name is None:
            raise InvalidSubsetError(
                f"Asset {made.key.to_user_string()!r} is external and cannot be materialized. Remove it from "
                "the selection."
            )
        if name not in found:
            computation = graph.computations[name]
            found[name] = Turn(name, computation, _selected_outputs(computation, asset_keys, check_keys))
    for check in check_keys:
        node = graph.checks.get(check)
        if node is None:
            raise InvalidSubsetError(f"The check {check.to_user_string()!r} was not found in these definitions.")
        if node.computation not in found:
            computation = graph.computations[node.computation]
            outputs = _selected_outputs(computation, asset_keys, check_keys)
            found[node.computation] = Turn(node.computation, computation, outputs)
    return found


def _selected_outputs(
    computation: ComputationNode, asset_keys: Set[AssetKey], check_keys: Set[AssetCheckKey]
) -> Sequence[OutputNode]:
    if len(computation.outputs) == 1:  # by which the selection came to it
        return computation.outputs
    assets = [output for output in computation.outputs if output.asset_key is not None]
    wanted = [output for output in assets if output.asset_key in asset_keys]
    checks = [output for output in computation.outputs if output.check_name is not None]
    if computation.can_subset:
        return wanted + [output for output in checks if _check_key(output) in check_keys]
    if wanted and len(wanted) < len(assets):
        found = [output.asset_key for output in assets if output.asset_key is not None]
        raise made_at_once(computation.name, [key for key in found if key not in asset_keys])
    left_out = [key for output in checks if (key := _check_key(output)) is not None and key not in check_keys]
    if not assets and left_out:
        shown = ", ".join(key.to_user_string() for key in left_out)
        raise UnresolvedSelectionError(
            f"{computation.name!r} runs all of its checks at once, but the selection omits {shown}. Select "
            "these too, or declare the function with can_subset=True."
        )
    return [*wanted, *checks] if wanted or not assets else assets + checks


def _check_key(output: OutputNode) -> AssetCheckKey | None:
    if output.check_asset_key is None or output.check_name is None:
        return None
    return AssetCheckKey(output.check_asset_key, output.check_name)


class _Planner:
    """What every step of one plan is built from."""

    def __init__(
        self,
        graph: AssetGraph,
        turns: Mapping[str, Turn],
        run_subset: PartitionSubset | None,
        definition: PartitionsDefinition | None,
        now: datetime,
    ) -> None:
        self.graph = graph
        self.turns = turns
        self.run_subset = run_subset
        self.definition = definition
        self.now = now
        self.parts: dict[str, GraphPart] = {}
        self.made: dict[AssetKey, Place] = {}
        self.turn_of: dict[str, str] = {}  # the turn of a step of a graph; any other step is a turn
        self.blocking: dict[AssetKey, list[tuple[str, str]]] = {}  # by asset: the computation of a check, and its step
        for name, turn in self.turns.items():
            part = graph_part(turn.computation, turn.outputs, name) if turn.computation.steps else None
            if part is not None:
                self.parts[name] = part
            for output in turn.outputs:
                place = (name, output.name) if part is None else part.place(output)
                if output.asset_key is not None:
                    self.made[output.asset_key] = place
                    if part is not None:
                        self.turn_of[place[0]] = name
                elif (key := _check_key(output)) is not None and graph.checks[key].blocking:
                    self.blocking.setdefault(key.asset_key, []).append((name, place[0]))

    def ordered_steps(self, order: Iterable[str]) -> tuple[PlanStep, ...]:
        """All steps, each after those it waits for.

        Args:
            order: the turns, in the order of those that could start together.

        Raises:
            CycleError: they wait for each other.
        """
        if self.parts:
            by_turn = {name: self._steps(turn) for name, turn in self.turns.items()}
            steps = {step.key: step for name in order for step in by_turn[name]}
            edges = {key: step.depends_on for key, step in steps.items()}
        else:  # looked at as they lie in memory: in another order they are far apart, which costs much with many
            steps: dict[str, PlanStep] = {}
            waits: dict[str, Sequence[str]] = {}
            for name, turn in self.turns.items():
                steps[name] = step = self._step(turn)
                waits[name] = step.depends_on
            edges = {name: waits[name] for name in order}
        return tuple([steps[name] for name in require_acyclic(edges)])

    def _steps(self, turn: Turn) -> list[PlanStep]:
        """The steps of one turn of a computation: one, or those of the graph behind its assets."""
        part = self.parts.get(turn.key)
        return [self._step(turn)] if part is None else self._graph_steps(turn, part)

    def _step(self, turn: Turn) -> PlanStep:
        computation = turn.computation
        depends_on, needs = self._waits(turn, self._upstream_keys(turn))
        slots = step_slots(computation.pool, computation.tags, computation.step_policy, turn.key)
        return PlanStep(
            key=turn.key,
            computation=computation.name,
            inputs=tuple(
                [self._input(turn, node.name, node.asset_key, node.io_manager_key) for node in computation.inputs]
            ),
            outputs=tuple([self._output(output) for output in turn.outputs]),
            depends_on=tuple(sorted(depends_on)),
            needs=tuple(sorted(needs)),
            retry_policy=computation.retry_policy,
            turn=turn.number,
            pool=slots.pool,
            pool_weight=slots.weight,
            priority=priority_of(computation.step_policy, slots.priority),
            policy=computation.step_policy,
        )

    def _graph_steps(self, turn: Turn, part: GraphPart) -> list[PlanStep]:
        taken = {node.path: taken_assets(node) for node in part.steps}
        every = {key for keys in taken.values() for key in keys}
        upstream = self._upstream_keys(turn)
        others = [key for key in upstream if key not in every]
        found: list[PlanStep] = []
        for step in plan_graph_steps(self.graph, part.steps):
            keys = taken[step.path] if step.depends_on else [*taken[step.path], *others]
            waits, needs = self._waits(turn, keys if turn.is_only else [key for key in keys if key in upstream])
            found.append(
                msgspec.structs.replace(
                    step,
                    inputs=tuple([self._graph_input(turn, part, each) for each in step.inputs]),
                    outputs=tuple(self._graph_outputs(part, step)),
                    depends_on=tuple(dict.fromkeys([*step.depends_on, *sorted(waits)])),
                    needs=tuple(dict.fromkeys([*step.needs, *sorted(needs)])),
                    graph=turn.computation.name,
                    turn=turn.number,
                    is_part=not part.is_whole,
                )
            )
        return found

    def _graph_input(self, turn: Turn, part: GraphPart, each: StepInput) -> StepInput:
        """An input of a step of a graph; what another step gave as an asset is loaded as that asset."""
        if each.asset_key is not None:
            found = self._input(turn, each.name, each.asset_key, each.io_manager_key)
            return msgspec.structs.replace(found, has_value=each.has_value)
        source = each.source
        if isinstance(source, FanInSource):
            parts = tuple([part.as_asset(one) for one in source.sources])
            return msgspec.structs.replace(each, source=FanInSource(parts), partitions=self.run_subset)
        asset = None if source is None else part.as_asset(source)
        if not isinstance(asset, AssetSource) or not isinstance(source, OutputSource):
            return each
        node = self.graph.nodes[asset.asset_key]
        return StepInput(
            name=each.name,
            asset_key=asset.asset_key,
            io_manager_key=each.io_manager_key or node.io_manager_key,
            upstream_step=source.step,
            upstream_output=source.output,
            partitions=None if node.partitions is None else self.run_subset,
            has_value=each.has_value,
        )

    def _graph_outputs(self, part: GraphPart, step: PlanStep) -> list[StepOutput]:
        wanted = needed_outputs(part, step)
        found: list[StepOutput] = []
        for each in step.outputs:
            carried = part.carried.get((step.path, each.name))
            if carried is not None:
                found.append(
                    msgspec.structs.replace(
                        self._output(carried), name=each.name, is_required=each.is_required, is_dynamic=each.is_dynamic
                    )
                )
            elif each.name in wanted:
                found.append(each)
        return [*found, *(self._output(output) for output in part.attached.get(step.path, ()))]

    def _input(self, turn: Turn, name: str, asset_key: AssetKey, io_manager_key: str | None) -> StepInput:
        step, output = self.made.get(asset_key, (None, None))
        if step is not None and self._is_of(step, turn):  # an asset that reads its own earlier partitions
            step, output = None, None
        elif not turn.is_only and all(asset_key not in made_from(self.graph, each) for each in turn.outputs):
            step, output = None, None  # another turn takes what this run makes of it: here it is what was there before
        upstream = self.graph.nodes.get(asset_key)
        return StepInput(
            name=name,
            asset_key=asset_key,
            io_manager_key=io_manager_key or (upstream.io_manager_key if upstream else DEFAULT_IO_MANAGER_KEY),
            upstream_step=step,
            upstream_output=output,
            partitions=None
            if upstream is None
            else self._input_partitions(turn.computation, asset_key, upstream.partitions, step is not None),
        )

    def _input_partitions(
        self, computation: ComputationNode, asset_key: AssetKey, upstream: PartitionsDefinition | None, is_made: bool
    ) -> PartitionSubset | None:
        if upstream is None:
            return None
        made = [output.asset_key for output in computation.outputs if output.asset_key is not None]
        mapping, downstream = declared_dependency(self.graph, made, asset_key)
        is_check = not made
        check = _check_key(computation.outputs[0]) if is_check else None
        own = downstream if check is None else self.graph.checks[check].partitions
        if self.run_subset is None and own is not None:
            raise InvalidSubsetError(
                f"{computation.name!r} is partitioned, and so is its upstream asset "
                f"{asset_key.to_user_string()!r}: specify a partition key (partition_key=...)."
            )
        if self.run_subset is None and is_made:  # made without a partition, and taken so
            return None
        if is_check:
            deps = () if check is None else self.graph.checks[check].deps
            mapping = next((dep.mapping for dep in deps if dep.key == asset_key), None)
            downstream = self.definition
        if (
            is_check and mapping is None
        ):  # it looks at what its run makes, or at everything where that has no partitions
            return (
                self.run_subset
                if self.run_subset is not None and upstream == self.definition
                else whole(upstream, self.now)
            )
        mapping = mapping or default_mapping(upstream, downstream)
        return upstream_subset(mapping, None if downstream is None else self.run_subset, downstream, upstream, self.now)

    def _output(self, output: OutputNode) -> StepOutput:
        check = _check_key(output)
        if check is not None:
            return StepOutput(
                name=output.name,
                io_manager_key="",
                check_asset_key=check.asset_key,
                check_name=check.name,
                is_required=output.is_required,
                is_partitioned=self.run_subset is not None and self.graph.checks[check].partitions == self.definition,
                blocking=self.graph.checks[check].blocking,
            )
        assert output.asset_key is not None  # an output carries an asset or a check
        node = self.graph.nodes[output.asset_key]
        return StepOutput(
            name=output.name,
            io_manager_key=node.io_manager_key,
            asset_key=output.asset_key,
            is_required=output.is_required,
            is_partitioned=node.partitions is not None and self.run_subset is not None,
            is_observed=node.is_observable,
        )

    def _upstream_keys(self, turn: Turn) -> Sequence[AssetKey]:
        """The assets that a turn takes: those of all inputs, where the function has no other turn."""
        inputs = turn.computation.inputs if turn.is_only else ()
        if not inputs and len(turn.outputs) == 1:
            return made_from(self.graph, turn.outputs[0])
        upstream = dict.fromkeys([node.asset_key for node in inputs])
        for output in turn.outputs:
            upstream.update(dict.fromkeys(made_from(self.graph, output)))
        return list(upstream)

    def _waits(self, turn: Turn, keys: Iterable[AssetKey]) -> tuple[set[str], set[Place]]:
        """The steps that a step of a computation waits for because of assets, and their outputs it cannot do without."""
        needs = {place for key in keys if (place := self.made.get(key)) is not None and not self._is_of(place[0], turn)}
        steps = {step for step, _ in needs}
        # Only what would make something of a bad asset waits for its blocking checks.
        if self.blocking and any(output.asset_key is not None for output in turn.outputs):
            for key in keys:
                steps.update(step for owner, step in self.blocking.get(key, ()) if owner != turn.key)
        return steps, needs

    def _is_of(self, step: str, turn: Turn) -> bool:
        return (self.turn_of.get(step, step) if self.turn_of else step) == turn.key
