"""Code that changes under `segue dev`: how long until the new definitions are served.

    .venv/bin/python bench/control/reloads.py [--reloads 15] [--no-result]

A module with one more asset is written; the clock stops when the location says over the API that it has other definitions. The
module imports Segue and nothing else, so that the time is Segue's own: noticing the change, a new process, importing Segue,
describing the definitions, and letting them take over. At most 300 ms are promised, as the median.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import findings
from control_plane import (  # pyright: ignore[reportMissingImports] reason: found through the path of findings
    ControlPlane,
    control_plane,
)

BOUNDS = {"p50": 0.3}
BETWEEN_SECONDS = 0.5
ASSET = """
@sg.asset
def table_{number}():
    return {number}
"""


def write(folder: Path, assets: int) -> None:
    text = "import segue as sg\n" + "".join(ASSET.format(number=number) for number in range(assets))
    new = folder / "definitions.new"
    new.write_text(text)
    new.rename(folder / "definitions.py")  # as an editor does: nobody reads half of it


def manifest(plane: ControlPlane) -> str:
    [location] = plane.get("/api/locations").document
    return location["manifest_hash"]


def measure(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="segue-reloads-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        write(folder, 10)
        environment = {"SEGUE_HOME": str(folder / "home")}
        with control_plane(folder, "-f", "definitions.py", environment=environment) as plane:
            took: list[float] = []
            for number in range(count):
                time.sleep(BETWEEN_SECONDS)
                before = manifest(plane)
                began = time.perf_counter()
                write(folder, 11 + number)
                plane.wait_for(lambda before=before: manifest(plane) != before)
                took.append(time.perf_counter() - began)
        return findings.spread(took)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="How long until changed code is served.")
    parser.add_argument("--reloads", type=int, default=15)
    findings.add_option(parser)
    given = parser.parse_args(arguments)
    seen = measure(given.reloads)
    return findings.end("reloads", seen, findings.above(seen, BOUNDS), not given.no_result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
