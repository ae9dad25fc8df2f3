"""A real control plane over a change of clocks in spring and in autumn, and when its clock goes back an hour."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from command_line import Project
from control_plane import DEADLINE, ControlPlane, control_plane
from fake_clock import FakeClock

from segue.model.control_stores import ControlStore
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run_records import RunsFilter
from segue.model.stores import Store
from segue.storage.opening import open_control
from segue.storage.sqlite import open_sqlite

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="faketime is a program of Linux"),
    pytest.mark.usefixtures("faketime"),
]

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = ("hourly", "daily", "midnight", "asked")
DEFINITIONS = """
@sg.op
def nothing():
    pass


@sg.job
def job():
    nothing()


def schedule(name, line):
    return sg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=line,
        execution_timezone="Europe/Berlin",
        default_status=sg.DefaultScheduleStatus.RUNNING,
    )


@sg.schedule(
    job=job,
    cron_schedule="30 2 * * *",
    execution_timezone="Europe/Berlin",
    default_status=sg.DefaultScheduleStatus.RUNNING,
)
def asked(context):
    return sg.RunRequest(tags={"said": context.scheduled_execution_time.isoformat()})


@sg.sensor(job=job, minimum_interval_seconds=30, default_status=sg.DefaultSensorStatus.RUNNING)
def looking(context):
    return sg.SkipReason("nothing new")


defs = sg.Definitions(
    sensors=[looking],
    jobs=[job],
    schedules=[schedule("hourly", "0 * * * *"), schedule("daily", "30 2 * * *"), schedule("midnight", "0 0 * * *"), asked],
)
"""


class Case:
    """A control plane with a clock that the test sets."""

    def __init__(self, plane: ControlPlane, clock: FakeClock, store: Store, control: ControlStore) -> None:
        self.plane = plane
        self.clock = clock
        self.store = store
        self.control = control

    def go_to(self, moment: float) -> None:
        """Sets the clock, and waits until the loop over schedules has gone round after that."""
        self.clock.set(moment)
        self.wait_for_round()

    def settle(self) -> None:
        """Waits until nothing more is decided."""
        before = None
        while before != (before := [self.ticks(name) for name in NAMES]):
            self.wait_for_round()

    def wait_for_round(self) -> None:
        """Waits until the loop has told that it went round at a time after this one."""
        now = self.clock.now()
        self.plane.wait_for(lambda: now < self.heartbeat() < now + DEADLINE)

    def heartbeat(self) -> float:
        """When the loop over schedules was last round, by the clock that is set."""
        return next((each.heartbeat_at for each in self.control.loop_states() if each.name == "schedules"), 0.0)

    def ticks(self, name: str) -> list[float]:
        """The times that were decided of a schedule."""
        entries = self.control.ticks(InstigatorId("definitions", InstigatorKind.SCHEDULE, name), 1_000)
        return [entry.tick.scheduled_at or 0.0 for entry in reversed(entries)]

    def times_asked(self) -> int:
        """How often the sensor was asked."""
        return len(self.control.ticks(InstigatorId("definitions", InstigatorKind.SENSOR, "looking"), 1_000))

    def decided(self, name: str) -> list[str]:
        """The same, as its zone tells them."""
        return [datetime.fromtimestamp(each, BERLIN).strftime("%d %H:%M %Z") for each in self.ticks(name)]

    def require_one_run_for_each(self) -> None:
        """That each time that was decided has one run, and each of these ended well."""
        self.plane.wait_for(lambda: all(run.is_finished for run in self.store.list_runs(RunsFilter(), None, None)))
        runs = self.store.list_runs(RunsFilter(), None, None)
        assert all(run.is_success for run in runs)
        found = Counter(run.tags["dagster/schedule_name"] for run in runs)
        assert found == Counter({name: len(self.ticks(name)) for name in NAMES if self.ticks(name)})


@contextmanager
def started(folder: Path, now: datetime) -> Iterator[Case]:
    """A control plane that starts at a time."""
    project = Project(folder / "project", DEFINITIONS)
    clock = FakeClock(folder / "clock", now.timestamp())
    with control_plane(project.folder, command="serve", environment=clock.environment()) as plane:
        store = open_sqlite(project.home)
        case = Case(plane, clock, store, open_control(store))
        plane.wait_for(lambda: len(case.control.instigator_states("definitions")) == len(NAMES) + 1)
        yield case
        store.close()


def test_over_a_change_of_clocks_in_spring(tmp_path: Path) -> None:
    begin = datetime(2026, 3, 28, 22, 50, tzinfo=UTC)  # ten minutes before midnight in Berlin
    with started(tmp_path, begin) as case:
        for minutes in range(30, 241, 30):
            case.go_to((begin + timedelta(minutes=minutes)).timestamp())
        case.settle()
        assert case.decided("hourly") == ["29 00:00 CET", "29 01:00 CET", "29 03:00 CEST", "29 04:00 CEST"]
        assert case.decided("daily") == case.decided("asked") == ["29 03:00 CEST"]
        assert case.decided("midnight") == ["29 00:00 CET"]
        case.require_one_run_for_each()


def test_over_a_change_of_clocks_in_autumn(tmp_path: Path) -> None:
    begin = datetime(2026, 10, 24, 21, 50, tzinfo=UTC)
    with started(tmp_path, begin) as case:
        for minutes in range(30, 331, 30):
            case.go_to((begin + timedelta(minutes=minutes)).timestamp())
        case.settle()
        hours = ["25 00:00 CEST", "25 01:00 CEST", "25 02:00 CEST", "25 02:00 CET", "25 03:00 CET", "25 04:00 CET"]
        assert case.decided("hourly") == hours
        assert case.decided("daily") == case.decided("asked") == ["25 02:30 CET"]
        assert case.decided("midnight") == ["25 00:00 CEST"]
        case.require_one_run_for_each()


def test_a_clock_that_goes_back_an_hour_decides_nothing_twice_and_loses_no_lease(tmp_path: Path) -> None:
    begin = datetime(2026, 6, 1, 9, 50, tzinfo=UTC)
    with started(tmp_path, begin) as case:
        case.go_to((begin + timedelta(minutes=60)).timestamp())
        case.settle()
        assert case.decided("hourly") == ["01 12:00 CEST"]
        tokens = {lease.name: lease.token for lease in case.store.leases()}
        asked = case.times_asked()
        for minutes in range(0, 60, 20):  # over the hour that was decided before
            case.go_to((begin + timedelta(minutes=minutes)).timestamp())
        case.plane.wait_for(lambda: case.times_asked() > asked)
        case.settle()
        assert case.decided("hourly") == ["01 12:00 CEST"]
        case.go_to((begin + timedelta(minutes=75)).timestamp())
        case.settle()
        assert case.decided("hourly") == ["01 12:00 CEST", "01 13:00 CEST"]
        assert {lease.name: lease.token for lease in case.store.leases() if lease.name in tokens} == tokens
        case.require_one_run_for_each()
