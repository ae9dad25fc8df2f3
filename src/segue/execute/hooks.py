"""Hooks: called after each attempt of a step; what they raise is recorded and changes nothing of how the step ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.hook import HookContext, HookDefinition, HookExecutionResult
from segue.defs.log import running
from segue.defs.node_origin import hooks_on_path
from segue.execute.attempt import StepAttempt
from segue.execute.failure import error_info
from segue.execute.run_scope import RunScope
from segue.model.event import HookCompletedData, HookErroredData, HookSkippedData
from segue.plan.plan import PlanStep


def hooks_of(scope: RunScope, step: PlanStep) -> Sequence[HookDefinition]:
    """The hooks of a step, by name: of the job, of the graphs and uses around it, and of its assets."""
    described, name = scope.described, scope.run.job_name
    found: set[HookDefinition] = set()
    if name in described.jobs:
        found |= described.jobs[name].flat.hooks.get(step.path, frozenset())
    elif name in described.asset_jobs:
        found |= described.asset_jobs[name].hooks
    definition = described.definitions.get(step.graph or step.computation)
    if definition is not None:
        found |= definition.hook_defs
        if step.graph is not None:
            found |= hooks_on_path(definition.node_def, step.path.split(".")[1:])
    return sorted(found, key=lambda each: each.name) if found else ()


def run_hooks(attempt: StepAttempt, hooks: Sequence[HookDefinition], error: BaseException | None) -> None:
    """Calls the hooks of a step after one of its attempts.

    Args:
        attempt: the attempt, with its events.
        hooks: the hooks.
        error: what it raised, if it failed.

    Raises:
        KeyboardInterrupt: the user stopped the run.
    """
    token = running.set(attempt)
    try:
        for hook in hooks:
            _run_hook(attempt, hook, error)
    finally:
        running.reset(token)


def _run_hook(attempt: StepAttempt, hook: HookDefinition, error: BaseException | None) -> None:
    context = HookContext(
        job_name=attempt.job_name,
        run_id=attempt.run_id,
        hook_def=hook,
        instance=attempt.instance,
        step_key=attempt.step_key,
        op=attempt.node,
        resources={key: getattr(attempt.scope.shown, key) for key in hook.required_resource_keys},
        op_config=attempt.op_config if error is None or attempt.config is not None else None,
        log=attempt.log,
        op_exception=error,
        op_output_values=attempt.output_values,
        op_output_metadata=_metadata(attempt),
    )
    try:
        result = hook.hook_fn(context, list(attempt.events))
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as raised:  # noqa: BLE001 reason: whatever a hook raises is recorded, and the step stays as it ended
        attempt.emit(HookErroredData(hook.name, error_info(raised)))
        return
    skipped = isinstance(result, HookExecutionResult) and result.is_skipped
    attempt.emit(HookSkippedData(hook.name) if skipped else HookCompletedData(hook.name))


def _metadata(attempt: StepAttempt) -> Mapping[str, Mapping[str, Any]]:
    """What was said of each output that was given, as its events have it; by mapping key where there may be several."""
    found: dict[str, dict[str, Any]] = {}
    for event in attempt.events:
        payload: Any = event.payload
        if event.event_type_value == "STEP_OUTPUT" and payload.mapping_key is None:
            found[payload.output_name] = dict(payload.metadata)
        elif event.event_type_value == "STEP_OUTPUT":
            found.setdefault(payload.output_name, {})[payload.mapping_key] = payload.metadata
    return found


def hook_resources(scope: RunScope, steps: Sequence[PlanStep]) -> set[str]:
    """The resources that the hooks of these steps take."""
    return {key for step in steps for hook in hooks_of(scope, step) for key in hook.required_resource_keys}
