"""Take the database away from a control plane for half a minute while runs go on, and show that it recovers by itself.

    .venv/bin/python bench/chaos/outages.py [--seconds N] [--outages N]

What must hold is in `tests/system/outage.py`: no time of a schedule and no request of a sensor lost or doubled, each run
made in the end, each loop says what was wrong. What was seen is written to `bench/results/`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent), str(CHECKOUT / "tests"), str(CHECKOUT / "tests" / "system")]

import outage  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above
import postgres_server  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above

import machine  # noqa: E402

LONGEST_RECOVERY = 10.0  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--outages", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    found: list[outage.Outage] = []
    with postgres_server.server() as server:
        for number in range(options.outages):
            with server.schema(f"outage{number}") as url, tempfile.TemporaryDirectory(prefix="segue-outage-") as folder:
                found.append(outage.go_through(Path(folder), server, url, options.seconds))
    report = {
        "seconds": round(time.monotonic() - began, 1),
        "outages": [
            {
                "away_seconds": round(each.away, 1),
                "ready_after_seconds": round(each.ready_after, 2),
                "decided_after_seconds": round(each.decided_after, 2),
                "ticks": each.ticks,
                "runs": each.runs,
                "given_up_and_tried_again": each.given_up,
                "said": each.said,
            }
            for each in found
        ],
        "nice": os.nice(0),
        "machine": machine.describe(CHECKOUT, {"segue": sys.executable}).values,
    }
    target = CHECKOUT / "bench" / "results" / f"{datetime.now(UTC):%Y-%m-%d-%H%M}-chaos-outages.json"
    target.write_text(json.dumps(report, indent=2) + "\n")
    for each in found:
        print(
            f"The database was away for {each.away:.1f} s: {each.ticks} times decided, {each.runs} runs, none lost or doubled; "
            f"{each.given_up} given up and tried again. Ready {each.ready_after:.2f} s after its return, the next time decided "
            f"after {each.decided_after:.2f} s."
        )
    print(f"-> {target.relative_to(CHECKOUT)}")
    longest = max(max(each.ready_after, each.decided_after) for each in found)
    if longest > LONGEST_RECOVERY:
        sys.exit(f"It took {longest:.2f} s to recover; {LONGEST_RECOVERY:g} s are allowed.")


if __name__ == "__main__":
    main()
