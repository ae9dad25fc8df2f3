"""What IO managers are told of the values that they store and load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.value_context import ValueContext, ValueScope
from segue.errors import InvariantViolationError
from segue.model.assets import AssetSpec
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.metadata import AnyMetadataValue, normalize_metadata

EPHEMERAL_RUN_ID = "__EPHEMERAL_RUN_ID"


class OutputContext(ValueContext):
    """The context of an IO manager that stores a value. A run creates it; in tests, use `build_output_context`."""

    def __init__(
        self,
        scope: ValueScope | None = None,
        *,
        step_key: str | None = None,
        name: str | None = None,
        run_id: str | None = None,
        job_name: str | None = None,
        definition_metadata: Mapping[str, object] | None = None,
        mapping_key: str | None = None,
        config: Any = None,
        dagster_type: Any = None,
        version: str | None = None,
        op_def: Any = None,
        output_metadata: Mapping[str, AnyMetadataValue] | None = None,
        asset_spec: AssetSpec | None = None,
    ) -> None:
        super().__init__(scope or ValueScope(), name, job_name, op_def, config, definition_metadata, dagster_type)
        self._mapping_key = mapping_key
        self._step_key = step_key
        self._run_id = run_id or EPHEMERAL_RUN_ID
        self._version = version
        self._asset_spec = asset_spec
        self._output_metadata: Mapping[str, AnyMetadataValue] = output_metadata or {}

    @property
    def step_key(self) -> str:
        """The step that outputs the value."""
        return self._given("step_key", self._step_key)

    @property
    def mapping_key(self) -> str | None:
        """The key of the value among those of a dynamic output; None for any other."""
        return self._mapping_key

    @property
    def run_id(self) -> str:
        """The run."""
        return self._run_id

    @property
    def fencing_token(self) -> int | None:
        """A number greater than that of any run or attempt that began before, to be handed to what stores the value where
        that can refuse a lesser one than it has seen; None outside of a run. See `docs/reliability.md`.
        """
        return None if self._scope.step is None else self._scope.step.fencing_token

    def require_lease(self) -> None:
        """Makes sure that this process may still work on the run: to be called when a value is written and only has to be
        put in its place. Outside of a run nothing is checked.

        Raises:
            LeaseLostError: the run has ended, or another process has it.
        """
        if self._scope.step is not None:
            self._scope.step.require_lease()

    @property
    def version(self) -> str | None:
        """The version of the value, where one is known."""
        return self._version

    def get_identifier(self) -> Sequence[str]:
        """A place for the value in its run: run, step and output (and mapping key). For the value of an asset, which later
        runs load too, use `get_asset_identifier`.
        """
        place = [self._run_id, self.step_key, self.name]
        return place if self._mapping_key is None else [*place, self._mapping_key]

    def get_run_scoped_output_identifier(self) -> Sequence[str]:
        """Run, step and output (and mapping key); the same as `get_identifier`."""
        return self.get_identifier()

    def get_output_identifier(self) -> Sequence[str]:
        """Run, step and output (and mapping key); the same as `get_identifier`."""
        return self.get_identifier()

    def get_asset_output_identifier(self) -> Sequence[str]:
        """The parts of the asset key, and the partition; superseded by `get_asset_identifier`."""
        return self.get_asset_identifier()

    @property
    def asset_spec(self) -> AssetSpec:
        """What is declared of the asset.

        Raises:
            InvariantViolationError: the value is not that of an asset.
        """
        return self._given("asset_spec", self._asset_spec)

    @property
    def output_metadata(self) -> Mapping[str, AnyMetadataValue]:
        """The metadata that user code gave with the value."""
        return self._output_metadata

    def add_output_metadata(self, metadata: Mapping[str, object]) -> None:
        """Adds facts to the materialization (or the output).

        Raises:
            InvariantViolationError: a fact of this name was added before.
        """
        again = sorted(set(metadata) & set(self._logged_metadata))
        if again:
            raise InvariantViolationError(
                f"The metadata keys {', '.join(map(repr, again))} were already added to this output. Use other keys."
            )
        self._logged_metadata.update(normalize_metadata(metadata))

    def log_event(self, event: AssetMaterialization | AssetObservation) -> None:
        """Records an event of the step, apart from the output."""
        self._events.append(event)

    def get_logged_events(self) -> Sequence[AssetMaterialization | AssetObservation]:
        """The events that were logged and not yet consumed."""
        return list(self._events)

    def get_logged_metadata(self) -> Mapping[str, AnyMetadataValue]:
        """What metadata was added and not yet consumed."""
        return self._logged_metadata


class InputContext(ValueContext):
    """The context of an IO manager that loads a value. A run creates it; in tests, use `build_input_context`."""

    def __init__(
        self,
        scope: ValueScope | None = None,
        *,
        name: str | None = None,
        job_name: str | None = None,
        upstream_output: OutputContext | None = None,
        definition_metadata: Mapping[str, object] | None = None,
        config: Any = None,
        dagster_type: Any = None,
        op_def: Any = None,
    ) -> None:
        super().__init__(scope or ValueScope(), name, job_name, op_def, config, definition_metadata, dagster_type)
        self._upstream_output = upstream_output
        self._observations: list[AssetObservation] = []

    @property
    def has_input_name(self) -> bool:
        """Whether it is an input of a step; not where a value is loaded by `load_asset_value`."""
        return self._name is not None

    @property
    def instance(self) -> Any:
        """The instance the run is recorded in."""
        return self._given("instance", self._scope.instance)

    @property
    def upstream_output(self) -> OutputContext | None:
        """The context with which the value is stored, as far as it is known here."""
        return self._upstream_output

    def get_identifier(self) -> Sequence[str]:
        """The place where the value was stored by its run: run, step and output (and mapping key).

        Raises:
            InvariantViolationError: it is the value of no step.
        """
        if self._upstream_output is None:
            raise InvariantViolationError(
                f"The input {self._name!r} has no upstream_output: it does not come from a step, so it has no "
                "identifier."
            )
        return self._upstream_output.get_identifier()

    def add_input_metadata(self, metadata: Mapping[str, object], description: str | None = None) -> None:
        """Adds facts to the record of the loaded input; for an asset, an observation of it as well.

        Args:
            metadata: the facts.
            description: that of the observation.
        """
        facts = normalize_metadata(metadata)
        self._logged_metadata.update(facts)
        if self.has_asset_key:
            partitions = self.asset_partition_keys if self.has_asset_partitions else [None]
            found = [AssetObservation(self.asset_key, description, facts, partition) for partition in partitions]
            self._observations.extend(found)
            self._events.extend(found)

    def get_observations(self) -> Sequence[AssetObservation]:
        """The observations of the asset."""
        return list(self._observations)
