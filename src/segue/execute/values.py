"""Values in and out: IO managers are called here and nowhere else."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from types import GeneratorType
from typing import Any, cast

import msgspec

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.place import ROOT, Place
from segue.defs.config_schema.process import process_config
from segue.defs.config_schema.shapes import Shape
from segue.defs.input_config import value_of_input
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.resource_context import Resources
from segue.defs.run_config import config_entry
from segue.defs.types.loader import TypeLoader, TypeLoaderContext
from segue.defs.value_context import ValueScope
from segue.defs.value_entries import value_schema
from segue.errors import InvalidConfigError, InvariantViolationError, StorageError
from segue.execute.attempt import StepAttempt
from segue.execute.value_types import declared_type, recorded, require_passed, type_check
from segue.model.event import HandledOutputData, LoadedInputData, StepInputData
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.subset import PartitionSubset, whole
from segue.model.steps import AssetSource, FanInSource, GraphInputSource, OutputSource
from segue.plan.plan import StepInput, StepOutput


def load_input(attempt: StepAttempt, source: StepInput) -> object:
    """The value of an input: loaded by an IO manager, or from the config, the caller or its default.

    Raises:
        Exception: whatever the IO manager raises.
    """
    if source.asset_key is not None:
        return _load_asset(attempt, source, source.asset_key)
    if isinstance(source.source, FanInSource) and source.source.sources:
        return [_load_part(attempt, source, each) for each in source.source.sources]
    if isinstance(source.source, OutputSource):
        return _load_part(attempt, source, source.source)
    return _own_value(attempt, source)


def check_input(attempt: StepAttempt, name: str, value: object) -> None:
    """Says that an input is there, with what the check of its type said.

    Raises:
        TypeCheckDidNotPass: the value is not of the type.
    """
    what, kind = f'step input "{name}"', attempt.op.input_type(name)
    result = type_check(attempt, kind, value, what)
    attempt.emit(StepInputData(name, recorded(result, name)))
    require_passed(kind, result, what)


def missing_input(attempt: StepAttempt, source: StepInput) -> object:
    """The default of an input whose value no step of the run gave; the step's trigger rule lets it start all the same.

    Raises:
        InvariantViolationError: it has none.
    """
    declared = attempt.op.ins[source.name]
    if not declared.has_default_value:
        raise InvariantViolationError(
            f"{attempt.step_key!r}: the input {source.name!r} has no value in this run and no default. Give the "
            "parameter a default: the trigger rule lets the step start without the value."
        )
    attempt.log.info(f"No step of this run provided the input {source.name!r}: its default is used.")
    return declared.default_value


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
    scope = _scope(attempt, part.io_manager_key, None, None)
    upstream = OutputContext(
        scope,
        step_key=part.step,
        name=part.output,
        run_id=job.finished_in.get(part.step, attempt.run.run_id),
        job_name=attempt.run.job_name,
        mapping_key=part.mapping_key,
        definition_metadata={} if upstream_op is None else upstream_op.outs[part.output].metadata,
        dagster_type=None if upstream_op is None else declared_type(upstream_op.outs[part.output].dagster_type),
        op_def=upstream_op,
        config=_config(attempt, part.step, "output", part.output, part.io_manager_key),
    )
    context = _input_context(attempt, source.name, scope, part.io_manager_key, upstream)
    return _load(attempt, context, part.io_manager_key, part.step, part.output)


def _own_value(attempt: StepAttempt, source: StepInput) -> object:
    """The value of an input that no step gives: from the caller, the config, its IO manager, or its default.

    Of a list whose steps are all left out, that is an empty list.
    """
    config: Mapping[str, Any] = attempt.run_config
    if isinstance(source.source, GraphInputSource):
        name, path = source.source.name, source.source.path
        if not path and name in attempt.scope.job_side.input_values:
            return attempt.scope.job_side.input_values[name]
        inputs = config_entry(config, "ops", path).get("inputs", {}) if path else config.get("inputs", {})
        if name in inputs:
            place = ROOT.below("ops", path, "inputs", name) if path else ROOT.below("inputs", name)
            return _configured_value(attempt, source.name, inputs[name], place)
    inputs = config_entry(config, "ops", attempt.path).get("inputs", {})
    if source.name in inputs and _schema(attempt, source.io_manager_key, "input") is None:
        place = ROOT.below("ops", attempt.path, "inputs", source.name)
        return _configured_value(attempt, source.name, inputs[source.name], place)
    if source.io_manager_key:
        scope = _scope(attempt, source.io_manager_key, None, None)
        context = _input_context(attempt, source.name, scope, source.io_manager_key, None)
        return _load(attempt, context, source.io_manager_key, None, None)
    return [] if isinstance(source.source, FanInSource) else attempt.op.ins[source.name].default_value


def _configured_value(attempt: StepAttempt, name: str, given: Any, place: Place) -> object:
    """An input's value that stands in the run config."""
    kind = attempt.op.input_type(name)
    wanted = attempt.op.resource_keys
    if isinstance(kind.loader, TypeLoader):
        wanted |= kind.loader.required_resource_keys()
    context = TypeLoaderContext(
        resources=Resources({key: getattr(attempt.scope.shown, key) for key in wanted}),
        op_def=attempt.op,
        job_def=attempt.scope.described.jobs.get(attempt.run.job_name),
        log=attempt.log,
        run_id=attempt.run.run_id,
    )
    return value_of_input(kind, given, context, place)


def _load_asset(attempt: StepAttempt, source: StepInput, asset_key: AssetKey) -> object:
    """The value of an asset."""
    subset = source.partitions
    declared = attempt.scope.described.graph.nodes[asset_key].partitions
    if declared is not None and subset is None and attempt.definition is None:  # an op takes all of it
        subset = whole(declared, attempt.scope.now)
    scope = _scope(attempt, source.io_manager_key, asset_key, subset)
    upstream = _upstream_context(attempt, source, asset_key, scope)
    context = _input_context(attempt, source.name, scope, source.io_manager_key, upstream)
    return _load(attempt, context, source.io_manager_key, source.upstream_step, source.upstream_output)


def _load(
    attempt: StepAttempt, context: InputContext, manager_key: str, step: str | None, output: str | None
) -> object:
    """Has the IO manager load a value, and records that it did."""
    manager: Any = attempt.all_resources[manager_key]
    try:
        value = _method(manager, manager_key, "load_input")(context)
    except Exception as error:
        attempt.io_error = ("input", error)
        _note(error, f"the input {context.name!r} of {attempt.step_key!r} was loaded", context, manager_key, manager)
        raise
    for event in context.consume_events():
        attempt.record(event)
    attempt.emit(LoadedInputData(context.name, manager_key, step, output, context.logged_metadata()))
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
    key = output.io_manager_key
    context = _output_context(attempt, output, _scope(attempt, key, output.asset_key, subset), metadata, mapping_key)
    manager: Any = attempt.all_resources[key]
    try:
        given = _method(manager, key, "handle_output")(context, value)
        for each in _yielded(given, key, manager):
            if isinstance(each, (AssetMaterialization, AssetObservation)):
                context.log_event(each)
            else:
                context.add_output_metadata(each)
    except Exception as error:
        attempt.io_error = ("output", error)
        _note(error, f"the output {output.name!r} of {attempt.step_key!r} was stored", context, key, manager)
        raise
    for event in context.consume_events():
        attempt.record(event)
    return context.logged_metadata()


def record_stored(
    attempt: StepAttempt, output: StepOutput, added: dict[str, AnyMetadataValue], mapping_key: str | None = None
) -> None:
    """Says that an IO manager stored an output."""
    attempt.emit(HandledOutputData(output.name, output.io_manager_key, added, mapping_key))


def _yielded(
    given: object, key: str, manager: object
) -> Generator[AssetMaterialization | AssetObservation | Mapping[str, object]]:
    """What `handle_output` yields.

    Raises:
        InvariantViolationError: anything but events and metadata.
    """
    if given is None:
        return
    several = cast("Sequence[object]", given) if isinstance(given, (GeneratorType, list, tuple)) else [given]
    for each in several:
        if not isinstance(each, (AssetMaterialization, AssetObservation, Mapping)):
            raise InvariantViolationError(
                f"handle_output of the IO manager {key!r} ({type(manager).__name__}) returned or yielded {each!r}. "
                "It must return nothing, or yield AssetMaterializations and mappings of metadata."
            )
        yield cast("Mapping[str, object]", each)


def _method(manager: object, key: str, name: str) -> Any:
    """The method of an IO manager.

    Raises:
        InvariantViolationError: what was set up is no IO manager.
    """
    method = getattr(manager, name, None)
    if method is None:
        raise InvariantViolationError(
            f"The resource {key!r} is used as an IO manager, but it is a {type(manager).__name__}, which has no "
            f"{name}. Use an IOManager."
        )
    return method


def _note(error: Exception, what: str, context: InputContext | OutputContext, key: str, manager: object) -> None:
    """Notes on what an IO manager raises what was loaded or stored."""
    if not isinstance(error, StorageError):
        asset = f" (asset {context.asset_key.to_user_string()!r})" if context.has_asset_key else ""
        error.add_note(f"While {what}{asset} by the IO manager {key!r} ({type(manager).__name__}).")


def _schema(attempt: StepAttempt, manager_key: str, side: str) -> DefinitionConfigSchema | None:
    """What the config of inputs, or of outputs, looks like that an IO manager takes; None where it takes none.

    Args:
        attempt: the step.
        manager_key: the IO manager.
        side: `input` or `output`.
    """
    known, place = attempt.scope.value_schemas, (manager_key, side)
    if place not in known:
        known[place] = value_schema(attempt.scope.described.resources.get(manager_key), manager_key, side)
    return known[place]


def _config(attempt: StepAttempt, step: str, side: str, name: str, manager_key: str) -> Any:
    """The config of an input or output, for the IO manager that loads or stores it.

    Raises:
        InvalidConfigError: it is invalid.
    """
    schema = _schema(attempt, manager_key, side)
    if schema is None:
        return None
    path = step.partition("[")[0]
    given: Any = config_entry(attempt.run_config, "ops", path).get(f"{side}s") or {}
    entry = {name: given[name]} if name in given else {}
    place = ROOT.below("ops", path, f"{side}s")
    result = process_config(Shape({name: schema.as_field()}), entry, place)
    if result.errors:
        raise InvalidConfigError("The run config is invalid:", result.errors, given)
    return dict(result.value).get(name)


def _scope(attempt: StepAttempt, manager_key: str, key: AssetKey | None, subset: PartitionSubset | None) -> ValueScope:
    return ValueScope(
        asset_key=key,
        partitions_def=None if key is None else attempt.scope.described.graph.nodes[key].partitions,
        subset=subset,
        run_partition=attempt.scope.single_partition,
        now=attempt.scope.now,
        resources=attempt.scope.shown,
        resource_config=attempt.scope.resource_configs.get(manager_key),
        step=attempt.context,
        instance=attempt.instance,
    )


def _input_context(
    attempt: StepAttempt, name: str, scope: ValueScope, manager_key: str, upstream: OutputContext | None
) -> InputContext:
    definition, declared = attempt.definition, attempt.op.ins[name]
    metadata = declared.metadata
    if definition is not None and attempt.step.graph is None:
        metadata = definition.input_metadata.get(name, {})
    return InputContext(
        scope,
        name=name,
        job_name=attempt.run.job_name,
        upstream_output=upstream,
        definition_metadata=metadata,
        config=_config(attempt, attempt.path, "input", name, manager_key),
        dagster_type=declared_type(declared.dagster_type),
        op_def=attempt.op,
    )


def _output_context(
    attempt: StepAttempt,
    output: StepOutput,
    scope: ValueScope,
    metadata: Mapping[str, AnyMetadataValue],
    mapping_key: str | None,
) -> OutputContext:
    spec = None if scope.asset_key is None else attempt.scope.described.specs[scope.asset_key]
    declared = attempt.op.outs[output.name]
    return OutputContext(
        scope,
        step_key=attempt.step_key,
        name=output.name,
        run_id=attempt.run.run_id,
        job_name=attempt.run.job_name,
        asset_spec=spec,
        output_metadata=metadata,
        mapping_key=mapping_key,
        definition_metadata=declared.metadata if spec is None else spec.metadata,
        config=_config(attempt, attempt.path, "output", output.name, output.io_manager_key),
        dagster_type=declared_type(declared.dagster_type),
        op_def=attempt.op,
    )


def _upstream_context(
    attempt: StepAttempt, source: StepInput, asset_key: AssetKey, scope: ValueScope
) -> OutputContext | None:
    """The context the value was, or will have been, stored with: enough for an IO manager to find its place."""
    spec = attempt.scope.described.specs.get(asset_key)
    if spec is None:
        raise InvariantViolationError(f"The input {source.name!r} of {attempt.step_key!r} refers to an unknown asset.")
    node = attempt.scope.described.graph.nodes[asset_key]
    return OutputContext(
        scope,
        step_key=node.computation or asset_key.to_python_identifier(),
        name=node.output_name or "result",
        run_id=attempt.run.run_id,
        job_name=attempt.run.job_name,
        asset_spec=spec,
        definition_metadata=spec.metadata,
    )
