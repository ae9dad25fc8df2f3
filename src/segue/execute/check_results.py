"""The results of checks that a function gave: told apart, recorded."""

from __future__ import annotations

from segue.defs.results import MaterializeResult, ObserveResult
from segue.errors import InvariantViolationError
from segue.execute.attempt import StepAttempt
from segue.execute.output_order import once
from segue.execute.target import target_materialization
from segue.model.checks import AssetCheckEvaluation, AssetCheckResult, AssetCheckSeverity, AssetCheckSpec
from segue.model.event import AssetCheckEvaluationData, StepOutputData
from segue.model.keys import AssetCheckKey, AssetKey
from segue.plan.plan import StepOutput


def take_check(attempt: StepAttempt, result: AssetCheckResult, asset_key: AssetKey | None = None) -> None:
    """Records the result of a check.

    A function may answer a check of its own that the run did not ask for: that is recorded too.

    Args:
        attempt: the attempt of the step.
        result: what the function gave.
        asset_key: the asset with whose result it came; None where it came by itself.

    Raises:
        InvariantViolationError: it means none of the checks, or several, or one that was answered before.
    """
    beside = _not_asked_for(attempt, result, asset_key)
    if beside is not None:
        _record(attempt, result, beside.key, None, beside.blocking)
        return
    output = once(attempt, _check_output(attempt, result, asset_key))
    assert output.check_asset_key is not None  # it was found by these
    assert output.check_name is not None
    attempt.given.add(output.name)
    attempt.emit(StepOutputData(output.name))
    key = AssetCheckKey(output.check_asset_key, output.check_name)
    for partition in attempt.output_partitions(output):
        _record(attempt, result, key, partition, output.blocking)
    if output.blocking and not result.passed and result.severity is AssetCheckSeverity.ERROR:
        attempt.blocked_by.append(key)


def require_checks(attempt: StepAttempt, returned: object) -> None:
    """Refuses results of checks that say nothing clear, before any of what was returned at once is recorded.

    Raises:
        InvariantViolationError: one matches none of the checks, or several.
    """
    if attempt.definition is None:  # an op: it can give no results of checks at all
        return
    for each in returned if isinstance(returned, (tuple, list)) else (returned,):  # pyright: ignore[reportUnknownVariableType] reason: user code's value
        if isinstance(each, AssetCheckResult):
            _require_check(attempt, each, None)
        elif isinstance(each, (MaterializeResult, ObserveResult)):
            for check in each.check_results:
                _require_check(attempt, check, each.asset_key or _only_asset(attempt))


def _require_check(attempt: StepAttempt, result: AssetCheckResult, asset_key: AssetKey | None) -> None:
    if _not_asked_for(attempt, result, asset_key) is None:
        _check_output(attempt, result, asset_key)


def _only_asset(attempt: StepAttempt) -> AssetKey | None:
    keys = [output.asset_key for output in attempt.step.outputs if output.asset_key is not None]
    return keys[0] if len(keys) == 1 else None


def _record(
    attempt: StepAttempt, result: AssetCheckResult, key: AssetCheckKey, partition: str | None, blocking: bool
) -> None:
    evaluation = AssetCheckEvaluation(
        key.asset_key,
        key.name,
        result.passed,
        dict(result.metadata),
        target_materialization(attempt, key.asset_key, partition),
        severity=result.severity,
        description=result.description,
        blocking=blocking,
        partition=partition,
    )
    attempt.emit(AssetCheckEvaluationData(evaluation))


def _not_asked_for(attempt: StepAttempt, result: AssetCheckResult, asset_key: AssetKey | None) -> AssetCheckSpec | None:
    """The check of the function that a result names, where the run does not ask for it."""
    asset = result.asset_key or asset_key
    if attempt.definition is None or asset is None or result.check_name is None:
        return None
    named = AssetCheckKey(asset, result.check_name)
    if named in attempt.check_keys:
        return None
    every = attempt.definition.node_check_specs_by_output_name.values()
    return next((spec for spec in every if spec.key == named), None)


def _check_output(attempt: StepAttempt, result: AssetCheckResult, asset_key: AssetKey | None) -> StepOutput:
    """The output that carries this check; whatever the result leaves open must be clear from the step."""
    key = result.asset_key or asset_key
    outputs = [
        output
        for output in attempt.step.outputs
        if output.check_name is not None
        and (key is None or output.check_asset_key == key)
        and (result.check_name is None or output.check_name == result.check_name)
    ]
    if len(outputs) == 1:
        return outputs[0]
    known = ", ".join(AssetCheckKey.to_user_string(key) for key in attempt.check_keys) or "none"
    raise InvariantViolationError(
        f"{attempt.op.shape.source}: an AssetCheckResult of {attempt.step_key!r} (asset_key={key!r}, "
        f"check_name={result.check_name!r}) must match exactly one of its checks: {known}."
    )
