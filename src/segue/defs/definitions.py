"""`Definitions`: everything one code location declares, in one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.bindings import bound
from segue.defs.definitions_reading import ReadableDefinitions, unique
from segue.defs.external_assets import AnyAsset, map_asset_specs
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.run_arguments import executor_of, loggers_of
from segue.defs.source_asset import SourceAsset
from segue.errors import (
    ConflictingDefinitionsError,
    DefinitionErrors,
    InvariantViolationError,
    NotSupportedError,
    WrongDeclarationError,
)
from segue.model.arguments import require_kind, require_names
from segue.model.assets import AssetSpec
from segue.model.failure_class import FailureRule
from segue.model.gates import AnyLimit, declared_limits
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.selection import AssetSelection, CoercibleToAssetSelection

if TYPE_CHECKING:  # definitions without schedules and sensors need none of these at run time
    from segue.defs.describe_automation import AnySchedule
    from segue.defs.instance import Instance
    from segue.defs.sensor import SensorDefinition

T = TypeVar("T")


class Definitions(ReadableDefinitions):
    """Assets, checks, jobs and resources that belong together.

    What is passed is only checked for its type here; how it fits together is worked out on first use (`manifest`,
    `validate_loadable`), which reports all errors at once.

    Args:
        assets: definitions (`@asset`, `@multi_asset`), and `AssetSpec`s for external assets.
        schedules, sensors: the schedules and sensors; their targets belong to the definitions too.
        jobs: jobs by `define_asset_job`, `@job` and `graph.to_job()`.
        resources: by key: `ConfigurableResource`s, IO managers, or any object.
        executor: the executor of jobs that name none; in the process of the run when None.
        loggers: by key, for runs of jobs that name none; the run config says which of them get the lines and events.
        asset_checks: checks by `@asset_check` and `@multi_asset_check`.
        metadata: facts about the definitions as a whole.
        failure_rules: which failures of steps are of which class; tried before the built-in rules, the first that fits counts.
        resource_limits: how often resources may be called, in all processes together, and when they are left alone, by their
            keys: `{"api": [RateLimit(10, per=1.0), CircuitBreaker(failures=5)]}`. A step that needs such a resource, or one that
            is made from it, takes a token before each attempt, and waits for it; more of them with `context.take` and
            `context.limited`.

    Raises:
        InvalidDefinitionError: something of a wrong type.
        NotSupportedError: `component_tree`.
    """

    def __init__(
        self,
        assets: Iterable[AnyAsset] | None = None,
        schedules: Iterable[AnySchedule] | None = None,
        sensors: Iterable[SensorDefinition] | None = None,
        jobs: Iterable[UnresolvedAssetJobDefinition | JobDefinition] | None = None,
        resources: Mapping[str, object] | None = None,
        executor: object = None,
        loggers: Mapping[str, object] | None = None,
        asset_checks: Iterable[AssetsDefinition] | None = None,
        metadata: Mapping[str, object] | None = None,
        component_tree: object = None,
        *,
        failure_rules: Iterable[FailureRule] | None = None,
        resource_limits: Mapping[str, Iterable[AnyLimit]] | None = None,
    ) -> None:
        if component_tree is not None:
            raise NotSupportedError(
                "Definitions(component_tree=...) is not supported yet: list the definitions in Definitions(...)."
            )
        require_kind("Definitions", "resources", resources, Mapping)
        require_names("Definitions", "resources", resources)
        require_kind("Definitions", "metadata", metadata, Mapping)
        self.assets = _elements("assets", assets, lambda: (AssetsDefinition, AssetSpec, SourceAsset))
        self.asset_checks = _elements("asset_checks", asset_checks, lambda: (AssetsDefinition,))
        self.schedules = _elements("schedules", schedules, lambda: bound("schedule_kinds")())
        self.sensors = _elements("sensors", sensors, lambda: bound("sensor_kinds")())
        self.jobs = [
            getattr(each, "declared", each)  # a job of assets as it was resolved stands for its declaration
            for each in _elements("jobs", jobs, lambda: (UnresolvedAssetJobDefinition, JobDefinition))
        ]
        self.resources: Mapping[str, object] = dict(resources or {})
        self.loggers = loggers_of(loggers, "Definitions")
        self.executor = executor_of(executor, "Definitions")
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)
        self.failure_rules = _elements("failure_rules", failure_rules, lambda: (FailureRule,))
        require_kind("Definitions", "resource_limits", resource_limits, Mapping)
        self.resource_limits = declared_limits(resource_limits)

    @staticmethod
    def validate_loadable(defs: Definitions) -> None:
        """Checks that the definitions fit together.

        Raises:
            InvalidDefinitionError: they do not; several errors come as DefinitionErrors.
        """
        unclear = defs.described.unclear_dependencies
        if unclear:
            raise unclear[0] if len(unclear) == 1 else DefinitionErrors(unclear)

    @staticmethod
    def merge(*def_sets: Definitions) -> Definitions:
        """One set of definitions out of several.

        Raises:
            InvalidDefinitionError: different resources or loggers for the same key, or different executors.
        """
        for each in def_sets:
            require_kind("Definitions", "merge", each, Definitions)
        executors = unique([each.executor for each in def_sets if each.executor is not None])
        if len(executors) > 1:
            names = ", ".join(repr(each.name) for each in executors)
            raise ConflictingDefinitionsError(
                f"Definitions.merge: different executors were provided: {names}; keep one."
            )
        return Definitions(
            assets=unique([each for defs in def_sets for each in defs.assets]),
            asset_checks=unique([each for defs in def_sets for each in defs.asset_checks]),
            jobs=unique([each for defs in def_sets for each in defs.jobs]),
            schedules=unique([each for defs in def_sets for each in defs.schedules]),
            sensors=unique([each for defs in def_sets for each in defs.sensors]),
            resources=_by_key("resources", [defs.resources for defs in def_sets]),
            loggers=_by_key("loggers", [defs.loggers for defs in def_sets]),
            executor=executors[0] if executors else None,
            metadata={key: value for defs in def_sets for key, value in defs.metadata.items()},
            failure_rules=unique([each for defs in def_sets for each in defs.failure_rules]),
            resource_limits=_by_key("resource_limits", [defs.resource_limits for defs in def_sets]),
        )

    @staticmethod
    def merge_unbound_defs(*def_sets: Definitions) -> Definitions:
        """The same as `merge`; for definitions of which nothing has been asked yet.

        Raises:
            InvariantViolationError: one of them was read already, so that its graph would be worked out twice.
            InvalidDefinitionError: they do not go together.
        """
        read = [number for number, each in enumerate(def_sets) if "described" in vars(each)]
        if read:
            raise InvariantViolationError(
                f"Definitions.merge_unbound_defs: argument {', '.join(map(str, read))} (counted from 0) has already been resolved: "
                "merge before resolving its graph or jobs, or use Definitions.merge."
            )
        return Definitions.merge(*def_sets)

    def get_repository_def(self) -> Any:
        """The same as `@repository` would give it: what is written for repositories takes that. Use the definitions themselves.

        Raises:
            InvalidDefinitionError: they do not fit together.
        """
        return bound("repository_of")(self)

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
            metadata: metadata for the IO manager, as of an input.
        """
        with self.get_asset_value_loader(instance) as loader:
            return loader.load_asset_value(
                asset_key,
                python_type=python_type,
                partition_key=partition_key,
                input_definition_metadata=metadata,
            )

    def map_asset_specs(
        self, *, func: Callable[[AssetSpec], AssetSpec], selection: CoercibleToAssetSelection | None = None
    ) -> Definitions:
        """Definitions in which each spec is replaced by what a function makes of it. Superseded by
        `map_resolved_asset_specs`, which does the same.

        Args:
            func: takes a spec and returns its replacement.
            selection: the assets; all when None.
        """
        return self.map_resolved_asset_specs(func=func, selection=selection)

    def map_resolved_asset_specs(
        self, *, func: Callable[[AssetSpec], AssetSpec], selection: CoercibleToAssetSelection | None = None
    ) -> Definitions:
        """A copy in which a function replaces each spec.

        Args:
            func: takes a spec and returns its replacement.
            selection: the assets; all when None.

        Raises:
            InvalidSubsetError: the selection contains an unknown name.
            InvalidDefinitionError: a dependency that an input needs was removed.
        """
        chosen: Set[AssetKey] | None = None
        if selection is not None:
            chosen = AssetSelection.from_coercible(selection).resolve(self.asset_graph)

        def change(spec: AssetSpec) -> AssetSpec:
            return func(spec) if chosen is None or spec.key in chosen else spec

        return self._replaced(assets=map_asset_specs(change, self.assets))

    def permissive_map_resolved_asset_specs(
        self, func: Callable[[AssetSpec], AssetSpec], selection: CoercibleToAssetSelection | None
    ) -> Definitions:
        """The same as `map_resolved_asset_specs`."""
        return self.map_resolved_asset_specs(func=func, selection=selection)

    def with_resources(self, resources: Mapping[str, object] | None) -> Definitions:
        """Definitions with more resources; on equal keys the new one wins."""
        return self._replaced(resources={**self.resources, **(resources or {})}) if resources else self

    def with_failure_rules(self, failure_rules: Iterable[FailureRule]) -> Definitions:
        """Definitions with more rules for failures, tried after those that are there; itself without any."""
        more = tuple(failure_rules)
        return self._replaced(failure_rules=[*self.failure_rules, *more]) if more else self

    def with_definition_metadata_update(
        self, update: Callable[[Mapping[str, object]], Mapping[str, object]]
    ) -> Definitions:
        """Definitions whose assets, checks, jobs and schedules of assets have other metadata.

        Args:
            update: takes the metadata of each and returns the new metadata.
        """

        def change(spec: AssetSpec) -> AssetSpec:
            return spec.replace_attributes(metadata=update(spec.metadata))

        return self._replaced(
            assets=map_asset_specs(change, self.assets),
            asset_checks=[
                each.with_attributes(metadata_by_key={spec.key: update(spec.metadata) for spec in each.check_specs})
                for each in self.asset_checks
            ],
            jobs=[
                each.with_metadata(update(each.metadata))
                if isinstance(each, JobDefinition)
                else msgspec.structs.replace(each, metadata=dict(update(each.metadata)))
                for each in self.jobs
            ],
        )

    def _replaced(self, **parts: Any) -> Definitions:
        given: dict[str, Any] = {
            "assets": self.assets,
            "schedules": self.schedules,
            "sensors": self.sensors,
            "jobs": self.jobs,
            "resources": self.resources,
            "asset_checks": self.asset_checks,
            "metadata": self.metadata,
            "loggers": self.loggers,
            "executor": self.executor,
            "failure_rules": self.failure_rules,
            "resource_limits": self.resource_limits,
        }
        return Definitions(**{**given, **parts})


def _by_key(what: str, parts: Sequence[Mapping[str, T]]) -> dict[str, T]:
    """What several definitions hold by key, in one; two different values for one key are refused."""
    found: dict[str, T] = {}
    for key, value in [each for part in parts for each in part.items()]:
        if key in found and found[key] is not value and found[key] != value:
            raise ConflictingDefinitionsError(
                f"Definitions.merge: different {what} were provided for the key {key!r}; keep one."
            )
        found[key] = value
    return found


def _elements(parameter: str, values: Iterable[T] | None, kinds_of: Callable[[], tuple[type, ...]]) -> Sequence[T]:
    if values is None:
        return []
    if isinstance(values, str) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(
            f"Definitions({parameter}=...) must be a list of {_names(kinds_of())}, got {values!r}."
        )
    found = list(values)
    kinds = kinds_of() if found else ()
    for value in found:
        if not isinstance(value, kinds):
            raise WrongDeclarationError(
                f"Definitions({parameter}=...) can only contain {_names(kinds)}, got {value!r}. Is a decorator missing, or is "
                "there a list inside the list?"
            )
    return found


def _names(kinds: tuple[type, ...]) -> str:
    return " or ".join(each.__name__ for each in kinds)
