"""The value that a step's stages work on: one attempt, what it was given and what it gave."""

from __future__ import annotations

import functools
import logging
import time
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
from segue.defs.op import OpDefinition
from segue.defs.op_config import values_of_op
from segue.defs.resource_context import Resources
from segue.defs.run_config import config_entry
from segue.defs.step_facts import UserEvent
from segue.errors import (
    InvariantViolationError,
    StorageError,
    TimeLimitReached,
)
from segue.execute.added_metadata import AddedMetadata
from segue.execute.failure_facts import failure_class
from segue.execute.gates import pass_of, report_calls, take_tokens
from segue.execute.provenance import with_provenance
from segue.execute.run_scope import RunScope, record_log
from segue.execute.step_partitions import StepPartitions
from segue.execute.usage import Sample
from segue.model.checks import AssetCheckSpec
from segue.model.error_info import IOSide
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
from segue.model.metadata import AnyMetadataValue
from segue.model.node_handle import NodeHandle
from segue.model.partitions.multi_key import dimension_tags
from segue.model.run import Run
from segue.plan.op_planner import managers_of
from segue.plan.plan import PlanStep, StepOutput


class StepAttempt(StepPartitions):
    """One attempt of one step; the stages read and fill it. Also what the user's context speaks to (`StepFacts`).

    Attributes:
        scope: what the run's steps share.
        step, op, definition: what is run; `definition` is None for an op of a job.
        path: where its config and its op are found.
        attempt: 1 for the first.
        inputs: the values of the inputs, by name.
        given: the outputs that were given so far.
        mapping_keys: the keys of dynamic outputs that were given so far, by output.
        blocked_by: the blocking checks that failed.
        added: what the function added to outputs and assets that are still to come.
        before: the counters of the process when it began.
        data_versions: the versions of content that the function named by set_data_version, by output.
        has_hooks: whether hooks run after it; only then are `events` and `output_values` kept for them.
        returned_nothing: whether the function came back with None, neither results nor a value.
        sink_failed: whether an event could not be recorded, which no step may swallow.
        ends_at: the time (monotonic) from which on it ends with its next event, where nothing can end it from outside.
    """

    def __init__(self, scope: RunScope, step: PlanStep, attempt: int) -> None:
        self.scope = scope
        self.step = step
        self.step_key = step.key
        self.path = step.path
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
        self.before: Sample | None = None
        self.sink_failed = False
        self.ends_at: float | None = None
        self._context: OpExecutionContext | AssetCheckExecutionContext | None = None
        self._log: LogManager | None = None
        self.data_versions: dict[str, str] = {}
        self.has_hooks = False
        self.io_error: tuple[IOSide, Exception] | None = None  # what an IO manager raised last
        self.reported: list[tuple[str, Exception]] = []  # failures that a breaker was told of, with its resource
        self.returned_nothing = False
        self.events: list[Event] = []
        self.output_values: dict[str, Any] = {}
        self.added = AddedMetadata()

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
            self._log = LogManager(self._take_line)
        return self._log

    def _take_line(self, record: logging.LogRecord) -> bool:
        self._require_time()
        return record_log(self.scope.sink, record, self.step_key)

    def _require_time(self) -> None:
        if self.ends_at is not None and time.monotonic() > self.ends_at:
            raise TimeLimitReached

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs that this step should return."""
        return tuple(output.name for output in self.step.outputs)

    @property
    def asset_keys(self) -> Mapping[str, AssetKey]:
        """The assets that this step is to make, by output."""
        return {output.name: output.asset_key for output in self.step.outputs if output.asset_key is not None}

    @functools.cached_property
    def output_of(self) -> Mapping[AssetKey, str]:
        """The output that carries each asset that this step is to make."""
        return {key: name for name, key in self.asset_keys.items()}

    @property
    def is_part(self) -> bool:
        """Whether the run asks for only some of what its function, or the graph around it, can make."""
        return self.step.is_part or set(self.output_names) != set(self.op.output_names)

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
        return [name for name in self.op.output_names if name not in checks] if checks else self.op.output_names

    @property
    def node(self) -> NodeUse:
        """The use of the op, with its tags."""
        tags = self.scope.step_tags.get(self.path, self.op.tags)
        return NodeUse(name=self.node_handle.name, definition=self.op_def, own_tags=dict(tags))

    @property
    def op_def(self) -> OpDefinition:
        """The op as user code sees it: that of assets with what these say of its inputs and outputs."""
        definition = self.definition
        return self.op if definition is None or definition.node_def is not self.op else definition.op

    @property
    def node_handle(self) -> NodeHandle:
        """Where in the job the step stands."""
        return NodeHandle.from_path(self.path.split("."))

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

    def take_tokens(self, key: str, tokens: int) -> None:
        """Takes tokens of a resource, and waits until they are there."""
        take_tokens(self.scope, key, tokens)

    def report_call(self, key: str, error: Exception | None) -> None:
        """Tells the breaker of a resource how calls ended that user code made."""
        found = None if error is None else failure_class(error, self.scope.described.failure_rules)
        if error is not None:
            self.reported.append((key, error))
        report_calls(self.scope, pass_of(self.scope, key), found)

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
        """Takes an event of this step; raises TimeLimitReached when its time is over."""
        if self.ends_at is not None:
            self._require_time()
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
        entry = config_entry(self.run_config, "ops", self.path)
        return values_of_op(self.op, entry, ROOT.below("ops", self.path))

    @property
    def fencing_token(self) -> int | None:
        """The token under which the step records what it does."""
        fence = self.scope.sink.fence
        return None if fence is None else fence.token

    def require_lease(self) -> None:
        """Refuses to go on where the run is not this process's any more."""
        try:
            self.scope.sink.require_lease()
        except StorageError:
            self.sink_failed = True  # whatever the function makes of it: nothing more of the run can be recorded
            raise

    def require_output(self, output_name: str) -> None:
        """Refuses the name of an output that the step does not have."""
        if output_name not in self.output_names:
            raise InvariantViolationError(
                f"{self.step_key!r} has no output {output_name!r}; available: {', '.join(self.output_names)}."
            )

    def record(self, event: UserEvent) -> None:
        """Takes a fact that user code reports apart from its outputs, and writes it: who asks the instance next must see it."""
        if isinstance(event, AssetMaterialization):
            self.emit(StepMaterializationData(event))
        elif isinstance(event, AssetObservation):
            self.emit(AssetObservationData(event))
        elif isinstance(event, ExpectationResult):
            self.emit(StepExpectationResultData(event))
        else:
            self.emit(AssetCheckEvaluationData(event))
        self.scope.sink.flush()

    def add_metadata(self, output_name: str, metadata: Mapping[str, object], mapping_key: str | None = None) -> None:
        """Adds facts to an output that is still to come, or to one value of a dynamic one."""
        if mapping_key is None:
            self._require_to_come(output_name)
        elif mapping_key in self.mapping_keys.get(output_name, ()):
            raise InvariantViolationError(
                f"The value {mapping_key!r} of {output_name!r} of {self.step_key!r} was already yielded: add "
                "metadata before that."
            )
        self.added.to_output(output_name, metadata, mapping_key)

    def add_asset_metadata(
        self, output_name: str, metadata: Mapping[str, object], partition: str | None = None
    ) -> None:
        """Adds facts to the asset of an output that is still to come, or to one of the partitions that it makes."""
        self._require_to_come(output_name)
        if partition is not None and partition not in self.partition_keys():
            raise InvariantViolationError(
                f"{self.step_key!r} does not materialize the partition {partition!r} in this run."
            )
        self.added.to_asset(output_name, metadata, partition)

    def _require_to_come(self, output_name: str) -> None:
        if output_name in self.given:
            raise InvariantViolationError(
                f"The output {output_name!r} of {self.step_key!r} was already yielded: add metadata before that."
            )

    def set_data_version(self, output_name: str, data_version: DataVersion) -> None:
        """Says which version the content of an output is that is still to come."""
        if output_name in self.given:
            raise InvariantViolationError(
                f"The output {output_name!r} of {self.step_key!r} was already yielded: set its data version "
                "before that."
            )
        self.data_versions[output_name] = data_version.value

    def metadata_of(self, output_name: str, mapping_key: str | None = None) -> dict[str, AnyMetadataValue]:
        """What was added to an output, or to one value of a dynamic one, so far."""
        return self.added.of_output(output_name, mapping_key)

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
        named = data_version or self.data_versions.get(output.name)
        version, provenance = with_provenance(self, output.asset_key, named)
        for partition in self.output_partitions(output):
            of_asset = self.added.of_asset(output.name, partition)
            materialization = AssetMaterialization(
                output.asset_key,
                None,
                {**metadata, **of_asset},
                partition,
                {**provenance, **dimension_tags(partition), **(tags or {})},
                data_version=version,
            )
            self.emit(StepMaterializationData(materialization))
