"""What there is to read of `Definitions`: the manifest and the graph, and single definitions by name or key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from segue.defs.assets_definition import AssetChecksDefinition, AssetsDefinition
from segue.defs.bindings import bound
from segue.defs.collecting import collector_paused
from segue.defs.external_assets import AnyAsset, assets_definition_of
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.not_found import not_found
from segue.defs.resource_order import with_needs
from segue.errors import InvalidDefinitionError, InvariantViolationError
from segue.model.asset_deps import coerce_asset_key
from segue.model.assets import DEFAULT_GROUP, STUB_METADATA, AssetSpec
from segue.model.gates import AnyLimit
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.metadata import AnyMetadataValue
from segue.model.tags import IMPLICIT_JOB_NAME

if TYPE_CHECKING:  # who only declares needs none of these at run time
    from segue.defs.defined_graph import DefinedAssetGraph
    from segue.defs.describe import Described
    from segue.defs.describe_automation import AnySchedule
    from segue.defs.executor import ExecutorDefinition
    from segue.defs.logger import LoggerDefinition
    from segue.defs.schedule import ScheduleDefinition
    from segue.defs.sensor import SensorDefinition
    from segue.model.failure_class import FailureRule
    from segue.model.graph import AssetGraph
    from segue.model.manifest import Manifest


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T")
Named = TypeVar("Named", bound=_Named)


class ReadableDefinitions:
    """The parts of a `Definitions`, and what is worked out of them on first use.

    Attributes:
        assets, asset_checks, schedules, sensors, jobs, resources, metadata, loggers, executor, failure_rules,
            resource_limits: as they were passed.
    """

    assets: Sequence[AnyAsset]
    asset_checks: Sequence[AssetsDefinition]
    schedules: Sequence[AnySchedule]
    sensors: Sequence[SensorDefinition]
    jobs: Sequence[UnresolvedAssetJobDefinition | JobDefinition]
    resources: Mapping[str, object]
    metadata: Mapping[str, AnyMetadataValue]
    loggers: Mapping[str, LoggerDefinition]
    executor: ExecutorDefinition | None
    failure_rules: Sequence[FailureRule] = ()
    resource_limits: Mapping[str, tuple[AnyLimit, ...]] = {}

    @cached_property
    def described(self) -> Described:
        """The manifest and what binds it to the user's functions.

        Raises:
            InvalidDefinitionError: what is declared does not fit together; several errors come as DefinitionErrors.
        """
        with collector_paused():
            return bound("describe_definitions")(self)

    @property
    def manifest(self) -> Manifest:
        """Everything declared, as data."""
        return self.described.manifest

    @cached_property
    def encoded_manifest(self) -> bytes:
        """The manifest as JSON."""
        return self.described.encoded_manifest()

    @cached_property
    def manifest_hash(self) -> str:
        """The content hash of the manifest."""
        return bound("content_hash")(self.encoded_manifest)

    @property
    def asset_graph(self) -> AssetGraph:
        """What depends on what."""
        return self.described.graph

    def resolve_asset_graph(self) -> DefinedAssetGraph:
        """What depends on what, with the definitions behind the assets."""
        return bound("defined_asset_graph")(self.asset_graph, self._definitions_of_assets)

    def _definitions_of_assets(self) -> Sequence[AssetsDefinition]:
        graph, definitions = self.asset_graph, self.described.definitions
        makers = (node.computation for node in (*graph.nodes.values(), *graph.checks.values()))
        made = [definitions[name] for name in makers if name is not None]
        return [*made, *(each for each in map(assets_definition_of, self.assets) if not each.is_executable)]

    @property
    def _all_assets(self) -> Sequence[AnyAsset]:
        """The assets, and those that only a schedule or sensor names."""
        if not self.schedules and not self.sensors:
            return self.assets
        return bound("assets_with")(self.assets, bound("targets_of")(self.schedules, self.sensors))

    def get_assets_def(self, key: object) -> AssetsDefinition:
        """The definition that makes an asset, or that declares an external one.

        Raises:
            InvariantViolationError: it was not found.
        """
        wanted = coerce_asset_key(key)
        for each in self._all_assets:
            if isinstance(each, AssetsDefinition):
                if wanted in each.keys:
                    return each
            elif each.key == wanted:
                return assets_definition_of(each)
        raise InvariantViolationError(f"Asset {wanted.to_user_string()!r} not found in these definitions.")

    def resolve_assets_def(self, key: object) -> AssetsDefinition:
        """The definition that makes an asset; one that is only named as a dependency included.

        Raises:
            InvariantViolationError: the asset was not found.
        """
        wanted = coerce_asset_key(key)
        if wanted not in self.described.specs:
            return self.get_assets_def(wanted)
        node = self.asset_graph.node(wanted)
        if node.computation is not None:
            return self.described.definitions[node.computation]
        return AssetsDefinition(specs=[self.described.specs[wanted]])

    def get_asset_checks_def(self, key: AssetCheckKey) -> AssetChecksDefinition:
        """The definition that runs a check.

        Raises:
            InvariantViolationError: it was not found.
        """
        for each in (*self.assets, *self.asset_checks):
            if isinstance(each, AssetsDefinition) and key in each.check_keys:
                return _checks_definition(each)
        raise InvariantViolationError(f"Asset check {key.to_user_string()!r} not found in these definitions.")

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        declared = _named("schedule", name, self.schedules)
        complete: type[ScheduleDefinition] = bound("schedule_kinds")()[0]
        return declared if isinstance(declared, complete) else self.described.schedules[name]

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of this name.

        Raises:
            InvariantViolationError: it was not found.
        """
        return _named("sensor", name, self.sensors)

    def get_unresolved_schedule_def(self, name: str) -> AnySchedule:
        """The schedule of this name as it was declared.

        Raises:
            InvariantViolationError: it was not found.
        """
        return _named("schedule", name, self.schedules)

    def get_unresolved_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of this name; see `get_sensor_def`."""
        return self.get_sensor_def(name)

    def resolve_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of this name; see `get_schedule_def`."""
        return self.get_schedule_def(name)

    def resolve_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of this name; see `get_sensor_def`."""
        return self.get_sensor_def(name)

    def get_job_def(self, name: str) -> JobDefinition:
        """The job of this name, with the resources of these definitions, and their executor and loggers if it names none.

        It is the job itself if it needs none of them.

        Raises:
            InvariantViolationError: it was not found.
        """
        if name not in self._jobs_by_name:
            self._jobs_by_name[name] = self._completed_job(name)
        return self._jobs_by_name[name]

    @cached_property
    def _jobs_by_name(self) -> dict[str, JobDefinition]:
        return {}

    def _completed_job(self, name: str) -> JobDefinition:
        for each in self.jobs:
            if each.name == name and isinstance(each, JobDefinition):
                job: JobDefinition = bound("completed_job")(each, self.executor, self.loggers)
                needed = with_needs(job.required_resource_keys, {**self.resources, **job.resource_defs})
                lacks_some = not needed.isdisjoint(self.resources.keys() - job.resource_defs.keys())
                return job.with_top_level_resources(self.resources) if lacks_some else job
        if name == IMPLICIT_JOB_NAME and self.has_implicit_global_asset_job_def():
            return bound("asset_job")(self, bound("implicit_job_node")(self.asset_graph))
        described = self.described
        if name in described.jobs:
            return described.jobs[name].with_top_level_resources(self.resources)
        if name in described.asset_jobs:
            return bound("asset_job")(self, described.graph.jobs[name])
        raise self._job_not_found(name)

    def _job_not_found(self, name: str) -> InvariantViolationError:
        implicit = [IMPLICIT_JOB_NAME] if self.has_implicit_global_asset_job_def() else []
        return InvariantViolationError(not_found("job", name, [*self.described.graph.jobs, *implicit]))

    def resolve_job_def(self, name: str) -> JobDefinition:
        """The job of this name; the same as `get_job_def`."""
        return self.get_job_def(name)

    def resolve_all_job_defs(self) -> Sequence[JobDefinition]:
        """All jobs by name, the one over all assets included."""
        implicit = [IMPLICIT_JOB_NAME] if self.has_implicit_global_asset_job_def() else []
        return [self.get_job_def(name) for name in sorted([*self.asset_graph.jobs, *implicit])]

    def has_implicit_global_asset_job_def(self) -> bool:
        """Whether there is a job over all assets: whether there is any asset or check."""
        graph = self.asset_graph
        return bool(graph.checks or graph.nodes)

    def get_implicit_global_asset_job_def(self) -> JobDefinition:
        """The job over all assets that a run can make or observe, and all checks.

        Raises:
            InvariantViolationError: there is no asset and no check.
        """
        if not self.has_implicit_global_asset_job_def():
            raise self._job_not_found(IMPLICIT_JOB_NAME)
        return self.get_job_def(IMPLICIT_JOB_NAME)

    def resolve_implicit_global_asset_job_def(self) -> JobDefinition:
        """The job over all assets; see `get_implicit_global_asset_job_def`."""
        return self.get_implicit_global_asset_job_def()

    def resolve_implicit_job_def_def_for_assets(self, asset_keys: Iterable[AssetKey]) -> JobDefinition | None:
        """The job over all assets, if it can make or observe all of these; else None."""
        nodes = self.asset_graph.nodes
        if all(key in nodes and nodes[key].is_executable for key in asset_keys):
            return self.get_implicit_global_asset_job_def()
        return None

    def resolve_all_asset_keys(self) -> Sequence[AssetKey]:
        """The keys of all assets, external ones included."""
        return list(self.asset_graph.nodes)

    def resolve_all_asset_specs(self) -> Sequence[AssetSpec]:
        """The specs of all assets, each once: of those that are declared, then of those that they or checks only name, whose
        metadata says so (`dagster/auto_created_stub_asset`).

        Raises:
            InvalidDefinitionError: an asset is declared twice, in different ways.
        """
        found: dict[AssetKey, AssetSpec] = {}
        definitions = [assets_definition_of(each) for each in unique(self._all_assets)]
        for definition in definitions:
            for spec in definition.specs_by_output.values():
                known = found.setdefault(spec.key, spec)
                if known != spec or (known is not spec and definition.is_executable):
                    raise InvalidDefinitionError(
                        f"The asset {spec.key.to_user_string()!r} is defined by conflicting AssetSpecs or functions; keep one."
                    )
        checks = [spec for each in (*definitions, *self.asset_checks) for spec in each.check_specs]
        named = [dep.asset_key for spec in found.values() for dep in spec.deps]
        named += [key for spec in checks for key in (spec.asset_key, *(dep.asset_key for dep in spec.additional_deps))]
        for key in named:
            found.setdefault(key, AssetSpec(key, group_name=DEFAULT_GROUP, metadata={STUB_METADATA: True}))
        return list(found.values())


def _named(kind: str, name: str, values: Sequence[Named]) -> Named:
    for each in values:
        if each.name == name:
            return each
    raise InvariantViolationError(not_found(kind, name, [each.name for each in values]))


def unique(values: Iterable[T]) -> list[T]:
    """The values, each object once."""
    return list({id(value): value for value in values}.values())


def _checks_definition(definition: AssetsDefinition) -> AssetChecksDefinition:
    """A definition that holds checks alone, as what it is.

    Raises:
        InvalidDefinitionError: it makes assets too.
    """
    if isinstance(definition, AssetChecksDefinition):
        return definition
    if definition.specs_by_output:
        raise InvalidDefinitionError(f"{definition!r} also materializes assets, so it is not an AssetChecksDefinition.")
    made = AssetChecksDefinition.__new__(AssetChecksDefinition)
    made.__dict__.update(definition.__dict__)
    return made
