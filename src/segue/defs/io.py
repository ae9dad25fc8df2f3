"""IO managers: who stores what steps give and loads what steps take; and the contexts they are called with."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from segue.defs.log import LogManager
from segue.errors import InvariantViolationError
from segue.model.assets import AssetSpec
from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.subset import PartitionSubset, keys_of_subset
from segue.model.partitions.subset_window import time_window_of_subset


class IOManager(abc.ABC):
    """Stores outputs and loads inputs. Implement both methods; the contexts say of what."""

    @abc.abstractmethod
    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Stores a value."""

    @abc.abstractmethod
    def load_input(self, context: InputContext) -> Any:
        """Loads a value that `handle_output` stored."""


class ValueScope(msgspec.Struct, frozen=True):
    """What a value belongs to, for the contexts of IO managers.

    Attributes:
        asset_key: the asset; None for a value between steps.
        partitions_def, subset: how the asset is partitioned, and which partitions are meant.
        run_partition: the single partition of the run, if it has one.
        now: the time at which the run looks partitions up.
        resources, log, definition_metadata: handed on to the IO manager.
    """

    asset_key: AssetKey | None
    partitions_def: PartitionsDefinition | None
    subset: PartitionSubset | None
    run_partition: str | None
    now: datetime
    resources: object
    log: LogManager
    definition_metadata: Mapping[str, object]


class _ValueContext:
    """What both contexts know of the asset and its partitions."""

    def __init__(self, scope: ValueScope, definition_metadata: Mapping[str, object] | None = None) -> None:
        self._scope = scope
        self._definition_metadata = scope.definition_metadata if definition_metadata is None else definition_metadata
        self._logged_metadata: dict[str, AnyMetadataValue] = {}

    @property
    def log(self) -> LogManager:
        """The log of the step."""
        return self._scope.log

    @property
    def resources(self) -> Any:
        """The resources of the run, as attributes."""
        return self._scope.resources

    @property
    def definition_metadata(self) -> Mapping[str, Any]:
        """The metadata of the asset, or of the op's input or output, as declared."""
        return self._definition_metadata

    @property
    def has_asset_key(self) -> bool:
        """Whether the value is that of an asset."""
        return self._scope.asset_key is not None

    @property
    def asset_key(self) -> AssetKey:
        """The asset.

        Raises:
            InvariantViolationError: the value is not that of an asset.
        """
        if self._scope.asset_key is None:
            raise InvariantViolationError("This value is not that of an asset: ask has_asset_key first.")
        return self._scope.asset_key

    @property
    def has_partition_key(self) -> bool:
        """Whether the run is one of a single partition."""
        return self._scope.run_partition is not None

    @property
    def partition_key(self) -> str:
        """The partition of the run.

        Raises:
            InvariantViolationError: the run has none, or several.
        """
        if self._scope.run_partition is None:
            raise InvariantViolationError("The run has no single partition key: ask has_partition_key first.")
        return self._scope.run_partition

    @property
    def has_asset_partitions(self) -> bool:
        """Whether the asset is partitioned."""
        return self._scope.subset is not None

    @property
    def asset_partitions_def(self) -> PartitionsDefinition:
        """How the asset is partitioned.

        Raises:
            InvariantViolationError: it is not.
        """
        if self._scope.partitions_def is None:
            raise InvariantViolationError("The asset is not partitioned: ask has_asset_partitions first.")
        return self._scope.partitions_def

    @property
    def asset_partition_keys(self) -> Sequence[str]:
        """The partitions of the asset that are meant, in order."""
        return keys_of_subset(self.asset_partitions_def, self._require_subset(), self._scope.now)

    @property
    def asset_partition_key(self) -> str:
        """The one partition of the asset that is meant.

        Raises:
            InvariantViolationError: there are several, or none.
        """
        keys = self.asset_partition_keys
        if len(keys) != 1:
            raise InvariantViolationError(
                f"Expected one partition of {self.asset_key.to_user_string()}, there are {len(keys)}: use asset_partition_keys."
            )
        return keys[0]

    @property
    def asset_partition_key_range(self) -> PartitionKeyRange:
        """First and last partition that are meant.

        Raises:
            InvariantViolationError: there are none, or they have gaps.
        """
        ranges = self._require_subset().ranges
        if len(ranges) != 1:
            raise InvariantViolationError("The partitions are not one range: use asset_partition_keys.")
        return PartitionKeyRange(*ranges[0])

    @property
    def asset_partitions_time_window(self) -> TimeWindow:
        """The time that the partitions span, from the start of the first to the end of the last.

        Raises:
            InvariantViolationError: the asset is not partitioned by time.
        """
        return time_window_of_subset(self.asset_partitions_def, self._require_subset(), self._scope.now)

    def get_asset_identifier(self) -> Sequence[str]:
        """The parts of the asset key, and the partition key where there is one: a place for the value."""
        parts = list(self.asset_key.parts)
        return [*parts, self.asset_partition_key] if self._scope.subset is not None else parts

    def logged_metadata(self) -> dict[str, AnyMetadataValue]:
        """What was added with `add_output_metadata` or `add_input_metadata`."""
        return self._logged_metadata

    def _require_subset(self) -> PartitionSubset:
        if self._scope.subset is None:
            raise InvariantViolationError("The asset is not partitioned: ask has_asset_partitions first.")
        return self._scope.subset


class OutputContext(_ValueContext):
    """What an IO manager is told when it stores a value."""

    def __init__(
        self,
        scope: ValueScope,
        *,
        step_key: str,
        name: str,
        run_id: str,
        job_name: str,
        asset_spec: AssetSpec | None,
        output_metadata: Mapping[str, AnyMetadataValue],
        mapping_key: str | None = None,
        definition_metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(scope, definition_metadata)
        self._mapping_key = mapping_key
        self._step_key = step_key
        self._name = name
        self._run_id = run_id
        self._job_name = job_name
        self._asset_spec = asset_spec
        self._output_metadata = output_metadata

    @property
    def step_key(self) -> str:
        """The step that gives the value."""
        return self._step_key

    @property
    def name(self) -> str:
        """The output's name."""
        return self._name

    @property
    def mapping_key(self) -> str | None:
        """The key of the value among those of a dynamic output; None for any other."""
        return self._mapping_key

    @property
    def run_id(self) -> str:
        """The run."""
        return self._run_id

    def get_identifier(self) -> Sequence[str]:
        """A place for the value: that of its asset, or run, step and output (and mapping key)."""
        if self.has_asset_key:
            return self.get_asset_identifier()
        place = [self._run_id, self._step_key, self._name]
        return place if self._mapping_key is None else [*place, self._mapping_key]

    @property
    def job_name(self) -> str:
        """The job."""
        return self._job_name

    @property
    def asset_spec(self) -> AssetSpec:
        """What is declared of the asset.

        Raises:
            InvariantViolationError: the value is not that of an asset.
        """
        if self._asset_spec is None:
            raise InvariantViolationError("This value is not that of an asset: ask has_asset_key first.")
        return self._asset_spec

    @property
    def output_metadata(self) -> Mapping[str, AnyMetadataValue]:
        """The metadata that user code gave with the value."""
        return self._output_metadata

    def add_output_metadata(self, metadata: Mapping[str, object]) -> None:
        """Adds facts to the materialization (or the output)."""
        self._logged_metadata.update(normalize_metadata(metadata))


class InputContext(_ValueContext):
    """What an IO manager is told when it loads a value."""

    def __init__(
        self,
        scope: ValueScope,
        *,
        name: str,
        job_name: str,
        upstream_output: OutputContext | None,
        definition_metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(scope, definition_metadata)
        self._name = name
        self._job_name = job_name
        self._upstream_output = upstream_output

    @property
    def name(self) -> str:
        """The input's name: the parameter of the user's function."""
        return self._name

    @property
    def job_name(self) -> str:
        """The job."""
        return self._job_name

    def get_identifier(self) -> Sequence[str]:
        """The place where the value was stored: that of its asset, or run, step and output (and mapping key).

        Raises:
            InvariantViolationError: it is the value of no asset and no step.
        """
        if self.has_asset_key:
            return self.get_asset_identifier()
        if self._upstream_output is None:
            raise InvariantViolationError(f"The input {self._name!r} comes from no step: it has no place of its own.")
        return self._upstream_output.get_identifier()

    @property
    def upstream_output(self) -> OutputContext | None:
        """The context with which the value is stored, as far as it is known here."""
        return self._upstream_output

    def add_input_metadata(self, metadata: Mapping[str, object]) -> None:
        """Adds facts to the record of the loaded input."""
        self._logged_metadata.update(normalize_metadata(metadata))
