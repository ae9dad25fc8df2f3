"""Runs by a plan that is on record: one that is retried, and one that goes on after it was suspended."""

from __future__ import annotations

from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.defs.instance import Instance
from segue.errors import InvalidInvocationError, RunNotFoundError
from segue.execute.sink import Observer
from segue.host.earlier_runs import earlier_runs, stored_plan
from segue.host.inprocess import checked_config
from segue.host.placement import StepCode
from segue.host.recording import new_run, record_and_run
from segue.host.rerun import RunAgain, steps_again
from segue.host.run_definitions import described_for_run
from segue.host.run_options import RunOptions
from segue.model.run import Run, RunStatus
from segue.plan.plan import Plan
from segue.plan.resume import StepsAgain, finished_in_chain


def retry_run(
    definitions: Definitions,
    instance: Instance,
    run_id: str,
    on_event: Observer | None = None,
    again: RunAgain | None = None,
    code: StepCode | None = None,
) -> Run:
    """Runs what an earlier run did not bring to a good end, with its plan.

    Args:
        definitions: what there is now.
        instance: where the earlier run is recorded.
        run_id: the earlier run; it must have ended, and, without `again`, not well.
        on_event: called with each event at once.
        again: what to run again instead of what was not brought to a good end.
        code: the code as another process loads it; all steps run in this process when None.

    Returns:
        The new run as it ended.

    Raises:
        RunNotFoundError: no such run.
        InvalidInvocationError: it has not ended, ended well, or its plan names what is no longer defined.
        InvalidSubsetError, ExecutionStepNotFoundError: as `steps_again`.
        InvalidConfigError: its config does not fit any more.
    """
    store = instance.store
    earlier = store.get_run(run_id)
    if earlier is None or earlier.plan_hash is None:
        raise RunNotFoundError(f"There is no run {run_id!r} in this home folder: `segue runs` lists them.", run_id)
    if not earlier.is_finished:
        raise InvalidInvocationError(
            f"Run {run_id} is still {earlier.status.value}: wait until it has ended, or stop it first."
        )
    if earlier.status is RunStatus.SUCCESS and again is None:
        raise InvalidInvocationError(
            f"Run {run_id} succeeded: there is nothing left to run. Materialize again instead."
        )
    plan = stored_plan(store, earlier)
    if plan is None:
        raise RunNotFoundError(f"The plan of run {run_id} is no longer stored. Materialize again instead.", run_id)
    described = described_for_run(definitions, earlier.job_name)
    _require_known(plan, described, run_id)
    done = finished_in_chain(earlier_runs(store, run_id))
    left = StepsAgain(plan, done) if again is None else steps_again(again, plan, done, described.graph)
    run = new_run(
        plan,
        described_hash=definitions.manifest_hash,
        tags=earlier.tags,
        run_config=earlier.run_config,
        parent=earlier,
        is_resumed=again is None,
    )
    config = checked_config(described, run.job_name, run.run_config, left.plan)
    observers, done = [] if on_event is None else [on_event], left.finished
    options = RunOptions(code=code)
    return record_and_run(definitions, described, instance, left.plan, run, config, observers, None, done, options).run


def resume_run(definitions: Definitions, instance: Instance, run: Run, code: StepCode | None = None) -> Run:
    """Goes on with a run that was suspended, with its plan: what ended well is not done again, and what failed stays so.

    Args:
        definitions: what there is now.
        instance: the instance that records the run.
        run: it, back from the queue.
        code: the code as another process loads it; all steps run in this process when None.

    Returns:
        The run as it ended, or was suspended again.

    Raises:
        RunNotFoundError: its plan is not stored any more.
        InvalidInvocationError: its plan names what is no longer defined.
        InvalidConfigError: its config does not fit any more.
    """
    plan = stored_plan(instance.store, run)
    if plan is None:
        raise RunNotFoundError(f"The plan of run {run.run_id} is no longer stored. Start a new run.", run.run_id)
    described = described_for_run(definitions, run.job_name)
    _require_known(plan, described, run.run_id)
    done = finished_in_chain(earlier_runs(instance.store, run.run_id))
    config = checked_config(described, run.job_name, run.run_config, plan)
    options = RunOptions(code=code, recorded=run)
    return record_and_run(definitions, described, instance, plan, run, config, [], None, done, options).run


def _require_known(plan: Plan, described: Described, run_id: str) -> None:
    """Refuses a plan that the definitions have outgrown."""
    missing: list[str] = []
    for step in plan.steps:
        if step.computation not in described.ops:
            missing.append(f"step {step.key!r}")
            continue
        op = described.ops[step.computation]
        missing.extend([f"input {step.key}.{each.name}" for each in step.inputs if each.name not in op.input_names])
        missing.extend([f"output {step.key}.{each.name}" for each in step.outputs if each.name not in op.output_names])
        keys = [each.asset_key for each in (*step.inputs, *step.outputs) if each.asset_key is not None]
        missing.extend([f"asset {key.to_user_string()!r}" for key in keys if key not in described.specs])
        managers = {each.io_manager_key for each in (*step.inputs, *step.outputs) if each.asset_key is not None}
        missing.extend([f"resource {key!r}" for key in sorted(managers) if key not in described.resources])
    if missing:
        raise InvalidInvocationError(
            f"Run {run_id} cannot be resumed: its plan contains definitions that no longer exist: "
            f"{', '.join(dict.fromkeys(missing))}. Materialize again instead."
        )
