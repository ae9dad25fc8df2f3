"""Values in and out: IO managers are called here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from segue.defs.context import Resources
from segue.defs.io import InputContext, OutputContext, ValueScope
from segue.defs.run_config import config_entry
from segue.errors import InvariantViolationError
from segue.execute.attempt import StepAttempt
from segue.model.event import HandledOutputData, LoadedInputData, StepInputData
from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.subset import PartitionSubset
from segue.model.steps import AssetSource, FanInSource, GraphInputSource, OutputSource
from segue.plan.plan import StepInput, StepOutput


def load_input(attempt: StepAttempt, source: StepInput) -> object:
    """The value of an input: loaded by an IO manager, or from the config, the caller or its default.

    Raises:
        Exception: whatever the IO manager raises.
    """
    if source.asset_key is not None:
        value = _load_asset(attempt, source, source.asset_key)
    elif isinstance(source.source, FanInSource):
        value = [_load_part(attempt, source, each) for each in source.source.sources]
    elif isinstance(source.source, OutputSource):
        value = _load_part(attempt, source, source.source)
    else:
        value = _own_value(attempt, source)
    attempt.emit(StepInputData(source.name))
    return value


def _load_part(attempt: StepAttempt, source: StepInput, part: OutputSource | AssetSource | GraphInputSource) -> object:
    """The value of one step output (or, in a list, of an input of the graph)."""
    if isinstance(part, GraphInputSource):
        return _own_value(attempt, msgspec.structs.replace(source, source=part))
    if isinstance(part, AssetSource):
        manager_key = part.io_manager_key or attempt.scope.described.graph.node(part.asset_key).io_manager_key
        loaded = msgspec.structs.replace(source, asset_key=part.asset_key, io_manager_key=manager_key)
        return _load_asset(attempt, loaded, part.asset_key)
    job = attempt.scope.job_side
    upstream_op = attempt.scope.described.op_of(attempt.run.job_name, part.step, attempt.step.graph)
    scope = _scope(attempt, None, None)
    upstream = OutputContext(
        scope,
        step_key=part.step,
        name=part.output,
        run_id=job.finished_in.get(part.step, attempt.run.run_id),
        job_name=attempt.run.job_name,
        asset_spec=None,
        output_metadata={},
        mapping_key=part.mapping_key,
        definition_metadata={} if upstream_op is None else upstream_op.outs[part.output].metadata,
    )
    context = InputContext(
        scope,
        name=source.name,
        job_name=attempt.run.job_name,
        upstream_output=upstream,
        definition_metadata=attempt.op.ins[source.name].metadata,
    )
    manager: Any = attempt.all_resources[part.io_manager_key]
    value = manager.load_input(context)
    attempt.emit(LoadedInputData(source.name, part.io_manager_key, part.step, part.output, context.logged_metadata()))
    return value


def _own_value(attempt: StepAttempt, source: StepInput) -> object:
    """The value of an input that no step gives: from the caller, the config, its IO manager, or its default."""
    config: Mapping[str, Any] = attempt.run_config
    if isinstance(source.source, GraphInputSource):
        name, path = source.source.name, source.source.path
        if not path and name in attempt.scope.job_side.input_values:
            return attempt.scope.job_side.input_values[name]
        inputs = config_entry(config, "ops", path).get("inputs", {}) if path else config.get("inputs", {})
        if name in inputs:
            return _configured_value(inputs[name])
    inputs = config_entry(config, "ops", attempt.step.path).get("inputs", {})
    if source.name in inputs:
        return _configured_value(inputs[source.name])
    if source.io_manager_key:
        context = InputContext(
            _scope(attempt, None, None),
            name=source.name,
            job_name=attempt.run.job_name,
            upstream_output=None,
            definition_metadata=attempt.op.ins[source.name].metadata,
        )
        manager: Any = attempt.all_resources[source.io_manager_key]
        value = manager.load_input(context)
        attempt.emit(LoadedInputData(source.name, source.io_manager_key, None, None, context.logged_metadata()))
        return value
    return attempt.op.ins[source.name].default_value


def _configured_value(value: Any) -> object:
    """An input's value that stands in the run config: as it is, or as `{"value": ...}`."""
    return value["value"] if isinstance(value, Mapping) and set(value) == {"value"} else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] reason: of the user's kind


def _load_asset(attempt: StepAttempt, source: StepInput, asset_key: AssetKey) -> object:
    """The value of an asset."""
    upstream_scope = _scope(attempt, asset_key, source.partitions)
    context = InputContext(
        upstream_scope,
        name=source.name,
        job_name=attempt.run.job_name,
        upstream_output=_upstream_context(attempt, source, asset_key, upstream_scope),
    )
    manager: Any = attempt.all_resources[source.io_manager_key]
    value = manager.load_input(context)
    attempt.emit(
        LoadedInputData(
            source.name,
            source.io_manager_key,
            source.upstream_step,
            source.upstream_output,
            context.logged_metadata(),
        )
    )
    return value


def store_output(
    attempt: StepAttempt,
    output: StepOutput,
    value: object,
    metadata: Mapping[str, AnyMetadataValue],
    mapping_key: str | None = None,
) -> dict[str, AnyMetadataValue]:
    """Has the IO manager store the value of an output.

    Returns:
        The metadata that the IO manager added.

    Raises:
        Exception: whatever the IO manager raises.
    """
    subset = attempt.scope.subset if output.is_partitioned else None
    context = _output_context(attempt, output.name, _scope(attempt, output.asset_key, subset), metadata, mapping_key)
    manager: Any = attempt.all_resources[output.io_manager_key]
    manager.handle_output(context, value)
    return context.logged_metadata()


def record_stored(
    attempt: StepAttempt, output: StepOutput, added: dict[str, AnyMetadataValue], mapping_key: str | None = None
) -> None:
    """Says that an IO manager stored an output."""
    attempt.emit(HandledOutputData(output.name, output.io_manager_key, added, mapping_key))


def _scope(attempt: StepAttempt, key: AssetKey | None, subset: PartitionSubset | None) -> ValueScope:
    spec = None if key is None else attempt.scope.described.specs[key]
    return ValueScope(
        asset_key=key,
        partitions_def=None if spec is None else spec.partitions_def,
        subset=subset,
        run_partition=attempt.scope.single_partition,
        now=attempt.scope.now,
        resources=Resources(attempt.scope.resources),
        log=attempt.log,
        definition_metadata={} if spec is None else spec.metadata,
    )


def _output_context(
    attempt: StepAttempt,
    name: str,
    scope: ValueScope,
    metadata: Mapping[str, AnyMetadataValue],
    mapping_key: str | None,
) -> OutputContext:
    return OutputContext(
        scope,
        step_key=attempt.step_key,
        name=name,
        run_id=attempt.run.run_id,
        job_name=attempt.run.job_name,
        asset_spec=None if scope.asset_key is None else attempt.scope.described.specs[scope.asset_key],
        output_metadata=metadata,
        mapping_key=mapping_key,
        definition_metadata=None if scope.asset_key is not None else attempt.op.outs[name].metadata,
    )


def _upstream_context(
    attempt: StepAttempt, source: StepInput, asset_key: AssetKey, scope: ValueScope
) -> OutputContext | None:
    """The context the value was, or will have been, stored with: enough for an IO manager to find its place."""
    spec = attempt.scope.described.specs.get(asset_key)
    if spec is None:
        raise InvariantViolationError(f"The input {source.name!r} of {attempt.step_key!r} names an unknown asset.")
    node = attempt.scope.described.graph.nodes[asset_key]
    return OutputContext(
        scope,
        step_key=node.computation or asset_key.to_python_identifier(),
        name=node.output_name or "result",
        run_id=attempt.run.run_id,
        job_name=attempt.run.job_name,
        asset_spec=spec,
        output_metadata={},
    )
