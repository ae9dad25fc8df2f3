"""The database goes away for a while, under a control plane that goes on: what must hold when it is back."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from command_line import Project
from control_plane import ControlPlane, control_plane
from postgres_server import Server

from segue.model.control_stores import ControlStore
from segue.model.event import EventType
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorStatus
from segue.model.run import FINISHED_STATUSES, Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.storage.opening import open_control, open_store

DEFINITIONS = """
import pathlib
import time

ON = sg.DefaultScheduleStatus.RUNNING
AGAIN = {"dagster/max_retries": "3"}


@sg.op
def nothing():
    pass


@sg.job(tags=AGAIN)
def job():
    nothing()


@sg.op(config_schema={"until": str})
def wait(context):
    while not pathlib.Path(context.op_config["until"]).exists():
        time.sleep(0.05)


@sg.job(tags=AGAIN)
def long():
    wait()


@sg.sensor(job=job, minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def counting(context):
    number = int(context.cursor or "0") + 1
    return sg.SensorResult([sg.RunRequest(run_key=str(number), tags={"number": str(number)})], cursor=str(number))


each_second = sg.ScheduleDefinition(name="each_second", job=job, cron_schedule="* * * * * *", default_status=ON)
defs = sg.Definitions(jobs=[job, long], schedules=[each_second], sensors=[counting])
"""
UNFINISHED = tuple(status for status in RunStatus if status not in FINISHED_STATUSES)
SCHEDULE = InstigatorId("definitions", InstigatorKind.SCHEDULE, "each_second")
SENSOR = InstigatorId("definitions", InstigatorKind.SENSOR, "counting")


class Outage(NamedTuple):
    """What was seen.

    Attributes:
        away: for how many seconds the database was away.
        ready_after: how many seconds after its return the control plane said that it is ready.
        decided_after: how many seconds after its return the first time of a schedule was decided.
        ticks: how many times were decided, one for each second.
        runs: how many runs were asked for.
        given_up: how many of them ended with their process, or in a database that was not there, and were tried again.
        said: by loop, what it said of the outage.
    """

    away: float
    ready_after: float
    decided_after: float
    ticks: int
    runs: int
    given_up: int
    said: dict[str, str]


def times(control: ControlStore) -> list[float]:
    """The times that were decided."""
    return [entry.tick.scheduled_at or 0.0 for entry in reversed(control.ticks(SCHEDULE, 10_000))]


def go_through(folder: Path, server: Server, url: str, seconds: float) -> Outage:
    """Has the database of a control plane away for so many seconds, while runs and steps go on.

    Raises:
        AssertionError: something was lost, doubled or stuck, or nobody said what was wrong.
    """
    project = Project(folder, DEFINITIONS)
    with _opened(folder, url) as (store, control):
        with control_plane(project.folder, command="serve", environment={"SEGUE_DATABASE": url}) as plane:
            plane.wait_for(lambda: len(times(control)) >= 2)
            files = [folder / name for name in ("while it is away", "when it is back")]
            for file in files:
                _start_long(plane, store, file)
            server.stop()
            began = time.monotonic()
            try:
                plane.wait_for(lambda: plane.get("/readyz").status == 503)
                files[0].touch()
                plane.wait_for(lambda: time.monotonic() > began + seconds)
            finally:
                server.start()
            back = time.monotonic()
            known = len(times(control))
            plane.wait_for(lambda: len(times(control)) > known)
            decided_after = time.monotonic() - back
            plane.wait_for(lambda: plane.get("/readyz").status == 200)
            ready_after = time.monotonic() - back
            files[1].touch()
            cursor = _cursor(control)
            plane.wait_for(lambda: len(times(control)) > known + seconds + 2 and _cursor(control) > cursor)
            assert plane.run(job="job")["status"] == "SUCCESS"
            plane.wait_for(lambda: all(state.error is None for state in control.loop_states()))
            said = {state.name: state.last_error or "" for state in control.loop_states()}
            for each in (SCHEDULE, SENSOR):
                control.set_instigator(each, InstigatorStatus.STOPPED, time.time())
            plane.wait_for(lambda: store.count_runs(RunsFilter(statuses=UNFINISHED)) == 0)
            assert plane.stop(signal.SIGTERM) == 0
        given_up = _require_nothing_lost_or_doubled(store, control)
        assert all("database" in text for text in said.values()), said
        first = [each for each in store.list_runs(RunsFilter(), None, None) if each.parent_run_id is None]
        return Outage(back - began, ready_after, decided_after, len(times(control)), len(first), given_up, said)


@contextmanager
def _opened(folder: Path, url: str) -> Iterator[tuple[Store, ControlStore]]:
    store = open_store(folder / "unused", url)
    try:
        yield store, open_control(store)
    finally:
        store.close()


def _start_long(plane: ControlPlane, store: Store, file: Path) -> None:
    """Starts a run that goes on until a file is there, and waits until it goes on."""
    config = {"ops": {"wait": {"config": {"until": str(file)}}}}
    run_id = plane.start_run(job="long", run_config=config)
    begun = EventFilter(run_id=run_id, types=(EventType.STEP_START,))
    plane.wait_for(lambda: bool(store.events(begun, 1)))


def _cursor(control: ControlStore) -> int:
    return int(control.instigator_state(SENSOR).cursor or 0)


def _require_nothing_lost_or_doubled(store: Store, control: ControlStore) -> int:
    """That each second and number was asked for once, and all that was asked for was made; how often it was tried again."""
    found = times(control)
    assert found == [found[0] + second for second in range(len(found))]
    for each in (SCHEDULE, SENSOR):
        assert [entry.tick.error for entry in control.ticks(each, 10_000) if entry.tick.error is not None] == []
    runs = store.list_runs(RunsFilter(), None, None)
    first = [each for each in runs if each.parent_run_id is None]
    assert Counter(run.tags.get("dagster/schedule_name") for run in first)["each_second"] == len(found)
    asked = sorted(int(run.tags["number"]) for run in first if "number" in run.tags)
    assert asked == list(range(1, len(asked) + 1))
    again = {each.parent_run_id: each for each in runs if each.parent_run_id is not None}
    assert len(again) == len(runs) - len(first), "a run was tried again twice"
    for run in first:
        assert _last_try(run, again).is_success, run
    started = Counter(each.run_id for each in store.events(EventFilter(types=(EventType.STEP_START,)), None))
    assert set(started.values()) == {1}, "a step began twice in one run"
    return len(again)


def _last_try(run: Run, again: dict[str | None, Run]) -> Run:
    while run.run_id in again:
        run = again[run.run_id]
    return run
