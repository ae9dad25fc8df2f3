"""Small ticks and runs for the rules."""

from __future__ import annotations

from typing import NamedTuple

from segue.model.control_stores import ControlStore
from segue.model.event import Event, RunEnqueuedData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run import Run
from segue.model.stores import Store
from segue.model.tick_record import Tick, TickCommit, TickStatus, WantedRun

SCHEDULE = InstigatorId("main", InstigatorKind.SCHEDULE, "nightly")
SENSOR = InstigatorId("main", InstigatorKind.SENSOR, "new_files")


class Stores(NamedTuple):
    """The two stores on one database."""

    store: Store
    control: ControlStore


def wanted(run_id: str, run_key: str | None = None, **tags: str) -> WantedRun:
    """A run to be queued, with tags."""
    run = Run(run_id=run_id, job_name="daily", tags=tags, created_at=1.0)
    return WantedRun(run, (Event(1.0, RunEnqueuedData(), None, run_id, "daily"),), run_key)


def schedule_tick(at: float, *runs: WantedRun, status: TickStatus = TickStatus.SUCCESS) -> TickCommit:
    """A tick of `SCHEDULE` for a time."""
    tick = Tick(instigator=SCHEDULE, status=status, started_at=at + 1, ended_at=at + 2, scheduled_at=at)
    return TickCommit(tick=tick, runs=runs)


def sensor_tick(
    at: float, *runs: WantedRun, cursor: str | None = None, status: TickStatus = TickStatus.SUCCESS
) -> TickCommit:
    """A tick of `SENSOR` that ended at a time."""
    tick = Tick(instigator=SENSOR, status=status, started_at=at - 1, ended_at=at, cursor=cursor)
    return TickCommit(tick=tick, runs=runs)
