"""Sensors that are asked when one asset was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, ClassVar

from segue.defs.sensor import SensorDefinition
from segue.defs.sensor_answer import Answer, answers_in
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.signature import UserFunction, function_name
from segue.defs.target import ExecutableDefinition
from segue.errors import InvariantViolationError
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.tick import DefaultSensorStatus, SensorResult, SensorType, SkipReason


class AssetSensorDefinition(SensorDefinition):
    """A function that is evaluated when its asset has been materialized since the last evaluation; it keeps its cursor.

    Args:
        name: unique among schedules and sensors.
        asset_key: the asset.
        job_name, job, jobs: the jobs it may request.
        asset_materialization_fn: the function; it takes the context, the latest materialization of the asset as it is
            recorded, and resources, and gives what every sensor gives.
        minimum_interval_seconds ... metadata: as of `SensorDefinition`.

    Raises:
        InvalidDefinitionError: as `SensorDefinition`.
    """

    kind: ClassVar[SensorType] = SensorType.ASSET

    def __init__(
        self,
        name: str,
        asset_key: CoercibleToAssetKey,
        job_name: str | None,
        asset_materialization_fn: UserFunction,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        job: ExecutableDefinition | None = None,
        jobs: Sequence[ExecutableDefinition] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        required_resource_keys: Set[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(
            name=name,
            evaluation_fn=asset_materialization_fn,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
        )
        self.asset_key = AssetKey.from_coercible(asset_key)

    @property
    def watched_assets(self) -> Sequence[AssetKey]:
        return (self.asset_key,)

    def ask(self, context: SensorEvaluationContext) -> Iterator[Answer]:
        """What the function gives for the latest materialization, or a reason to skip where it is known already, one after
        another; the context's cursor is then that of the materialization."""
        yield from self.answers(context)

    def _asked(self, context: SensorEvaluationContext) -> tuple[EventLogRecord | None, Any]:
        (record,) = context.instance.get_asset_records([self.asset_key]) or (None,)
        latest = None if record is None else record.asset_entry.last_materialization_record
        if latest is None or latest.storage_id <= _storage_id(context.cursor):
            return None, SkipReason(f"{self.asset_key.to_user_string()} has not been materialized since the last tick.")
        arguments = self.evaluation.arguments(context)
        if self.evaluation.context is not None:
            arguments[self.evaluation.context] = context
        if self.evaluation.others:
            arguments[self.evaluation.others[0]] = latest.event_log_entry
        return latest, self.evaluation.function(**arguments)

    def answers(self, context: SensorEvaluationContext) -> list[Answer]:
        latest, returned = self._asked(context)
        found = answers_in(returned, self.name)
        if any(isinstance(each, SensorResult) and each.cursor is not None for each in found):
            raise InvariantViolationError(
                f"The sensor {self.name!r} returned a cursor, but an asset sensor manages its own: remove it from the SensorResult."
            )
        if latest is not None:
            context.update_cursor(str(latest.storage_id))
        return found


def _storage_id(cursor: str | None) -> int:
    return int(cursor) if cursor is not None and cursor.isdigit() else 0


def asset_sensor(
    asset_key: CoercibleToAssetKey,
    *,
    job_name: str | None = None,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: ExecutableDefinition | None = None,
    jobs: Sequence[ExecutableDefinition] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: Set[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Callable[[UserFunction], AssetSensorDefinition]:
    """Declares a sensor whose function is evaluated when an asset has been materialized.

    Args:
        asset_key: the asset.
        job_name ... metadata: as of `SensorDefinition`.

    Raises:
        InvalidDefinitionError: as `SensorDefinition`.
    """

    def decorate(function: UserFunction) -> AssetSensorDefinition:
        return AssetSensorDefinition(
            name=name or function_name(function, "asset_sensor"),
            asset_key=asset_key,
            job_name=job_name,
            asset_materialization_fn=function,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
        )

    return decorate
