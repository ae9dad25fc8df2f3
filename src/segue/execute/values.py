"""Values in and out: IO managers are called here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.defs.context import Resources
from segue.defs.io import InputContext, OutputContext, ValueScope
from segue.errors import InvariantViolationError
from segue.execute.attempt import StepAttempt
from segue.model.event import HandledOutputData, LoadedInputData, StepInputData
from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.subset import PartitionSubset
from segue.plan.plan import StepInput, StepOutput


def load_input(attempt: StepAttempt, source: StepInput) -> object:
    """The value of an input, loaded by its IO manager.

    Raises:
        Exception: whatever the IO manager raises.
    """
    upstream_scope = _scope(attempt, source.asset_key, source.partitions)
    context = InputContext(
        upstream_scope,
        name=source.name,
        job_name=attempt.run.job_name,
        upstream_output=_upstream_context(attempt, source, upstream_scope),
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
    attempt.emit(StepInputData(source.name))
    return value


def store_output(
    attempt: StepAttempt, output: StepOutput, value: object, metadata: Mapping[str, AnyMetadataValue]
) -> dict[str, AnyMetadataValue]:
    """Has the IO manager store the value of an output.

    Returns:
        The metadata that the IO manager added.

    Raises:
        Exception: whatever the IO manager raises.
    """
    subset = attempt.scope.subset if output.is_partitioned else None
    context = _output_context(attempt, output.name, _scope(attempt, output.asset_key, subset), metadata)
    manager: Any = attempt.all_resources[output.io_manager_key]
    manager.handle_output(context, value)
    return context.logged_metadata()


def record_stored(attempt: StepAttempt, output: StepOutput, added: dict[str, AnyMetadataValue]) -> None:
    """Says that an IO manager stored an output."""
    attempt.emit(HandledOutputData(output.name, output.io_manager_key, added))


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
    attempt: StepAttempt, name: str, scope: ValueScope, metadata: Mapping[str, AnyMetadataValue]
) -> OutputContext:
    return OutputContext(
        scope,
        step_key=attempt.step_key,
        name=name,
        run_id=attempt.run.run_id,
        job_name=attempt.run.job_name,
        asset_spec=None if scope.asset_key is None else attempt.scope.described.specs[scope.asset_key],
        output_metadata=metadata,
    )


def _upstream_context(attempt: StepAttempt, source: StepInput, scope: ValueScope) -> OutputContext | None:
    """The context the value was, or will have been, stored with: enough for an IO manager to find its place."""
    spec = attempt.scope.described.specs.get(source.asset_key)
    if spec is None:
        raise InvariantViolationError(f"The input {source.name!r} of {attempt.step_key!r} names an unknown asset.")
    node = attempt.scope.described.graph.nodes[source.asset_key]
    return OutputContext(
        scope,
        step_key=node.computation or source.asset_key.to_python_identifier(),
        name=node.output_name or "result",
        run_id=attempt.run.run_id,
        job_name=attempt.run.job_name,
        asset_spec=spec,
        output_metadata={},
    )
