"""Several control planes on one database, and what happens when the one that leads is killed, again and again."""

from __future__ import annotations

import random
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from control_facts import PUSHED, opened, payloads_of, require_nothing_lost_or_doubled, times_of

from segue.model.control_stores import ControlStore
from segue.model.run_records import RunsFilter
from segue.model.stores import Store

PROGRAM = Path(__file__).with_name("control_process.py")
REPLICAS = 3


class Replica:
    """One of several control planes on a database."""

    def __init__(self, place: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "loops", place], stdout=subprocess.PIPE, text=True
        )
        self._worker: str | None = None

    @property
    def worker(self) -> str | None:
        """As whom it holds leases; None as long as it has not begun."""
        assert self._process.stdout is not None
        if self._worker is None and select.select([self._process.stdout], [], [], 0)[0]:
            self._worker = self._process.stdout.readline().strip()
        return self._worker

    def kill(self) -> None:
        """Ends it like the machine would, were its power cut."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Kills(NamedTuple):
    """What was seen.

    Attributes:
        took_over: for each kill, the seconds until another replica led.
        ticks: how many times of the schedule were decided.
        runs: how many runs there are.
    """

    took_over: list[float]
    ticks: int
    runs: int


def kill_leaders(place: str, kills: int, seed: int) -> Kills:
    """Kills the leader of three control planes at random moments, each replaced by a new one.

    Raises:
        AssertionError: something was lost or doubled, or nobody led.
    """
    randomness = random.Random(seed)
    replicas = [Replica(place) for _ in range(REPLICAS)]
    took: list[float] = []
    try:
        with opened(place) as (store, control):
            found, _ = wait_for_leader(store, replicas, 30.0)
            for kill in range(kills):
                wait_for_progress(store, control, randomness.randrange(3))
                store.wait_for_exit(randomness.random())
                control.send_payload(PUSHED, str(kill), time.time())
                found.kill()
                replicas.remove(found)
                found, seconds = wait_for_leader(store, replicas, 30.0)
                took.append(seconds)
                replicas.append(Replica(place))
            wait_for_progress(store, control, 2)
            wait_until_taken(store, control)
            for each in replicas:
                each.kill()
            require_nothing_lost_or_doubled(store, control, 1.0)
            runs = store.list_runs(RunsFilter(), None, None)
            assert sorted(map(int, payloads_of(runs))) == list(range(kills))
            return Kills(took, len(times_of(control, "static")), len(runs))
    finally:
        for each in replicas:
            each.kill()


def leader(store: Store, among: list[Replica]) -> Replica | None:
    """The one that holds the lease."""
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


def wait_for_progress(store: Store, control: ControlStore, more: int) -> None:
    """Returns when so many more times were decided."""
    wanted, deadline = len(times_of(control, "static")) + more, time.monotonic() + 60
    while len(times_of(control, "static")) < wanted:
        assert time.monotonic() < deadline
        store.wait_for_exit(0.02)


def wait_until_taken(store: Store, control: ControlStore) -> None:
    """Returns when nothing that was sent waits any more."""
    deadline = time.monotonic() + 60
    while control.sensors_with_payloads():
        assert time.monotonic() < deadline
        store.wait_for_exit(0.02)
