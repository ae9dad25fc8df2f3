"""What IO managers are told of a value, whether they store or load it: its asset, its partitions, its step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from segue.defs.bindings import bound
from segue.defs.resource_context import Resources, ResourcesOnUse
from segue.defs.superseded import warn_superseded
from segue.defs.types.resolve import resolve_type
from segue.errors import InvariantViolationError
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.subset import PartitionSubset, typed_keys_of_subset
from segue.model.partitions.subset_window import time_window_of_subset

if TYPE_CHECKING:
    from segue.defs.log import LogManager


class ValueScope(msgspec.Struct, frozen=True):
    """What a value belongs to.

    Attributes:
        asset_key: the asset; None for a value between steps.
        partitions_def, subset: how the asset is partitioned, and which partitions are meant.
        run_partition: the single partition of the run, if it has one.
        now: the time at which the run looks partitions up.
        resources: handed on to the IO manager; of a context made by hand, set up on first use.
        resource_config: the config of the IO manager as a resource.
        step: the step that stores or loads.
        instance: the instance the run is recorded in.
    """

    asset_key: AssetKey | None = None
    partitions_def: PartitionsDefinition | None = None
    subset: PartitionSubset | None = None
    run_partition: str | None = None
    now: datetime | None = None
    resources: Any = None
    resource_config: Any = None
    step: Any = None
    instance: Any = None


class ValueContext:
    """What both contexts know of the value, its asset and its partitions."""

    def __init__(
        self,
        scope: ValueScope,
        name: str | None,
        job_name: str | None,
        op_def: Any,
        config: Any,
        definition_metadata: Mapping[str, object] | None,
        dagster_type: Any,
    ) -> None:
        self._scope = scope
        self._name = name
        self._job_name = job_name
        self._op_def = op_def
        self._config = config
        self._definition_metadata: Mapping[str, object] = definition_metadata or {}
        self._dagster_type = dagster_type
        self._logged_metadata: dict[str, AnyMetadataValue] = {}
        self._events: list[AssetMaterialization | AssetObservation] = []

    def _given(self, name: str, value: Any) -> Any:
        """The value, if there is one."""
        if value is None:
            kind = type(self).__name__
            raise InvariantViolationError(
                f"This {kind} has no {name}: it is set in a run, or by "
                f"build_{('output' if kind == 'OutputContext' else 'input')}_context({name}=...)."
            )
        return value

    def __enter__(self) -> Self:
        if isinstance(self._scope.resources, ResourcesOnUse):
            self._scope.resources.entered = True
            self._scope.resources.opened_resources()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(self._scope.resources, ResourcesOnUse):
            self._scope.resources.close()

    @property
    def name(self) -> str:
        """The name of the input or output."""
        return self._given("name", self._name)

    @property
    def job_name(self) -> str:
        """The job."""
        return self._given("job_name", self._job_name)

    @property
    def op_def(self) -> Any:
        """The op that gives or takes the value."""
        return self._given("op_def", self._op_def)

    @property
    def config(self) -> Any:
        """The config of the input or output; None without."""
        return self._config

    @property
    def definition_metadata(self) -> Mapping[str, Any]:
        """The metadata of the input or output as declared; that of the asset for an output that carries one."""
        return self._definition_metadata

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata as declared; superseded by `definition_metadata`."""
        warn_superseded("metadata of the context of an input or output", "read definition_metadata")
        return self._definition_metadata

    @property
    def dagster_type(self) -> Any:
        """The type of the value."""
        return resolve_type(self._given("dagster_type", self._dagster_type))

    @property
    def is_untyped(self) -> bool:
        """Whether nobody says what type the value is."""
        return self._dagster_type is None

    @property
    def log(self) -> LogManager:
        """The log of the step."""
        if self._scope.step is not None:
            return self._scope.step.log
        return bound("get_logger")()

    @property
    def resource_config(self) -> Mapping[str, Any] | None:
        """The config of the IO manager as a resource."""
        return self._scope.resource_config

    @property
    def resources(self) -> Any:
        """The resources of the run, as attributes.

        Raises:
            InvariantViolationError: outside of a run, one of them must be torn down, and the context is not used in `with`.
        """
        found = self._scope.resources
        if isinstance(found, ResourcesOnUse):
            return found.opened_resources()
        if found is None or isinstance(found, Mapping):
            return Resources(found or {})  # pyright: ignore[reportUnknownArgumentType] reason: resources of any type
        return found

    @property
    def step_context(self) -> Any:
        """The context of the step that stores or loads."""
        return self._given("step_context", self._scope.step)

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
            raise InvariantViolationError(
                "This value does not belong to an asset, so it has no asset_key. Check has_asset_key first."
            )
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
            raise InvariantViolationError(
                "The run does not have a single partition key. Check has_partition_key first."
            )
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
        return self._definition().declared

    def _definition(self) -> PartitionsDefinition:
        """The partitions, with the keys that were there when the run began."""
        if self._scope.partitions_def is None:
            raise InvariantViolationError(
                f"{self.asset_key.to_user_string()} is not partitioned. Check has_asset_partitions first."
                if self.has_asset_key
                else "This value does not belong to a partitioned asset. Check has_asset_partitions first."
            )
        return self._scope.partitions_def

    @property
    def asset_partition_keys(self) -> Sequence[str]:
        """The partitions of the asset that are meant, in order."""
        subset = self._require_subset()
        if self._scope.partitions_def is None:  # a context made by hand with a key and nothing else
            return [first for first, _ in subset.ranges]
        return typed_keys_of_subset(self._scope.partitions_def, subset, self._now)

    @property
    def asset_partition_key(self) -> str:
        """The one partition of the asset that is meant.

        Raises:
            InvariantViolationError: there are several, or none.
        """
        keys = self.asset_partition_keys
        if len(keys) != 1:
            name = self.asset_key.to_user_string() if self.has_asset_key else "the asset"
            raise InvariantViolationError(
                f"Expected one partition of {name}, got {len(keys)}. Use asset_partition_keys."
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
            raise InvariantViolationError("The partitions are not a single range. Use asset_partition_keys.")
        definition = self._scope.partitions_def
        if definition is None:  # a context made by hand with keys and nothing else
            return PartitionKeyRange(*ranges[0])
        return PartitionKeyRange(*map(definition.typed_key, ranges[0]))

    @property
    def asset_partitions_time_window(self) -> TimeWindow:
        """The time that the partitions span, from the start of the first to the end of the last.

        Raises:
            InvariantViolationError: the asset is not partitioned by time.
        """
        return time_window_of_subset(self._definition(), self._require_subset(), self._now)

    def get_asset_identifier(self) -> Sequence[str]:
        """The parts of the asset key, and the partition key where there is one: a place for the value."""
        parts = list(self.asset_key.parts)
        return [*parts, self.asset_partition_key] if self._scope.subset is not None else parts

    def consume_events(self) -> Iterator[AssetMaterialization | AssetObservation]:
        """The events that were logged; each is given once."""
        events, self._events = self._events, []
        yield from events

    def consume_logged_metadata(self) -> Mapping[str, AnyMetadataValue]:
        """What metadata was added; each is given once."""
        found, self._logged_metadata = self._logged_metadata, {}
        return found

    def logged_metadata(self) -> dict[str, AnyMetadataValue]:
        """What was added with `add_output_metadata` or `add_input_metadata`."""
        return self._logged_metadata

    @property
    def _now(self) -> datetime:
        return datetime.now(UTC) if self._scope.now is None else self._scope.now

    def _require_subset(self) -> PartitionSubset:
        if self._scope.subset is None:
            raise InvariantViolationError("The asset is not partitioned. Check has_asset_partitions first.")
        return self._scope.subset
