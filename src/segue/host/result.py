"""What a run in this process leaves: its record, its events, and the values it made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from segue.errors import InvariantViolationError, StepOutputNotFoundError
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import (
    AssetCheckEvaluationData,
    AssetMaterializationPlannedData,
    AssetObservationData,
    Event,
    EventType,
    StepMaterializationData,
)
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.run import Run


class ExecuteInProcessResult:
    """How a run in this process went.

    Attributes:
        run: the run as it ended.
        all_events: every event of its execution, in order.
    """

    def __init__(
        self, run: Run, events: Sequence[Event], values: Mapping[tuple[str, str], object], graph: AssetGraph
    ) -> None:
        self.run = run
        self.all_events: Sequence[Event] = events
        self._values = values
        self._graph = graph

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
        """The events that belong to a step."""
        return [event for event in self.all_events if event.step_key is not None]

    def output_for_node(self, node_str: str, output_name: str = "result") -> Any:
        """The value that a step gave for an output.

        Raises:
            StepOutputNotFoundError: it gave none.
        """
        if (node_str, output_name) not in self._values:
            raise StepOutputNotFoundError(
                f"Step {node_str!r} gave no value for the output {output_name!r} in this run.", node_str, output_name
            )
        return self._values[(node_str, output_name)]

    def asset_value(self, asset_key: CoercibleToAssetKey) -> Any:
        """The value of an asset that the run made.

        Raises:
            StepOutputNotFoundError: it made none.
        """
        node = self._graph.nodes.get(AssetKey.from_coercible(asset_key))
        if node is None or node.computation is None or node.output_name is None:
            raise InvariantViolationError(f"This run has no asset {asset_key!r}.")
        return self.output_for_node(node.computation, node.output_name)

    def filter_events(self, event_filter: Callable[[Event], bool]) -> Sequence[Event]:
        """The events for which the function is true."""
        return [event for event in self.all_events if event_filter(event)]

    def events_for_node(self, node_name: str) -> Sequence[Event]:
        """The events of one step."""
        return [event for event in self.all_events if event.step_key == node_name]

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

    def get_failed_step_keys(self) -> frozenset[str]:
        """The steps that failed."""
        return frozenset(event.step_key for event in self.get_step_failure_events() if event.step_key is not None)

    def _of(self, kind: EventType) -> Sequence[Event]:
        return [event for event in self.all_events if event.event_type is kind]

    def _has(self, step_key: str, kind: EventType) -> bool:
        return any(event.event_type is kind for event in self.events_for_node(step_key))
