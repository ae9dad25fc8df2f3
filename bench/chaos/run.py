"""Kill what can be killed while runs go on, and show that nothing is lost, doubled or stuck.

    .venv/bin/python bench/chaos/run.py [--runs N] [--seed N] [--store sqlite|postgres] [--executor in_process|processes]

Runs are processes of their own, several at a time. Meanwhile, at random: SIGKILL for workers, zygotes and steps, SIGSTOP
for workers for longer than a lease, a disk that is full for a second (as root, on SQLite), SIGKILL for the database server
(on Postgres). A process that watches ends what was interrupted. In the end every rule of `facts.py` must hold, and every
run must have ended in time. What was seen is written to `bench/results/`, with the seed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(CHECKOUT / "tests")]

import facts  # noqa: E402 reason: found through the path above
import postgres_server  # noqa: E402
import victims  # noqa: E402

import machine  # noqa: E402
from segue.errors import StorageError  # noqa: E402
from segue.model.claims import ClaimFilter, pool_resource  # noqa: E402
from segue.model.run import Run  # noqa: E402
from segue.model.run_records import RunsFilter  # noqa: E402
from segue.model.stores import Store  # noqa: E402
from segue.monitor import monitor_once  # noqa: E402
from segue.storage.postgres import open_postgres  # noqa: E402
from segue.storage.sqlite import open_sqlite  # noqa: E402

POOL_LIMIT = 2
HITS_PER_SECOND = 3.0
STOPS = 0.04  # of the hits, less those of the disk or the database
LEASE_SECONDS = 15.0
GRACE = 5.0
LONG_STOP = LEASE_SECONDS + GRACE + 3.0  # so that who stands still is given up before it goes on
DISK_MEGABYTES = 48


class Options(NamedTuple):
    runs: int
    seed: int
    store: str
    executor: str
    at_once: int


class Place(NamedTuple):
    """Where the runs are recorded: the environment of their processes, how to open the store, how to break its server."""

    home: Path
    environment: dict[str, str]
    open: Callable[[], Store]
    break_database: Callable[[], None] | None


class Chaos:
    """The runs that go on, what was done to them, and when each was seen to end."""

    def __init__(self, options: Options, place: Place) -> None:
        self.options = options
        self.place = place
        self.random = random.Random(options.seed)
        self.workers: dict[int, subprocess.Popen[bytes]] = {}
        self.started_at: dict[int, float] = {}
        # By the number of the process, which another one may get later: in seconds since 1970, as runs say when they were made.
        self.gone_at: dict[int, list[float]] = defaultdict(list)
        self.stopped_at: dict[int, list[float]] = defaultdict(list)
        self.executing: list[int] = []  # workers whose runs have started and not ended, when last seen
        self.ended_at: dict[str, float] = {}
        self.hits: Counter[str] = Counter()
        self.started = 0
        self.recorded = 0  # some processes are killed before their run is
        self.most_held = 0
        self.is_over = threading.Event()
        self.lock = threading.Lock()

    def run_all(self) -> None:
        """Starts all runs, a few at a time, and waits for the last of them."""
        helpers = [threading.Thread(target=each) for each in (self._harass, self._watch, self._guard)]
        for each in helpers:
            each.start()
        try:
            while self.recorded < self.options.runs:
                while len(self.workers) >= self.options.at_once:
                    self._reap()
                    time.sleep(0.01)
                self._start()
            while self.workers:
                self._reap()
                time.sleep(0.01)
            self._wait_for_ends()
        finally:
            self.is_over.set()
            for each in helpers:
                each.join()

    def _start(self) -> None:
        self.started += 1
        command = [
            sys.executable,
            "-m",
            "segue",
            "materialize",
            "-f",
            str(HERE / "project.py"),
            "-t",
            f"n={self.started}",
        ]
        environment = {**os.environ, **self.place.environment, "CHAOS_EXECUTOR": self.options.executor}
        with open(self.place.home / "out", "ab") as out:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.place.home
            )
        with self.lock:
            self.workers[process.pid], self.started_at[process.pid] = process, time.monotonic()

    def _reap(self) -> None:
        with self.lock:
            for pid, process in list(self.workers.items()):
                if process.poll() is not None:
                    self.gone_at[pid].append(time.time())
                    del self.workers[pid]

    def _harass(self) -> None:
        """Does something to somebody, again and again."""
        while not self.is_over.wait(self.random.expovariate(HITS_PER_SECOND)):
            # Most of the life of a young process is importing, where there is nothing to lose yet.
            youngest = time.monotonic() - self.random.choice((0.0, 0.5, 1.0, 1.5))
            with self.lock:
                pids = [pid for pid in self.workers if self.started_at[pid] < youngest]
            if not pids:
                continue
            chance = self.random.random()
            if chance < 0.01 and self.place.break_database is not None:
                self.place.break_database()
                self.hits["disk filled" if self.options.store == "sqlite" else "database killed"] += 1
                continue
            is_stop = chance < STOPS
            at_work = [pid for pid in pids if pid in self.executing]
            found = victims.victims_of(self.random.choice(at_work if is_stop and at_work else pids))
            if not found:
                continue
            victim = self.random.choice(found)
            if is_stop:
                threading.Thread(target=self._stop, args=(victim,)).start()
            elif victims.hit(victim, signal.SIGKILL):
                self.hits[f"{victim.kind} killed"] += 1

    def _stop(self, victim: victims.Victim) -> None:
        if victims.hit(victim, signal.SIGSTOP):
            self.hits[f"{victim.kind} stopped"] += 1
            self.stopped_at[victim.pid].append(time.time())
            time.sleep(LONG_STOP)
            victims.hit(victim, signal.SIGCONT)

    def _watch(self) -> None:
        """Ends interrupted runs, as a control plane does, and looks at the pool."""
        store = self.place.open()
        while not self.is_over.is_set():
            try:
                monitor_once(store, time.time())
                held = [
                    each
                    for each in store.claim_records(ClaimFilter(resource=pool_resource("scarce")))
                    if each.is_granted
                ]
                self.most_held = max(self.most_held, sum(each.weight for each in held))
                self.recorded = store.count_runs(RunsFilter())
                for run in store.list_runs(RunsFilter(), 200, None):
                    if run.is_finished:
                        self.ended_at.setdefault(run.run_id, time.time())
                self.executing = [_pid_of(run.worker) for run, _ in store.unfinished_runs() if run.worker is not None]
                store.wait_for_exit(0.5)
            except StorageError:
                self.is_over.wait(0.1)
        store.close()

    def _guard(self) -> None:
        """Ends writers that stand still, as a control plane does."""
        store = self.place.open()
        while not self.is_over.wait(1.0):
            with contextlib.suppress(StorageError):
                store.end_stalled_writers()
        store.close()

    def _wait_for_ends(self) -> None:
        """Waits until every run has ended, as long as that may take at most."""
        store = self.place.open()
        limit = time.monotonic() + LEASE_SECONDS + GRACE
        while time.monotonic() < limit:
            with contextlib.suppress(StorageError):
                if all(run.is_finished for run in store.list_runs(RunsFilter(), None, None)):
                    break
            time.sleep(0.1)
        store.close()

    def slowest_end(self, runs: list[Run]) -> float:
        """How long after the exit of its worker a run ended, at the most."""
        return self._slowest(runs, self.gone_at)

    def slowest_end_of_stopped(self, runs: list[Run]) -> float:
        """How long after its worker was stopped a run ended, at the most."""
        return self._slowest(runs, self.stopped_at)

    def _slowest(self, runs: list[Run], since: dict[int, list[float]]) -> float:
        waits = [0.0]
        for run in runs:
            pid = None if run.worker is None else _pid_of(run.worker)
            if pid is not None and run.run_id in self.ended_at:
                waits += [self.ended_at[run.run_id] - each for each in since.get(pid, ()) if each >= run.created_at]
        return max(waits)


def _pid_of(worker: str) -> int:
    """The process that a worker's name names: `PID-...` on SQLite, `HOST-PID-...` on Postgres."""
    return next(int(part) for part in worker.split("-") if part.isdigit())


@contextlib.contextmanager
def sqlite_place(folder: Path, chaos_disk: bool) -> Iterator[Place]:
    home = folder / "home"
    home.mkdir()
    mounted = chaos_disk and os.geteuid() == 0
    if mounted:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", home], check=True)

    def fill() -> None:
        filler = home / "filler"
        with contextlib.suppress(OSError), open(filler, "wb") as file:
            while True:
                file.write(b"x" * 1_000_000)
        time.sleep(1.0)
        filler.unlink(missing_ok=True)

    environment = {"SEGUE_HOME": str(home), "CHAOS_TRACE": str(folder / "trace"), "SEGUE_PARTITION_LOCKS": "allow"}
    try:
        yield Place(folder, environment, lambda: open_sqlite(home), fill if mounted else None)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", home], check=True)


@contextlib.contextmanager
def postgres_place(folder: Path) -> Iterator[Place]:
    home = folder / "home"
    home.mkdir()
    with postgres_server.server() as server:
        url = server.url("postgres")
        environment = {
            "SEGUE_HOME": str(home),
            "SEGUE_DATABASE": url,
            "CHAOS_TRACE": str(folder / "trace"),
            "SEGUE_PARTITION_LOCKS": "allow",
        }
        yield Place(folder, environment, lambda: open_postgres(url), server.crash)


def measure(options: Options) -> tuple[dict[str, Any], list[str]]:
    """Runs the chaos; gives back what was seen, and what does not hold."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-chaos-")))
        place = stack.enter_context(
            sqlite_place(folder, chaos_disk=True) if options.store == "sqlite" else postgres_place(folder)
        )
        store = place.open()
        store.set_claim_limit(pool_resource("scarce"), POOL_LIMIT)
        chaos = Chaos(options, place)
        began = time.monotonic()
        chaos.run_all()
        broken = list(facts.broken_rules(store))
        runs = list(store.list_runs(RunsFilter(), None, None))
        if chaos.most_held > POOL_LIMIT:
            broken.append(f"{chaos.most_held} slots of a pool of {POOL_LIMIT} were taken at once")
        slowest = chaos.slowest_end(runs)
        bound = GRACE if options.store == "sqlite" else LEASE_SECONDS + GRACE
        if slowest > bound:
            broken.append(f"a run ended {slowest:.1f} s after its worker; {bound} s are allowed")
        stopped = chaos.slowest_end_of_stopped(runs)
        if stopped > LEASE_SECONDS + GRACE:
            broken.append(
                f"a run ended {stopped:.1f} s after its worker was stopped; {LEASE_SECONDS + GRACE} s are allowed"
            )
        seen = {
            "seconds": round(time.monotonic() - began, 1),
            "processes": chaos.started,
            "recorded": len(runs),
            "by_status": Counter(run.status.value for run in runs),
            "hits": dict(chaos.hits),
            "most_slots_held": chaos.most_held,
            "slowest_end_after_exit": round(slowest, 2),
            "slowest_end_after_stop": round(stopped, 2),
            "broken": broken,
        }
        store.close()
        return seen, broken


def main(arguments: list[str]) -> int:
    """Measures, writes the result, and gives back the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=None, help="of what is done to whom; a new one by default")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--executor", choices=("in_process", "processes"), default="processes")
    parser.add_argument("--at-once", type=int, default=6, help="so many runs go on at once")
    parser.add_argument("--no-result", action="store_true", help="do not keep what was seen")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    options = Options(given.runs, seed, given.store, given.executor, given.at_once)
    seen, broken = measure(options)
    found = machine.describe(CHECKOUT, {"segue": sys.executable, "dagster": sys.executable})
    document = {**options._asdict(), **seen, "machine": found.values}
    print(json.dumps(document, indent=2))
    if not given.no_result:
        name = f"{datetime.now(UTC):%Y-%m-%d-%H%M}-chaos-{options.store}-{options.executor}.json"
        (HERE.parent / "results" / name).write_text(json.dumps(document, indent=2) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
