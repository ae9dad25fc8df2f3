"""What a function gave, one result after the other: told apart, stored, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from segue.defs.results import NO_VALUE, DynamicOutput, MaterializeResult, NoValue, ObserveResult, Output
from segue.defs.returned import RESULTS, single_results
from segue.errors import InvariantViolationError
from segue.execute.attempt import StepAttempt
from segue.execute.check_results import require_checks, take_check
from segue.execute.observations import record_observed
from segue.execute.output_order import once
from segue.execute.value_types import recorded, require_passed, type_check
from segue.execute.values import record_stored, store_output
from segue.model.checks import AssetCheckEvaluation, AssetCheckResult
from segue.model.event import StepOutputData
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation, ExpectationResult
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.plan.plan import StepOutput


def take_results(attempt: StepAttempt, returned: object) -> None:
    """Takes what the function returned or yields, in order.

    Raises:
        InvariantViolationError: a result that names nothing of this step, twice the same, or of a kind that says nothing.
    """
    if returned is None and not attempt.step.outputs:
        return
    op = attempt.op
    if attempt.requires_results:
        if returned is None:
            return
        _require_typed(f"{op.shape.source}: {attempt.step_key!r}", returned)
    require_checks(attempt, returned)
    outputs = attempt.value_outputs
    asked = [output.name for output in attempt.step.outputs if output.check_name is None]
    what = f"{op.shape.source}: {attempt.step_key!r}"
    is_op = attempt.definition is None
    if attempt.step.graph is not None and not is_op:  # one at the end of a graph behind assets carries them
        is_op = not (attempt.asset_keys or attempt.check_keys)
    for result in single_results(op.expected(what, asked, outputs, is_op), returned):
        if isinstance(result, Output):
            _take_output(attempt, cast("Output[Any]", result))
        elif isinstance(result, DynamicOutput):
            _take_dynamic(attempt, cast("DynamicOutput[Any]", result))
        elif isinstance(result, MaterializeResult):
            _take_materialize_result(attempt, cast("MaterializeResult[Any]", result))
        elif isinstance(result, ObserveResult):
            _take_observe_result(attempt, result)
        elif isinstance(result, AssetCheckResult):
            take_check(attempt, result)
        elif isinstance(result, (AssetMaterialization, AssetObservation, AssetCheckEvaluation, ExpectationResult)):
            attempt.record(result)
        else:
            raise InvariantViolationError(
                f"{what} yielded a value of type {type(result)}. Yield Output(...), MaterializeResult(...) or "
                "AssetCheckResult(...)."
            )


def _require_typed(what: str, returned: object) -> None:
    """Refuses plain values where each output must come as a result of its own."""
    for each in returned if isinstance(returned, (tuple, list)) else (returned,):  # pyright: ignore[reportUnknownVariableType] reason: user code's value
        if not isinstance(each, (*RESULTS, Iterator)):
            raise InvariantViolationError(
                f"{what} returned a value of type {type(each).__name__}, but must return each output as a result: Output(...), "  # pyright: ignore[reportUnknownArgumentType] reason: as above
                "MaterializeResult(...) or AssetCheckResult(...)."
            )


def require_results(attempt: StepAttempt) -> None:
    """Makes sure that each output was given, for a function that promised so.

    Raises:
        InvariantViolationError: one was not.
    """
    missing = [output.name for output in attempt.step.outputs if output.name not in attempt.given]
    if missing:
        context: Any = attempt.context
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} did not yield {', '.join(missing)}, but must "
            "yield all of its outputs. "
            f"{context.typed_event_stream_error_message or 'Return or yield a result for each.'}"
        )


def _take_output(attempt: StepAttempt, result: Output[Any]) -> None:
    output = _planned(attempt, result.output_name)
    if output.is_dynamic:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded a plain Output for the dynamic output "
            f"{output.name!r}: use DynamicOutput(value, mapping_key=...)."
        )
    if output.check_name is not None and isinstance(result.value, AssetCheckResult):
        take_check(attempt, result.value)
        return
    if output.is_observed:
        record_observed(attempt, output, result.value, result.metadata, result.tags)
        return
    data_version = None if result.data_version is None else result.data_version.value
    has_value = output.name not in attempt.op.valueless_outputs or result.value is not None
    _take_value(
        attempt,
        output,
        result.value,
        has_value,
        {**result.metadata, **attempt.metadata_of(output.name)},
        data_version,
        result.tags,
    )


def _take_dynamic(attempt: StepAttempt, result: DynamicOutput[Any]) -> None:
    """One value of a dynamic output."""
    output = _find(attempt, result.output_name)
    if not output.is_dynamic:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded a DynamicOutput for {output.name!r}, "
            "which is not declared with DynamicOut."
        )
    keys = attempt.mapping_keys.setdefault(output.name, [])
    if result.mapping_key in keys:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded a duplicate mapping key "
            f"{result.mapping_key!r} for {output.name!r}: mapping keys must be unique."
        )
    keys.append(result.mapping_key)
    attempt.given.add(output.name)
    metadata = {**result.metadata, **attempt.metadata_of(output.name, result.mapping_key)}
    _emit_output(attempt, output.name, result.value, metadata, result.mapping_key)
    added = store_output(attempt, output, result.value, metadata, result.mapping_key)
    record_stored(attempt, output, added, result.mapping_key)
    if attempt.has_hooks:
        attempt.output_values.setdefault(output.name, {})[result.mapping_key] = result.value
    if attempt.scope.capture is not None:
        values = attempt.scope.capture.setdefault((attempt.step_key, output.name), {})
        cast("dict[str, object]", values)[result.mapping_key] = result.value


def _take_materialize_result(attempt: StepAttempt, result: MaterializeResult[Any]) -> None:
    output = _planned_asset(attempt, result.asset_key)
    metadata = {**normalize_metadata(result.metadata), **attempt.metadata_of(output.name)}
    data_version = None if result.data_version is None else result.data_version.value
    has_value = not isinstance(result.value, NoValue)
    _take_value(attempt, output, result.value, has_value, metadata, data_version, result.tags or {})
    for check in result.check_results:
        take_check(attempt, check, output.asset_key)


def _take_observe_result(attempt: StepAttempt, result: ObserveResult) -> None:
    output = _planned_asset(attempt, result.asset_key)
    if not output.is_observed:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded an ObserveResult, but materializes its "
            "assets: use MaterializeResult, or declare the function with multi_observable_source_asset."
        )
    metadata = normalize_metadata(result.metadata)
    record_observed(attempt, output, result.data_version or NO_VALUE, metadata, result.tags or {})
    for check in result.check_results:
        take_check(attempt, check, output.asset_key)


def _take_value(
    attempt: StepAttempt,
    output: StepOutput,
    value: object,
    has_value: bool,
    metadata: dict[str, AnyMetadataValue],
    data_version: str | None,
    tags: Any,
) -> None:
    """Stores and records one output."""
    attempt.given.add(output.name)
    if not has_value:
        attempt.emit(StepOutputData(output.name, metadata))
    else:
        _emit_output(attempt, output.name, value, metadata)
    if has_value:
        added = store_output(attempt, output, value, metadata)
        attempt.emit_materializations(output, {**metadata, **added}, data_version, tags)
        record_stored(attempt, output, added)
    else:
        attempt.emit_materializations(output, metadata, data_version, tags)
    if attempt.has_hooks:
        attempt.output_values[output.name] = value if has_value else None
    if attempt.scope.capture is not None:
        attempt.scope.capture[(attempt.step_key, output.name)] = value if has_value else None


def _emit_output(
    attempt: StepAttempt,
    name: str,
    value: object,
    metadata: dict[str, AnyMetadataValue],
    mapping_key: str | None = None,
) -> None:
    """Says that an output was given, with what the check of its type said.

    Raises:
        TypeCheckDidNotPass: the value is not of the type.
    """
    what, kind = f'step output "{name}"', attempt.op.output_type(name)
    result = type_check(attempt, kind, value, what)
    attempt.emit(StepOutputData(name, metadata, mapping_key, recorded(result, name)))
    require_passed(kind, result, what)


def _planned(attempt: StepAttempt, name: str) -> StepOutput:
    """The output of this name, which was not given before."""
    return once(attempt, _find(attempt, name))


def _find(attempt: StepAttempt, name: str) -> StepOutput:
    """The output of this name."""
    for output in attempt.step.outputs:
        if output.name == name:
            return output
    known = ", ".join(attempt.output_names)
    if name in attempt.op.output_names:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded the output {name!r}, which is not "
            f"selected in this run; selected: {known}. Check context.selected_output_names."
        )
    raise InvariantViolationError(
        f"{attempt.op.shape.source}: {attempt.step_key!r} has no output {name!r}; available: {known}."
    )


def _planned_asset(attempt: StepAttempt, key: AssetKey | None) -> StepOutput:
    """The output that carries this asset; the only one when no key is given."""
    outputs = [output for output in attempt.step.outputs if output.asset_key is not None]
    if key is None and len(outputs) == 1:
        return once(attempt, outputs[0])
    for output in outputs:
        if output.asset_key == key:
            return once(attempt, output)
    known = ", ".join(output.asset_key.to_user_string() for output in outputs if output.asset_key is not None)
    named = "names no asset" if key is None else f"names {key.to_user_string()!r}"
    raise InvariantViolationError(
        f"{attempt.op.shape.source}: {attempt.step_key!r}: a MaterializeResult {named}; expected one of: {known}."
    )
