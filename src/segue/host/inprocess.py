"""Runs in this process: where user code and storage meet in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.defs.executor import require_built_in
from segue.defs.instance import Instance
from segue.defs.job_config import ResolvedConfig, job_parts, resolve_job_config, resolve_run_config
from segue.defs.job_definition import JobDefinition
from segue.defs.resource_order import with_needs
from segue.defs.run_config import raw_config, storable
from segue.defs.run_config_schema import RunConfigParts
from segue.defs.value_entries import value_entries
from segue.errors import InvalidInvocationError, InvalidSubsetError, UnresolvedSelectionError
from segue.execute.resources import needed_resources
from segue.execute.run_scope import Capture
from segue.execute.sink import Observer
from segue.execute.validate import validate_config
from segue.host.earlier_runs import earlier_runs
from segue.host.partitions import listed_for_run, partition_tags
from segue.host.placement import StepCode
from segue.host.planning import planned
from segue.host.recording import Executed, new_run, record_and_run
from segue.host.run_definitions import described_for_run, with_default_io_manager
from segue.host.run_options import RunOptions
from segue.host.staleness import stale_keys
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.request import RunRequest
from segue.model.run import Run
from segue.model.steps import OwnSource
from segue.model.tags import (
    EPHEMERAL_JOB_NAME,
    IMPLICIT_JOB_NAME,
    PARTITION_RANGE_END_TAG,
    PARTITION_RANGE_START_TAG,
    PARTITION_TAG,
)
from segue.plan.op_planner import plan_job
from segue.plan.op_selection import select_steps
from segue.plan.plan import Plan, with_retry_policy
from segue.plan.resume import StepsAgain, finished_in_chain, select_again


def execute_request(
    definitions: Definitions,
    instance: Instance,
    request: RunRequest,
    on_event: Observer | None = None,
    code: StepCode | None = None,
) -> Run:
    """Plans and executes one run, its steps where its executor says.

    Args:
        definitions: what there is.
        instance: the instance that records the run.
        request: what to make.
        on_event: called with each event at once.
        code: the code as another process loads it; all steps run in this process when None.

    Returns:
        The run as it ended.

    Raises:
        NotSupportedError: an executor of the user's own, before anything is recorded.
        As `materialize`, before anything is recorded; user code's exceptions stand in the run's events.
    """
    job_name = request.job_name or IMPLICIT_JOB_NAME
    require_built_in(definitions.described.run_executor(job_name), f"job {job_name!r}")
    observers = [] if on_event is None else [on_event]
    return execute(definitions, instance, request, observers, None, RunOptions(code=code)).run


def execute(
    definitions: Definitions,
    instance: Instance,
    request: RunRequest,
    observers: Sequence[Observer],
    capture: Capture | None,
    options: RunOptions | None = None,
) -> Executed:
    """Plans, records and executes one run; `capture`, where given, takes the values of outputs."""
    job = None if request.job_name is None else definitions.described.jobs.get(request.job_name)
    if job is not None:
        return _execute_op_job(definitions, job, instance, request, observers, capture, options or RunOptions())
    described = definitions.described
    assets, checks, job_config, job_tags, job_name = _wanted(described, request)
    if request.stale_assets_only:
        assets, checks = _stale_only(described.graph, instance, assets, checks, request)
    tags = {**job_tags, **(request.tags or {})}
    partitions = _partitions_of(request, tags)
    now = datetime.now(UTC)
    described = listed_for_run(described, assets, checks, now, instance)
    graph = described.graph
    plan = planned(graph, assets, checks, now=now, job_name=job_name, partitions=partitions)
    declared = described.asset_jobs.get(job_name)
    if declared is not None and declared.op_retry_policy is not None:
        plan = with_retry_policy(plan, declared.op_retry_policy)
    by_partition = described.partitioned_configs.get(job_name)
    given: Any = request.run_config
    if by_partition is not None and partitions is not None:
        given = given or by_partition.get_run_config_for_partition_key(partitions[0])
        tags = {**by_partition.get_tags_for_partition_key(partitions[0]), **tags}
    raw = _merged(job_config, _mapped_config(described, job_name, given))
    described = with_default_io_manager(described)
    config = checked_config(described, job_name, raw, plan)
    if request.partition_key is not None:
        tags.update(partition_tags(graph, assets, request.partition_key))
    start = _Start(tags, storable(raw, "config"), config, observers, capture, options or RunOptions())
    return _start(definitions, described, instance, plan, start)


def _execute_op_job(
    definitions: Definitions,
    job: JobDefinition,
    instance: Instance,
    request: RunRequest,
    observers: Sequence[Observer],
    capture: Capture | None,
    options: RunOptions,
) -> Executed:
    """Plans, records and executes one run of a job of ops."""
    described = described_for_run(definitions, job.name)
    node = described.graph.jobs[job.name]
    selection = options.op_selection if options.op_selection is not None else job.op_selection
    chosen = None if selection is None else select_steps(node.steps, selection)
    tags = {**node.tags, **(request.tags or {})}
    partitions = _partitions_of(request, tags)
    if request.asset_selection is not None:
        raise InvalidSubsetError(f"The job {job.name!r} consists of ops: it has no assets to select.")
    if partitions is not None and node.partitions is None:
        raise InvalidSubsetError(f"The job {job.name!r} is not partitioned: remove the partition key.")
    raw: Mapping[str, Any] | None = request.run_config or None
    if partitions is not None:
        if node.partitions is not None:
            node.partitions.validate_partition_key(partitions[0], dynamic_partitions_store=instance)
        if raw is None and job.partitioned_config is not None:
            raw = job.partitioned_config.get_run_config_for_partition_key(partitions[0])
        tags.update(node.partitions.get_tags_for_partition_key(partitions[0]) if node.partitions else {})
        if job.partitioned_config is not None:
            tags = {**job.partitioned_config.get_tags_for_partition_key(partitions[0]), **tags}
    raw = job.run_config if raw is None else raw
    plan = plan_job(described.graph, node, selection=chosen, partition=None if partitions is None else partitions[0])
    config = checked_config(described, job.name, {} if raw is None else raw, plan)
    stored = storable({} if raw is None else raw_config(raw), "config")
    return _start(definitions, described, instance, plan, _Start(tags, stored, config, observers, capture, options))


class _Start(msgspec.Struct, frozen=True):
    """What a run is started with besides its plan."""

    tags: Mapping[str, str]
    run_config: Mapping[str, Any]
    config: Mapping[str, Any]
    observers: Sequence[Observer]
    capture: Capture | None
    options: RunOptions


def _start(definitions: Definitions, described: Described, instance: Instance, plan: Plan, start: _Start) -> Executed:
    """Records and executes a run: all of its plan, or what is to be run again of it."""
    again, options = start.options.reexecution, start.options
    parent = None if again is None else instance.store.get_run(again.parent_run_id)
    left = StepsAgain(plan, {})
    if again is not None and (again.step_selection or again.only_unfinished):
        done = finished_in_chain(earlier_runs(instance.store, again.parent_run_id))
        left = StepsAgain(plan, done) if again.only_unfinished else select_again(plan, done, again.step_selection)
    is_part = again is not None or options.op_selection is not None
    run = new_run(
        plan,
        described_hash=definitions.manifest_hash,
        tags=start.tags,
        run_config=start.run_config,
        parent=parent,
        run_id=options.run_id if options.recorded is None else options.recorded.run_id,
        op_selection=options.op_selection,
        step_keys=[step.key for step in left.plan.steps if step.key not in left.finished] if is_part else None,
        is_resumed=again is not None and again.only_unfinished,
    )
    observers, capture = start.observers, start.capture
    return record_and_run(
        definitions, described, instance, left.plan, run, start.config, observers, capture, left.finished, options
    )


def _stale_only(
    graph: AssetGraph,
    instance: Instance,
    assets: set[AssetKey],
    checks: set[AssetCheckKey],
    request: RunRequest,
) -> tuple[set[AssetKey], set[AssetCheckKey]]:
    """Those of the assets that are missing or stale, and the checks on them."""
    stale = stale_keys(graph, instance.store, assets, request.partition_key)
    if not stale:
        raise InvalidSubsetError("RunRequest(stale_assets_only=True): none of the selected assets are stale.")
    return stale, {key for key in checks if key.asset_key in stale}


def checked_config(described: Described, job_name: str, run_config: object, plan: Plan) -> dict[str, Any]:
    """The config of a run as its steps read it.

    Raises:
        InvalidConfigError: some of it is invalid; one line for each violation of all.
    """
    resources = described.resources
    needed = needed_resources(plan.steps, described) if resources else set[str]()
    resolved = _resolved_config(described, job_name, run_config, plan, with_needs(needed, resources))
    validate_config(plan, described, resolved.config, needed, resolved.violations)
    return resolved.config


def _resolved_config(
    described: Described, job_name: str, run_config: object, plan: Plan, needed: Set[str]
) -> ResolvedConfig:
    selected = frozenset([step.path for step in plan.steps])
    job = described.jobs.get(job_name)
    resources = described.resources
    if job is not None:
        untied = {
            (step.path, each.name) for step in plan.steps for each in step.inputs if isinstance(each.source, OwnSource)
        }
        parts = job_parts(job, resources, selected if len(selected) < len(job.flat.ops) else None, untied)
        parts = msgspec.structs.replace(parts, needed=needed)
        return resolve_job_config(job, run_config, parts)
    loggers, executor = described.run_loggers(job_name), described.run_executor(job_name)
    ops = {step.path: described.ops[step.computation] for step in plan.steps}
    values = value_entries(plan.steps, ops, resources)
    parts = RunConfigParts(described.nodes, resources, selected, loggers, executor, needed, values)
    return resolve_run_config(run_config, parts)


def _wanted(
    described: Described, request: RunRequest
) -> tuple[set[AssetKey], set[AssetCheckKey], Mapping[str, Any], dict[str, str], str]:
    """What a request asks for: assets, checks, and the config, tags and name of its job."""
    graph = described.graph
    config: Mapping[str, Any] = {}
    tags: dict[str, str] = {}
    if request.job_name is None or request.job_name == IMPLICIT_JOB_NAME:
        assets = set(graph.materializable_keys)
        checks = set(graph.checks)
    else:
        job = graph.jobs.get(request.job_name)
        if job is None:
            known = ", ".join(sorted(graph.jobs)) or "none"
            raise InvalidSubsetError(f"There is no job {request.job_name!r}; available: {known}.")
        assets = set(job.assets)
        checks = {AssetCheckKey(asset, name) for asset, name in job.checks}
        config, tags = job.run_config, dict(job.tags)
    if request.asset_selection is not None:
        assets = set(request.asset_selection)
        checks = {key for key in checks if key.asset_key in assets}
    if request.asset_check_keys is not None:
        checks = set(request.asset_check_keys)
    is_chosen = (
        request.job_name is not None or request.asset_selection is not None or request.asset_check_keys is not None
    )
    if is_chosen and not assets and not checks:
        raise UnresolvedSelectionError(
            "The selection is empty: it matches no asset and no asset check of these definitions."
        )
    return assets, checks, config, tags, request.job_name or EPHEMERAL_JOB_NAME


def _mapped_config(described: Described, job_name: str, run_config: object) -> object:
    """The config of a run of assets as a mapping; what the config mapping of the job makes of it, where it has one."""
    job = described.asset_jobs.get(job_name)
    if job is not None and job.config_mapping is not None:
        return job.config_mapping.resolve_from_unvalidated_config(raw_config(run_config) or {})
    return raw_config(run_config)


def _merged(below: Mapping[str, Any], above: object) -> Any:
    """Two run configs; where both name an op or resource, the second wins."""
    if not isinstance(above, Mapping):
        return below if above is None else above
    over = cast("Mapping[str, Any]", above)
    merged = {**below, **over}
    for section in ("ops", "resources"):
        if below.get(section) and isinstance(over.get(section), Mapping):
            merged[section] = {**below[section], **over[section]}
    return merged


def _partitions_of(request: RunRequest, tags: Mapping[str, str]) -> tuple[str, str] | None:
    key = tags.get(PARTITION_TAG) if request.partition_key is None else request.partition_key
    if key is not None:
        return key, key
    start, end = tags.get(PARTITION_RANGE_START_TAG), tags.get(PARTITION_RANGE_END_TAG)
    if (start is None) != (end is None):
        raise InvalidInvocationError(
            f"The tags {PARTITION_RANGE_START_TAG} and {PARTITION_RANGE_END_TAG} must be provided together."
        )
    return None if start is None or end is None else (start, end)
