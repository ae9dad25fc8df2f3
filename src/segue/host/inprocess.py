"""Runs in this process: where user code and storage meet in one place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.defs.instance import Instance
from segue.defs.run_config import normalize_run_config, storable
from segue.errors import InvalidInvocationError, InvalidSubsetError, NotSupportedError, RunNotFoundError
from segue.execute.attempt import Capture, RunScope
from segue.execute.io_managers.filesystem import FilesystemIOManager
from segue.execute.run import RunResult, execute_run
from segue.execute.sink import EventSink, Observer
from segue.execute.validate import validate_config
from segue.model.event import AssetCheckPlannedData, AssetMaterializationPlannedData, Event
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import DEFAULT_IO_MANAGER_KEY, content_hash
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset, subset_of_range
from segue.model.request import RunRequest
from segue.model.run import (
    PARTITION_RANGE_END_TAG,
    PARTITION_RANGE_START_TAG,
    PARTITION_TAG,
    Run,
    RunStatus,
)
from segue.plan.plan import Plan, decode_plan, encode_plan
from segue.plan.planner import EPHEMERAL_JOB_NAME, plan_run
from segue.plan.resume import finished_steps


def execute_request(
    definitions: Definitions, instance: Instance, request: RunRequest, on_event: Observer | None = None
) -> Run:
    """Plans and executes one run in this process.

    Args:
        definitions: what there is.
        instance: where the run is recorded.
        request: what to make.
        on_event: called with each event at once.

    Returns:
        The run as it ended.

    Raises:
        As `materialize`, before anything is recorded; user code's exceptions stand in the run's events.
    """
    return execute(definitions, instance, request, [] if on_event is None else [on_event], None)[0]


def retry_run(definitions: Definitions, instance: Instance, run_id: str, on_event: Observer | None = None) -> Run:
    """Runs what an earlier run did not bring to a good end, with its plan.

    Args:
        definitions: what there is now.
        instance: where the earlier run is recorded.
        run_id: the earlier run; it must have ended, and not well.
        on_event: called with each event at once.

    Returns:
        The new run as it ended.

    Raises:
        RunNotFoundError: no such run.
        InvalidInvocationError: it has not ended, ended well, or its plan names what is no longer defined.
        InvalidConfigError: its config does not fit any more.
    """
    store = instance.store
    earlier = store.get_run(run_id)
    if earlier is None or earlier.plan_hash is None:
        raise RunNotFoundError(f"There is no run {run_id!r} in this home folder: `segue runs` lists them.", run_id)
    if not earlier.is_finished:
        raise InvalidInvocationError(
            f"Run {run_id} is still {earlier.status.value}: wait for its end, or stop it first."
        )
    if earlier.status is RunStatus.SUCCESS:
        raise InvalidInvocationError(
            f"Run {run_id} ended well: there is nothing left to run. Materialize again instead."
        )
    stored = store.get_plan(earlier.plan_hash)
    if stored is None:
        raise RunNotFoundError(f"The plan of run {run_id} is not stored any more: materialize again instead.", run_id)
    plan = decode_plan(stored)
    described = _with_default_io_manager(definitions.described)
    _require_known(plan, described, run_id)
    done = finished_steps(plan, _events_of_chain(instance, earlier))
    run = _new_run(
        plan,
        described_hash=definitions.manifest_hash,
        plan_bytes=stored,
        tags=earlier.tags,
        run_config=earlier.run_config,
        parent=earlier,
    )
    config = normalize_run_config(run.run_config, described.ops, described.resources)
    validate_config(plan, described, config)
    observers = [] if on_event is None else [on_event]
    return _record_and_run(definitions, instance, plan, run, config, observers, None, done)[0]


def execute(
    definitions: Definitions,
    instance: Instance,
    request: RunRequest,
    observers: Sequence[Observer],
    capture: Capture | None,
) -> tuple[Run, RunResult]:
    """Plans, records and executes one run; `capture`, where given, takes the values of outputs."""
    if request.stale_assets_only:
        raise NotSupportedError("RunRequest(stale_assets_only=True) is not built yet: name the stale assets yourself.")
    described = definitions.described
    graph = described.graph
    assets, checks, job_config, job_tags, job_name = _wanted(described, request)
    tags = {**job_tags, **(request.tags or {})}
    config = normalize_run_config(request.run_config, described.ops, described.resources)
    config = _merged(job_config, config)
    partitions = _partitions_of(request, tags)
    now = datetime.now(UTC)
    plan = plan_run(graph, assets, checks, now=now, job_name=job_name, partitions=partitions)
    validate_config(plan, described, config)
    if request.partition_key is not None:
        tags[PARTITION_TAG] = request.partition_key
    run = _new_run(
        plan,
        described_hash=definitions.manifest_hash,
        plan_bytes=encode_plan(plan),
        tags=tags,
        run_config=storable(config, "config"),
        parent=None,
    )
    return _record_and_run(definitions, instance, plan, run, config, observers, capture, {})


def _wanted(
    described: Described, request: RunRequest
) -> tuple[set[AssetKey], set[AssetCheckKey], Mapping[str, Any], dict[str, str], str]:
    """What a request asks for: assets, checks, and the config, tags and name of its job."""
    graph = described.graph
    config: Mapping[str, Any] = {}
    tags: dict[str, str] = {}
    if request.job_name is None:
        assets = set(graph.materializable_keys)
        checks = set(graph.checks)
    else:
        job = graph.jobs.get(request.job_name)
        if job is None:
            known = ", ".join(sorted(graph.jobs)) or "none"
            raise InvalidSubsetError(f"There is no job {request.job_name!r}; there are: {known}.")
        assets = set(job.assets)
        checks = {AssetCheckKey(asset, name) for asset, name in job.checks}
        config, tags = job.run_config, dict(job.tags)
    if request.asset_selection is not None:
        assets = set(request.asset_selection)
        checks = {key for key in checks if key.asset_key in assets}
    if request.asset_check_keys is not None:
        checks = set(request.asset_check_keys)
    return assets, checks, config, tags, request.job_name or EPHEMERAL_JOB_NAME


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two run configs; where both name an op or resource, the second wins."""
    return {
        section: {**below.get(section, {}), **above.get(section, {})}
        for section in ("ops", "resources")
        if section in below or section in above
    }


def _partitions_of(request: RunRequest, tags: Mapping[str, str]) -> tuple[str, str] | None:
    key = tags.get(PARTITION_TAG) if request.partition_key is None else request.partition_key
    if key is not None:
        return key, key
    start, end = tags.get(PARTITION_RANGE_START_TAG), tags.get(PARTITION_RANGE_END_TAG)
    if (start is None) != (end is None):
        raise InvalidInvocationError(f"The tags {PARTITION_RANGE_START_TAG} and {PARTITION_RANGE_END_TAG} go together.")
    return None if start is None or end is None else (start, end)


def _new_run(
    plan: Plan,
    *,
    described_hash: str,
    plan_bytes: bytes,
    tags: Mapping[str, str],
    run_config: Mapping[str, Any],
    parent: Run | None,
) -> Run:
    return Run(
        run_id=_new_run_id(),
        job_name=plan.job_name,
        tags=dict(tags),
        run_config=dict(run_config),
        asset_selection=plan.asset_keys,
        asset_check_selection=plan.check_keys,
        partition_start=plan.partition_start,
        partition_end=plan.partition_end,
        root_run_id=None if parent is None else parent.root_run_id or parent.run_id,
        parent_run_id=None if parent is None else parent.run_id,
        plan_hash=content_hash(plan_bytes),
        manifest_hash=described_hash,
        created_at=time.time(),
    )


def _new_run_id() -> str:
    """A UUID of version 7 (RFC 9562): its text sorts by time of creation."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _record_and_run(
    definitions: Definitions,
    instance: Instance,
    plan: Plan,
    run: Run,
    config: Mapping[str, Any],
    observers: Sequence[Observer],
    capture: Capture | None,
    finished: Mapping[str, frozenset[str]],
) -> tuple[Run, RunResult]:
    described = _with_default_io_manager(definitions.described)
    now = datetime.fromtimestamp(run.created_at, UTC)
    partitions = _run_partitions(plan, described, now)
    planned = _planned_events(plan, run, finished)
    instance.store.create_run(run, encode_plan(plan), definitions.encoded_manifest, planned)
    sink = EventSink(instance.store, run.run_id, observers)
    scope = RunScope(
        described=described,
        run=run,
        instance=instance,
        sink=sink,
        run_config=config,
        partitions=partitions,
        now=now,
        capture=capture,
    )
    result = execute_run(plan, scope, finished)
    ended = instance.store.get_run(run.run_id)
    if ended is None:
        raise RunNotFoundError(f"Run {run.run_id} was deleted while it ran.", run.run_id)
    return ended, result


def _planned_events(plan: Plan, run: Run, finished: Mapping[str, frozenset[str]]) -> list[Event]:
    """What the run intends, for those who look before it gets there: assets first, then checks."""
    assets: list[Event] = []
    checks: list[Event] = []
    for step in plan.steps:
        if step.key in finished:
            continue
        for output in step.outputs:
            if output.asset_key is not None:
                start, end = (plan.partition_start, plan.partition_end) if output.is_partitioned else (None, None)
                payload = AssetMaterializationPlannedData(output.asset_key, start, end if end != start else None)
                assets.append(Event(run.created_at, payload, step.key, run.run_id))
            elif output.check_asset_key is not None and output.check_name is not None:
                planned = AssetCheckPlannedData(output.check_asset_key, output.check_name)
                checks.append(Event(run.created_at, planned, step.key, run.run_id))
    return assets + checks


def _with_default_io_manager(described: Described) -> Described:
    if DEFAULT_IO_MANAGER_KEY in described.resources:
        return described
    return described.with_resource(DEFAULT_IO_MANAGER_KEY, FilesystemIOManager())


def _run_partitions(
    plan: Plan, described: Described, now: datetime
) -> tuple[PartitionsDefinition, PartitionSubset] | None:
    if plan.partition_start is None or plan.partition_end is None:
        return None
    for key in plan.asset_keys:
        definition = described.graph.nodes[key].partitions
        if definition is not None:
            return definition, subset_of_range(definition, plan.partition_start, plan.partition_end, now)
    return None


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
            f"Run {run_id} cannot be retried: its plan has what is no longer defined: {', '.join(dict.fromkeys(missing))}. "
            "Materialize again instead."
        )


def _events_of_chain(instance: Instance, run: Run) -> Iterable[Event]:
    """The events of a run and of those it retried, as far back as they go."""
    current: Run | None = run
    while current is not None:
        yield from [stored.event for stored in instance.all_logs(current.run_id)]
        current = None if current.parent_run_id is None else instance.store.get_run(current.parent_run_id)
