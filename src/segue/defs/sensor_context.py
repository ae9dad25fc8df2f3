"""What the function of a sensor is called with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from segue.defs.instance import Instance
from segue.defs.superseded import warn_superseded
from segue.defs.tick_context import DeclaredGraph, TickContext, either_definitions
from segue.errors import InvariantViolationError
from segue.model.arguments import require_type


class SensorEvaluationContext(TickContext):
    """The context of a sensor function. In tests, create one with `build_sensor_context`.

    Args:
        instance: the instance that records runs and assets.
        cursor: the cursor that the last evaluation set.
        last_run_key: the run key of the last requested run.
        last_tick_completion_time: when the last evaluation ended, in seconds since 1970 UTC.
        last_sensor_start_time: when the sensor was switched on, in seconds since 1970 UTC.
        sensor_name: the sensor.
        repository_name: superseded; the name of a group of definitions.
        resources, definitions: as in every tick.
        payloads: the payloads sent to the sensor, the oldest first.
    """

    builder: ClassVar[str] = "build_sensor_context"

    def __init__(
        self,
        *,
        instance: Instance | None = None,
        cursor: str | None = None,
        last_run_key: str | None = None,
        last_tick_completion_time: float | None = None,
        last_sensor_start_time: float | None = None,
        sensor_name: str | None = None,
        repository_name: str | None = None,
        resources: Mapping[str, object] | None = None,
        definitions: DeclaredGraph | None = None,
        payloads: Sequence[object] = (),
    ) -> None:
        super().__init__(instance=instance, resources=resources, definitions=definitions)
        require_type(self, "cursor", cursor, (str, type(None)))
        self._cursor = cursor
        self._cursor_updated = False
        self._facts: dict[str, Any] = {
            "last_run_key": last_run_key,
            "last_tick_completion_time": last_tick_completion_time,
            "last_sensor_start_time": last_sensor_start_time,
            "sensor_name": sensor_name,
            "repository_name": repository_name,
            "payloads": tuple(payloads),
        }

    def copied(self) -> Self:
        """The same context, its cursor as it is now, its resources not yet set up."""
        copy = type(self)(**self.arguments())
        copy._cursor_updated = self._cursor_updated
        return copy

    def arguments(self) -> dict[str, Any]:
        """What the context was made of, its cursor as it is now."""
        return {
            "instance": self._instance,
            "cursor": self._cursor,
            "resources": self._declared,
            "definitions": self._definitions,
            **self._facts,
        }

    @property
    def cursor(self) -> str | None:
        """The cursor that the last evaluation set, or this one."""
        return self._cursor

    def update_cursor(self, cursor: str | None) -> None:
        """Sets the `cursor` of the next evaluation; it is stored only if this evaluation succeeds."""
        require_type(self, "cursor", cursor, (str, type(None)))
        self._cursor = cursor
        self._cursor_updated = True

    @property
    def cursor_updated(self) -> bool:
        """Whether `update_cursor` was called."""
        return self._cursor_updated

    @property
    def last_run_key(self) -> str | None:
        """The run key of the last run that was requested."""
        return self._facts["last_run_key"]

    @property
    def last_tick_completion_time(self) -> float | None:
        """When the last evaluation ended, in seconds since 1970 UTC."""
        return self._facts["last_tick_completion_time"]

    @property
    def payloads(self) -> Sequence[object]:
        """The JSON values that were sent to the sensor (`segue event send`), the oldest first; empty when none was.

        They are taken by this evaluation when it ends well, and are here again in the next when it fails.
        """
        return self._facts["payloads"]

    @property
    def last_completion_time(self) -> float | None:
        """Superseded by `last_tick_completion_time`."""
        warn_superseded("last_completion_time", "read last_tick_completion_time")
        return self.last_tick_completion_time

    @property
    def last_sensor_start_time(self) -> float | None:
        """When the sensor was switched on, in seconds since 1970 UTC."""
        return self._facts["last_sensor_start_time"]

    @property
    def is_first_tick_since_sensor_start(self) -> bool:
        """Whether no evaluation has ended since the sensor was switched on."""
        ended, started = self.last_tick_completion_time, self.last_sensor_start_time
        return ended is None or (started is not None and ended < started)

    @property
    def sensor_name(self) -> str:
        """The name of the sensor.

        Raises:
            InvariantViolationError: the context has none.
        """
        name = self._facts["sensor_name"]
        if name is None:
            raise InvariantViolationError("The context has no sensor_name: pass it to build_sensor_context.")
        return name

    @property
    def repository_name(self) -> str | None:
        """Superseded: the name of a group of definitions."""
        return self._facts["repository_name"]

    @property
    def repository_def(self) -> DeclaredGraph | None:
        """The definitions the sensor belongs to, where known."""
        return self._definitions


def build_sensor_context(
    instance: Instance | None = None,
    cursor: str | None = None,
    repository_name: str | None = None,
    repository_def: DeclaredGraph | None = None,
    sensor_name: str | None = None,
    resources: Mapping[str, object] | None = None,
    definitions: DeclaredGraph | None = None,
    instance_ref: Instance | None = None,
    last_sensor_start_time: float | None = None,
    payloads: Sequence[object] = (),
) -> SensorEvaluationContext:
    """A context to call a sensor with in a test.

    Args:
        instance: the instance that records runs and assets.
        cursor: the cursor that the last evaluation set.
        repository_name: superseded; the name of a group of definitions.
        repository_def: superseded by `definitions`.
        sensor_name: the sensor.
        resources: by key: objects, or resources that are set up on first use.
        definitions: what partitions and assets of requested runs are looked up in.
        instance_ref: superseded by `instance`; an `Instance`.
        last_sensor_start_time: when the sensor was switched on, in seconds since 1970 UTC.
        payloads: the payloads sent to the sensor: JSON values, the oldest first.

    Raises:
        InvalidInvocationError: both `definitions` and `repository_def` were provided.
    """
    return SensorEvaluationContext(
        instance=instance or instance_ref,
        cursor=cursor,
        repository_name=repository_name,
        sensor_name=sensor_name,
        resources=resources,
        definitions=either_definitions("build_sensor_context", definitions, repository_def),
        last_sensor_start_time=last_sensor_start_time,
        payloads=payloads,
    )
