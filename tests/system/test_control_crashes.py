"""The control plane is killed at every step of what it decides: no time is lost or doubled, no run key, no run, no retry."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from segue.model.control_stores import ControlStore
from segue.model.event import EventType
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.storage.postgres import control as postgres_control
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import control as sqlite_control
from segue.storage.sqlite import open_sqlite

PROGRAM = Path(__file__).with_name("control_process.py")
BEGIN = 1_900_000_800.0 - 1_900_000_800.0 % 3600
HOUR = 3600.0
PUSHED = InstigatorId("main", InstigatorKind.SENSOR, "pushed")
HOURS = 5
KILLS = int(os.environ.get("SEGUE_CHAOS_KILLS", "5"))
POINTS = [
    *(f"commit_ticks:{number}:{where}" for number in (3, 4, 5) for where in ("before", "1", "2", "after")),
    *(f"dequeue:2:{where}" for where in ("before", "1", "after")),
]


@contextmanager
def opened(place: str) -> Iterator[tuple[Store, ControlStore]]:
    if place.startswith("postgresql:"):
        postgres = open_postgres(place)
        yield postgres, postgres_control.control_of(postgres)
        postgres.close()
    else:
        sqlite = open_sqlite(Path(place))
        yield sqlite, sqlite_control.control_of(sqlite)
        sqlite.close()


def run_steps(place: str, begin: float, end: float, point: str) -> int:
    command = [sys.executable, str(PROGRAM), "step", place, str(begin), str(end), point]
    return subprocess.run(command, timeout=120, check=False).returncode


def times_of(control: ControlStore, name: str) -> list[float]:
    which = InstigatorId("main", InstigatorKind.SCHEDULE, name)
    return [entry.tick.scheduled_at or 0.0 for entry in reversed(control.ticks(which, 100_000))]


def require_nothing_lost_or_doubled(store: Store, control: ControlStore, interval: float) -> None:
    """What must hold of everything that was decided, whoever was killed meanwhile."""
    runs = store.list_runs(RunsFilter(), None, None)
    of_schedule = Counter(run.tags.get("dagster/schedule_name") for run in runs if run.parent_run_id is None)
    for name, distance in (("static", interval), ("asked", HOUR)):
        times = times_of(control, name)
        assert times == [times[0] + index * distance for index in range(len(times))] if times else True
        assert of_schedule[name] == len(times)
    numbers = sorted(int(run.tags["number"]) for run in runs if "number" in run.tags and run.parent_run_id is None)
    assert numbers == list(range(1, len(numbers) + 1))
    cursor = control.instigator_state(InstigatorId("main", InstigatorKind.SENSOR, "counting")).cursor
    assert cursor == str(len(numbers))
    sent = [payload for run in runs if (payload := run.tags.get("payload")) is not None]
    assert len(sent) == len(set(sent))
    assert control.payloads(PUSHED, 1) == []
    started = Counter(each.run_id for each in store.events(EventFilter(types=(EventType.RUN_START,)), None))
    assert set(started.values()) == {1}
    retried = Counter(run.parent_run_id for run in runs if run.parent_run_id is not None)
    assert set(retried.values()) <= {1}


def unended(store: Store) -> list[Run]:
    return [run for run in store.list_runs(RunsFilter(), None, None) if not run.is_finished]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_step_of_what_it_decides(point: str, tmp_path: Path) -> None:
    place, end = str(tmp_path / "home"), BEGIN + HOURS * HOUR
    assert run_steps(place, BEGIN, end, point) == -signal.SIGKILL
    assert run_steps(place, end, end + HOUR, "none") == 0
    with opened(place) as (store, control):
        require_nothing_lost_or_doubled(store, control, HOUR)
        assert len(times_of(control, "static")) == len(times_of(control, "asked")) == HOURS + 1
        failed = [
            run for run in store.list_runs(RunsFilter(), None, None) if run.is_failure and run.parent_run_id is None
        ]
        retried = {run.parent_run_id for run in store.list_runs(RunsFilter(), None, None)}
        assert [run.run_id for run in failed if run.run_id not in retried] == []
        assert unended(store) == []
        sent = sorted(
            float(run.tags["payload"]) for run in store.list_runs(RunsFilter(), None, None) if "payload" in run.tags
        )
        before_the_kill = [at for at in sent if at < end]
        assert before_the_kill == [BEGIN + hour * HOUR for hour in range(len(before_the_kill))]
        assert [at for at in sent if at >= end] == [end, end + HOUR]


@pytest.mark.parametrize(
    "point", ["commit_ticks:4:before", "commit_ticks:4:2", "commit_ticks:4:after", "dequeue:2:after"]
)
def test_killed_on_postgres(point: str, postgres_url: str) -> None:
    end = BEGIN + HOURS * HOUR
    assert run_steps(postgres_url, BEGIN, end, point) == -signal.SIGKILL
    assert run_steps(postgres_url, end, end + HOUR, "none") == 0
    with opened(postgres_url) as (store, control):
        require_nothing_lost_or_doubled(store, control, HOUR)
        assert len(times_of(control, "static")) == HOURS + 1


class Replica:
    """One of several control planes on a database."""

    def __init__(self, place: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "loops", place], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.worker = self._process.stdout.readline().strip()

    def kill(self) -> None:
        """Ends it like the machine would, were its power cut."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def leader(store: Store, among: list[Replica]) -> Replica | None:
    holders = {lease.holder for lease in store.leases() if lease.name == "loop/all" and lease.is_held}
    return next((each for each in among if each.worker in holders), None)


def wait_for_leader(store: Store, among: list[Replica], seconds: float) -> tuple[Replica, float]:
    """The one that leads, and how long that took."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        found = leader(store, among)
        if found is not None:
            return found, time.monotonic() - begin
        store.wait_for_exit(0.02)
    raise AssertionError(f"Nobody leads after {seconds} seconds.")


def test_the_leader_of_three_is_killed_at_random(postgres_url: str) -> None:
    randomness = random.Random(5)
    replicas = [Replica(postgres_url) for _ in range(3)]
    took: list[float] = []
    try:
        with opened(postgres_url) as (store, control):
            found, _ = wait_for_leader(store, replicas, 30.0)
            for kill in range(KILLS):
                wait_for_progress(store, control, 1 + randomness.randrange(3))
                control.send_payload(PUSHED, str(kill), time.time())
                found.kill()
                replicas.remove(found)
                found, seconds = wait_for_leader(store, replicas, 30.0)
                took.append(seconds)
                replicas.append(Replica(postgres_url))
            wait_for_progress(store, control, 2)
            wait_until_taken(store, control)
            for each in replicas:
                each.kill()
            require_nothing_lost_or_doubled(store, control, 1.0)
            assert len([run for run in store.list_runs(RunsFilter(), None, None) if "payload" in run.tags]) == KILLS
    finally:
        for each in replicas:
            each.kill()
    assert max(took) <= 5.0


def wait_until_taken(store: Store, control: ControlStore) -> None:
    """Returns when nothing that was sent waits any more."""
    deadline = time.monotonic() + 60
    while control.sensors_with_payloads():
        assert time.monotonic() < deadline
        store.wait_for_exit(0.02)


def progress(control: ControlStore) -> int:
    """How many times were decided."""
    return len(times_of(control, "static"))


def wait_for_progress(store: Store, control: ControlStore, more: int) -> None:
    """Returns when so many more times were decided."""
    wanted, deadline = progress(control) + more, time.monotonic() + 60
    while progress(control) < wanted:
        assert time.monotonic() < deadline
        store.wait_for_exit(0.02)
