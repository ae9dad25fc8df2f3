"""What a measurement of the control plane found: printed, and kept beside the machine and the commit it was made on."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent.parent
CHECKOUT = BENCH.parent
sys.path[:0] = [str(BENCH), str(CHECKOUT / "tests"), str(CHECKOUT / "tests" / "system")]

import machine  # noqa: E402


def add_option(parser: argparse.ArgumentParser) -> None:
    """The option that leaves no file behind."""
    parser.add_argument("--no-result", action="store_true", help="do not keep what was seen")


def above(seen: Mapping[str, Any], bounds: Mapping[str, float]) -> list[str]:
    """What took longer than was promised, in words."""
    return [
        f"{what}: {seen[what]}, and {bound:g} at most is promised"
        for what, bound in bounds.items()
        if seen[what] > bound
    ]


def spread(seconds: Sequence[float]) -> dict[str, float | int]:
    """How long something took that was done often."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 4)

    return {"count": len(ordered), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}


def end(name: str, seen: Mapping[str, Any], wrong: Sequence[str], keeps: bool) -> int:
    """Prints what was seen, keeps it if asked to, and gives the exit code."""
    print(json.dumps({**seen, "wrong": wrong}, indent=1))
    if keeps:
        now = datetime.now(UTC)
        found = machine.describe(CHECKOUT, {"segue": sys.executable})
        document = {"date": now.isoformat(timespec="seconds"), "machine": found.values, "wrong": wrong, **seen}
        path = BENCH / "results" / f"{now:%Y-%m-%d-%H%M}-{name}.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"Written: {path.relative_to(CHECKOUT)}")
    return 1 if wrong else 0
