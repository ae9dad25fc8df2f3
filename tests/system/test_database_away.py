"""The database is away for a while, or of another version: the control plane goes on by itself, or says what to do."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from command_line import Project
from control_plane import control_plane
from postgres_server import Server

from segue.daemon.loop import LEASE_SECONDS
from segue.model.control_stores import ControlStore
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run_records import RunsFilter
from segue.storage.opening import open_control, open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
ON = sg.DefaultScheduleStatus.RUNNING


@sg.op
def nothing():
    pass


@sg.job
def job():
    nothing()


@sg.sensor(job=job, minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def counting(context):
    number = int(context.cursor or "0") + 1
    return sg.SensorResult([sg.RunRequest(run_key=str(number), tags={"number": str(number)})], cursor=str(number))


each_second = sg.ScheduleDefinition(name="each_second", job=job, cron_schedule="* * * * * *", default_status=ON)
defs = sg.Definitions(jobs=[job], schedules=[each_second], sensors=[counting])
"""


def times(control: ControlStore) -> list[float]:
    """The times that were decided."""
    which = InstigatorId("definitions", InstigatorKind.SCHEDULE, "each_second")
    return [entry.tick.scheduled_at or 0.0 for entry in reversed(control.ticks(which, 10_000))]


def test_loops_go_on_when_the_database_is_back_and_nothing_is_lost_or_doubled(
    tmp_path: Path, postgres_server: Server, postgres_url: str
) -> None:
    project = Project(tmp_path, DEFINITIONS)
    store = open_store(tmp_path / "unused", postgres_url)
    control = open_control(store)
    with control_plane(project.folder, command="serve", environment={"SEGUE_DATABASE": postgres_url}) as plane:
        plane.wait_for(lambda: len(times(control)) >= 2)
        postgres_server.stop()
        try:
            until = time.monotonic() + LEASE_SECONDS + 1.0  # every lease has run out
            plane.wait_for(lambda: plane.get("/readyz").status == 503 and time.monotonic() > until)
        finally:
            postgres_server.start()
        plane.wait_for(lambda: plane.get("/readyz").status == 200)
        before = len(times(control))
        plane.wait_for(lambda: len(times(control)) > before + LEASE_SECONDS + 2)
        numbers = {"before": 0}

        def is_asked_again() -> bool:
            cursor = control.instigator_state(InstigatorId("definitions", InstigatorKind.SENSOR, "counting")).cursor
            numbers["before"] = numbers["before"] or int(cursor or 0)
            return int(cursor or 0) > numbers["before"]

        plane.wait_for(is_asked_again)
        assert plane.run(job="job")["status"] == "SUCCESS"
        assert all(state.error is None for state in control.loop_states())
        assert plane.stop(signal.SIGTERM) == 0
    found = times(control)
    assert found == [found[0] + second for second in range(len(found))]
    runs = store.list_runs(RunsFilter(), None, None)
    of_schedule = Counter(run.tags.get("dagster/schedule_name") for run in runs)
    entries = control.ticks(InstigatorId("definitions", InstigatorKind.SCHEDULE, "each_second"), 10_000)
    assert [entry.tick.error for entry in entries if entry.tick.error is not None] == []
    assert of_schedule["each_second"] == len(found)
    asked = sorted(int(run.tags["number"]) for run in runs if "number" in run.tags)
    assert asked == list(range(1, len(asked) + 1))
    store.close()


@pytest.mark.parametrize(
    ("revision", "cure"),
    [("0001", "segue db upgrade"), ("9999", "pip install --upgrade segue")],
    ids=["older", "newer"],
)
def test_a_control_plane_of_another_version_is_refused_and_the_other_one_goes_on(
    tmp_path: Path, postgres_url: str, revision: str, cure: str
) -> None:
    project = Project(tmp_path, DEFINITIONS)
    environment = {"SEGUE_DATABASE": postgres_url}
    store = open_store(tmp_path / "unused", postgres_url)
    control = open_control(store)
    with control_plane(project.folder, command="serve", environment=environment) as plane:
        plane.wait_for(lambda: len(times(control)) >= 1)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            [(known,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
            other = project.run("serve", "--port", "0", environment=dict(environment))
            assert other.code == 1
            assert cure in other.err
            before = len(times(control))
            plane.wait_for(lambda: len(times(control)) > before)
            connection.execute("UPDATE alembic_version SET version_num = %s", [known])
    store.close()
