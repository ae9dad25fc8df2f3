"""All measurements of the control plane, one after the other; `make bench` does this behind its rows.

    .venv/bin/python bench/control/all.py

Takes about a quarter of an hour, of which ten minutes are runs that do nothing. Ends with 1 where something is not as promised.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASUREMENTS = (
    ("reloads",),
    ("replacement", "--store", "postgres"),
    ("schedules", "--store", "postgres"),
    ("backfills",),
    *(("waiting_runs", "--store", store) for store in ("sqlite", "postgres")),
    *(("starts", what, "--store", "postgres") for what in ("conditions", "sensors", "schedules")),
    ("throughput", "--seconds", "600"),
)


def main() -> int:
    missed: list[str] = []
    for name, *options in MEASUREMENTS:
        shown = " ".join((name, *options))
        print(f"== {shown}", flush=True)
        if subprocess.run([sys.executable, str(HERE / f"{name}.py"), *options]).returncode != 0:
            missed.append(shown)
    print(f"Not as promised: {', '.join(missed)}" if missed else "All as promised.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
