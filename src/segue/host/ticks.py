"""Schedules and sensors, asked in the process that has their code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.defs.run_config import raw_config, storable
from segue.defs.schedule_context import ScheduleEvaluationContext
from segue.defs.sensor_context import SensorEvaluationContext
from segue.errors import InvalidSubsetError
from segue.execute.failure import error_info
from segue.host.automations import Automations
from segue.host.staleness import stale_keys
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    StepMaterializationData,
)
from segue.model.instigator import InstigatorKind
from segue.model.materialization import AssetObservation
from segue.model.partitions.dynamic import DeleteDynamicPartitionsRequest
from segue.model.partitions.store_after import DynamicPartitionsRequest
from segue.model.payload import payload_value
from segue.model.request import RunRequest
from segue.model.tags import PARTITION_RANGE_END_TAG, PARTITION_RANGE_START_TAG, PARTITION_TAG
from segue.model.tick import AssetEvent, SensorType
from segue.model.tick_record import PartitionChange
from segue.model.tick_task import RequestedRun, TickAnswer, TickTask, require_few

_OVER_CONDITIONS = (SensorType.AUTOMATION, SensorType.AUTO_MATERIALIZE)


def answer_tick(
    definitions: Definitions, instance: Instance, task: TickTask, now: float, automations: Automations | None = None
) -> TickAnswer:
    """What a schedule or sensor answers; whatever it raises is its answer too.

    Args:
        definitions: what is declared.
        instance: the instance that records runs and assets.
        task: the question.
        now: the time of what it has seen of assets, in seconds since 1970, UTC.
        automations: what the process keeps in memory for sensors over conditions; nothing when None.

    Raises:
        KeyboardInterrupt: the process is told to end.
    """
    try:
        return (
            _schedule(definitions, instance, task)
            if task.kind is InstigatorKind.SCHEDULE
            else _sensor(definitions, instance, task, now, automations or Automations())
        )
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 reason: user code may raise anything; the tick records it
        return TickAnswer(error=error_info(error))


def _schedule(definitions: Definitions, instance: Instance, task: TickTask) -> TickAnswer:
    found = definitions.described.schedules.get(task.name)
    if found is None:
        raise InvalidSubsetError(f"There is no schedule {task.name!r} in these definitions.")
    at = datetime.fromtimestamp(task.scheduled_at or 0.0, UTC)
    if found.execution_timezone is not None:
        at = at.astimezone(ZoneInfo(found.execution_timezone))
    context = ScheduleEvaluationContext(
        instance=instance,
        scheduled_execution_time=at,
        schedule_name=task.name,
        resources=definitions.described.resources,
        definitions=definitions,
    )
    with context:
        tick = found.evaluate_tick(context)
    require_few(len(tick.run_requests), f"schedule {task.name!r}")
    requests = _all_requested(definitions, instance, tick.run_requests, found.job_name)
    return TickAnswer(requests=requests, skip_reason=tick.skip_message or _why_none(requests, tick.run_requests))


def _sensor(
    definitions: Definitions, instance: Instance, task: TickTask, now: float, automations: Automations
) -> TickAnswer:
    nodes = definitions.asset_graph.manifest.sensors
    if any(node.name == task.name and node.sensor_type in _OVER_CONDITIONS for node in nodes):
        return automations.answer(definitions, instance, task, now)
    found = definitions.get_sensor_def(task.name)
    context = SensorEvaluationContext(
        instance=instance,
        cursor=task.cursor,
        last_run_key=task.last_run_key,
        last_tick_completion_time=task.last_tick_at,
        last_sensor_start_time=task.started_at,
        sensor_name=task.name,
        resources=definitions.described.resources,
        definitions=definitions,
        payloads=[payload_value(text) for text in task.payloads],
    )
    with context:
        tick = found.evaluate_tick(context)
    job_name = found.job_name if len(found.targets) == 1 else None
    requests = _all_requested(definitions, instance, tick.run_requests, job_name)
    return TickAnswer(
        requests=requests,
        skip_reason=tick.skip_message or _why_none(requests, tick.run_requests),
        cursor=tick.cursor,
        partition_changes=tuple(map(_change, tick.dynamic_partitions_requests)),
        events=tuple(Event(now, _payload(each)) for each in tick.asset_events),
    )


def _all_requested(
    definitions: Definitions, instance: Instance, requests: Sequence[RunRequest], job_name: str | None
) -> tuple[RequestedRun, ...]:
    """The requests as plain values, without those that are for stale assets only and find none."""
    found: list[RequestedRun] = []
    for request in requests:
        requested = _requested(request, job_name)
        if request.stale_assets_only:
            requested = _of_stale_assets(definitions, instance, requested)
        if requested is not None:
            found.append(requested)
    return tuple(found)


def _why_none(requests: Sequence[RequestedRun], asked: Sequence[RunRequest]) -> str | None:
    """Why there is no run, where requests were left out."""
    return "None of the requested assets are stale." if asked and not requests else None


def _of_stale_assets(definitions: Definitions, instance: Instance, requested: RequestedRun) -> RequestedRun | None:
    """The request for those of its assets that are missing or stale, with the checks on them; None without any."""
    graph = definitions.asset_graph
    assets = requested.asset_selection
    if assets is None:
        job = None if requested.job_name is None else graph.jobs.get(requested.job_name)
        assets = tuple(graph.materializable_keys) if job is None else job.assets
    stale = stale_keys(graph, instance.store, assets, requested.partition_start)
    if not stale:
        return None
    checks = requested.asset_check_keys
    return msgspec.structs.replace(
        requested,
        asset_selection=tuple(key for key in assets if key in stale),
        asset_check_keys=None if checks is None else tuple(key for key in checks if key.asset_key in stale),
    )


def _requested(request: RunRequest, job_name: str | None) -> RequestedRun:
    """A request as plain values, with the job that it is for."""
    tags = dict(request.tags)
    start, end = _bounds(request, tags)
    config: Mapping[str, object] = storable(raw_config(request.run_config) or {}, "config")
    selection, checks = request.asset_selection, request.asset_check_keys
    return RequestedRun(
        job_name=request.job_name or job_name,
        asset_selection=None if selection is None else tuple(selection),
        asset_check_keys=None if checks is None else tuple(checks),
        partition_start=start,
        partition_end=end,
        tags=tags,
        run_config=dict(config),
        run_key=request.run_key,
    )


def _bounds(request: RunRequest, tags: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The first and last partition that a request is for."""
    key = request.partition_key or tags.get(PARTITION_TAG)
    return (tags.get(PARTITION_RANGE_START_TAG), tags.get(PARTITION_RANGE_END_TAG)) if key is None else (key, key)


def _change(request: DynamicPartitionsRequest) -> PartitionChange:
    is_removal = isinstance(request, DeleteDynamicPartitionsRequest)
    keys: Sequence[str] = request.partition_keys
    return PartitionChange(request.partitions_def_name, tuple(keys), is_removal)


def _payload(event: AssetEvent) -> AnyPayload:
    if isinstance(event, AssetObservation):
        return AssetObservationData(event)
    return (
        AssetCheckEvaluationData(event) if isinstance(event, AssetCheckEvaluation) else StepMaterializationData(event)
    )
