"""Schedules that are due on one second: how long until each tick is decided, and until each run is in the queue.

    .venv/bin/python bench/control/schedules.py [--schedules 10000] [--store sqlite|postgres] [--no-result]

The loop over schedules itself, on a store of its own, with schedules that need no user code. All ticks decided in 2 s and all runs
queued in 10 s are promised for 10,000. Postgres runs with the durability that it has by default.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent), str(CHECKOUT / "tests")]

import postgres_server  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above

import machine  # noqa: E402
import segue as sg  # noqa: E402
from segue.daemon.loop import Turn  # noqa: E402
from segue.daemon.schedules import Schedules  # noqa: E402
from segue.model.control_stores import LoopLease  # noqa: E402
from segue.model.run_records import RunsFilter  # noqa: E402
from segue.storage.opening import open_control, open_store  # noqa: E402
from segue.testing.locations import InProcessLocation  # noqa: E402

DECIDED_SECONDS, QUEUED_SECONDS = 2.0, 10.0
MIDNIGHT = datetime(2026, 11, 28, tzinfo=UTC).timestamp()


@contextlib.contextmanager
def place(store: str) -> Iterator[tuple[Path, str | None]]:
    with tempfile.TemporaryDirectory(prefix="segue-schedules-", dir=CHECKOUT / "bench") as name:
        if store == "sqlite":
            yield Path(name), None
            return
        with postgres_server.server(options=()) as server:
            yield Path(name), server.url("postgres")


class Counted:
    """A control store that says how long it was in `commit_ticks`: the rest of a round is deciding."""

    def __init__(self, control: Any) -> None:
        self._control = control
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._control, name)

    def commit_ticks(self, *given: Any) -> Any:
        began = time.perf_counter()
        try:
            return self._control.commit_ticks(*given)
        finally:
            self.seconds += time.perf_counter() - began


def measure(count: int, kind: str) -> dict[str, Any]:
    with place(kind) as (home, database):
        store = open_store(home, database)
        control: Any = Counted(open_control(store))
        asset = sg.asset(name="table")(lambda: None)
        job = sg.define_asset_job("job", [asset])
        schedules = [
            sg.ScheduleDefinition(
                name=f"each_{number}",
                job=job,
                cron_schedule="0 0 * * *",
                default_status=sg.DefaultScheduleStatus.RUNNING,
            )
            for number in range(count)
        ]
        definitions = sg.Definitions(assets=[asset], jobs=[job], schedules=schedules)
        location = InProcessLocation(definitions, sg.Instance(store, home / "values"), control)
        loop = Schedules(control, {"main": location})
        token = store.acquire_lease("loop/schedules", 3600.0)
        assert token is not None
        lease = LoopLease("loop/schedules", token)
        loop.round(Turn(MIDNIGHT - 60, lease, MIDNIGHT - 60))  # they run from then on
        began, cpu, rounds = time.perf_counter(), time.process_time(), 0
        control.seconds = 0.0
        following: float | None = MIDNIGHT
        while following is not None and following <= MIDNIGHT:
            following = loop.round(Turn(MIDNIGHT, lease, MIDNIGHT - 60))
            rounds += 1
        took = time.perf_counter() - began
        queued = store.count_runs(RunsFilter())
        store.close()
        return {
            "schedules": count,
            "store": kind,
            "runs_queued": queued,
            "rounds": rounds,
            "seconds_to_queue": round(took, 2),
            "seconds_to_decide": round(took - control.seconds, 2),
            "cpu_of_this_process": round(time.process_time() - cpu, 2),
        }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Many schedules that are due on one second.")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="postgres")
    parser.add_argument("--no-result", action="store_true", help="do not keep what was seen")
    given = parser.parse_args(arguments)
    seen = measure(given.schedules, given.store)
    wrong: list[str] = []
    if seen["runs_queued"] != given.schedules:
        wrong.append(f"{seen['runs_queued']} runs of {given.schedules} schedules")
    for what, bound in (("seconds_to_decide", DECIDED_SECONDS), ("seconds_to_queue", QUEUED_SECONDS)):
        if seen[what] > bound:
            wrong.append(f"{what}: {seen[what]}, and {bound:g} are promised for 10,000")
    print(json.dumps({**seen, "wrong": wrong}, indent=1))
    if not given.no_result:
        now = datetime.now(UTC)
        found = machine.describe(CHECKOUT, {"segue": sys.executable})
        document = {"date": now.isoformat(timespec="seconds"), "machine": found.values, "wrong": wrong, **seen}
        path = HERE.parent / "results" / f"{now:%Y-%m-%d-%H%M}-schedules-{given.store}.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"Written: {path.relative_to(CHECKOUT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
