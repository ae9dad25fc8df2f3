"""What the function of a schedule is called with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

from segue.defs.instance import Instance
from segue.defs.tick_context import DeclaredGraph, TickContext
from segue.errors import InvariantViolationError
from segue.model.arguments import require_type


class ScheduleEvaluationContext(TickContext):
    """The context of a schedule function. In tests, create one with `build_schedule_context`.

    Args:
        instance: the instance that records runs and assets.
        scheduled_execution_time: the time for which the tick is evaluated.
        schedule_name: the schedule.
        resources, definitions: as in every tick.
    """

    builder: ClassVar[str] = "build_schedule_context"

    def __init__(
        self,
        *,
        instance: Instance | None = None,
        scheduled_execution_time: datetime | None = None,
        schedule_name: str | None = None,
        resources: Mapping[str, object] | None = None,
        definitions: DeclaredGraph | None = None,
    ) -> None:
        super().__init__(instance=instance, resources=resources, definitions=definitions)
        require_type(self, "scheduled_execution_time", scheduled_execution_time, (datetime, type(None)))
        self._time = scheduled_execution_time
        self._schedule_name = schedule_name

    def copied(self) -> Self:
        return type(self)(
            instance=self._instance,
            scheduled_execution_time=self._time,
            schedule_name=self._schedule_name,
            resources=self._declared,
            definitions=self._definitions,
        )

    @property
    def scheduled_execution_time(self) -> datetime:
        """The time for which the tick is evaluated, even if it is evaluated late.

        Raises:
            InvariantViolationError: the context has none.
        """
        if self._time is None:
            raise InvariantViolationError(
                "The context has no scheduled_execution_time: pass it to build_schedule_context."
            )
        return self._time

    @property
    def has_time(self) -> bool:
        """Whether the context has a `scheduled_execution_time`."""
        return self._time is not None

    @property
    def schedule_name(self) -> str | None:
        """The name of the schedule, where known."""
        return self._schedule_name

    @property
    def repository_def(self) -> DeclaredGraph:
        """The definitions the schedule belongs to.

        Raises:
            InvariantViolationError: the context has none.
        """
        if self._definitions is None:
            raise InvariantViolationError(
                "The context has no definitions: pass them to build_schedule_context(repository_def=...)."
            )
        return self._definitions


def build_schedule_context(
    instance: Instance | None = None,
    scheduled_execution_time: datetime | None = None,
    resources: Mapping[str, object] | None = None,
    repository_def: DeclaredGraph | None = None,
    instance_ref: Instance | None = None,
) -> ScheduleEvaluationContext:
    """A context to call a schedule with in a test.

    Args:
        instance: the instance that records runs and assets.
        scheduled_execution_time: the time for which the tick is evaluated.
        resources: by key: objects, or resources that are set up on first use.
        repository_def: the `Definitions` that partitions of requested runs are looked up in.
        instance_ref: superseded by `instance`; an `Instance`.
    """
    return ScheduleEvaluationContext(
        instance=instance or instance_ref,
        scheduled_execution_time=scheduled_execution_time,
        resources=resources,
        definitions=repository_def,
    )
