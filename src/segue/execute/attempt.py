"""The value that a step's stages work on: one attempt, what it was given and what it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.bindings import bound
from segue.defs.config_schema.place import ROOT
from segue.defs.context import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from segue.defs.instance import Instance
from segue.defs.job_definition import JobDefinition
from segue.defs.log import LogManager
from segue.defs.node import NodeUse
from segue.defs.node_handle import NodeHandle
from segue.defs.op import OpDefinition
from segue.defs.op_config import values_of_op
from segue.defs.resource_context import Resources
from segue.defs.run_config import config_entry
from segue.defs.step_facts import UserEvent
from segue.errors import InvalidInvocationError, InvariantViolationError, StorageError
from segue.execute.provenance import with_provenance
from segue.execute.run_scope import RunScope, record_log
from segue.model.checks import AssetCheckEvaluation, AssetCheckSpec
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    StepExpectationResultData,
    StepMaterializationData,
    StepOutputData,
)
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation, DataVersion, ExpectationResult
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.subset import PartitionSubset, typed_keys_of_subset
from segue.model.partitions.subset_window import time_window_of_subset
from segue.model.run import Run
from segue.plan.op_planner import managers_of
from segue.plan.plan import PlanStep, StepOutput


class StepAttempt:
    """One attempt of one step; the stages read and fill it. Also what the user's context speaks to (`StepFacts`).

    Attributes:
        scope: what the run's steps share.
        step, op, definition: what is run; `definition` is None for an op of a job.
        attempt: 1 for the first.
        inputs: the values of the inputs, by name.
        given: the outputs that were given so far.
        mapping_keys: the keys of dynamic outputs that were given so far, by output.
        blocked_by: the blocking checks that failed.
        data_versions: the versions of content that the function named by set_data_version, by output.
        has_hooks: whether hooks run after it; only then are `events` and `output_values` kept for them.
        sink_failed: whether an event could not be recorded, which no step may swallow.
    """

    def __init__(self, scope: RunScope, step: PlanStep, attempt: int) -> None:
        self.scope = scope
        self.step = step
        self.step_key = step.key
        self.attempt = attempt
        self.op: OpDefinition = scope.described.ops[step.computation]
        self.definition: AssetsDefinition | None = scope.described.definitions.get(step.graph or step.computation)
        self.mapping_keys: dict[str, list[str]] = {}
        self.run: Run = scope.run
        self.instance: Instance = scope.instance
        self.run_config = scope.run_config
        self.config: object = None
        self.inputs: dict[str, object] = {}
        self.given: set[str] = set()
        self.blocked_by: list[AssetCheckKey] = []
        self.started = 0.0
        self.sink_failed = False
        self._context: OpExecutionContext | AssetCheckExecutionContext | None = None
        self._log: LogManager | None = None
        self.data_versions: dict[str, str] = {}
        self.has_hooks = False
        self.events: list[Event] = []
        self.output_values: dict[str, Any] = {}
        self._metadata: dict[str, dict[str, AnyMetadataValue]] = {}
        self._partition_metadata: dict[tuple[str, str], dict[str, AnyMetadataValue]] = {}

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.run_id

    @property
    def run_tags(self) -> Mapping[str, str]:
        """The run's tags."""
        return self.run.tags

    @property
    def run_config_dict(self) -> Mapping[str, object]:
        """The config the run was started with."""
        return self.run.run_config

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self.run.job_name

    @property
    def job(self) -> JobDefinition | None:
        """The job of ops; None in a run of assets."""
        return self.scope.described.jobs.get(self.run.job_name)

    @property
    def partition_range(self) -> PartitionKeyRange | None:
        """First and last partition of the run."""
        start, end = self.run.partition_start, self.run.partition_end
        if start is None or end is None:
            return None
        known = self.scope.partitions_def
        return (
            PartitionKeyRange(start, end) if known is None else PartitionKeyRange(*map(known.typed_key, (start, end)))
        )

    @property
    def all_resources(self) -> Mapping[str, object]:
        """The resources of the run, by key."""
        return self.scope.resources

    @property
    def resources(self) -> Resources:
        """The resources that the function asked for, and the IO managers of its inputs and outputs."""
        keys = sorted({*self.op.resource_keys, *managers_of(self.step)})
        return Resources({key: getattr(self.scope.shown, key) for key in keys})

    @property
    def log(self) -> LogManager:
        """The step's log."""
        if self._log is None:
            self._log = LogManager(lambda record: record_log(self.scope.sink, record, self.step_key))
        return self._log

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How the run's assets are partitioned."""
        return self.scope.partitions_def and self.scope.partitions_def.declared

    def asset_partitions_def(self, key: AssetKey) -> PartitionsDefinition | None:
        """How an asset of these definitions is partitioned."""
        node = self.scope.described.graph.nodes.get(key)
        return None if node is None or node.partitions is None else node.partitions.declared

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs that this step is to give."""
        return tuple(output.name for output in self.step.outputs)

    @property
    def asset_keys(self) -> Mapping[str, AssetKey]:
        """The assets that this step is to make, by output."""
        return {output.name: output.asset_key for output in self.step.outputs if output.asset_key is not None}

    @property
    def input_asset_keys(self) -> Mapping[str, AssetKey]:
        """The assets behind the inputs."""
        return {each.name: each.asset_key for each in self.step.inputs if each.asset_key is not None}

    @property
    def check_keys(self) -> Sequence[AssetCheckKey]:
        """The checks that this step is to run."""
        return [
            AssetCheckKey(output.check_asset_key, output.check_name)
            for output in self.step.outputs
            if output.check_asset_key is not None and output.check_name is not None
        ]

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The specs of these checks."""
        specs = {} if self.definition is None else {spec.key: spec for spec in self.definition.check_specs}
        return [specs[key] for key in self.check_keys]

    @property
    def value_outputs(self) -> Sequence[str]:
        """The outputs of the op that carry no result of a check."""
        checks = {output.name for output in self.step.outputs if output.check_name is not None}
        if self.definition is not None and self.step.graph is None:
            checks.update(self.definition.checks_by_output)
        return [name for name in self.op.output_names if name not in checks]

    @property
    def node(self) -> NodeUse:
        """The use of the op, with its tags."""
        tags = self.scope.step_tags.get(self.step.path, self.op.tags)
        return NodeUse(name=self.node_handle.name, definition=self.op, own_tags=dict(tags))

    @property
    def node_handle(self) -> NodeHandle:
        """Where in the job the step stands."""
        return NodeHandle.from_path(self.step.path.split("."))

    @property
    def requires_results(self) -> bool:
        """Whether each output must come as a result of its own."""
        return isinstance(self._context, OpExecutionContext) and self._context.requires_typed_event_stream

    def load_asset_value(self, key: AssetKey, python_type: type | None, partition_key: str | None) -> Any:
        """The stored value of an asset."""
        scope = self.scope
        return bound("load_value_in_run")(
            scope.described, self.instance, scope.opened, key, python_type=python_type, partition_key=partition_key
        )

    @property
    def mapping_key(self) -> str | None:
        """The mapping key of the value that the step works on; None for a step that runs once."""
        _, bracket, rest = self.step.key.partition("[")
        return rest.removesuffix("]") if bracket else None

    @property
    def context(self) -> OpExecutionContext | AssetCheckExecutionContext:
        """The context that the function is called with: that of an asset, of a check, or of an op."""
        if self._context is None:
            definition = self.definition
            if definition is None or self.step.graph is not None:
                self._context = OpExecutionContext(self)
            elif definition.specs_by_output:
                self._context = AssetExecutionContext(self)
            else:
                self._context = AssetCheckExecutionContext(self)
        return self._context

    def emit(self, payload: AnyPayload) -> None:
        """Takes an event of this step."""
        event = self.scope.sink.emit(payload, self.step_key)
        if self.has_hooks:
            self.events.append(event)

    def flush(self) -> None:
        """Makes all events durable."""
        try:
            self.scope.sink.flush()
        except StorageError:
            self.sink_failed = True
            raise

    @property
    def op_config(self) -> object:
        """The config as plain values, with all defaults."""
        if self.op.config_field is None or self.op.shape.config is None:
            return self.config
        entry = config_entry(self.run_config, "ops", self.step.path)
        return values_of_op(self.op, entry, ROOT.below("ops", self.step.path))

    def partition_keys(self) -> Sequence[str]:
        """The partitions of the run, in order."""
        definition, subset = self._partitions()
        return typed_keys_of_subset(definition, subset, self.scope.now)

    def require_output(self, output_name: str) -> None:
        """Refuses the name of an output that the step does not have."""
        if output_name not in self.output_names:
            raise InvariantViolationError(
                f"{self.step_key!r} has no output {output_name!r}; it has {', '.join(self.output_names)}."
            )

    def input_partitions_def(self, input_name: str) -> PartitionsDefinition | None:
        """How the asset behind an input is partitioned."""
        key = self.input_asset_keys.get(input_name)
        return None if key is None else self.asset_partitions_def(key)

    def input_partition_keys(self, input_name: str) -> Sequence[str]:
        """The upstream partitions that an input takes."""
        definition, subset = self._input_partitions(input_name)
        return typed_keys_of_subset(definition, subset, self.scope.now)

    def input_time_window(self, input_name: str) -> TimeWindow:
        """The time that the upstream partitions of an input span."""
        definition, subset = self._input_partitions(input_name)
        return time_window_of_subset(definition, subset, self.scope.now)

    def _input_partitions(self, input_name: str) -> tuple[PartitionsDefinition, PartitionSubset]:
        for each in self.step.inputs:
            if each.name == input_name and each.partitions is not None and each.asset_key is not None:
                definition = self.scope.described.graph.nodes[each.asset_key].partitions
                if definition is not None:
                    return definition, each.partitions
        raise InvariantViolationError(f"The input {input_name!r} of {self.step_key!r} has no partitions.")

    def time_window(self) -> TimeWindow:
        """The time that the run's partitions span."""
        definition, subset = self._partitions()
        return time_window_of_subset(definition, subset, self.scope.now)

    def _partitions(self) -> tuple[PartitionsDefinition, PartitionSubset]:
        if self.scope.partitions_def is None or self.scope.subset is None:
            raise InvariantViolationError("This run has no partitions. Ask has_partition_key_range first.")
        return self.scope.partitions_def, self.scope.subset

    def record(self, event: UserEvent) -> None:
        """Takes a fact that user code reports apart from its outputs, and writes it: who asks the instance next must see it."""
        if isinstance(event, AssetMaterialization):
            self.emit(StepMaterializationData(event))
        elif isinstance(event, AssetObservation):
            self.emit(AssetObservationData(event))
        elif isinstance(event, ExpectationResult):
            self.emit(StepExpectationResultData(event))
        elif isinstance(event, AssetCheckEvaluation):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code's value
            self.emit(AssetCheckEvaluationData(event))
        else:
            raise InvalidInvocationError(
                "log_event takes an AssetMaterialization, AssetObservation, AssetCheckEvaluation or ExpectationResult, got "
                f"{event!r}."
            )
        self.scope.sink.flush()

    def add_metadata(
        self,
        output_name: str,
        metadata: Mapping[str, object],
        partition: str | None = None,
        mapping_key: str | None = None,
    ) -> None:
        """Adds facts to an output that is still to come, to one value of a dynamic one, or to one of the partitions it makes."""
        if mapping_key is not None:
            if mapping_key in self.mapping_keys.get(output_name, ()):
                raise InvariantViolationError(
                    f"The value {mapping_key!r} of {output_name!r} of {self.step_key!r} has been given already: add metadata "
                    "before."
                )
            self._metadata.setdefault(f"{output_name}[{mapping_key}]", {}).update(normalize_metadata(metadata))
            return
        if output_name in self.given:
            raise InvariantViolationError(
                f"The output {output_name!r} of {self.step_key!r} has been given already: add metadata before."
            )
        if partition is None:
            self._metadata.setdefault(output_name, {}).update(normalize_metadata(metadata))
            return
        if partition not in self.partition_keys():
            raise InvariantViolationError(f"{self.step_key!r} does not make the partition {partition!r} in this run.")
        self._partition_metadata.setdefault((output_name, partition), {}).update(normalize_metadata(metadata))

    def set_data_version(self, output_name: str, data_version: DataVersion) -> None:
        """Says which version the content of an output is that is still to come."""
        if output_name in self.given:
            raise InvariantViolationError(
                f"The output {output_name!r} of {self.step_key!r} has been given already: set its data version before."
            )
        self.data_versions[output_name] = data_version.value

    def metadata_of(self, output_name: str, mapping_key: str | None = None) -> dict[str, AnyMetadataValue]:
        """What was added to an output, or to one value of a dynamic one, so far."""
        return self._metadata.get(output_name if mapping_key is None else f"{output_name}[{mapping_key}]", {})

    def output_partitions(self, output: StepOutput) -> Sequence[str | None]:
        """The partitions that an output makes; one None for an asset without partitions."""
        return self.partition_keys() if output.is_partitioned else (None,)

    def materialize_without_value(self, output: StepOutput) -> None:
        """Records an asset that its function stored itself."""
        self.given.add(output.name)
        metadata = self.metadata_of(output.name)
        self.emit(StepOutputData(output.name, metadata))
        self.emit_materializations(output, metadata)
        if self.scope.capture is not None and output.asset_key is None:
            self.scope.capture[(self.step_key, output.name)] = None

    def emit_materializations(
        self,
        output: StepOutput,
        metadata: Mapping[str, AnyMetadataValue],
        data_version: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Records that an output's asset was made: one event per partition."""
        if output.asset_key is None:
            return
        version, provenance = with_provenance(
            self, output.asset_key, data_version or self.data_versions.get(output.name)
        )
        for partition in self.output_partitions(output):
            of_partition = {} if partition is None else self._partition_metadata.get((output.name, partition), {})
            materialization = AssetMaterialization(
                output.asset_key,
                None,
                {**metadata, **of_partition},
                partition,
                {**provenance, **(tags or {})},
                data_version=version,
            )
            self.emit(StepMaterializationData(materialization))
