"""A queue of 10,000 runs that drains: what reading it costs while many wait, and while few do.

    .venv/bin/python bench/control/waiting_runs.py [--runs 10000] [--store sqlite|postgres] [--no-result]

The runs are put in the queue by a backfill. The loop over the queue takes as many in a round as may be in progress; they end at
once, so that nothing but the queue is measured. A round reads at most a thousand waiting runs, and must not take longer for those
behind them: with 10,000 waiting at most 1.5 times the CPU of a round with 1,000. How many rows the database reads for a page is
what its own plan says.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import findings
import postgres_server  # pyright: ignore[reportMissingImports] reason: found through the path of findings

import segue as sg
from segue.daemon.backfills import Backfills
from segue.daemon.loop import Turn
from segue.daemon.queue import LOOK_AT, Queue
from segue.model.backfill import Backfill, BackfillTarget
from segue.model.control_stores import LoopLease
from segue.model.event import Event, RunStartData, RunSuccessData
from segue.model.partitions.subset import whole
from segue.model.queueing import QueueLimits
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.storage.opening import open_control, open_store
from segue.testing.locations import InProcessLocation

MOST_GROWTH = 1.5
WAITING = RunsFilter(statuses=(RunStatus.QUEUED,))


@contextlib.contextmanager
def place(store: str) -> Iterator[tuple[Path, str | None]]:
    with tempfile.TemporaryDirectory(prefix="segue-waiting-", dir=findings.BENCH) as name:
        if store == "sqlite":
            yield Path(name), None
            return
        with postgres_server.server(options=()) as server:
            yield Path(name), server.url("postgres")


class Timed:
    """A control store that says how long it was in `queued_runs`."""

    def __init__(self, control: Any) -> None:
        self._control = control
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._control, name)

    def queued_runs(self, *given: Any) -> Any:
        began = time.perf_counter()
        try:
            return self._control.queued_runs(*given)
        finally:
            self.seconds += time.perf_counter() - began


def measure(count: int, kind: str) -> dict[str, Any]:
    with place(kind) as (home, database):
        store = open_store(home, database)
        control = Timed(open_control(store))
        parts = sg.StaticPartitionsDefinition([f"name_{number:06}" for number in range(count)])
        table = sg.asset(name="table", partitions_def=parts)(lambda: None)
        location = InProcessLocation(sg.Definitions(assets=[table]), sg.Instance(store, home / "values"), control)
        leases: dict[str, LoopLease] = {}
        for name in ("loop/backfills", "loop/queue"):
            token = store.acquire_lease(name, 3600.0)
            assert token is not None
            leases[name] = LoopLease(name, token)
        everything = whole(parts, datetime.now(UTC))
        control.create_backfill(
            Backfill(
                backfill_id="all",
                location="main",
                targets=(BackfillTarget(table.key, everything),),
                max_concurrent=count,
                manifest_hash=location.state.manifest_hash,
            )
        )
        backfills = Backfills(store, control, {"main": location})
        while store.count_runs(WAITING) < count:
            backfills.round(Turn(time.time(), leases["loop/backfills"], time.time()))

        queue = Queue(store, control, {"main": location}, QueueLimits())
        rounds: list[tuple[int, float, float]] = []  # how many waited, seconds of reading, CPU of the round
        left, began = count, time.perf_counter()
        while left:
            control.seconds, cpu = 0.0, time.process_time()
            queue.round(Turn(time.time(), leases["loop/queue"], time.time()))
            queue.settle()
            rounds.append((left, control.seconds, time.process_time() - cpu))
            taken = list(location.launched)
            location.launched.clear()
            assert taken, f"nothing left the queue of {left}"
            left -= len(taken)
            now = time.time()
            store.append([Event(now, data(), run_id=each) for each in taken for data in (RunStartData, RunSuccessData)])
        took = time.perf_counter() - began
        assert store.count_runs(WAITING) == 0
        store.close()

        def among(low: int, high: int) -> dict[str, float]:
            some = [each for each in rounds if low <= each[0] <= high]
            return {
                "milliseconds_of_reading": round(median(each[1] for each in some) * 1000, 2),
                "cpu_milliseconds": round(median(each[2] for each in some) * 1000, 2),
            }

        return {
            "runs": count,
            "store": kind,
            "rounds": len(rounds),
            "seconds_to_drain": round(took, 2),
            "first_rounds": among(count - LOOK_AT // 2, count),
            "rounds_at_1000": among(LOOK_AT, LOOK_AT + LOOK_AT // 2),
            "rounds_at_100": among(1, 200),
        }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="A long queue that drains.")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    findings.add_option(parser)
    given = parser.parse_args(arguments)
    seen = measure(given.runs, given.store)
    growth = seen["first_rounds"]["cpu_milliseconds"] / seen["rounds_at_1000"]["cpu_milliseconds"]
    seen["growth"] = round(growth, 2)
    wrong = findings.above(seen, {"growth": MOST_GROWTH})
    return findings.end(f"waiting-runs-{given.store}", seen, wrong, not given.no_result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
