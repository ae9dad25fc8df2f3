"""Sensors that look at the materializations of several assets."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from typing import Any, ClassVar, cast

from segue.defs.evaluation import call_directly
from segue.defs.multi_asset_sensor_context import MultiAssetSensorEvaluationContext
from segue.defs.sensor import SensorDefinition
from segue.defs.sensor_answer import Answer, answers_in
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.signature import UserFunction, function_name
from segue.defs.superseded import warn_superseded
from segue.defs.target import ExecutableDefinition
from segue.errors import InvalidDefinitionError, InvariantViolationError, SupersessionWarning
from segue.model.keys import AssetKey
from segue.model.request import RunRequest
from segue.model.selection import AssetSelection
from segue.model.tick import DefaultSensorStatus, SensorResult, SensorTick, SensorType


class MultiAssetSensorDefinition(SensorDefinition):
    """A function that is evaluated for the materializations of several assets, with a cursor for each.

    Args:
        name: unique among schedules and sensors.
        monitored_assets: the assets.
        job_name, job, jobs: the jobs it may request.
        asset_materialization_fn: the function; it takes a `MultiAssetSensorEvaluationContext` and resources, and gives what
            every sensor gives.
        request_assets: assets of which each run names some, instead of a job.
        minimum_interval_seconds ... metadata: as of `SensorDefinition`.

    Raises:
        InvalidDefinitionError: as `SensorDefinition`.
    """

    kind: ClassVar[SensorType] = SensorType.MULTI_ASSET
    context_class: ClassVar[type[SensorEvaluationContext]] = MultiAssetSensorEvaluationContext

    def __init__(
        self,
        name: str,
        monitored_assets: Sequence[AssetKey] | AssetSelection,
        job_name: str | None,
        asset_materialization_fn: UserFunction,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        job: ExecutableDefinition | None = None,
        jobs: Sequence[ExecutableDefinition] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        request_assets: AssetSelection | None = None,
        required_resource_keys: Set[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        warn_superseded(f"MultiAssetSensorDefinition {name!r}", "write an AutomationCondition", SupersessionWarning)
        super().__init__(
            name=name,
            evaluation_fn=asset_materialization_fn,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            asset_selection=request_assets,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
        )
        if not isinstance(monitored_assets, AssetSelection) and not all(
            isinstance(key, AssetKey)  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            for key in monitored_assets
        ):
            raise InvalidDefinitionError(
                f"sensor {name!r}: monitored_assets must be a list of AssetKeys or an AssetSelection."
            )
        self.monitored_assets = monitored_assets

    @property
    def watched_assets(self) -> Sequence[AssetKey] | AssetSelection:
        return self.monitored_assets

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """What the function gives for a context; the context's cursor then says what it took care of.

        Raises:
            InvalidInvocationError: no context where one is needed, or other arguments than context and resources.
            InvalidDefinitionError: a required resource key was not provided.
        """
        what = f"The sensor {self.name!r}"
        return call_directly(self.evaluation, MultiAssetSensorEvaluationContext, args, kwargs, what, self._called)

    def _called(self, context: MultiAssetSensorEvaluationContext) -> Any:
        returned = self.evaluation.call(context)
        if isinstance(returned, Iterator):
            return _then_update(cast("Iterator[object]", returned), context)
        context.update_cursor_after_evaluation()
        return returned

    def evaluate_tick(self, context: SensorEvaluationContext) -> SensorTick:
        if isinstance(context, MultiAssetSensorEvaluationContext):
            return super().evaluate_tick(context)
        return super().evaluate_tick(
            MultiAssetSensorEvaluationContext(monitored_assets=self.monitored_assets, **context.arguments())
        )

    def answers(self, context: SensorEvaluationContext) -> list[Answer]:
        found = answers_in(self.ask(context), self.name)
        results = [each for each in found if isinstance(each, SensorResult)]
        if any(each.cursor is not None for each in results):
            raise InvariantViolationError(
                f"The sensor {self.name!r} returned a SensorResult with a cursor, but a multi-asset sensor manages its "
                "own cursor: call context.advance_cursor instead."
            )
        asks = any(isinstance(each, RunRequest) for each in found) or any(each.run_requests for each in results)
        if isinstance(context, MultiAssetSensorEvaluationContext):
            if asks and not context.cursor_has_been_advanced:
                raise InvalidDefinitionError(
                    f"The sensor {self.name!r} requested runs without advancing its cursor, so the same materializations "
                    "would request them again. Call context.advance_cursor or context.advance_all_cursors."
                )
            context.update_cursor_after_evaluation()
        return found


def _then_update(answers: Iterator[object], context: MultiAssetSensorEvaluationContext) -> Generator[object]:
    yield from answers
    context.update_cursor_after_evaluation()


def multi_asset_sensor(
    monitored_assets: Sequence[AssetKey] | AssetSelection,
    *,
    job_name: str | None = None,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: ExecutableDefinition | None = None,
    jobs: Sequence[ExecutableDefinition] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_assets: AssetSelection | None = None,
    required_resource_keys: Set[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Callable[[UserFunction], MultiAssetSensorDefinition]:
    """Declares a sensor whose function is evaluated for the materializations of several assets.

    Args:
        monitored_assets: the assets.
        job_name ... metadata: as of `MultiAssetSensorDefinition`.

    Raises:
        InvalidDefinitionError: as `MultiAssetSensorDefinition`.
    """

    def decorate(function: UserFunction) -> MultiAssetSensorDefinition:
        return MultiAssetSensorDefinition(
            name=name or function_name(function, "multi_asset_sensor"),
            monitored_assets=monitored_assets,
            job_name=job_name,
            asset_materialization_fn=function,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            request_assets=request_assets,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
        )

    return decorate
