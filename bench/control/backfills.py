"""A backfill of 100,000 partitions: how long until it is accepted and its first runs wait, and what all its planning costs.

    .venv/bin/python bench/control/backfills.py [--partitions 100000] [--keys hours|names] [--no-result]

`segue backfill create --all` asks for it, as a process of its own, on SQLite; the loop over backfills plans it, one run for each
partition. A backfill keeps at most 500 runs in the queue, so its planning is spread over its life: here each round is told that
the runs of the round before have ended well, and all rounds together are the planning. Writing runs down, and reading what they
made, is not planning, and is done once, for the first round. At most 5 s are promised from asking to the first runs, and for
all rounds of planning.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import findings

import segue as sg
from segue.daemon.backfills import Backfills
from segue.daemon.loop import Turn
from segue.decide.backfills.advance import UNFINISHED_AT_MOST, BackfillRun, EndedRun, advance
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.control_stores import LoopLease
from segue.model.graph import AssetGraph
from segue.model.partitions.subset import PartitionSubset
from segue.model.run_records import RunsFilter
from segue.storage.opening import open_control, open_store
from segue.testing.locations import InProcessLocation

BOUNDS = {"seconds_to_first_runs": 5.0, "seconds_to_plan_all": 5.0}
FIRST = datetime(2010, 1, 1, tzinfo=UTC)


def partitions(count: int, keys: str) -> sg.PartitionsDefinition:
    if keys == "names":
        return sg.StaticPartitionsDefinition([f"name_{number:06}" for number in range(count)])
    return sg.HourlyPartitionsDefinition(FIRST, end_date=FIRST + timedelta(hours=count))


def ended_well(run: BackfillRun, number: int) -> EndedRun:
    part = None if run.bounds is None else PartitionSubset((run.bounds,))
    return EndedRun(str(number), tuple(BackfillTarget(key, part) for key in run.assets))


def plan_all(backfill: Backfill, graph: AssetGraph, now: datetime) -> tuple[int, int]:
    """All rounds of planning, from the first; how many runs they asked for, and how many rounds there were."""
    ended: list[EndedRun] = []
    asked, rounds = 0, 0
    while not backfill.status.has_ended:
        planned = advance(backfill, graph, ended, 0, now)
        backfill = planned.backfill
        ended = [ended_well(run, asked + number) for number, run in enumerate(planned.runs)]
        asked, rounds = asked + len(planned.runs), rounds + 1
    assert backfill.status is BackfillStatus.COMPLETED_SUCCESS
    return asked, rounds


def measure(count: int, keys: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="segue-backfills-", dir=findings.BENCH) as name:
        home = Path(name)
        table = sg.asset(name="table", partitions_def=partitions(count, keys))(lambda: None)
        store = open_store(home)
        control = open_control(store)
        location = InProcessLocation(sg.Definitions(assets=[table]), sg.Instance(store, home / "values"), control)
        loop = Backfills(store, control, {"main": location})
        token = store.acquire_lease("loop/backfills", 3600.0)
        assert token is not None
        turn = Turn(time.time(), LoopLease("loop/backfills", token), time.time())

        command = (sys.executable, "-m", "segue", "backfill", "create", "--select", "table", "--all")
        environment = {**os.environ, "SEGUE_HOME": str(home)}
        began = time.perf_counter()
        subprocess.run(command, check=True, env=environment, cwd=home, stdout=subprocess.DEVNULL)
        accepted = time.perf_counter()
        loop.round(turn)
        queued = time.perf_counter()
        [backfill] = control.backfills(None, 10)
        assert backfill.runs == store.count_runs(RunsFilter()) == min(UNFINISHED_AT_MOST, count)

        graph = location.graph
        assert graph is not None
        fresh = Backfill(backfill_id="all", location="main", targets=backfill.targets)
        planning, cpu = time.perf_counter(), time.process_time()
        asked, rounds = plan_all(fresh, graph, datetime.fromtimestamp(turn.now, UTC))
        planned, cpu_planned = time.perf_counter(), time.process_time()
        assert asked == count
        store.close()
        return {
            "partitions": count,
            "keys": keys,
            "store": "sqlite",
            "seconds_to_accept": round(accepted - began, 2),
            "seconds_to_first_runs": round(queued - began, 2),
            "runs_planned": asked,
            "rounds": rounds,
            "seconds_to_plan_all": round(planned - planning, 2),
            "cpu_to_plan_all": round(cpu_planned - cpu, 2),
        }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="A backfill of many partitions.")
    parser.add_argument("--partitions", type=int, default=100_000)
    parser.add_argument("--keys", choices=("hours", "names"), default="hours", help="how the asset is cut")
    findings.add_option(parser)
    given = parser.parse_args(arguments)
    seen = measure(given.partitions, given.keys)
    return findings.end(f"backfills-{given.keys}", seen, findings.above(seen, BOUNDS), not given.no_result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
