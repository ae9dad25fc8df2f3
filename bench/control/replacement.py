"""A code location that is replaced while runs are asked for, ten in a second: no request and no run may fail.

    .venv/bin/python bench/control/replacement.py [--seconds 20] [--per-second 10] [--between 2] [--store sqlite|postgres]

Each replacement loads the code in a new process beside the old one, which ends what it has begun. The long form is `--seconds 600`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent), str(CHECKOUT / "tests"), str(CHECKOUT / "tests" / "system")]

import postgres_server  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above
from control_plane import control_plane  # noqa: E402  # pyright: ignore[reportMissingImports]

import machine  # noqa: E402
from segue.model.run_records import RunsFilter  # noqa: E402
from segue.storage.opening import open_store  # noqa: E402

ASSETS = 50  # runs of one asset wait for each other
DEFINITIONS = f"""
import os
import segue as sg


def asset(name):
    @sg.asset(name=name)
    def made():
        with open("zygotes", "a") as file:
            file.write(f"{{os.getppid()}}\\n")

    return made


assets = [asset(f"asset_{{number}}") for number in range({ASSETS})]
defs = sg.Definitions(assets=assets)
"""


def measure(seconds: float, per_second: float, between: float, kind: str) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-replacement-")))
        (folder / "definitions.py").write_text(DEFINITIONS)
        (folder / "home").mkdir()
        environment = {"SEGUE_HOME": str(folder / "home")}
        database = None
        if kind == "postgres":
            database = stack.enter_context(postgres_server.server(options=())).url("postgres")
            environment["SEGUE_DATABASE"] = database
        arguments = ("-f", "definitions.py")
        plane = stack.enter_context(control_plane(folder, *arguments, command="serve", environment=environment))
        [location] = plane.get("/api/locations").document
        run_ids: list[str] = []
        began, replaced = time.monotonic(), 0
        while (at := time.monotonic() - began) < seconds:
            if at >= (replaced + 1) * between:
                assert plane.post(f"/api/locations/{location['name']}/reload", {}).status == 202
                replaced += 1
            run_ids.append(plane.start_run(assets=[f"asset_{len(run_ids) % ASSETS}"]))
            time.sleep(max(began + len(run_ids) / per_second - time.monotonic(), 0.0))
        took = time.monotonic() - began
        for run_id in run_ids:
            plane.ended(run_id)
        store = open_store(folder / "home", database)
        ends = Counter(run.status.value for run in store.list_runs(RunsFilter(), None, None))
        store.close()
        return {
            "store": kind,
            "seconds": round(took, 1),
            "runs": len(run_ids),
            "runs_per_second": round(len(run_ids) / took, 1),
            "replacements_asked_for": replaced,
            "processes_that_had_the_code": len(set((folder / "zygotes").read_text().split())),
            "ends": dict(ends),
        }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="A code location replaced again and again, under runs.")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--per-second", type=float, default=10.0)
    parser.add_argument("--between", type=float, default=2.0, help="seconds from one replacement to the next")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--no-result", action="store_true", help="do not keep what was seen")
    given = parser.parse_args(arguments)
    seen = measure(given.seconds, given.per_second, given.between, given.store)
    wrong = [] if seen["ends"] == {"SUCCESS": seen["runs"]} else [f"of {seen['runs']} runs ended {seen['ends']}"]
    print(json.dumps({**seen, "wrong": wrong}, indent=1))
    if not given.no_result:
        now = datetime.now(UTC)
        found = machine.describe(CHECKOUT, {"segue": sys.executable})
        document = {"date": now.isoformat(timespec="seconds"), "machine": found.values, "wrong": wrong, **seen}
        path = HERE.parent / "results" / f"{now:%Y-%m-%d-%H%M}-replacement-{given.store}.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"Written: {path.relative_to(CHECKOUT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
