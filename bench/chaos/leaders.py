"""Kill the leader of three control planes on Postgres at random moments, and show that nothing is lost or doubled.

    .venv/bin/python bench/chaos/leaders.py [--kills N] [--seed N]

What must hold is in `tests/system/control_facts.py`. What was seen is written to `bench/results/`, with the seed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent), str(CHECKOUT / "tests"), str(CHECKOUT / "tests" / "system")]

import postgres_server  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above
import replicas  # noqa: E402  # pyright: ignore[reportMissingImports] reason: found through the path above

import machine  # noqa: E402

LONGEST_TAKEOVER = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    began = time.monotonic()
    with postgres_server.server() as server, server.schema("leaders") as url:
        found = replicas.kill_leaders(url, options.kills, options.seed)
    took = found.took_over
    report = {
        "kills": options.kills,
        "seed": options.seed,
        "replicas": replicas.REPLICAS,
        "seconds": round(time.monotonic() - began, 1),
        "ticks": found.ticks,
        "runs": found.runs,
        "takeover_seconds": {
            "min": round(min(took), 2),
            "median": round(statistics.median(took), 2),
            "max": round(max(took), 2),
            "all": [round(each, 2) for each in took],
        },
        "nice": os.nice(0),
        "machine": machine.describe(CHECKOUT, {"segue": sys.executable}).values,
    }
    name = f"{datetime.now(UTC):%Y-%m-%d-%H%M}-chaos-leaders.json"
    target = CHECKOUT / "bench" / "results" / name
    target.write_text(json.dumps(report, indent=2) + "\n")
    print(f"{options.kills} leaders killed (seed {options.seed}): nothing lost, nothing doubled")
    print(
        f"{found.ticks} times decided, {found.runs} runs; takeover {statistics.median(took):.2f} s, at most {max(took):.2f} s"
    )
    print(f"-> {target.relative_to(CHECKOUT)}")
    if max(took) > LONGEST_TAKEOVER:
        sys.exit(f"A takeover took {max(took):.2f} s; {LONGEST_TAKEOVER:g} s are allowed.")


if __name__ == "__main__":
    main()
