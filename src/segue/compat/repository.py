"""`@repository`, the older form of `Definitions`: a function that returns lists or dicts of what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from segue.compat.repository_data import JOBS, KINDS, SCHEDULES, LazyData, ListedData, RepositoryData
from segue.defs.assets_definition import AssetChecksDefinition, AssetsDefinition
from segue.defs.defined_graph import DefinedAssetGraph
from segue.defs.definitions import Definitions
from segue.defs.describe import Described, describe_definitions
from segue.defs.describe_automation import AnySchedule, jobs_with, targets_of
from segue.defs.executor import ExecutorDefinition, require_executor
from segue.defs.graph import GraphDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.logger import LoggerDefinition, require_loggers
from segue.defs.schedule import ScheduleDefinition
from segue.defs.sensor import SensorDefinition
from segue.defs.signature import docstring_of, function_name
from segue.defs.source_asset import SourceAsset
from segue.defs.target import AnyJob
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.assets import AssetSpec
from segue.model.keys import AssetCheckKey, AssetKey, require_name
from segue.model.metadata import normalize_metadata
from segue.model.tags import IMPLICIT_JOB_NAME

T = TypeVar("T")


class RepositoryDefinition(Definitions):
    """What `@repository` gives; use `Definitions` in new code.

    Args:
        name: the repository.
        repository_data: what it holds.
        description: for people.
        metadata: facts about it.
    """

    def __init__(
        self,
        name: str,
        *,
        repository_data: RepositoryData,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self.name = require_name(name, "a repository", "RepositoryDefinition")
        self.description = description
        self.repository_data = repository_data
        self.metadata = normalize_metadata(metadata)

    @cached_property
    def definitions(self) -> Definitions:
        """The same as `Definitions`; loads everything."""
        data = self.repository_data
        if isinstance(data, ListedData):
            return data.definitions
        return Definitions(
            assets=[*_once(data.get_assets_defs_by_key().values()), *data.get_source_assets_by_key().values()],
            asset_checks=list(_once(data.get_asset_checks_defs_by_key().values())),
            jobs=data.get_all_jobs(),
            schedules=data.get_all_schedules(),
            sensors=data.get_all_sensors(),
            resources=data.get_top_level_resources(),
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "definitions":
            raise AttributeError(f"A repository has no attribute {name!r}.", name=name)
        return getattr(self.definitions, name)

    @cached_property
    def described(self) -> Described:
        """The manifest and what binds it to the user's functions."""
        return self.definitions.described

    @property
    def job_names(self) -> Sequence[str]:
        """The names of all jobs."""
        return self.repository_data.get_job_names()

    def get_implicit_asset_job_names(self) -> Sequence[str]:
        """The names of the implicit jobs: that of the job over all assets, where there is one."""
        return [IMPLICIT_JOB_NAME] if self.definitions.has_implicit_global_asset_job_def() else []

    def get_implicit_job_def_for_assets(self, asset_keys: Iterable[AssetKey]) -> JobDefinition | None:
        """The job over all assets, if it can make or observe all of these; else None."""
        return self.definitions.resolve_implicit_job_def_def_for_assets(asset_keys)

    def has_job(self, name: str) -> bool:
        """Whether there is a job of this name."""
        return self.repository_data.has_job(name)

    def get_job(self, name: str) -> JobDefinition:
        """The job of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return self.repository_data.get_job(name)

    def get_maybe_subset_job_def(
        self,
        job_name: str,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[AssetKey] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> JobDefinition:
        """The job of this name, or the selected part of it.

        Raises:
            InvariantViolationError: it was not found.
            InvalidSubsetError: see `JobDefinition.get_subset`.
        """
        return self.get_job(job_name).get_subset(
            op_selection=op_selection, asset_selection=asset_selection, asset_check_selection=asset_check_selection
        )

    def get_all_jobs(self) -> Sequence[JobDefinition]:
        """All jobs, the one of all assets included."""
        return self.repository_data.get_all_jobs()

    @property
    def schedule_defs(self) -> Sequence[ScheduleDefinition]:
        """All schedules."""
        return self.repository_data.get_all_schedules()

    def has_schedule_def(self, name: str) -> bool:
        """Whether there is a schedule of this name."""
        return self.repository_data.has_schedule(name)

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return self.repository_data.get_schedule(name)

    @property
    def sensor_defs(self) -> Sequence[SensorDefinition]:
        """All sensors."""
        return self.repository_data.get_all_sensors()

    def has_sensor_def(self, name: str) -> bool:
        """Whether there is a sensor of this name."""
        return self.repository_data.has_sensor(name)

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return self.repository_data.get_sensor(name)

    @property
    def asset_graph(self) -> DefinedAssetGraph:
        """What depends on what, with the definitions behind the assets."""
        return self.definitions.resolve_asset_graph()

    @property
    def assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition]:
        """The definition that makes each asset."""
        return self.repository_data.get_assets_defs_by_key()

    @property
    def source_assets_by_key(self) -> Mapping[AssetKey, Any]:
        """The external assets."""
        return self.repository_data.get_source_assets_by_key()

    @property
    def asset_checks_defs_by_key(self) -> Mapping[AssetCheckKey, AssetsDefinition]:
        """The definition that runs each check."""
        return self.repository_data.get_asset_checks_defs_by_key()

    def get_top_level_resources(self) -> Mapping[str, Any]:
        """The resources, by key."""
        return self.repository_data.get_top_level_resources()

    def load_all_definitions(self) -> None:
        """Loads everything, to see whether it can be.

        Raises:
            InvalidDefinitionError: it cannot.
        """
        self.repository_data.load_all_definitions()

    def __call__(self) -> RepositoryDefinition:
        """The repository itself, as a decorated function is called."""
        return self

    def __repr__(self) -> str:
        return f"RepositoryDefinition({self.name!r})"


def repository(
    definitions_fn: Callable[[], Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, object] | None = None,
    default_executor_def: object = None,
    default_logger_defs: Mapping[str, object] | None = None,
) -> Any:
    """Makes a repository of a function that returns what there is.

    Args:
        definitions_fn: returns a list of jobs, graphs, assets, checks, schedules and sensors (lists of such in it are taken
            apart); a dict with `jobs`, `schedules` and `sensors` by name, whose values may be functions that are called when
            their name is asked for; or a `RepositoryData`.
        name: the function's name when None.
        description: for people; the docstring when None.
        metadata: facts about it.
        default_executor_def, default_logger_defs: for jobs that name none.

    Raises:
        InvalidDefinitionError: an invalid return value, or duplicate names.
    """
    executor = require_executor(default_executor_def, "repository")
    loggers = require_loggers(default_logger_defs, "repository")

    def decorate(function: Callable[[], Any]) -> RepositoryDefinition:
        own_name = name or function_name(function, "repository")
        data = _read(function(), own_name, executor, loggers)
        text = description or docstring_of(function)
        return RepositoryDefinition(own_name, repository_data=data, description=text, metadata=metadata)

    return decorate if definitions_fn is None else decorate(definitions_fn)


def create_repository_using_definitions_args(
    name: str,
    assets: Iterable[Any] | None = None,
    schedules: Iterable[Any] | None = None,
    sensors: Iterable[Any] | None = None,
    jobs: Iterable[Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    executor: object = None,
    loggers: Mapping[str, Any] | None = None,
    asset_checks: Iterable[Any] | None = None,
) -> RepositoryDefinition:
    """A repository with a name of its own, from the arguments of `Definitions`."""
    definitions = Definitions(assets, schedules, sensors, jobs, resources, executor, loggers, asset_checks)
    return RepositoryDefinition(name, repository_data=ListedData(definitions))


def repository_of(definitions: Definitions) -> RepositoryDefinition:
    """Definitions as a repository.

    Raises:
        InvalidDefinitionError: they do not fit together.
    """
    _ = definitions.described
    metadata = definitions.metadata
    return RepositoryDefinition("__repository__", repository_data=ListedData(definitions), metadata=metadata)


class BindResourcesToJobs(list[T]):
    """A list of jobs, as `Definitions(jobs=...)` takes it anyway: all jobs get the resources."""


def _read(
    returned: Any, name: str, executor: ExecutorDefinition | None, loggers: Mapping[str, LoggerDefinition]
) -> RepositoryData:
    what = f"repository {name!r}"
    if isinstance(returned, RepositoryData):
        return returned
    if isinstance(returned, list):
        definitions = _definitions_of(cast("list[Any]", returned), what, executor, loggers)
        _require_fitting(definitions)
        return ListedData(definitions)
    if isinstance(returned, Mapping):
        return LazyData(_sections_of(cast("Mapping[str, Any]", returned), what))
    raise InvalidDefinitionError(
        f"{what} returned a {type(returned).__name__}: return a list of definitions, a dict with jobs, schedules and sensors by "
        "name, or a RepositoryData."
    )


def _require_fitting(definitions: Definitions) -> None:
    """Says at once what does not fit together, but for resources of assets: those are asked for with the jobs."""
    try:
        Definitions.validate_loadable(definitions)
    except InvalidDefinitionError:
        describe_definitions(definitions, checks_resources=False)


def _definitions_of(
    returned: Sequence[Any], what: str, executor: ExecutorDefinition | None, loggers: Mapping[str, LoggerDefinition]
) -> Definitions:
    """The definitions in a list; lists in it are taken apart once."""
    elements: list[Any] = []
    for each in returned:
        elements.extend(cast("Sequence[Any]", each) if isinstance(each, (list, tuple)) else [each])
    found: dict[str, list[Any]] = {key: [] for key in ("assets", "checks", "jobs", "schedules", "sensors")}
    for each in elements:
        if isinstance(each, AssetChecksDefinition):
            found["checks"].append(each)
        elif isinstance(each, (AssetsDefinition, AssetSpec, SourceAsset)):
            found["assets"].append(each)
        elif isinstance(each, JOBS):
            found["jobs"].append(each.coerce_to_job() if isinstance(each, GraphDefinition) else each)
        elif isinstance(each, SCHEDULES):
            found["schedules"].append(each)
        elif isinstance(each, SensorDefinition):
            found["sensors"].append(each)
        else:
            raise InvalidDefinitionError(
                f"{what} returned {each!r}, which is not a job, graph, asset, check, schedule or sensor. Is a decorator missing, "
                "or is the list nested too deeply?"
            )
    listed = _once(found["jobs"])
    for kind, named in (("job", listed), ("schedule", found["schedules"]), ("sensor", found["sensors"])):
        _refuse_two(kind, _once(named), what)
    _refuse_other_targets(listed, found["schedules"], found["sensors"], what)
    jobs = jobs_with(listed, targets_of(found["schedules"], found["sensors"]))
    return Definitions(
        found["assets"],
        found["schedules"],
        found["sensors"],
        jobs,
        executor=executor,
        loggers=loggers,
        asset_checks=found["checks"],
    )


def _sections_of(returned: Mapping[str, Any], what: str) -> Mapping[str, Mapping[str, Any]]:
    strange = sorted(set(returned) - set(KINDS))
    if strange:
        raise InvalidDefinitionError(
            f"{what} returned a dict with the unknown key {', '.join(map(repr, strange))}; expected {', '.join(KINDS)}."
        )
    for section, entries in returned.items():
        for name, value in entries.items():
            require_name(name, f"a {section[:-1]}", what)
            if not isinstance(value, KINDS[section]) and not callable(value):
                raise WrongDeclarationError(
                    f"{what}: {section}[{name!r}] must be a {section[:-1]} or a function that returns one, got {value!r}."
                )
    return returned


def _refuse_two(kind: str, named: Sequence[Any], what: str) -> None:
    seen: dict[str, Any] = {}
    for each in named:
        if seen.setdefault(each.name, each) != each:
            raise InvalidDefinitionError(f"{what}: duplicate {kind} name {each.name!r}: rename one.")


def _refuse_other_targets(
    jobs: Sequence[AnyJob], schedules: Sequence[AnySchedule], sensors: Sequence[SensorDefinition], what: str
) -> None:
    """Refuses a schedule or sensor whose job has the name of another one."""
    known: dict[str, tuple[AnyJob, str]] = {job.name: (job, "in the list") for job in jobs}
    users = [("schedule", each.name, targets_of([each], [])) for each in schedules]
    users += [("sensor", each.name, targets_of([], [each])) for each in sensors]
    for kind, name, targets in users:
        for job in [target.job for target in targets if target.job is not None]:
            other, place = known.setdefault(job.name, (job, f"that of the {kind} {name!r}"))
            if other != job:
                raise InvalidDefinitionError(
                    f"{what}: the {kind} {name!r} targets a job named {job.name!r}, but a different job with this name "
                    f"is {place}: target that job, or rename one."
                )


def _once(values: Iterable[T]) -> list[T]:
    """The values, each object once."""
    return list({id(value): value for value in values}.values())
