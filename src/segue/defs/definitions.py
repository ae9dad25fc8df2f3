"""`Definitions`: everything one code location declares, in one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from segue.defs.asset_job import IMPLICIT_JOB_NAME, AssetJobDefinition
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.bindings import bound
from segue.defs.collect import Source
from segue.defs.describe import Described, describe
from segue.defs.describe_automation import AnySchedule, assets_with, jobs_with, targets_of
from segue.defs.instance import Instance
from segue.defs.job import UnresolvedAssetJobDefinition, define_asset_job
from segue.defs.job_definition import JobDefinition
from segue.defs.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from segue.defs.schedule import ScheduleDefinition
from segue.defs.sensor import SensorDefinition
from segue.errors import InvalidDefinitionError, InvariantViolationError
from segue.model.arguments import require_kind
from segue.model.assets import AssetSpec, coerce_asset_key, require_not_built
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.manifest import Manifest, content_hash, encode_manifest
from segue.model.metadata import AnyMetadataValue, normalize_metadata

T = TypeVar("T")
Named = TypeVar("Named", ScheduleDefinition, SensorDefinition)


class Definitions:
    """Assets, checks, jobs and resources that belong together.

    What is passed is only checked for its type here; how it fits together is worked out on first use (`manifest`,
    `validate_loadable`), which reports all errors at once.

    Args:
        assets: definitions (`@asset`, `@multi_asset`), and `AssetSpec`s for assets made elsewhere.
        schedules, sensors: what starts jobs and assets; what they name as their target belongs to the definitions too.
        jobs: what `define_asset_job`, `@job` and `graph.to_job()` give.
        resources: by key: `ConfigurableResource`s, IO managers, or any object.
        asset_checks: what `@asset_check` gives.
        metadata: facts about the definitions as a whole.

    Raises:
        InvalidDefinitionError: something of a wrong type.
        NotSupportedError: `executor`, `loggers` or `component_tree`.
    """

    def __init__(
        self,
        assets: Iterable[AssetsDefinition | AssetSpec] | None = None,
        schedules: Iterable[AnySchedule] | None = None,
        sensors: Iterable[SensorDefinition] | None = None,
        jobs: Iterable[UnresolvedAssetJobDefinition | JobDefinition] | None = None,
        resources: Mapping[str, object] | None = None,
        executor: object = None,
        loggers: Mapping[str, object] | None = None,
        asset_checks: Iterable[AssetsDefinition] | None = None,
        metadata: Mapping[str, object] | None = None,
        component_tree: object = None,
    ) -> None:
        require_not_built(
            "Definitions",
            executor=executor,
            loggers=loggers,
            component_tree=component_tree,
        )
        require_kind("Definitions", "resources", resources, Mapping)
        require_kind("Definitions", "metadata", metadata, Mapping)
        self.assets = _elements("assets", assets, (AssetsDefinition, AssetSpec))
        self.asset_checks = _elements("asset_checks", asset_checks, (AssetsDefinition,))
        self.schedules = _elements(
            "schedules", schedules, (ScheduleDefinition, UnresolvedPartitionedAssetScheduleDefinition)
        )
        self.sensors = _elements("sensors", sensors, (SensorDefinition,))
        self.jobs = [
            each.declared if isinstance(each, AssetJobDefinition) else each
            for each in _elements("jobs", jobs, (UnresolvedAssetJobDefinition, JobDefinition))
        ]
        self.resources: Mapping[str, object] = dict(resources or {})
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)

    @cached_property
    def described(self) -> Described:
        """The manifest and what binds it to the user's functions.

        Raises:
            InvalidDefinitionError: what is declared does not fit together; several errors come as DefinitionErrors.
        """
        schedules, sensors = _unique(self.schedules), _unique(self.sensors)
        targets = targets_of(schedules, sensors)
        return describe(
            Source(
                assets=assets_with(self.assets, targets),
                asset_checks=self.asset_checks,
                jobs=jobs_with(self.jobs, targets),
                resources=self.resources,
                metadata=self.metadata,
                schedules=schedules,
                sensors=sensors,
            )
        )

    @property
    def manifest(self) -> Manifest:
        """Everything declared, as data."""
        return self.described.manifest

    @cached_property
    def encoded_manifest(self) -> bytes:
        """The manifest as JSON."""
        return encode_manifest(self.described.manifest)

    @cached_property
    def manifest_hash(self) -> str:
        """The content hash of the manifest."""
        return content_hash(self.encoded_manifest)

    @property
    def asset_graph(self) -> AssetGraph:
        """What depends on what."""
        return self.described.graph

    def resolve_asset_graph(self) -> AssetGraph:
        """What depends on what; the compatible API's name for `asset_graph`."""
        return self.described.graph

    @staticmethod
    def validate_loadable(defs: Definitions) -> None:
        """Checks that the definitions fit together.

        Raises:
            InvalidDefinitionError: they do not; several errors come as DefinitionErrors.
        """
        _ = defs.described

    @staticmethod
    def merge(*def_sets: Definitions) -> Definitions:
        """One set of definitions out of several.

        Raises:
            InvalidDefinitionError: two of them give different resources for one key.
        """
        resources: dict[str, object] = {}
        for defs in def_sets:
            for key, resource in defs.resources.items():
                if key in resources and resources[key] is not resource and resources[key] != resource:
                    raise InvalidDefinitionError(f"Definitions.merge: two different resources for the key {key!r}.")
                resources[key] = resource
        return Definitions(
            assets=_unique([each for defs in def_sets for each in defs.assets]),
            asset_checks=_unique([each for defs in def_sets for each in defs.asset_checks]),
            jobs=_unique([each for defs in def_sets for each in defs.jobs]),
            schedules=_unique([each for defs in def_sets for each in defs.schedules]),
            sensors=_unique([each for defs in def_sets for each in defs.sensors]),
            resources=resources,
            metadata={key: value for defs in def_sets for key, value in defs.metadata.items()},
        )

    def get_asset_value_loader(self, instance: Instance | None = None) -> Any:
        """What loads stored values of the assets, with each IO manager set up once: an `AssetValueLoader`, for a `with` block.

        Args:
            instance: where runs are recorded and values kept; one in memory when None.
        """
        return bound("asset_value_loader")(self, instance)

    def load_asset_value(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        python_type: type | None = None,
        instance: Instance | None = None,
        partition_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Any:
        """The stored value of an asset; see `AssetValueLoader.load_asset_value`.

        Args:
            asset_key, python_type, partition_key: which value, and of what type.
            instance: where runs are recorded and values kept; one in memory when None.
            metadata: metadata for the IO manager, as an input would give it.
        """
        with self.get_asset_value_loader(instance) as loader:
            return loader.load_asset_value(
                asset_key,
                python_type=python_type,
                partition_key=partition_key,
                input_definition_metadata=metadata,
            )

    def get_assets_def(self, key: object) -> AssetsDefinition:
        """The definition that makes an asset.

        Raises:
            InvalidDefinitionError: none does.
        """
        wanted = coerce_asset_key(key)
        for each in self.assets:
            if isinstance(each, AssetsDefinition) and wanted in each.keys:
                return each
        raise InvalidDefinitionError(f"No definition here makes the asset {wanted.to_user_string()!r}.")

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of this name.

        Raises:
            InvariantViolationError: there is none.
        """
        if any(each.name == name and not isinstance(each, ScheduleDefinition) for each in self.schedules):
            return self.described.schedules[name]
        return _named("schedule", name, [each for each in self.schedules if isinstance(each, ScheduleDefinition)])

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of this name.

        Raises:
            InvariantViolationError: there is none.
        """
        return _named("sensor", name, self.sensors)

    def resolve_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of this name; see `get_schedule_def`."""
        return self.get_schedule_def(name)

    def resolve_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of this name; see `get_sensor_def`."""
        return self.get_sensor_def(name)

    def get_job_def(self, name: str) -> JobDefinition:
        """The job of this name, with the resources of these definitions.

        Raises:
            InvalidDefinitionError: there is none.
        """
        for each in jobs_with(self.jobs, targets_of(self.schedules, self.sensors)):
            if each.name == name:
                return self._resolved(each)
        if name == IMPLICIT_JOB_NAME:
            return self.resolve_implicit_global_asset_job_def()
        known = ", ".join(sorted(each.name for each in self.jobs)) or "none"
        raise InvalidDefinitionError(f"There is no job {name!r} here; there are: {known}.")

    def _resolved(self, job: UnresolvedAssetJobDefinition | JobDefinition) -> JobDefinition:
        if isinstance(job, JobDefinition):
            return job.with_top_level_resources(self.resources)
        return AssetJobDefinition(self, job)

    def resolve_all_job_defs(self) -> Sequence[JobDefinition]:
        """The jobs, those that only a schedule or sensor names and the one of all assets included."""
        jobs = [self._resolved(each) for each in jobs_with(self.jobs, targets_of(self.schedules, self.sensors))]
        return (
            [*jobs, self.resolve_implicit_global_asset_job_def()] if self.has_implicit_global_asset_job_def() else jobs
        )

    def has_implicit_global_asset_job_def(self) -> bool:
        """Whether there are assets, and so a job of all of them."""
        return bool(self.asset_graph.materializable_keys)

    def resolve_implicit_global_asset_job_def(self) -> JobDefinition:
        """The job of all assets and checks."""
        return AssetJobDefinition(self, define_asset_job(IMPLICIT_JOB_NAME))

    def get_implicit_global_asset_job_def(self) -> JobDefinition:
        """The job of all assets and checks."""
        return self.resolve_implicit_global_asset_job_def()

    def resolve_job_def(self, name: str) -> JobDefinition:
        """The job of this name; the same as `get_job_def`."""
        return self.get_job_def(name)

    def resolve_all_asset_keys(self) -> Sequence[AssetKey]:
        """The keys of all assets, those made elsewhere included."""
        return list(self.asset_graph.nodes)

    def resolve_all_asset_specs(self) -> Sequence[AssetSpec]:
        """The specs of all declared assets."""
        return [spec for each in self.assets for spec in ([each] if isinstance(each, AssetSpec) else each.specs)]


def _elements(parameter: str, values: Iterable[T] | None, kinds: tuple[type, ...]) -> Sequence[T]:
    if values is None:
        return ()
    names = " or ".join(each.__name__ for each in kinds)
    if isinstance(values, str) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise InvalidDefinitionError(f"Definitions({parameter}=...) takes a list of {names}, got {values!r}.")
    found = tuple(values)
    for value in found:
        if not isinstance(value, kinds):
            raise InvalidDefinitionError(
                f"Definitions({parameter}=...) takes {names}, got {value!r}. Is a decorator missing, or a list inside the list?"
            )
    return found


def _named(kind: str, name: str, values: Sequence[Named]) -> Named:
    for each in values:
        if each.name == name:
            return each
    known = ", ".join(sorted(each.name for each in values)) or "none"
    raise InvariantViolationError(f"There is no {kind} {name!r} in these definitions; there are: {known}.")


def _unique(values: Iterable[T]) -> list[T]:
    """The values, each object once."""
    return list({id(value): value for value in values}.values())
