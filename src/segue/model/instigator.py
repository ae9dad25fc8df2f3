"""Instigators: schedules and sensors as they stand in a deployment; switched on or off, and how far they came."""

from __future__ import annotations

import enum

import msgspec


class InstigatorKind(enum.Enum):
    """What asks for runs by itself: LOOP is a loop of the control plane that remembers how far it came."""

    SCHEDULE = "schedule"
    SENSOR = "sensor"
    LOOP = "loop"


class InstigatorStatus(enum.Enum):
    """Whether it runs. DECLARED means as the user's code says, until someone switches it."""

    DECLARED = "declared"
    RUNNING = "running"
    STOPPED = "stopped"


class InstigatorId(msgspec.Struct, frozen=True, order=True):
    """Which schedule or sensor.

    Attributes:
        location: the code location that declares it.
        kind, name: what it is, and its name there.
    """

    location: str
    kind: InstigatorKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name!r} of {self.location!r}"


class InstigatorState(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of a schedule or sensor.

    Times are seconds since 1970, UTC; None where it did not happen yet.

    Attributes:
        id: which.
        status: whether someone switched it.
        cursor: what the next evaluation of a sensor goes on from.
        started_at: when it was switched on last, or first seen running.
        last_tick_at: of a schedule: the last time that was decided; of a sensor: when the last evaluation ended.
        last_run_key: the run key of the last run it asked for.
        failures: how many evaluations failed since the last that did not.
    """

    id: InstigatorId
    status: InstigatorStatus = InstigatorStatus.DECLARED
    cursor: str | None = None
    started_at: float | None = None
    last_tick_at: float | None = None
    last_run_key: str | None = None
    failures: int = 0

    def is_running(self, *, by_default: bool) -> bool:
        """Whether it runs; `by_default` is what the user's code says."""
        return by_default if self.status is InstigatorStatus.DECLARED else self.status is InstigatorStatus.RUNNING
