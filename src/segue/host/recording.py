"""Runs on record: a new run with what it intends, and its execution."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from segue.approval import answers_of
from segue.defs.bindings import bound
from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.defs.instance import Instance
from segue.defs.job_definition import JobDefinition
from segue.errors import NotSupportedError, RunNotFoundError, TypeCheckError
from segue.execute.executor_rules import executor_rules
from segue.execute.executors.placement import IN_PROCESS, Placement
from segue.execute.loop import RunResult
from segue.execute.run import execute_run
from segue.execute.run_scope import Capture, JobSide, RunScope
from segue.execute.sink import EventSink, Observer
from segue.host.earlier_runs import failed_before
from segue.host.partitions import listed_for_plan
from segue.host.placement import (
    PROCESSES,
    ExecutorConfig,
    StepCode,
    executor_config,
    require_persistent,
    require_shared_values,
    ways_of,
)
from segue.host.run_options import RunOptions
from segue.model.approval import ApprovalAnswer
from segue.model.concurrency import run_priority
from segue.model.content_hash import content_hash
from segue.model.event import AssetCheckPlannedData, AssetMaterializationPlannedData, Event
from segue.model.keys import AssetCheckKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset, subset_of_range
from segue.model.run import PlannedRun, Run
from segue.model.tags import PARENT_RUN_ID_TAG, RESUME_RETRY_TAG, ROOT_RUN_ID_TAG
from segue.plan.deadlines import run_seconds
from segue.plan.instructions import FinishedStep
from segue.plan.plan import Plan, encode_plan
from segue.storage.ids import new_id


def new_run(
    plan: Plan,
    *,
    described_hash: str,
    tags: Mapping[str, str],
    run_config: Mapping[str, Any],
    parent: Run | None,
    run_id: str | None = None,
    op_selection: Sequence[str] | None = None,
    step_keys: Sequence[str] | None = None,
    is_resumed: bool = False,
) -> Run:
    """A run that is about to be recorded; the hash of its plan is still to come."""
    if is_resumed:
        tags = {**tags, RESUME_RETRY_TAG: "true"}
    root_run_id = None if parent is None else parent.root_run_id or parent.run_id
    if parent is not None and root_run_id is not None:
        tags = {**tags, ROOT_RUN_ID_TAG: root_run_id, PARENT_RUN_ID_TAG: parent.run_id}
    return Run(
        run_id=run_id or new_id(),
        job_name=plan.job_name,
        tags=dict(tags),
        run_config=dict(run_config),
        asset_selection=frozenset(plan.asset_keys),
        asset_check_selection=frozenset(AssetCheckKey(*each) for each in plan.check_keys),
        op_selection=None if op_selection is None else tuple(op_selection),
        step_keys_to_execute=None if step_keys is None else list(step_keys),
        partition_start=plan.partition_start,
        partition_end=plan.partition_end,
        root_run_id=root_run_id,
        parent_run_id=None if parent is None else parent.run_id,
        manifest_hash=described_hash,
        created_at=time.time(),
    )


class Executed(msgspec.Struct, frozen=True):
    """A run that was executed.

    Attributes:
        run: it, as it ended.
        result: how it ended.
        described, plan, config: what it was executed with.
    """

    run: Run
    result: RunResult
    described: Described
    plan: Plan
    config: Mapping[str, Any]

    def raise_failure(self) -> None:
        """Raises what made the run fail; where the check of a type raised, the user's exception with a note of what was checked."""
        error = self.result.error
        if isinstance(error, TypeCheckError) and error.user_exception is not None:
            error.user_exception.add_note(str(error))
            raise error.user_exception
        if error is not None:
            raise error


def _placement(
    plan: Plan, described: Described, instance: Instance, run: Run, config: ExecutorConfig, code: StepCode | None
) -> Placement:
    """Where the steps of a run are executed; without `code` one after another in this process.

    Raises:
        NotSupportedError: a step needs a process of its own, and there is no code for one.
        InvalidDefinitionError: a step asks for an executor that there is not.
        UnmetExecutorRequirementsError: steps shall run in other processes, which cannot open the instance, or do not get
            the values that others keep in memory.
    """
    default = config.kind if code is not None else "in_process"
    ways = ways_of(plan, described, run.job_name, default)
    used = set(ways.values())
    if code is None and PROCESSES in used:
        path = next(path for path, way in ways.items() if way == PROCESSES)
        raise NotSupportedError(
            f"The step {path!r} requires its own process, but this run executes in the current process. Use "
            "execute_job or `segue materialize`, or remove executor from its StepPolicy."
        )
    if code is None or used <= {"in_process"}:
        return msgspec.structs.replace(IN_PROCESS, limits=config.limits)
    if PROCESSES in used:
        require_persistent(instance.is_persistent, run.job_name)
        require_shared_values(plan, ways, described.for_job(run.job_name).resources, run.job_name)
    return bound("step_placement")(code, config, plan, ways)


def record_and_run(
    definitions: Definitions,
    described: Described,
    instance: Instance,
    plan: Plan,
    run: Run,
    config: Mapping[str, Any],
    observers: Sequence[Observer],
    capture: Capture | None,
    finished: Mapping[str, FinishedStep],
    options: RunOptions | None = None,
) -> Executed:
    """Records a run, or the plan of one that is recorded, and executes it: where its executor says, or where the options
    name no code in this process.

    Raises:
        NotSupportedError: a step asks for what only a process of its own can give it; nothing is recorded.
        InvalidInvocationError: a tag that limits the run says no number.
        InvalidConfigError: the executor is told something impossible; nothing is recorded.
        UnmetExecutorRequirementsError: steps shall run in other processes, which cannot open the instance.
    """
    run_seconds(run.tags)
    options = options or RunOptions()
    declared = described.run_executor(run.job_name)
    stays_here = declared is None and options.code is None  # then what the config says of an executor is for elsewhere
    executor = ExecutorConfig() if stays_here else executor_config(declared, run.run_config)
    placement = _placement(plan, described, instance, run, executor, options.code)
    run_priority(run.tags)
    job = described.jobs.get(run.job_name)
    now = datetime.fromtimestamp(run.created_at, UTC)
    described = listed_for_plan(described, plan, now, instance)
    partitions = run_partitions(plan, described, job, instance, now)
    planned = _planned_events(plan, run, finished)
    encoded = encode_plan(plan)
    worker = instance.store.worker()  # whose end is noticed, then, if it goes before the run begins
    run = msgspec.structs.replace(run, plan_hash=content_hash(encoded), worker=worker)
    sink = EventSink(instance.store, run.run_id, observers, run.job_name)
    if options.recorded is None:
        instance.store.create_run(run, encoded, definitions.encoded_manifest, planned)
    else:
        run = _planned(options.recorded, run)
        if not options.recorded.was_suspended:
            sink.plan(PlannedRun(run, encoded, definitions.encoded_manifest), planned)
    scope = RunScope(
        described=described,
        run=run,
        instance=instance,
        sink=sink,
        run_config=config,
        partitions=partitions,
        now=now,
        capture=capture,
        job_side=JobSide(
            input_values={} if job is None else job.input_values,
            finished_in={key: each.run_id for key, each in finished.items() if each.run_id is not None},
        ),
    )
    scope.answers = _answers(plan, instance, options.recorded)
    if options.recorded is not None and options.recorded.was_suspended:
        scope.failed_before = failed_before(instance.store, run.run_id)
    scope.rules = executor_rules(described.run_executor(run.job_name), run.run_config)
    result = execute_run(plan, scope, finished, placement)
    ended = instance.store.get_run(run.run_id)
    if ended is None:
        raise RunNotFoundError(f"Run {run.run_id} was deleted while it was running.", run.run_id)
    return Executed(ended, result, described, plan, config)


def _answers(plan: Plan, instance: Instance, recorded: Run | None) -> Mapping[str, ApprovalAnswer] | None:
    """What people said of the steps that need an approval; None for a run of the process of who asked for it: they are there."""
    if recorded is None or recorded.location is None:
        return None
    asks = any(step.policy is not None and step.policy.approval is not None for step in plan.steps)
    return answers_of(instance.store, recorded.run_id) if asks else None


def _planned(recorded: Run, planned: Run) -> Run:
    """A recorded run with its plan: what it is asked for has become what it does, and where it came from stays."""
    return msgspec.structs.replace(
        planned,
        status=recorded.status,
        root_run_id=recorded.root_run_id or planned.root_run_id,
        parent_run_id=recorded.parent_run_id or planned.parent_run_id,
        location=recorded.location,
        created_at=recorded.created_at,
    )


def _planned_events(plan: Plan, run: Run, finished: Mapping[str, FinishedStep]) -> list[Event]:
    """What the run intends, for those who look before it gets there: assets first, then checks."""
    assets: list[Event] = []
    checks: list[Event] = []
    for step in plan.steps:
        if step.key in finished:
            continue
        for output in step.outputs:
            if output.asset_key is not None and output.is_observed:
                continue
            if output.asset_key is not None:
                start, end = (plan.partition_start, plan.partition_end) if output.is_partitioned else (None, None)
                payload = AssetMaterializationPlannedData(output.asset_key, start, end if end != start else None)
                assets.append(Event(run.created_at, payload, step.key, run.run_id, run.job_name))
            elif output.check_asset_key is not None and output.check_name is not None:
                planned = AssetCheckPlannedData(output.check_asset_key, output.check_name)
                checks.append(Event(run.created_at, planned, step.key, run.run_id, run.job_name))
    return assets + checks


def run_partitions(
    plan: Plan, described: Described, job: JobDefinition | None, instance: Instance, now: datetime
) -> tuple[PartitionsDefinition, PartitionSubset] | None:
    """How the assets of a run are partitioned, and which partitions it makes; None without."""
    if plan.partition_start is None or plan.partition_end is None:
        return None
    if job is not None and job.partitions_def is not None:
        definition = job.partitions_def.listed(now, instance)
        return definition, subset_of_range(definition, plan.partition_start, plan.partition_end, now)
    checks = [described.graph.checks[AssetCheckKey(key, name)] for key, name in plan.check_keys]
    for node in [*(described.graph.nodes[key] for key in plan.asset_keys), *checks]:
        definition = node.partitions
        if definition is not None:
            return definition, subset_of_range(definition, plan.partition_start, plan.partition_end, now)
    return None
