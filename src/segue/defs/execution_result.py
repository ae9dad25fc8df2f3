"""What a run in this process leaves: its record, its events, and the values it made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from segue.defs.flatten import step_output
from segue.defs.graph import GraphDefinition
from segue.defs.job_definition import JobDefinition
from segue.errors import InvariantViolationError, StepOutputNotFoundError
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import (
    AssetCheckEvaluationData,
    AssetMaterializationPlannedData,
    AssetObservationData,
    Event,
    EventType,
    LogMessageData,
    StepExpectationResultData,
    StepFailureData,
    StepMaterializationData,
)
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation, ExpectationResult
from segue.model.run import Run

_MAPPING_KEY = re.compile(r"\[[^\]]*\]")


class ExecutionResult:
    """How a run went. What runs give is one of its kinds: `ExecuteInProcessResult`, `JobExecutionResult`.

    Attributes:
        run: the run as it ended.
        all_events: what happened, in order, without what was logged.
        all_logs: the same with the lines that were logged.
    """

    def __init__(
        self,
        run: Run,
        events: Sequence[Event],
        values: Mapping[tuple[str, str], object],
        graph: AssetGraph,
        job: JobDefinition | None = None,
        made_job: Callable[[], JobDefinition] | None = None,
    ) -> None:
        self.run = run
        self._job = job
        self._made_job = made_job  # of a run of assets without a job: few ask for it, and it takes time to make
        self.all_logs: Sequence[Event] = events
        self.all_events: Sequence[Event] = [each for each in events if not isinstance(each.payload, LogMessageData)]
        self._values = values
        self._graph = graph

    @property
    def dagster_run(self) -> Run:
        """The same as `run`."""
        return self.run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.run_id

    @property
    def success(self) -> bool:
        """Whether it ended well."""
        return self.run.is_success

    @property
    def all_node_events(self) -> Sequence[Event]:
        """What happened in steps: without log lines, and without what is about a step from outside (its hooks, say)."""
        return [event for event in self.all_events if event.is_step_event]

    @cached_property
    def job_def(self) -> JobDefinition:
        """The job; for a run of assets without one, a job of those assets.

        Raises:
            InvariantViolationError: the run is known by its record only, which names assets and no job.
        """
        if self._job is not None:
            return self._job
        if self._made_job is None:
            raise InvariantViolationError("This run materialized assets and has no job; see run.job_name.")
        return self._made_job()

    def output_value(self, output_name: str = "result") -> Any:
        """The value of an output of the job's graph.

        Raises:
            InvariantViolationError: the graph has no such output.
            StepOutputNotFoundError: it was not given.
        """
        graph = self.job_def.graph
        if output_name not in graph.output_names:
            raise InvariantViolationError(
                f"{graph!r} has no output {output_name!r}; available: {', '.join(graph.output_names) or 'none'}."
            )
        return self._value(*step_output(graph, "", output_name))

    def output_for_node(self, node_str: str, output_name: str = "result") -> Any:
        """The value that a step, or a graph in the job (by its path), gave for an output; a dict by mapping key for a
        dynamic output, and for a step that ran once for each value of one.

        Raises:
            StepOutputNotFoundError: it gave none.
        """
        graph = None if self._job is None else _graph_at(self._job.graph, node_str)
        if graph is not None and output_name in graph.output_names:
            return self._value(*step_output(graph, f"{node_str}.", output_name))
        self._require_output(node_str, output_name)
        return self._value(*self._place(node_str, output_name))

    def _require_output(self, node: str, output_name: str) -> None:
        """Refuses a name that nothing in the run bears, as apart from an output that was not given."""
        declared = self._declared_outputs()
        names = declared.get(_MAPPING_KEY.sub("", node))
        if names is None:
            known = ", ".join(sorted(declared)) or "none"
            raise InvariantViolationError(f"The job {self.run.job_name!r} has no step {node!r}; available: {known}.")
        if output_name not in names:
            raise InvariantViolationError(
                f"The step {node!r} has no output {output_name!r}; available: {', '.join(names) or 'none'}."
            )

    def _declared_outputs(self) -> dict[str, list[str]]:
        """The names of the outputs of each step there could be."""
        outputs = {
            name: [output.name for output in computation.outputs]
            for name, computation in self._graph.computations.items()
        }
        job = None if self._job is None else self._graph.jobs.get(self._job.name)
        if job is not None and job.steps:
            return {step.path: outputs[step.computation] for step in job.steps}
        steps = [step for each in self._graph.computations.values() for step in each.steps]
        for step, output in self._values:  # of functions that took turns
            if step not in self._graph.computations:
                outputs.setdefault(step, []).append(output)
        return outputs | {step.path: outputs.get(step.computation, []) for step in steps}

    def _value(self, step: str, output_name: str) -> Any:
        if (step, output_name) in self._values:
            return self._values[(step, output_name)]
        several = {
            key[len(step) + 1 : -1]: self._values[(key, name)]
            for key, name in self._values
            if name == output_name and key.startswith(f"{step}[")
        }
        if several:
            return several
        raise StepOutputNotFoundError(
            f"The step {step!r} did not yield the output {output_name!r} in this run.", step, output_name
        )

    def _place(self, computation: str, output_name: str) -> tuple[str, str]:
        """The step that gives an output of a computation, and the name that it has there: its own, or that in a graph."""
        node = self._graph.computations.get(computation)
        for each in () if node is None else node.step_outputs:
            if each.name == output_name:
                return each.step, each.output
        return computation, output_name

    def filter_events(self, event_filter: Callable[[Event], bool]) -> Sequence[Event]:
        """The events for which the function is true."""
        return [event for event in self.all_events if event_filter(event)]

    def events_for_node(self, node_name: str) -> Sequence[Event]:
        """What happened in a step; in all steps made of it where it works on dynamic outputs; in all steps of a graph."""
        return [
            event
            for event in self.all_events
            if event.is_step_event and event.step_key is not None and _belongs(event.step_key, node_name)
        ]

    def is_node_success(self, node_str: str) -> bool:
        """Whether a step ended well."""
        return self._has(node_str, EventType.STEP_SUCCESS)

    def is_node_failed(self, node_str: str) -> bool:
        """Whether a step failed."""
        return self._has(node_str, EventType.STEP_FAILURE)

    def is_node_skipped(self, node_str: str) -> bool:
        """Whether a step was skipped."""
        return self._has(node_str, EventType.STEP_SKIPPED)

    def is_node_untouched(self, node_str: str) -> bool:
        """Whether a step was never started nor skipped."""
        return not any(
            self._has(node_str, kind)
            for kind in (EventType.STEP_START, EventType.STEP_SKIPPED, EventType.STEP_RESTARTED)
        )

    def retry_attempts_for_node(self, node_str: str) -> int:
        """How often a step was tried again."""
        return sum(1 for event in self.events_for_node(node_str) if event.event_type is EventType.STEP_RESTARTED)

    def asset_materializations_for_node(self, node_name: str) -> Sequence[AssetMaterialization]:
        """What a step made."""
        return [
            event.payload.materialization
            for event in self.events_for_node(node_name)
            if isinstance(event.payload, StepMaterializationData)
        ]

    def expectation_results_for_node(self, node_str: str) -> Sequence[ExpectationResult]:
        """What a step said of its expectations."""
        return [
            event.payload.expectation_result
            for event in self.events_for_node(node_str)
            if isinstance(event.payload, StepExpectationResultData)
        ]

    def asset_observations_for_node(self, node_name: str) -> Sequence[AssetObservation]:
        """What a step observed."""
        return [
            event.payload.asset_observation
            for event in self.events_for_node(node_name)
            if isinstance(event.payload, AssetObservationData)
        ]

    def get_asset_materialization_events(self) -> Sequence[Event]:
        """The events that say an asset was made."""
        return [event for event in self.all_events if isinstance(event.payload, StepMaterializationData)]

    def get_asset_materialization_planned_events(self) -> Sequence[Event]:
        """The events that say an asset is to be made."""
        return [event for event in self.all_events if isinstance(event.payload, AssetMaterializationPlannedData)]

    def get_asset_check_evaluations(self) -> Sequence[AssetCheckEvaluation]:
        """What the checks found."""
        return [
            event.payload.evaluation for event in self.all_events if isinstance(event.payload, AssetCheckEvaluationData)
        ]

    def get_step_success_events(self) -> Sequence[Event]:
        """The events that say a step ended well."""
        return self._of(EventType.STEP_SUCCESS)

    def get_step_failure_events(self) -> Sequence[Event]:
        """The events that say a step failed."""
        return self._of(EventType.STEP_FAILURE)

    def get_step_skipped_events(self) -> Sequence[Event]:
        """The events that say a step was skipped."""
        return self._of(EventType.STEP_SKIPPED)

    def get_run_success_event(self) -> Event:
        """The event that says the run ended well.

        Raises:
            InvariantViolationError: it did not.
        """
        return self._single(EventType.RUN_SUCCESS)

    def get_run_failure_event(self) -> Event:
        """The event that says the run failed.

        Raises:
            InvariantViolationError: it did not.
        """
        return self._single(EventType.RUN_FAILURE)

    def get_asset_observation_events(self) -> Sequence[Event]:
        """The events that say an asset was observed."""
        return self._of(EventType.ASSET_OBSERVATION)

    def failure_data_for_node(self, node_str: str) -> StepFailureData | None:
        """How a step failed; None when it did not."""
        for event in self.events_for_node(node_str):
            if isinstance(event.payload, StepFailureData):
                return event.payload
        return None

    def _single(self, kind: EventType) -> Event:
        found = self._of(kind)
        if not found:
            raise InvariantViolationError(f"The run has no {kind.value} event: its status is {self.run.status.value}.")
        return found[0]

    def compute_events_for_handle(self, handle: object) -> Sequence[Event]:
        """What happened in the step of a node, by its handle or path."""
        return self.events_for_node(str(handle))

    def get_failed_step_keys(self) -> frozenset[str]:
        """The steps that failed."""
        return frozenset(event.step_key for event in self.get_step_failure_events() if event.step_key is not None)

    def _of(self, kind: EventType) -> Sequence[Event]:
        return [event for event in self.all_events if event.event_type is kind]

    def _has(self, step_key: str, kind: EventType) -> bool:
        return any(event.event_type is kind for event in self.events_for_node(step_key))


class ExecuteInProcessResult(ExecutionResult):
    """The result of a run in this process, with its values."""

    def asset_value(self, asset_key: CoercibleToAssetKey) -> Any:
        """The value of an asset that the run materialized.

        Raises:
            StepOutputNotFoundError: it made none.
        """
        key = AssetKey.from_coercible(asset_key)
        node = self._graph.nodes.get(key)
        if node is None or node.computation is None or node.output_name is None:
            raise InvariantViolationError(f"The asset {asset_key!r} was not found in this run.")
        step, output = self._place(node.computation, node.output_name)
        made_in = [event.step_key for event in self.get_asset_materialization_events() if event.asset_key == key]
        return self._value(made_in[-1] or step if made_in else step, output)


def _belongs(step_key: str, node: str) -> bool:
    return step_key == node or step_key.startswith((f"{node}[", f"{node}."))


def _graph_at(graph: GraphDefinition, path: str) -> GraphDefinition | None:
    """The graph that a path leads to; None where it leads to an op, or nowhere."""
    current = graph
    for name in path.split("."):
        use = current.uses.get(name)
        if use is None or not isinstance(use.definition, GraphDefinition):
            return None
        current = use.definition
    return current
