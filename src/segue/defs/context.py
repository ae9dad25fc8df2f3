"""The contexts that user functions are called with."""

from __future__ import annotations

import contextvars
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from segue.defs.instance import Instance
from segue.defs.log import LogManager
from segue.defs.resource_context import Resources
from segue.errors import InvariantViolationError
from segue.model.checks import AssetCheckEvaluation, AssetCheckSpec
from segue.model.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation, ExpectationResult
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.run import Run


class StepFacts(Protocol):
    """What a step's context reads from, and writes to, the step that is being executed."""

    @property
    def step_key(self) -> str: ...
    @property
    def run(self) -> Run: ...
    @property
    def attempt(self) -> int: ...
    @property
    def log(self) -> LogManager: ...
    @property
    def resources(self) -> Resources: ...
    @property
    def instance(self) -> Instance: ...
    @property
    def op_config(self) -> object: ...
    @property
    def output_names(self) -> tuple[str, ...]: ...
    @property
    def asset_keys(self) -> Mapping[str, AssetKey]: ...
    @property
    def input_asset_keys(self) -> Mapping[str, AssetKey]: ...
    @property
    def check_keys(self) -> Sequence[AssetCheckKey]: ...
    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]: ...
    @property
    def partitions_def(self) -> PartitionsDefinition | None: ...
    def asset_partitions_def(self, key: AssetKey) -> PartitionsDefinition | None: ...
    def partition_keys(self) -> Sequence[str]: ...
    def input_partition_keys(self, input_name: str) -> Sequence[str]: ...
    def time_window(self) -> TimeWindow: ...
    def record(
        self, event: AssetMaterialization | AssetObservation | AssetCheckEvaluation | ExpectationResult
    ) -> None: ...
    def add_metadata(
        self,
        output_name: str,
        metadata: Mapping[str, object],
        partition: str | None = None,
        mapping_key: str | None = None,
    ) -> None: ...
    def metadata_of(self, output_name: str, mapping_key: str | None = None) -> Mapping[str, AnyMetadataValue]: ...
    @property
    def mapping_key(self) -> str | None: ...


class _StepContext:
    """What assets and checks have in common."""

    def __init__(self, step: StepFacts) -> None:
        self._step = step

    @classmethod
    def get(cls) -> Self:
        """The context of the step that is running in this thread.

        Raises:
            InvariantViolationError: no step of this kind is running here.
        """
        context = current_context.get()
        if not isinstance(context, cls):
            raise InvariantViolationError(f"There is no {cls.__name__} here: no such step is running in this thread.")
        return context

    @property
    def log(self) -> LogManager:
        """A logger whose lines are recorded with the run."""
        return self._step.log

    @property
    def instance(self) -> Instance:
        """The instance the run is recorded in."""
        return self._step.instance

    @property
    def run(self) -> Run:
        """The run."""
        return self._step.run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._step.run.run_id

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self._step.run.job_name

    @property
    def run_tags(self) -> Mapping[str, str]:
        """The run's tags."""
        return self._step.run.tags

    @property
    def run_config(self) -> Mapping[str, object]:
        """The config the run was started with."""
        return self._step.run.run_config

    @property
    def resources(self) -> Any:
        """The resources that the function asked for, as attributes."""
        return self._step.resources

    @property
    def op_config(self) -> Any:
        """The step's config as plain values, with defaults, members of enums, and values from the environment."""
        return self._step.op_config

    @property
    def retry_number(self) -> int:
        """0 in the first attempt of the step, 1 in its first retry."""
        return self._step.attempt - 1

    @property
    def has_partition_key(self) -> bool:
        """Whether the run is one of a single partition."""
        return self.run.partition_start is not None and self.run.partition_start == self.run.partition_end

    @property
    def has_partition_key_range(self) -> bool:
        """Whether the run is one of partitions: a range of them, or one."""
        return self.run.partition_start is not None

    @property
    def partition_key(self) -> str:
        """The partition of the run.

        Raises:
            InvariantViolationError: the run has none, or a range of them.
        """
        if not self.has_partition_key or self.run.partition_start is None:
            raise InvariantViolationError(
                "This run has no single partition key. Ask has_partition_key first, or use partition_keys for a range."
            )
        definition = self._step.partitions_def
        return self.run.partition_start if definition is None else definition.typed_key(self.run.partition_start)

    @property
    def partition_keys(self) -> Sequence[str]:
        """The partitions of the run, in order.

        Raises:
            InvariantViolationError: the run has none.
        """
        return self._step.partition_keys()

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        """First and last partition of the run.

        Raises:
            InvariantViolationError: the run has none.
        """
        if self.run.partition_start is None or self.run.partition_end is None:
            raise InvariantViolationError("This run has no partitions. Ask has_partition_key_range first.")
        return PartitionKeyRange(self.run.partition_start, self.run.partition_end)

    @property
    def partition_time_window(self) -> TimeWindow:
        """The time that the run's partitions span, from the start of the first to the end of the last.

        Raises:
            InvariantViolationError: the run has no partitions, or they are not windows of time.
        """
        return self._step.time_window()

    @property
    def selected_asset_check_keys(self) -> frozenset[AssetCheckKey]:
        """The checks that this step is to run."""
        return frozenset(self._step.check_keys)

    def log_event(
        self, event: AssetMaterialization | AssetObservation | AssetCheckEvaluation | ExpectationResult
    ) -> None:
        """Records a fact at once, apart from the function's outputs."""
        self._step.record(event)


class OpExecutionContext(_StepContext):
    """What the function of an op is called with."""

    def get_mapping_key(self) -> str | None:
        """The mapping key of the value of a dynamic output that this step works on; None for a step that runs once."""
        return self._step.mapping_key

    @property
    def asset_key(self) -> AssetKey:
        """The asset that the function makes.

        Raises:
            InvariantViolationError: it makes several; use asset_key_for_output.
        """
        keys = list(self._step.asset_keys.values())
        if len(keys) != 1:
            raise InvariantViolationError(
                f"The step {self._step.step_key!r} makes {len(keys)} assets: use asset_key_for_output."
            )
        return keys[0]

    @property
    def selected_asset_keys(self) -> frozenset[AssetKey]:
        """The assets that this step is to make."""
        return frozenset(self._step.asset_keys.values())

    @property
    def selected_output_names(self) -> frozenset[str]:
        """The outputs that this step is to give."""
        return frozenset(self._step.output_names)

    def asset_key_for_output(self, output_name: str = "result") -> AssetKey:
        """The asset that an output carries."""
        return self._step.asset_keys[output_name]

    def output_for_asset_key(self, asset_key: AssetKey) -> str:
        """The output that carries an asset.

        Raises:
            InvariantViolationError: none does.
        """
        for name, key in self._step.asset_keys.items():
            if key == asset_key:
                return name
        raise InvariantViolationError(f"The step {self._step.step_key!r} does not make {asset_key.to_user_string()}.")

    def asset_key_for_input(self, input_name: str) -> AssetKey:
        """The asset whose value an input takes."""
        return self._step.input_asset_keys[input_name]

    def asset_partition_keys_for_input(self, input_name: str) -> Sequence[str]:
        """The upstream partitions that an input takes, in order."""
        return self._step.input_partition_keys(input_name)

    def asset_partition_key_for_input(self, input_name: str) -> str:
        """The one upstream partition that an input takes.

        Raises:
            InvariantViolationError: it takes several, or none.
        """
        keys = self._step.input_partition_keys(input_name)
        if len(keys) != 1:
            raise InvariantViolationError(
                f"Input {input_name!r} takes {len(keys)} partitions: use asset_partition_keys_for_input."
            )
        return keys[0]

    def add_output_metadata(
        self, metadata: Mapping[str, object], output_name: str | None = None, mapping_key: str | None = None
    ) -> None:
        """Adds facts to the materialization of an output, or to one value of a dynamic output.

        Raises:
            InvariantViolationError: no such output, or several and none named.
        """
        self._step.add_metadata(self._output_name(output_name), metadata, None, mapping_key)

    def get_output_metadata(self, output_name: str, mapping_key: str | None = None) -> Mapping[str, AnyMetadataValue]:
        """What was added to an output, or to one value of a dynamic output, so far."""
        return self._step.metadata_of(output_name, mapping_key)

    def add_asset_metadata(
        self,
        metadata: Mapping[str, object],
        asset_key: CoercibleToAssetKey | None = None,
        partition_key: str | None = None,
    ) -> None:
        """Adds facts to the materialization of an asset.

        Args:
            metadata: the facts.
            asset_key: which asset; the only one when None.
            partition_key: which of the partitions that the run makes; all of them when None.

        Raises:
            InvariantViolationError: an asset or partition that this step does not make, or several assets and none named.
        """
        name = None if asset_key is None else self.output_for_asset_key(AssetKey.from_coercible(asset_key))
        self._step.add_metadata(self._output_name(name), metadata, partition_key)

    def _output_name(self, output_name: str | None) -> str:
        """The output that is meant: the only one that carries an asset, where none is named."""
        names = self._step.output_names
        if output_name is not None:
            if output_name in names:
                return output_name
            raise InvariantViolationError(
                f"The step {self._step.step_key!r} has no output {output_name!r}; it has {', '.join(names)}."
            )
        assets = list(self._step.asset_keys) or list(names)
        if len(assets) != 1:
            raise InvariantViolationError(
                f"The step {self._step.step_key!r} has {len(assets)} of them: name one of its outputs {', '.join(names)}."
            )
        return assets[0]


class AssetExecutionContext(OpExecutionContext):
    """What the function of an asset is called with."""


class AssetCheckExecutionContext(_StepContext):
    """What the function of a check is called with."""

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The checks that this step is to run."""
        return self._step.check_specs

    def asset_partitions_def(self, asset_key: CoercibleToAssetKey) -> PartitionsDefinition | None:
        """How an asset of these definitions is partitioned; None for one without partitions, or unknown here."""
        return self._step.asset_partitions_def(AssetKey.from_coercible(asset_key))


current_context: contextvars.ContextVar[OpExecutionContext | AssetCheckExecutionContext | None] = (
    contextvars.ContextVar("segue_current_context", default=None)
)
