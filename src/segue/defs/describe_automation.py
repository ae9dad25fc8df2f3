"""Schedules and sensors in the manifest, and what they bring along: the jobs and assets they start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.definitions_reading import unique
from segue.defs.external_assets import AnyAsset
from segue.defs.not_found import not_found_for
from segue.defs.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from segue.defs.run_config import raw_config, storable
from segue.defs.schedule import ScheduleDefinition
from segue.defs.sensor import SensorDefinition
from segue.defs.target import AnyJob, Target
from segue.errors import SegueError
from segue.model.automation_nodes import DEFAULT_AUTOMATION_SENSOR, ScheduleNode, SensorNode
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.manifest import JobNode
from segue.model.selection import AssetSelection
from segue.model.tick import DefaultScheduleStatus, DefaultSensorStatus, SensorType

Note = Callable[[str], None]


AnySchedule: TypeAlias = ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition


def schedule_kinds() -> tuple[type, ...]:
    """The classes of what `Definitions` takes as a schedule."""
    return ScheduleDefinition, UnresolvedPartitionedAssetScheduleDefinition


def sensor_kinds() -> tuple[type, ...]:
    """The classes of what `Definitions` takes as a sensor."""
    return (SensorDefinition,)


def targets_of(schedules: Iterable[AnySchedule], sensors: Iterable[SensorDefinition]) -> list[Target]:
    """Everything that these start."""
    return [*(each.target for each in schedules), *(target for each in sensors for target in each.targets)]


def jobs_with(jobs: Sequence[AnyJob], targets: Iterable[Target]) -> list[AnyJob]:
    """The jobs, and those that only a schedule or sensor names; duplicates are left out."""
    found = unique(jobs)
    for target in targets:
        if target.job is not None and not any(each is target.job or each == target.job for each in found):
            found.append(target.job)
    return found


def assets_with(assets: Sequence[AnyAsset], targets: Iterable[Target]) -> list[AnyAsset]:
    """The assets, and those that only a schedule or sensor names."""
    found: dict[int, AnyAsset] = {id(each): each for each in assets}
    named = [target for target in targets if target.assets]
    if not named:
        return list(found.values())
    declared = {key for each in assets if isinstance(each, AssetsDefinition) for key in each.keys}
    for target in named:
        found.update({id(each): each for each in target.assets if not declared.issuperset(each.keys)})
    return list(found.values())


def resolved_schedules(
    schedules: Iterable[AnySchedule], jobs: Mapping[str, JobNode], graph: AssetGraph, note: Note
) -> list[ScheduleDefinition]:
    """The schedules, those of partitioned jobs completed; notes invalid ones."""
    found: list[ScheduleDefinition] = []
    for each in schedules:
        if isinstance(each, ScheduleDefinition):
            found.append(each)
            continue
        job = jobs.get(each.job.name)
        keys = () if job is None else job.assets
        partitions = [graph.nodes[key].partitions for key in keys if graph.nodes[key].partitions is not None]
        try:
            found.append(each.resolve(partitions[0] if partitions else None))
        except SegueError as error:
            note(str(error))
    return found


def schedule_nodes(
    schedules: Sequence[ScheduleDefinition], jobs: Mapping[str, object], resources: Mapping[str, object], note: Note
) -> tuple[ScheduleNode, ...]:
    """The schedules as data; notes what they name and is not there."""
    for each in schedules:
        what = f"The schedule {each.name!r}"
        _note_unknown(what, [each.job_name], jobs, "job", note)
        _note_unknown(what, each.required_resource_keys, resources, "resource", note)
    return tuple([_schedule_node(each) for each in schedules])


def _schedule_node(schedule: ScheduleDefinition) -> ScheduleNode:
    lines = schedule.cron_schedule
    return ScheduleNode(
        name=schedule.name,
        cron_schedules=(lines,) if isinstance(lines, str) else tuple(lines),
        job_name=schedule.job_name,
        execution_timezone=schedule.execution_timezone,
        runs_by_default=schedule.default_status is DefaultScheduleStatus.RUNNING,
        resource_keys=tuple(sorted(schedule.required_resource_keys)),
        description=schedule.description,
        tags=dict(schedule.tags),
        run_config=_static_config(schedule),
        is_static=schedule.is_static,
        catch_up=schedule.catch_up,
        metadata=dict(schedule.metadata),
        owners=tuple(schedule.owners or ()),
    )


def _static_config(schedule: ScheduleDefinition) -> dict[str, object]:
    """The config of the runs of a static schedule, as it is stored; empty for others."""
    return dict(storable(raw_config(schedule.run_config) or {}, "config")) if schedule.is_static else {}


def sensor_nodes(
    sensors: Sequence[SensorDefinition],
    jobs: Mapping[str, object],
    resources: Mapping[str, object],
    graph: AssetGraph,
    note: Note,
) -> tuple[SensorNode, ...]:
    """The sensors as data; notes what they name and is not there."""
    nodes: list[SensorNode] = []
    for each in sensors:
        what = f"The sensor {each.name!r}"
        _note_unknown(what, [target.job_name for target in each.targets], jobs, "job", note)
        _note_unknown(what, each.required_resource_keys, resources, "resource", note)
        elsewhere = each.sensor_type not in (SensorType.AUTOMATION, SensorType.AUTO_MATERIALIZE)
        selection = (
            None if each.asset_selection is None else _resolved(each.asset_selection, graph, what, note, elsewhere)
        )
        watched = each.watched_assets
        if isinstance(watched, AssetSelection):
            watched = _resolved(watched, graph, what, note)
        nodes.append(_sensor_node(each, selection, None if watched is None else tuple(sorted(watched))))
    _note_evaluated_twice(nodes, note)
    return (*nodes, *_default_automation(nodes, graph))


def _default_automation(nodes: Sequence[SensorNode], graph: AssetGraph) -> Iterable[SensorNode]:
    """The sensor over the conditions that none of these evaluates, where there are any."""
    over_conditions = (SensorType.AUTOMATION, SensorType.AUTO_MATERIALIZE)
    covered = {key for node in nodes if node.sensor_type in over_conditions for key in node.asset_selection or ()}
    left = {key for key, node in graph.nodes.items() if node.automation_condition is not None}
    left |= {key.asset_key for key, node in graph.checks.items() if node.automation_condition is not None}
    if left - covered and all(node.name != DEFAULT_AUTOMATION_SENSOR for node in nodes):
        yield SensorNode(
            name=DEFAULT_AUTOMATION_SENSOR,
            sensor_type=SensorType.AUTO_MATERIALIZE,
            asset_selection=tuple(sorted(left - covered)),
            description="Evaluates the automation conditions that are not evaluated by another sensor.",
        )


def _note_evaluated_twice(nodes: Sequence[SensorNode], note: Note) -> None:
    """Notes assets whose conditions two sensors would evaluate, each with a cursor of its own."""
    owners: dict[AssetKey, str] = {}
    for node in nodes:
        if node.sensor_type not in (SensorType.AUTOMATION, SensorType.AUTO_MATERIALIZE):
            continue
        for key in node.asset_selection or ():
            other = owners.setdefault(key, node.name)
            if other != node.name:
                note(
                    f"The sensors {other!r} and {node.name!r} both evaluate the automation condition of "
                    f"{key.to_user_string()!r}: leave it "
                    "out of the target of one of them."
                )
                break


def _sensor_node(
    sensor: SensorDefinition, selection: tuple[AssetKey, ...] | None, watched: tuple[AssetKey, ...] | None
) -> SensorNode:
    return SensorNode(
        name=sensor.name,
        sensor_type=sensor.sensor_type,
        job_names=tuple([target.job_name for target in sensor.targets]),
        asset_selection=selection,
        watched_assets=watched,
        watched_status=sensor.watched_status,
        minimum_interval_seconds=sensor.minimum_interval_seconds,
        runs_by_default=sensor.default_status is DefaultSensorStatus.RUNNING,
        resource_keys=tuple(sorted(sensor.required_resource_keys)),
        description=sensor.description,
        tags=dict(sensor.tags),
        metadata=dict(sensor.metadata),
        owners=tuple(sensor.owners),
    )


def note_names_used_twice(
    schedules: Iterable[ScheduleDefinition], sensors: Iterable[SensorDefinition], note: Note
) -> None:
    """Notes schedules and sensors with the same name."""
    seen: dict[str, object] = {}
    for each in (*schedules, *sensors):
        if seen.setdefault(each.name, each) is not each:
            note(f"Duplicate schedule or sensor name {each.name!r}: rename one.")


def _note_unknown(what: str, names: Iterable[str], known: Mapping[str, object], kind: str, note: Note) -> None:
    for name in sorted(set(names) - set(known)):
        note(not_found_for(what, kind, name, known))


def _resolved(
    selection: AssetSelection, graph: AssetGraph, what: str, note: Note, elsewhere: bool = False
) -> tuple[AssetKey, ...]:
    """The selected assets; `elsewhere` says whether it may name assets that only other definitions have."""
    try:
        return tuple(sorted(selection.resolve(graph, allow_missing=elsewhere)))
    except SegueError as error:
        note(f"{what}: {error}")
        return ()
