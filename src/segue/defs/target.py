"""What schedules and sensors start: jobs, or a selection of assets, which becomes a job of its own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TypeAlias, cast

import msgspec

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.graph import GraphDefinition
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongDeclarationError
from segue.model.selection import AssetSelection, CoercibleToAssetSelection
from segue.model.selectors import CodeLocationSelector, JobSelector, MonitoredJobs, RepositorySelector

ExecutableDefinition: TypeAlias = UnresolvedAssetJobDefinition | JobDefinition | GraphDefinition
MonitoredJob: TypeAlias = ExecutableDefinition | JobSelector | RepositorySelector | CodeLocationSelector
AnyJob: TypeAlias = UnresolvedAssetJobDefinition | JobDefinition
AutomationTarget: TypeAlias = CoercibleToAssetSelection | AssetsDefinition | ExecutableDefinition
ANONYMOUS_JOB_PREFIX = "__anonymous_asset_job_"


class Target(msgspec.Struct, frozen=True):
    """One job that may be started.

    Attributes:
        job_name: its name.
        job: the job; None where only the name was given.
        assets: the definitions that were named as the target, which belong to the same `Definitions`.
        is_anonymous: whether the job was made for a selection of assets.
    """

    job_name: str
    job: AnyJob | None = None
    assets: tuple[AssetsDefinition, ...] = ()
    is_anonymous: bool = False


def read_targets(
    where: str,
    name: str | None,
    *,
    job_name: str | None = None,
    job: ExecutableDefinition | None = None,
    jobs: Sequence[ExecutableDefinition] | None = None,
    target: AutomationTarget | None = None,
    asset_selection: object = None,
) -> tuple[Target, ...]:
    """The jobs that one of these parameters means.

    Args:
        where: how errors name the schedule or sensor.
        name: its name, where given; names the job of a selection.
        job_name ... target: as the user gave them.
        asset_selection: the parameter of sensors that start runs of assets without a job; read elsewhere.

    Raises:
        InvalidDefinitionError: more than one of them, or an invalid target.
    """
    given = {"job_name": job_name, "job": job, "jobs": jobs, "target": target, "asset_selection": asset_selection}
    said = [parameter for parameter, value in given.items() if value is not None]
    if len(said) > 1:
        raise InvalidDefinitionError(
            f"{where}: {' and '.join(said)} were both provided; keep one of {', '.join(given)}."
        )
    if job_name is not None:
        return (Target(job_name),)
    if job is not None:
        return (_of_job(job, where),)
    if jobs is not None:
        return tuple([_of_job(each, where) for each in jobs])
    if target is not None:
        return (_of_anything(target, name, where),)
    return ()


def _of_job(job: object, where: str) -> Target:
    if isinstance(job, GraphDefinition):
        warnings.warn(
            f"{where}: Passing GraphDefinition {job.name!r} as a job is superseded: pass {job.name}.to_job().",
            DeprecationWarning,
            stacklevel=5,
        )
        return _of_job(job.coerce_to_job(), where)
    if isinstance(job, (UnresolvedAssetJobDefinition, JobDefinition)):
        return Target(job.name, job)
    raise WrongDeclarationError(
        f"{where}: {job!r} is not a job: pass the result of @job or define_asset_job, or use job_name= or target=."
    )


def _of_anything(target: object, name: str | None, where: str) -> Target:
    if isinstance(target, (UnresolvedAssetJobDefinition, JobDefinition, GraphDefinition)):
        return _of_job(target, where)
    if name is None:
        raise InvalidDefinitionError(f"{where}: target requires a name, from which the name of its job is derived.")
    try:
        selection = AssetSelection.from_coercible(cast("CoercibleToAssetSelection", target))
    except InvalidInvocationError as error:
        raise InvalidDefinitionError(f"{where}: target must be a job or an asset selection: {error}") from error
    several = cast("Sequence[object]", target) if isinstance(target, (list, tuple)) else (target,)
    assets = [each for each in several if isinstance(each, AssetsDefinition)]
    job = UnresolvedAssetJobDefinition(name=f"{ANONYMOUS_JOB_PREFIX}{name}", selection=selection)
    return Target(job.name, job, tuple(assets), is_anonymous=True)


def monitored(job: object, sensor_name: str) -> MonitoredJobs:
    """What a sensor looks at, as one of its `monitored_jobs` says.

    Raises:
        InvalidDefinitionError: neither a job nor a selector, or a `JobSelector` without a job.
    """
    if isinstance(job, (CodeLocationSelector, RepositorySelector)):
        return MonitoredJobs(location_name=job.location_name)
    if isinstance(job, JobSelector):
        if job.job_name is None:
            raise InvalidDefinitionError(f"sensor {sensor_name!r}: the JobSelector has no job_name.")
        return MonitoredJobs(job.job_name, job.location_name)
    return MonitoredJobs(_of_job(job, f"sensor {sensor_name!r}").job_name)
