"""The step behind a context outside of any run: what a test gave it, and what the call in progress adds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from segue.defs.direct_resources import DirectResources
from segue.defs.instance import Instance
from segue.defs.log import LogManager
from segue.defs.node import NodeUse
from segue.defs.resource_context import Resources
from segue.defs.step_facts import UserEvent
from segue.errors import (
    InvalidInvocationError,
    InvalidPropertyError,
    InvariantViolationError,
    WrongArgumentError,
)
from segue.model.arguments import require_kind
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.materialization import DataVersion
from segue.model.metadata import normalize_metadata
from segue.model.node_handle import NodeHandle
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.subset import PartitionSubset, subset_of_range, typed_keys_of_subset
from segue.model.partitions.subset_window import time_window_of_subset
from segue.model.run import Run

EPHEMERAL_RUN_ID = "EPHEMERAL"


class Binding(msgspec.Struct, frozen=True):
    """What a context is being used for: one call of one function.

    Attributes:
        op: the op.
        definition: the assets or checks behind it, if any.
        name: what the call bears as its name.
        config: its config, as plain values.
        resources: the resources that were given as arguments.
    """

    op: Any
    definition: Any
    name: str
    config: object
    resources: Mapping[str, object]


class ExecutionProperties:
    """What the last call with a context left.

    Attributes:
        output_metadata: what was added to each output; for a dynamic one, by mapping key.
        user_events: what was recorded with `log_event`, in order.
        given: the outputs (and mapping keys) that were given.
        added: those that metadata was added to.
    """

    def __init__(self) -> None:
        self.output_metadata: dict[tuple[str, str | None], dict[str, object]] = {}
        self.user_events: list[UserEvent] = []
        self.given: set[tuple[str, str | None]] = set()
        self.added: set[tuple[str, str | None]] = set()
        self.data_versions: dict[str, DataVersion] = {}


class DirectStep(DirectResources):
    """The step behind a context outside of any run: what it was given, and what the call in progress adds."""

    def __init__(
        self,
        resources: Mapping[str, object] | None = None,
        config: object = None,
        resources_config: Mapping[str, Any] | None = None,
        instance: Instance | None = None,
        partition_key: str | None = None,
        partition_key_range: PartitionKeyRange | None = None,
        mapping_key: str | None = None,
        run_tags: Mapping[str, str] | None = None,
    ) -> None:
        if partition_key is not None and partition_key_range is not None:
            raise WrongArgumentError(
                "partition_key and partition_key_range were both provided for a context; keep one."
            )
        require_kind("A context", "partition_key", partition_key, str)
        require_kind("A context", "mapping_key", mapping_key, str)
        require_kind("A context", "resources_config", resources_config, Mapping)
        require_kind("A context", "run_tags", run_tags, Mapping)
        require_kind("A context", "partition_key_range", partition_key_range, PartitionKeyRange)
        super().__init__(resources, resources_config, instance)
        self.given_config = config
        self.mapping_key = mapping_key
        self.run_tags: Mapping[str, str] = dict(run_tags or {})
        self.attempt = 1
        self.step_key = "ephemeral"
        self.log = LogManager(_goes_nowhere)
        self.binding: Binding | None = None
        self.properties = ExecutionProperties()
        self._partition_range = (
            PartitionKeyRange(partition_key, partition_key) if partition_key is not None else partition_key_range
        )

    @property
    def fencing_token(self) -> int | None:
        """None: outside of a run there is no lease."""
        return None

    def require_lease(self) -> None:
        """Nothing: outside of a run there is no lease to lose."""

    def bind(self, binding: Binding) -> None:
        """Takes up a call.

        Raises:
            InvalidInvocationError: the context is in use for another one.
        """
        if self.binding is not None:
            raise InvalidInvocationError(
                f"The context is in use by {self.binding.name!r}, which has not returned yet: create another "
                "context for this call, or wait."
            )
        self.binding = binding
        self.step_key = binding.name
        self.properties = ExecutionProperties()

    def unbind(self) -> None:
        """Ends the call; what it left can still be asked for."""
        self.binding = None
        self.step_key = "ephemeral"

    def _bound(self, name: str) -> Binding:
        if self.binding is None:
            raise self._unknown(name)
        return self.binding

    @staticmethod
    def _unknown(name: str) -> InvalidPropertyError:
        return InvalidPropertyError(
            f"The {name} property is available during a run only, not when an op or asset is invoked directly."
        )

    @property
    def run(self) -> Run:
        """Raises InvalidPropertyError: there is no run."""
        raise self._unknown("run")

    @property
    def run_id(self) -> str:
        """A stand-in for the id of a run."""
        return EPHEMERAL_RUN_ID

    @property
    def job(self) -> Any:
        """Raises InvalidPropertyError: there is no job."""
        raise self._unknown("job_def")

    @property
    def job_name(self) -> str:
        """Raises InvalidPropertyError: there is no job."""
        raise self._unknown("job_name")

    @property
    def run_config_dict(self) -> Mapping[str, object]:
        """The config of a run that would do what the call does."""
        binding = self._bound("run_config")
        found: dict[str, object] = {"resources": self.resources_config}
        if self.given_config is not None:
            found["ops"] = {binding.name: {"config": self.given_config}}
        return found

    @property
    def op_config(self) -> object:
        """The config as plain values: of a call with all defaults, before one as it was given."""
        return self.given_config if self.binding is None else self.binding.config

    @property
    def op_def(self) -> Any:
        """The op that is called."""
        return self._bound("op_def").op

    @property
    def node(self) -> NodeUse:
        """Raises InvalidPropertyError: the op is used in no graph."""
        raise self._unknown("op")

    @property
    def node_handle(self) -> NodeHandle:
        """Raises InvalidPropertyError: the op is used in no graph."""
        raise self._unknown("node_handle")

    def take_tokens(self, key: str, tokens: int) -> None:
        """Waits for nothing: the limits of resources are those of a run."""

    def report_call(self, key: str, error: Exception | None) -> None:
        """Tells nobody: see `take_tokens`."""

    def load_asset_value(self, key: AssetKey, python_type: type | None, partition_key: str | None) -> Any:
        """Raises InvalidPropertyError: other assets are not known."""
        raise self._unknown("load_asset_value")

    @property
    def definition(self) -> Any:
        """The assets or checks behind the op."""
        return self._bound("assets_def").definition

    @property
    def resources(self) -> Resources:
        """The resources, as attributes: of a call, those that its function asks for."""
        opened = self.opened_resources()
        if self.binding is None:
            return opened
        given = {**{key: getattr(opened, key) for key in self.declared}, **self.binding.resources}
        keys = self.binding.op.resource_keys
        return Resources({key: given[key] for key in keys if key in given})

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs of the function."""
        return self._bound("selected_output_names").op.output_names

    @property
    def asset_keys(self) -> Mapping[str, AssetKey]:
        """The assets that the function makes, by output."""
        definition = self._bound("asset_key").definition
        return {} if definition is None else {name: spec.key for name, spec in definition.specs_by_output.items()}

    @property
    def input_asset_keys(self) -> Mapping[str, AssetKey]:
        """The assets behind the inputs."""
        definition = self._bound("asset_key_for_input").definition
        return {} if definition is None else definition.node_keys_by_input_name

    @property
    def is_part(self) -> bool:
        """Whether only some of what the function can make is asked for."""
        return set(self.output_names) != set(self.op_def.output_names)

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The checks that the function runs."""
        definition = self._bound("check_specs").definition
        return [] if definition is None else definition.check_specs

    @property
    def check_keys(self) -> Sequence[AssetCheckKey]:
        """The keys of these checks."""
        return [spec.key for spec in self.check_specs]

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How the assets that the function makes are partitioned."""
        definition = None if self.binding is None else self.binding.definition
        return None if definition is None else definition.partitions_def

    @property
    def partition_range(self) -> PartitionKeyRange | None:
        """First and last partition that were given."""
        return self._partition_range

    def partition_keys(self) -> Sequence[str]:
        """The partitions that were given, in order."""
        keys = self._partition_range
        if keys is None:
            raise InvariantViolationError(
                "This context has no partitions: provide partition_key or partition_key_range."
            )
        if keys.start == keys.end:
            return [keys.start]
        definition, subset, now = self._partitions()
        return typed_keys_of_subset(definition, subset, now)

    def time_window(self) -> TimeWindow:
        """The time that the partitions span."""
        definition, subset, now = self._partitions()
        return time_window_of_subset(definition, subset, now)

    def _partitions(self) -> tuple[PartitionsDefinition, PartitionSubset, datetime]:
        keys, definition = self._partition_range, self.partitions_def
        if keys is None:
            raise InvariantViolationError(
                "This context has no partitions: provide partition_key or partition_key_range."
            )
        if definition is None:
            raise self._unknown("partition_time_window")
        now = datetime.now(UTC)
        return definition, subset_of_range(definition, keys.start, keys.end, now), now

    def require_output(self, output_name: str) -> None:
        """Refuses the name of an output that the function that is called does not have."""
        if self.binding is not None and output_name not in self.output_names:
            raise InvariantViolationError(f"Op {self.step_key!r} has no output {output_name!r}.")

    def asset_partitions_def(self, key: AssetKey) -> PartitionsDefinition | None:
        """Raises InvalidPropertyError: other assets are not known."""
        raise self._unknown("asset_partitions_def")

    def input_partitions_def(self, input_name: str) -> PartitionsDefinition | None:
        """Raises InvalidPropertyError: the assets upstream are not known."""
        raise self._unknown("asset_partitions_def_for_input")

    def input_partition_keys(self, input_name: str) -> Sequence[str]:
        """Raises InvalidPropertyError: the assets upstream are not known."""
        raise self._unknown("asset_partition_keys_for_input")

    def input_time_window(self, input_name: str) -> TimeWindow:
        """Raises InvalidPropertyError: the assets upstream are not known."""
        raise self._unknown("asset_partitions_time_window_for_input")

    def record(self, event: UserEvent) -> None:
        """Keeps a fact for `get_events`."""
        self.properties.user_events.append(event)

    def add_metadata(self, output_name: str, metadata: Mapping[str, object], mapping_key: str | None = None) -> None:
        """Adds facts to an output that is still to come, once for each."""
        added = self.properties.added
        if (output_name, mapping_key) in added:
            raise InvariantViolationError(
                f"Metadata was already added to the output {output_name!r}{_with_key(mapping_key)} of {self.step_key!r}: add all "
                "of it in one call."
            )
        self._merge_metadata(output_name, metadata, mapping_key)
        added.add((output_name, mapping_key))

    def _merge_metadata(self, output_name: str, metadata: Mapping[str, object], mapping_key: str | None = None) -> None:
        if (output_name, mapping_key) in self.properties.given:
            raise InvariantViolationError(
                f"The output {output_name!r}{_with_key(mapping_key)} of {self.step_key!r} was already yielded: add metadata "
                "before that."
            )
        normalize_metadata(metadata)  # refuses what is none; what was given is shown as it was given
        self.properties.output_metadata.setdefault((output_name, mapping_key), {}).update(metadata)

    def add_asset_metadata(
        self, output_name: str, metadata: Mapping[str, object], partition: str | None = None
    ) -> None:
        """Adds facts to an output that is still to come; of a partition they are not kept apart."""
        self._merge_metadata(output_name, metadata)

    def metadata_of(self, output_name: str, mapping_key: str | None = None) -> Mapping[str, object]:
        """What was added to an output."""
        return self.properties.output_metadata.get((output_name, mapping_key), {})

    def set_data_version(self, output_name: str, data_version: DataVersion) -> None:
        """Keeps the version of the content of an output."""
        self.properties.data_versions[output_name] = data_version


def _with_key(mapping_key: str | None) -> str:
    return "" if mapping_key is None else f" with mapping_key {mapping_key!r}"


def _goes_nowhere(_record: logging.LogRecord) -> bool:
    """Lines of a call are recorded with no run; they reach Python's logging all the same."""
    return False
