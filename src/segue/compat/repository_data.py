"""What a repository holds: listed at once, or loaded name by name."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.automation_sensor import AutomationConditionSensorDefinition
from segue.defs.definitions import Definitions
from segue.defs.definitions_reading import unique
from segue.defs.describe_automation import targets_of
from segue.defs.external_assets import assets_definition_of
from segue.defs.graph import GraphDefinition
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.not_found import not_found, not_found_for
from segue.defs.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from segue.defs.schedule import ScheduleDefinition
from segue.defs.sensor import SensorDefinition
from segue.defs.source_asset import SourceAsset
from segue.errors import InvalidDefinitionError, InvariantViolationError, WrongDeclarationError
from segue.model.automation_nodes import DEFAULT_AUTOMATION_SENSOR
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import JobNode
from segue.model.selection import AssetSelection

SCHEDULES = (ScheduleDefinition, UnresolvedPartitionedAssetScheduleDefinition)
JOBS = (JobDefinition, UnresolvedAssetJobDefinition, GraphDefinition)
KINDS: Mapping[str, tuple[type, ...]] = {"jobs": JOBS, "schedules": SCHEDULES, "sensors": (SensorDefinition,)}


class RepositoryData(abc.ABC):
    """What a repository holds, for those who find or load it in a way of their own: derive from it."""

    @abc.abstractmethod
    def get_all_jobs(self) -> Sequence[JobDefinition]:
        """All jobs."""

    def get_all_schedules(self) -> Sequence[ScheduleDefinition]:
        """All schedules."""
        return []

    def get_all_sensors(self) -> Sequence[SensorDefinition]:
        """All sensors."""
        return []

    def get_assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition]:
        """The definition that makes each asset."""
        return {}

    def get_source_assets_by_key(self) -> Mapping[AssetKey, Any]:
        """The external assets."""
        return {}

    def get_asset_checks_defs_by_key(self) -> Mapping[AssetCheckKey, AssetsDefinition]:
        """The definition that runs each check."""
        return {}

    def get_asset_job_nodes(self) -> Sequence[JobNode]:
        """The jobs of assets with an automation condition, as data."""
        return []

    def get_top_level_resources(self) -> Mapping[str, Any]:
        """The resources, by key."""
        return {}

    def get_job_names(self) -> Sequence[str]:
        """The names of all jobs."""
        return [job.name for job in self.get_all_jobs()]

    def has_job(self, job_name: str) -> bool:
        """Whether there is a job of this name."""
        return job_name in self.get_job_names()

    def get_job(self, job_name: str) -> JobDefinition:
        """The job of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return _named("job", job_name, self.get_all_jobs())

    def get_schedule_names(self) -> Sequence[str]:
        """The names of all schedules."""
        return [each.name for each in self.get_all_schedules()]

    def has_schedule(self, schedule_name: str) -> bool:
        """Whether there is a schedule of this name."""
        return schedule_name in self.get_schedule_names()

    def get_schedule(self, schedule_name: str) -> ScheduleDefinition:
        """The schedule of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return _named("schedule", schedule_name, self.get_all_schedules())

    def get_sensor_names(self) -> Sequence[str]:
        """The names of all sensors."""
        return [each.name for each in self.get_all_sensors()]

    def has_sensor(self, sensor_name: str) -> bool:
        """Whether there is a sensor of this name."""
        return sensor_name in self.get_sensor_names()

    def get_sensor(self, sensor_name: str) -> SensorDefinition:
        """The sensor of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return _named("sensor", sensor_name, self.get_all_sensors())

    def load_all_definitions(self) -> None:
        """Loads everything, to see whether it can be."""
        self.get_all_jobs()
        self.get_all_schedules()
        self.get_all_sensors()


class ListedData(RepositoryData):
    """A repository over some `Definitions`."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions

    def get_all_jobs(self) -> Sequence[JobDefinition]:
        return self.definitions.resolve_all_job_defs()

    def get_all_schedules(self) -> Sequence[ScheduleDefinition]:
        names = {each.name for each in self.definitions.schedules}
        return [self.definitions.get_schedule_def(name) for name in sorted(names)]

    def get_all_sensors(self) -> Sequence[SensorDefinition]:
        own = sorted(unique(self.definitions.sensors), key=lambda sensor: sensor.name)
        nodes = {node.name: node for node in self.definitions.described.manifest.sensors}
        default = nodes.get(DEFAULT_AUTOMATION_SENSOR)
        if default is None or any(each.name == default.name for each in own):
            return own
        is_alone = not any(isinstance(each, AutomationConditionSensorDefinition) for each in own)
        target = AssetSelection.all() if is_alone else AssetSelection.assets(*default.asset_selection or ())
        added = AutomationConditionSensorDefinition(default.name, target=target, description=default.description)
        return sorted([*own, added], key=lambda sensor: sensor.name)

    def get_assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition]:
        found = [assets_definition_of(each) for each in self.definitions.assets if not isinstance(each, SourceAsset)]
        return {key: each for each in found for key in each.keys}

    def get_source_assets_by_key(self) -> Mapping[AssetKey, Any]:
        return {each.key: each for each in self.definitions.assets if isinstance(each, SourceAsset)}

    def get_asset_checks_defs_by_key(self) -> Mapping[AssetCheckKey, AssetsDefinition]:
        everything = [*self.definitions.assets, *self.definitions.asset_checks]
        found = (each for each in everything if isinstance(each, AssetsDefinition))
        return {key: each for each in found for key in each.check_keys}

    def get_asset_job_nodes(self) -> Sequence[JobNode]:
        return [job for job in self.definitions.asset_graph.jobs.values() if job.automation_condition is not None]

    def get_top_level_resources(self) -> Mapping[str, Any]:
        return self.definitions.resources

    def load_all_definitions(self) -> None:
        Definitions.validate_loadable(self.definitions)


class LazyData(RepositoryData):
    """A repository of dicts by name, whose values may be functions that are called when their name is asked for."""

    def __init__(self, sections: Mapping[str, Mapping[str, Any]]) -> None:
        self._sections = sections
        self._loaded: dict[tuple[str, str], Any] = {}
        ready = [each for each in sections.get("jobs", {}).items() if isinstance(each[1], KINDS["jobs"])]
        jobs = [self._get("jobs", name) for name, _ in ready]
        if jobs:  # what is there already is checked where it is declared; what a function gives, when it is asked for
            Definitions.validate_loadable(Definitions(jobs=jobs))

    def _get(self, section: str, name: str) -> Any:
        known = self._sections.get(section, {})
        if name not in known:
            raise InvariantViolationError(not_found(section[:-1], name, known, _PLACE))
        if (section, name) not in self._loaded:
            value: Any = known[name]
            if not isinstance(value, KINDS[section]):
                value = value()
            found = _checked(section, name, value)
            if section != "jobs":
                self._require_jobs(found, section)
            self._loaded[(section, name)] = found
        return self._loaded[(section, name)]

    def _require_jobs(self, found: Any, section: str) -> None:
        """Refuses a schedule or sensor of a job that is not here."""
        targets = targets_of([found], []) if section == "schedules" else targets_of([], [found])
        for target in targets:
            if target.job is None and not self.has_job(target.job_name):
                user = f"The {section[:-1]} {found.name!r}"
                raise InvalidDefinitionError(not_found_for(user, "job", target.job_name, self.get_job_names(), _PLACE))

    def _all(self, section: str) -> list[Any]:
        return [self._get(section, name) for name in sorted(self._sections.get(section, {}))]

    def get_job_names(self) -> Sequence[str]:
        return list(self._sections.get("jobs", {}))

    def get_job(self, job_name: str) -> JobDefinition:
        return self._get("jobs", job_name)

    def get_all_jobs(self) -> Sequence[JobDefinition]:
        jobs = self._all("jobs")
        Definitions.validate_loadable(Definitions(jobs=jobs))
        return jobs

    def get_all_schedules(self) -> Sequence[ScheduleDefinition]:
        return self._all("schedules")

    def get_all_sensors(self) -> Sequence[SensorDefinition]:
        return self._all("sensors")

    def load_all_definitions(self) -> None:
        jobs, schedules, sensors = self.get_all_jobs(), self.get_all_schedules(), self.get_all_sensors()
        Definitions.validate_loadable(Definitions(jobs=jobs, schedules=schedules, sensors=sensors))


_PLACE = "this repository"


def _checked(section: str, name: str, value: Any) -> Any:
    if not isinstance(value, KINDS[section]):
        raise WrongDeclarationError(
            f"The function of the {section[:-1]} {name!r} must return a {section[:-1]}, got {value!r}."
        )
    found = value.coerce_to_job() if isinstance(value, GraphDefinition) else value
    if found.name != name:
        raise InvalidDefinitionError(
            f"The {section[:-1]} name {found.name!r} does not match its key {name!r}: use the same name for both."
        )
    return found


def _named(kind: str, name: str, values: Sequence[Any]) -> Any:
    for each in values:
        if each.name == name:
            return each
    raise InvariantViolationError(not_found(kind, name, [each.name for each in values], _PLACE))
