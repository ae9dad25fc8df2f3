"""Sensors: functions that are asked again and again whether something is to be run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, TypeAlias

from segue.defs.evaluation import call_directly, read_evaluation
from segue.defs.sensor_answer import Answer, SensorTargets, answers_in, tick_of
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.signature import UserFunction, function_name
from segue.defs.target import AutomationTarget, ExecutableDefinition, Target, read_targets
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind, require_names
from segue.model.asset_words import require_owners
from segue.model.keys import AssetKey, require_name
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.request import RunRequest, run_tags
from segue.model.run import RunStatus
from segue.model.selection import AssetSelection, CoercibleToAssetSelection
from segue.model.tick import DefaultSensorStatus, RunReaction, SensorResult, SensorTick, SensorType, SkipReason

SensorReturnTypesUnion: TypeAlias = (
    Iterator[SkipReason | RunRequest | RunReaction | SensorResult]
    | Sequence[RunRequest]
    | SkipReason
    | RunRequest
    | RunReaction
    | SensorResult
    | None
)

DEFAULT_INTERVAL_SECONDS = 30


class SensorDefinition:
    """A function that is evaluated at intervals and requests runs.

    Args:
        name: unique among schedules and sensors; the function's name when None.
        evaluation_fn: the function; it takes the context and resources, as it likes, and gives (or yields) `RunRequest`s, a
            `SkipReason` or a `SensorResult`.
        job_name, job, jobs, target, asset_selection: what it may start, at most one: a name, a job, several jobs, either a
            job or assets to run as one, or assets of which each run names some.
        minimum_interval_seconds: how long to wait between two evaluations, at least; 30 seconds when None.
        description, metadata, owners: for people.
        tags: tags of the sensor itself.
        default_status: whether it runs before anyone has switched it on.
        required_resource_keys: the resources that the function takes from the context.

    Raises:
        InvalidDefinitionError: no function, several targets, a bad name, owner or argument.
    """

    kind: ClassVar[SensorType] = SensorType.STANDARD
    context_class: ClassVar[type[SensorEvaluationContext]] = SensorEvaluationContext

    def __init__(
        self,
        name: str | None = None,
        *,
        evaluation_fn: UserFunction | None = None,
        job_name: str | None = None,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        job: ExecutableDefinition | None = None,
        jobs: Sequence[ExecutableDefinition] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        asset_selection: CoercibleToAssetSelection | None = None,
        required_resource_keys: Set[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, object] | None = None,
        target: AutomationTarget | None = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        where = type(self).__name__
        if evaluation_fn is None:
            raise InvalidDefinitionError(f"{where}: evaluation_fn was not provided.")
        own_name = name or getattr(evaluation_fn, "__name__", None)
        if own_name is None:
            raise InvalidDefinitionError(f"{where}: the function has no name; pass name=.")
        self.name: str = (
            own_name if name is None and own_name == "<lambda>" else require_name(own_name, "a sensor", where)
        )
        where = f"sensor {self.name!r}"
        self.targets: Sequence[Target] = read_targets(
            where, name, job_name=job_name, job=job, jobs=jobs, target=target, asset_selection=asset_selection
        )
        require_kind(where, "minimum_interval_seconds", minimum_interval_seconds, int)
        require_kind(where, "default_status", default_status, DefaultSensorStatus)
        require_kind(where, "description", description, str)
        require_kind(where, "tags", tags, Mapping)
        require_names(where, "tags", tags)
        self.asset_selection: AssetSelection | None = (
            None if asset_selection is None else AssetSelection.from_coercible(asset_selection)
        )
        self.evaluation = read_evaluation(evaluation_fn, required_resource_keys, where)
        self.required_resource_keys: Set[str] = self.evaluation.required
        self.minimum_interval_seconds: int = (
            DEFAULT_INTERVAL_SECONDS if minimum_interval_seconds is None else minimum_interval_seconds
        )
        self.description = description
        self.default_status = default_status
        self.tags: Mapping[str, str] = run_tags(tags)
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)
        self.owners: Sequence[str] = list(require_owners(owners, where))

    @property
    def sensor_type(self) -> SensorType:
        """What kind of sensor it is."""
        return self.kind

    @property
    def has_jobs(self) -> bool:
        """Whether jobs themselves are known, not just a name."""
        return any(each.job is not None for each in self.targets)

    @property
    def has_anonymous_job(self) -> bool:
        """Whether a job was created for the sensor's target."""
        return any(each.is_anonymous for each in self.targets)

    @property
    def jobs(self) -> list[ExecutableDefinition]:
        """The jobs it may start.

        Raises:
            InvalidDefinitionError: there are none, or only their name is known.
        """
        if not self.targets:
            raise InvalidDefinitionError(f"The sensor {self.name!r} has no job: pass job=, jobs= or target=.")
        return [self._known(each) for each in self.targets]

    @property
    def job(self) -> ExecutableDefinition:
        """The one job it may start.

        Raises:
            InvalidDefinitionError: there are several or none, or only its name is known.
        """
        self._require_one("job")
        return self.jobs[0]

    @property
    def job_name(self) -> str | None:
        """The name of the one job it may start; None without a job.

        Raises:
            InvalidDefinitionError: there are several.
        """
        self._require_one("job_name")
        return self.targets[0].job_name if self.targets else None

    def _require_one(self, name: str) -> None:
        if len(self.targets) > 1:
            names = ", ".join(each.job_name for each in self.targets)
            raise InvalidDefinitionError(
                f"The sensor {self.name!r} has several jobs ({names}), not a single {name}: use jobs."
            )

    def _known(self, target: Target) -> ExecutableDefinition:
        if target.job is None:
            raise InvalidDefinitionError(
                f"The sensor {self.name!r} only has the name of its job, {target.job_name!r}: pass job= instead."
            )
        return target.job

    def with_attributes(
        self, *, jobs: Sequence[ExecutableDefinition] | None = None, metadata: Mapping[str, object] | None = None
    ) -> Self:
        """The same sensor with other jobs or other metadata."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        if jobs is not None:
            other.targets = read_targets(f"sensor {self.name!r}", self.name, jobs=jobs)
        if metadata is not None:
            other.metadata = normalize_metadata(metadata)
        return other

    def with_updated_jobs(self, new_jobs: Sequence[ExecutableDefinition]) -> Self:
        """The same sensor with other jobs."""
        return self.with_attributes(jobs=new_jobs)

    def with_updated_job(self, new_job: ExecutableDefinition) -> Self:
        """The same sensor with another job."""
        return self.with_attributes(jobs=[new_job])

    @property
    def watched_status(self) -> RunStatus | None:
        """The run status that it waits for; None if it waits for something else."""
        return None

    @property
    def watched_assets(self) -> Sequence[AssetKey] | AssetSelection | None:
        """The assets whose materializations it waits for; None if it waits for something else."""
        return None

    def ask(self, context: Any) -> Any:
        """The result of the user's function for a context."""
        return self.evaluation.call(context)

    def answers(self, context: SensorEvaluationContext) -> list[Answer]:
        """The single answers that the function gives for a context."""
        return answers_in(self.ask(context), self.name)

    @property
    def _evaluation_fn(self) -> Callable[[Any], list[Answer]]:
        """What tests of users call with a context of any kind, such as a mock: a function that lists what the sensor gives."""
        return self.answers

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """What the function gives for a context, as a test calls it.

        Raises:
            InvalidInvocationError: no context where one is needed, or other arguments than context and resources.
            InvalidDefinitionError: a required resource key was not provided.
        """
        what = f"The sensor {self.name!r}"
        return call_directly(self.evaluation, self.context_class, args, kwargs, what, self.ask)

    def evaluate_tick(self, context: SensorEvaluationContext) -> SensorTick:
        """What the sensor requests now; errors of its function propagate.

        Raises:
            InvariantViolationError: answers that exclude each other, or a run that the sensor has no target for.
            UnknownPartitionError: a partition that does not exist.
        """
        answers = self.answers(context)
        names = tuple([each.job_name for each in self.targets])
        return tick_of(answers, SensorTargets(self.name, names, self.asset_selection), context, datetime.now(UTC))


def sensor(
    job_name: str | None = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: ExecutableDefinition | None = None,
    jobs: Sequence[ExecutableDefinition] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    asset_selection: CoercibleToAssetSelection | None = None,
    required_resource_keys: Set[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
    target: AutomationTarget | None = None,
    owners: Sequence[str] | None = None,
) -> Callable[[UserFunction], SensorDefinition]:
    """Makes a sensor of a function that says which runs to start.

    Args:
        job_name ... owners: as of `SensorDefinition`.

    Raises:
        InvalidDefinitionError: as `SensorDefinition`.
    """

    def decorate(function: UserFunction) -> SensorDefinition:
        return SensorDefinition(
            name=name or function_name(function, "sensor"),
            evaluation_fn=function,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            asset_selection=asset_selection,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            target=target,
            owners=owners,
        )

    return decorate
