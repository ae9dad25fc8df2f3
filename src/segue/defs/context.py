"""The contexts that user functions are called with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segue.defs.bindings import bound
from segue.defs.step_context import StepContext, current_context
from segue.defs.step_facts import StepFacts
from segue.defs.superseded import warn_superseded
from segue.errors import InvalidPropertyError, InvariantViolationError
from segue.model.arguments import require_type
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.materialization import DataVersion
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow

if TYPE_CHECKING:
    from segue.model.data_version import DataProvenance

__all__ = [
    "AssetCheckExecutionContext",
    "AssetExecutionContext",
    "OpExecutionContext",
    "current_context",
]


class OpExecutionContext(StepContext):
    """The context of an op function."""

    def __init__(self, step: StepFacts) -> None:
        super().__init__(step)
        self._requires_results = False
        self._results_message: str | None = None

    @property
    def requires_typed_event_stream(self) -> bool:
        """Whether the function must return each of its outputs as a result; see `set_requires_typed_event_stream`."""
        return self._requires_results

    @property
    def typed_event_stream_error_message(self) -> str | None:
        """What is said besides where the function did not give one of them."""
        return self._results_message

    def set_requires_typed_event_stream(self, *, error_message: str | None = None) -> None:
        """Requires the function to return each output as a separate result (`Output`, `MaterializeResult`, ...).

        A plain value fails the step then, and so does an output that is not given, also one that carries no value or is
        optional. For libraries whose users must hand on what a call of them gives.

        Args:
            error_message: what is said besides where an output was not given.
        """
        self._requires_results = True
        self._results_message = error_message

    def get_asset_provenance(self, asset_key: AssetKey) -> DataProvenance | None:
        """The provenance of the latest materialization of an asset; None if none is recorded."""
        event = self.instance.get_latest_materialization_event(asset_key)
        made = None if event is None else event.asset_materialization
        return None if made is None else bound("data_provenance")(made.tags or {})

    def load_asset_value(
        self, asset_key: AssetKey, *, python_type: type | None = None, partition_key: str | None = None
    ) -> Any:
        """The stored value of an asset of these definitions, through its IO manager.

        Args:
            asset_key: the asset.
            python_type: the type requested from the IO manager; any when None.
            partition_key: which partition.

        Raises:
            InvalidInvocationError: there is no such asset, or it has no partitions.
            InvalidPropertyError: there is no run.
            UnknownPartitionError: a partition that it does not have.
        """
        return self._step.load_asset_value(asset_key, python_type, partition_key)

    def get_mapping_key(self) -> str | None:
        """The mapping key of the value of a dynamic output that this step works on; None for a step that runs once."""
        return self._step.mapping_key

    @property
    def asset_key(self) -> AssetKey:
        """The asset that the function materializes.

        Raises:
            InvalidPropertyError: it has none.
            InvariantViolationError: it has several; use asset_key_for_output.
        """
        keys = list(self._step.asset_keys.values())
        if not keys:
            raise InvalidPropertyError(
                f"The step {self._step.step_key!r} does not materialize an asset, so it has no asset_key."
            )
        if len(keys) != 1:
            raise InvariantViolationError(
                f"The step {self._step.step_key!r} materializes {len(keys)} assets: use asset_key_for_output."
            )
        return keys[0]

    @property
    def selected_asset_keys(self) -> frozenset[AssetKey]:
        """The assets that this step should materialize."""
        return frozenset(self._step.asset_keys.values())

    @property
    def selected_output_names(self) -> frozenset[str]:
        """The outputs that this step should return."""
        return frozenset(self._step.output_names)

    def asset_key_for_output(self, output_name: str = "result") -> AssetKey:
        """The asset that an output carries.

        Raises:
            InvariantViolationError: it carries none.
        """
        if output_name not in self._step.asset_keys:
            raise InvariantViolationError(f"The output {output_name!r} of {self._step.step_key!r} is not an asset.")
        return self._step.asset_keys[output_name]

    def output_for_asset_key(self, asset_key: AssetKey) -> str:
        """The output that carries an asset.

        Raises:
            InvariantViolationError: none does.
        """
        for name, key in self._step.asset_keys.items():
            if key == asset_key:
                return name
        raise InvariantViolationError(
            f"The step {self._step.step_key!r} does not materialize {asset_key.to_user_string()}."
        )

    @property
    def op_execution_context(self) -> OpExecutionContext:
        """This context."""
        return self

    def get_op_execution_context(self) -> OpExecutionContext:
        """This context; superseded, as contexts of assets are contexts of ops."""
        warn_superseded("get_op_execution_context", "the context itself is an op context")
        return self

    @property
    def has_partitions(self) -> bool:
        """Whether the run is one of partitions: of one, or of a range of them."""
        return self.has_partition_key or self.has_partition_key_range

    @property
    def location_name(self) -> str | None:
        """The code location of the job; None outside of a code location."""
        return None

    @property
    def asset_partition_key_range(self) -> PartitionKeyRange:
        """First and last partition of the run; superseded by `partition_key_range`."""
        warn_superseded("asset_partition_key_range", "read partition_key_range")
        return self.partition_key_range

    def asset_partition_key_for_output(self, output_name: str = "result") -> str:
        """The partition of an output; superseded by `partition_key`."""
        warn_superseded("asset_partition_key_for_output", "read partition_key")
        self._step.require_output(output_name)
        return self.partition_key

    def asset_partition_keys_for_output(self, output_name: str = "result") -> Sequence[str]:
        """The partitions of an output, in order; superseded by `partition_keys`."""
        warn_superseded("asset_partition_keys_for_output", "read partition_keys")
        self._step.require_output(output_name)
        return self.partition_keys

    def asset_partition_key_range_for_output(self, output_name: str = "result") -> PartitionKeyRange:
        """The first and last partition of an output; superseded by `partition_key_range`."""
        warn_superseded("asset_partition_key_range_for_output", "read partition_key_range")
        self._step.require_output(output_name)
        return self.partition_key_range

    def asset_partitions_time_window_for_output(self, output_name: str = "result") -> TimeWindow:
        """The time that the partitions of an output span; superseded by `partition_time_window`."""
        warn_superseded("asset_partitions_time_window_for_output", "read partition_time_window")
        self._step.require_output(output_name)
        return self.partition_time_window

    def asset_partitions_def_for_output(self, output_name: str = "result") -> PartitionsDefinition:
        """How the asset of an output is partitioned.

        Raises:
            InvariantViolationError: it is not.
        """
        if self._step.partitions_def is None:
            raise InvariantViolationError(f"The output {output_name!r} of {self._step.step_key!r} is not partitioned.")
        return self._step.partitions_def

    def asset_partitions_def_for_input(self, input_name: str) -> PartitionsDefinition:
        """How the asset behind an input is partitioned.

        Raises:
            InvariantViolationError: it is not.
        """
        found = self._step.input_partitions_def(input_name)
        if found is None:
            raise InvariantViolationError(f"The input {input_name!r} of {self._step.step_key!r} is not partitioned.")
        return found

    def asset_partition_keys_for_input(self, input_name: str) -> Sequence[str]:
        """The upstream partitions that an input takes, in order."""
        return self._step.input_partition_keys(input_name)

    def asset_partition_key_range_for_input(self, input_name: str) -> PartitionKeyRange:
        """First and last of the upstream partitions that an input takes.

        Raises:
            InvariantViolationError: it takes none.
        """
        keys = self._step.input_partition_keys(input_name)
        if not keys:
            raise InvariantViolationError(f"The input {input_name!r} has no partitions in this run.")
        return PartitionKeyRange(keys[0], keys[-1])

    def asset_partitions_time_window_for_input(self, input_name: str = "result") -> TimeWindow:
        """The time that the upstream partitions of an input span.

        Raises:
            InvariantViolationError: they are no windows of time.
        """
        return self._step.input_time_window(input_name)

    def set_data_version(self, asset_key: AssetKey, data_version: DataVersion) -> None:
        """Sets the data version of an asset that this step is about to return.

        Raises:
            InvariantViolationError: the step does not materialize the asset.
        """
        require_type(self, "data_version", data_version, DataVersion)
        self._step.set_data_version(self.output_for_asset_key(asset_key), data_version)

    def asset_partition_key_for_input(self, input_name: str) -> str:
        """The one upstream partition that an input takes.

        Raises:
            InvariantViolationError: it takes several, or none.
        """
        keys = self._step.input_partition_keys(input_name)
        if len(keys) != 1:
            raise InvariantViolationError(
                f"The input {input_name!r} has {len(keys)} partitions: use asset_partition_keys_for_input."
            )
        return keys[0]

    def add_output_metadata(
        self, metadata: Mapping[str, object], output_name: str | None = None, mapping_key: str | None = None
    ) -> None:
        """Adds facts to the materialization of an output, or to one value of a dynamic output.

        Raises:
            InvariantViolationError: no such output, or several and none named.
        """
        self._step.add_metadata(self._output_name(output_name), metadata, mapping_key)

    def get_output_metadata(self, output_name: str, mapping_key: str | None = None) -> Mapping[str, object]:
        """What was added to an output, or to one value of a dynamic output, so far: in a call as it was given, in a run as
        MetadataValues."""
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
            partition_key: one of the partitions of the run; all of them when None.

        Raises:
            InvariantViolationError: an asset or partition that this step does not materialize, or several assets
                and none named.
        """
        name = None if asset_key is None else self.output_for_asset_key(AssetKey.from_coercible(asset_key))
        self._step.add_asset_metadata(self._output_name(name), metadata, partition_key)

    def _output_name(self, output_name: str | None) -> str:
        """The output that is meant: the only one that carries an asset, where none is named."""
        names = self._step.output_names
        if output_name is not None:
            if output_name in names:
                return output_name
            raise InvariantViolationError(
                f"The step {self._step.step_key!r} has no output {output_name!r}; available: {', '.join(names)}."
            )
        assets = list(self._step.asset_keys) or list(names)
        if len(assets) != 1:
            raise InvariantViolationError(
                f"The step {self._step.step_key!r} has {len(assets)} outputs that are assets: specify one of "
                f"{', '.join(names)}."
            )
        return assets[0]


class AssetExecutionContext(OpExecutionContext):
    """The context of an asset function."""


class AssetCheckExecutionContext(StepContext):
    """The context of a check function."""

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The checks that this step is to run."""
        return self._step.check_specs

    def asset_partitions_def(self, asset_key: CoercibleToAssetKey) -> PartitionsDefinition | None:
        """How an asset of these definitions is partitioned; None for one without partitions, or unknown here."""
        return self._step.asset_partitions_def(AssetKey.from_coercible(asset_key))

    @property
    def op_execution_context(self) -> AssetCheckExecutionContext:
        """This context."""
        return self
