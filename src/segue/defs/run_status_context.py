"""What the function of a sensor over runs is called with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from segue.defs.instance import Instance
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.tick_context import DeclaredGraph, TickContext
from segue.model.event import Event, EventType
from segue.model.run import Run


class RunStatusSensorContext(TickContext):
    """The context of a run status sensor. In tests, create one with `build_run_status_sensor_context`.

    Args:
        sensor_name: the sensor.
        dagster_run: the run that came to the status.
        dagster_event: the event that says so.
        instance: the instance that records the run.
        context: the context of the evaluation, whose log and cursor it shares; None outside of one.
        resource_defs: by key: objects, or resources that are set up on first use.
        logger: the log; a standard logger when None.
        partition_key: the partition of the run; read from the run when None.
        repository_def: the definitions the sensor belongs to.
    """

    builder: ClassVar[str] = "build_run_status_sensor_context"

    def __init__(
        self,
        sensor_name: str,
        dagster_run: Run,
        dagster_event: Event,
        instance: Instance,
        context: SensorEvaluationContext | None = None,
        resource_defs: Mapping[str, object] | None = None,
        logger: logging.Logger | None = None,
        partition_key: str | None = None,
        repository_def: DeclaredGraph | None = None,
    ) -> None:
        definitions = repository_def or (None if context is None else context.definitions)
        super().__init__(instance=instance, resources=resource_defs, definitions=definitions)
        self.sensor_name = sensor_name
        self.dagster_run = dagster_run
        self.dagster_event = dagster_event
        self._context = context
        self._log = logger or (None if context is None else context.log)
        self._partition_key = partition_key

    def arguments(self) -> dict[str, Any]:
        """What the context was made of."""
        return {
            "sensor_name": self.sensor_name,
            "dagster_run": self.dagster_run,
            "dagster_event": self.dagster_event,
            "instance": self._instance,
            "context": self._context,
            "resource_defs": self._declared,
            "logger": self._log,
            "partition_key": self._partition_key,
            "repository_def": self._definitions,
        }

    def copied(self) -> Self:
        return type(self)(**self.arguments())

    @property
    def partition_key(self) -> str | None:
        """The partition of the run; None without, or for a range of them."""
        run = self.dagster_run
        own = run.partition_start if run.partition_start == run.partition_end else None
        return self._partition_key or own

    @property
    def repository_def(self) -> DeclaredGraph | None:
        """The definitions the sensor belongs to, where known."""
        return self._definitions

    @property
    def cursor(self) -> str | None:
        """The cursor that the last evaluation set; None outside of an evaluation."""
        return None if self._context is None else self._context.cursor

    def for_run_failure(self) -> RunFailureSensorContext:
        """The same context, with details of the failure."""
        return RunFailureSensorContext(**self.arguments())


class RunFailureSensorContext(RunStatusSensorContext):
    """The context of a run failure sensor; it takes the same arguments as `RunStatusSensorContext`."""

    @property
    def failure_event(self) -> Event:
        """The event that says that the run failed."""
        return self.dagster_event

    def get_step_failure_events(self) -> Sequence[Event]:
        """The events that say which steps failed, oldest first."""
        logs = self.instance.all_logs(self.dagster_run.run_id, EventType.STEP_FAILURE)
        return [stored.event for stored in logs]


def build_run_status_sensor_context(
    sensor_name: str,
    dagster_event: Event,
    dagster_instance: Instance,
    dagster_run: Run,
    context: SensorEvaluationContext | None = None,
    resources: Mapping[str, object] | None = None,
    partition_key: str | None = None,
    *,
    repository_def: DeclaredGraph | None = None,
) -> RunStatusSensorContext:
    """A context to call a sensor over runs with in a test.

    Args:
        sensor_name: the sensor.
        dagster_event: the event that says that the run came to the status.
        dagster_instance: where the run is recorded.
        dagster_run: the run.
        context: the context of the evaluation, if there is one.
        resources: by key: objects, or resources that are set up on first use.
        partition_key: the partition of the run; read from the run when None.
        repository_def: the definitions the sensor belongs to.
    """
    return RunStatusSensorContext(
        sensor_name=sensor_name,
        dagster_run=dagster_run,
        dagster_event=dagster_event,
        instance=dagster_instance,
        context=context,
        resource_defs=resources,
        partition_key=partition_key,
        repository_def=repository_def,
    )
