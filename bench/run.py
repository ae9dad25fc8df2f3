"""Measure Segue beside Dagster: the same code on both, in turns, and the ratio against the budget.

    .venv/bin/python bench/run.py [--only ROW ...] [--runs N] [--quick]

Dagster comes from PyPI into bench/.venv-dagster, an environment of its own. bench/README.md says how to read the table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from machine import describe
from old_log import old_home

BENCH = Path(__file__).resolve().parent
DAGSTER_ENVIRONMENT = BENCH / ".venv-dagster"
DAGSTER_PYTHON = DAGSTER_ENVIRONMENT / "bin" / "python"
TIMEOUT = 1_800


MEMORY = "server"  # what a row is per that measures bytes in place of seconds


class Row(NamedTuple):
    """A line of the table.

    `budget` is how many times less than Dagster it must take by the clock that counts: `cpu` or `seconds` (wall clock).
    `quick` is the size for --quick, None where the size is fixed.
    """

    name: str
    title: str
    workload: str
    budget: float
    measure: str = "seconds"
    unit: str = "step"
    quick: int | None = None


class Sample(NamedTuple):
    """What one process measured, per thing (step, run, key, load), in seconds."""

    seconds: float
    cpu: float


class Pair(NamedTuple):
    segue: Sample
    dagster: Sample


class WorkloadError(Exception):
    """A workload did not end well; the message names the library and the last line of what it said."""


ROWS = [
    Row("import", "bare import", "import_bare", 20, "cpu", "import"),
    Row("import-names", "import, most used names", "import_names", 8, "cpu", "import"),
    Row("import-config", "import, Config and ConfigurableResource", "import_config", 4, "cpu", "import"),
    Row("chain-memory", "chain of 100 assets in memory", "chain_memory", 50),
    Row("chain-stored", "chain of 100 assets, SQLite and files", "chain_stored", 60),
    Row("independent", "1,000 independent assets, SQLite and files", "independent_stored", 50, quick=100),
    Row("load", "10,000 assets: declare, resolve, plan", "load_assets", 10, unit="asset", quick=1_000),
    Row("hourly-keys", "175,320 hourly partition keys listed", "hourly_keys", 10, unit="key"),
    Row("fan-out", "a fan-out of 1,000 steps in one process, gathered again, SQLite", "fan_out", 50, quick=20),
    Row("processes", "a fan-out, each step in a process of its own, two at a time", "process_steps", 100, quick=20),
    Row("single-events", "1,000 events reported one by one, SQLite", "single_events", 30, unit="event", quick=50),
    Row("dev-ready", "segue dev, from its start until a run can be asked for", "dev_ready", 8, unit="start"),
    Row("dev-launch", "a run asked for over the API, until the first line of its code", "dev_launch", 60, unit="run"),
    Row("dev-memory", "what the processes of segue dev hold (PSS)", "dev_memory", 4, unit=MEMORY),
    Row("partition-runs", "200 runs of one partition in one process", "partition_runs", 60, unit="run", quick=20),
]
GROWTH_LIMIT = 11  # 100,000 assets may take at most this many times what 10,000 take
GROWTH_SIZES = (10_000, 100_000)
OLD_EVENTS = 10_000_000
OLD_LIMIT = 1.2  # a step on a log with so many events may take at most this many times what it takes on an empty one
FULL_LIMIT = 1.2  # an event that survives a power failure, against a commit of the same rows by SQLite alone
MEMORY_LIMIT = 110e6 / 6  # bytes for each step that has a process of its own; with Dagster it is 110 MB
AUTOMATION_LIMIT = 1.0  # seconds for an evaluation of conditions after 100 of 10,000 assets were made
IS_QUICK = {"worker-memory"}  # of those of Segue alone, what --quick runs


def main(arguments: list[str]) -> int:
    alone = {
        "growth": growth,
        "old-events": old_events,
        "single-events-full": single_events_full,
        "worker-memory": worker_memory,
        "automation-scale": automation_scale,
    }
    names = [row.name for row in ROWS] + list(alone)
    parser = argparse.ArgumentParser(description="Measure Segue beside Dagster.")
    parser.add_argument("--only", action="append", choices=names, help="this row only; may be given more than once")
    parser.add_argument("--runs", type=int, default=5, help="pairs per row after one that does not count (default 5)")
    parser.add_argument("--quick", action="store_true", help="one pair and small sizes, to see that it works")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    pairs = 1 if options.quick else options.runs
    chosen = options.only or names
    install_dagster()
    facts = describe(BENCH.parent, {"segue": sys.executable, "dagster": str(DAGSTER_PYTHON)})
    lines = [facts.text, "", HEADER]
    print("\n".join(lines))
    results: list[dict[str, object]] = []
    for row in ROWS:
        if row.name in chosen:
            line, result = measured_row(row, pairs, options.quick)
            lines.append(line)
            results.append(result)
            print(line, flush=True)
    for name, measured in alone.items():
        if name in chosen and (name in IS_QUICK or not options.quick):
            line, result = measured(pairs)
            lines.append(line)
            results.append(result)
            print(line, flush=True)
    if options.quick:
        print("\n--quick: sizes are too small for the budget to mean anything; nothing was written.")
    else:
        print(f"\nWritten: {write(chosen if options.only else ['all'], facts.values, results, lines)}")
    return 0 if all(result["met"] for result in results) or options.quick else 1


HEADER = (
    f"{'row':<16}{'Segue':>11}{'Dagster':>11}  per     {'ratio':>6} (min to max)      {'budget':>6}  {'':<9}other clock"
)


def measured_row(row: Row, pairs: int, quick: bool) -> tuple[str, dict[str, object]]:
    """The line of the table, and all samples for the file."""
    size = row.quick if quick else None
    try:
        samples = [
            Pair(measure(row.workload, "segue", size), measure(row.workload, "dagster", size))
            for _ in range(pairs if quick else pairs + 1)
        ]
    except WorkloadError as error:
        return f"{row.name:<16}{error}", {"row": row.name, "met": False, "error": str(error)}
    counted = samples if quick else samples[1:]  # the first pair fills caches of files and byte code
    other = "cpu" if row.measure == "seconds" else "seconds"
    ratios = ratios_by(counted, row.measure)
    ratio = median(ratios)
    met = ratio >= row.budget
    other_clock = f"{'cpu' if other == 'cpu' else 'wall'} {median(ratios_by(counted, other)):.1f}"
    spread = f"({min(ratios):.1f} to {max(ratios):.1f})"
    shown = megabytes if row.unit == MEMORY else readable
    line = (
        f"{row.name:<16}{shown(typical(counted, 'segue', row.measure)):>11}"
        f"{shown(typical(counted, 'dagster', row.measure)):>11}  {row.unit:<8}{ratio:>6.1f} {spread:<18}"
        f"{row.budget:>6g}  {'met' if met else 'NOT MET':<9}{other_clock}"
    )
    result = {
        "row": row.name,
        "title": row.title,
        "measure": row.measure,
        "per": row.unit,
        "ratio": {"median": ratio, "min": min(ratios), "max": max(ratios)},
        "budget": row.budget,
        "met": met,
        "pairs": [{side: getattr(pair, side)._asdict() for side in Pair._fields} for pair in counted],
    }
    return line, result


def growth(pairs: int) -> tuple[str, dict[str, object]]:
    """Whether loading ten times the assets takes about ten times as long; Segue alone."""
    small, large = GROWTH_SIZES
    try:
        # In turns, as the machine is faster at one time than at another; what is measured is per asset.
        found = [
            tuple(measure("load_assets", "segue", count).seconds * count for count in (small, large))
            for _ in range(pairs + 1)
        ][1:]
    except WorkloadError as error:
        return f"{'growth':<16}{error}", {"row": "growth", "met": False, "error": str(error)}
    ratios = [long / short for short, long in found]
    times = median(ratios)
    met = times <= GROWTH_LIMIT
    line = (
        f"{'growth':<16}loading {large:,} assets takes {times:.1f} times as long as {small:,} "
        f"({min(ratios):.1f} to {max(ratios):.1f}); limit {GROWTH_LIMIT}: {'met' if met else 'NOT MET'}"
    )
    return line, {"row": "growth", "times": times, "limit": GROWTH_LIMIT, "met": met, "pairs": found}


def old_events(pairs: int) -> tuple[str, dict[str, object]]:
    """Whether a step takes as long on a log with ten million events as on an empty one; Segue alone."""
    home = {"BENCH_HOME": str(old_home(OLD_EVENTS))}
    try:
        # In each process runs on both logs take turns, as other work on the machine comes and goes.
        found = [run_workload("chain_on_old_log", "segue", None, home)["pairs"] for _ in range(pairs)]
    except WorkloadError as error:
        return f"{'old-events':<16}{error}", {"row": "old-events", "met": False, "error": str(error)}
    samples: list[tuple[float, float]] = [(old, empty) for each in found for old, empty in each]
    times = median(old / empty for old, empty in samples)
    met = times <= OLD_LIMIT
    line = (
        f"{'old-events':<16}a step with {OLD_EVENTS:,} old events takes {readable(median(old for old, _ in samples))}, "
        f"{times:.2f} times as long as on an empty log; limit {OLD_LIMIT}: {'met' if met else 'NOT MET'}"
    )
    return line, {"row": "old-events", "times": times, "limit": OLD_LIMIT, "met": met, "pairs": samples}


def single_events_full(pairs: int) -> tuple[str, dict[str, object]]:
    """How much longer an event takes that survives a power failure than what SQLite alone takes for its rows."""
    try:
        found = [run_workload("single_events_full", "segue", None, {}) for _ in range(pairs + 1)][1:]
    except WorkloadError as error:
        return f"{'single-events-full':<16}{error}", {"row": "single-events-full", "met": False, "error": str(error)}
    times = median(each["seconds"] / each["raw_seconds"] for each in found)
    met = times <= FULL_LIMIT
    line = (
        f"{'single-events-full':<16} an event takes {readable(median(each['seconds'] / each['count'] for each in found))}, "
        f"{times:.2f} times as long as the commit of its rows; limit {FULL_LIMIT}: {'met' if met else 'NOT MET'}"
    )
    return line, {"row": "single-events-full", "times": times, "limit": FULL_LIMIT, "met": met, "samples": found}


def worker_memory(pairs: int) -> tuple[str, dict[str, object]]:
    """The memory of a step in a process of its own while four are alive, with its share of what they share; Segue alone."""
    try:
        found = [run_workload("worker_memory", "segue", None, {}) for _ in range(pairs)]
    except WorkloadError as error:
        return f"{'worker-memory':<16}{error}", {"row": "worker-memory", "met": False, "error": str(error)}
    most = median(max(each["steps"]) for each in found)
    zygote = median(each["zygote"] for each in found)
    met = most <= MEMORY_LIMIT
    line = (
        f"{'worker-memory':<16}a step in its own process takes {most / 1e6:.1f} MB with 4 alive (the zygote "
        f"{zygote / 1e6:.1f} MB); limit {MEMORY_LIMIT / 1e6:.1f} MB: {'met' if met else 'NOT MET'}"
    )
    return line, {"row": "worker-memory", "bytes": most, "limit": MEMORY_LIMIT, "met": met, "samples": found}


def automation_scale(pairs: int) -> tuple[str, dict[str, object]]:
    """The CPU time that conditions of 10,000 assets with 2,000 partitions each take after 100 were made; Segue alone."""
    name = "automation-scale"
    try:
        found = [run_workload("automation_scale", "segue", None, {}) for _ in range(min(pairs, 2))]
    except WorkloadError as error:
        return f"{name:<16}{error}", {"row": name, "met": False, "error": str(error)}
    taken = median(each["cpu"] for each in found)  # of one process that waits for nothing
    wall, nothing = (median(each[clock] for each in found) for clock in ("seconds", "nothing_cpu"))
    met = taken <= AUTOMATION_LIMIT
    line = (
        f"{name:<16} after 100 of 10,000 assets were made {readable(taken)} (wall {readable(wall)}), "
        f"after nothing was {readable(nothing)}; limit {AUTOMATION_LIMIT:g} s: {'met' if met else 'NOT MET'}"
    )
    return line, {"row": name, "seconds": taken, "limit": AUTOMATION_LIMIT, "met": met, "samples": found}


def measure(workload: str, library: str, size: int | None, more: Mapping[str, str] | None = None) -> Sample:
    """One process: the workload with this library, in a new empty folder on the disk of the checkout."""
    found = run_workload(workload, library, size, more or {})
    return Sample(found["seconds"] / found["count"], found["cpu"] / found["count"])


def run_workload(workload: str, library: str, size: int | None, more: Mapping[str, str]) -> dict[str, Any]:
    """What a workload says in the end; `more` is for its environment."""
    work = BENCH / ".work"
    work.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp(dir=work)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SEGUE_", "DAGSTER_"))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # both are measured with byte code, as installed
    environment |= {"BENCH_LIBRARY": library, "BENCH_FOLDER": folder, "DAGSTER_DISABLE_TELEMETRY": "yes", **more}
    if size is not None:
        environment["BENCH_SIZE"] = str(size)
    python = sys.executable if library == "segue" else str(DAGSTER_PYTHON)
    script = BENCH / "workloads" / f"{workload}.py"
    try:
        with (Path(folder) / "errors.txt").open("w+") as errors:
            done = subprocess.run(
                [python, str(script)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
                timeout=TIMEOUT,
                cwd=folder,
            )
            if done.returncode:
                errors.seek(0)
                said = [line.strip() for line in errors if line.strip()] or ["nothing"]
                raise WorkloadError(f"{library} failed with exit code {done.returncode}: {said[-1]}")
    except subprocess.TimeoutExpired:
        raise WorkloadError(f"{library} did not end within {TIMEOUT} s") from None
    finally:
        shutil.rmtree(folder)
    return json.loads(done.stdout.strip().splitlines()[-1])


def ratios_by(pairs: list[Pair], clock: str) -> list[float]:
    """How many times longer Dagster took, pair by pair: both ran right after each other."""
    return [getattr(pair.dagster, clock) / getattr(pair.segue, clock) for pair in pairs]


def typical(pairs: list[Pair], side: str, clock: str) -> float:
    return median(getattr(getattr(pair, side), clock) for pair in pairs)


def readable(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def megabytes(count: float) -> str:
    return f"{count / 1e6:.0f} MB"


def install_dagster() -> None:
    """Dagster in the version of dagster.txt, in its own environment with the Python that runs this."""
    wanted = (BENCH / "dagster.txt").read_text()
    marker = DAGSTER_ENVIRONMENT / "installed.txt"
    stamp = f"{sys.version}\n{wanted}"
    if marker.exists() and marker.read_text() == stamp:
        return
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise SystemExit("uv is not installed; it makes the environment for Dagster: pip install uv")
    print(f"Installing {wanted.strip()} into {DAGSTER_ENVIRONMENT}", flush=True)
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(DAGSTER_ENVIRONMENT)], check=True)
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(DAGSTER_PYTHON)]
    subprocess.run([*install, "-r", str(BENCH / "dagster.txt")], check=True)
    marker.write_text(stamp)


def write(names: list[str], facts: dict[str, object], results: list[dict[str, object]], lines: list[str]) -> Path:
    """The result as data and as text; the path of the text."""
    now = datetime.now(UTC)
    path = BENCH / "results" / f"{now:%Y-%m-%d-%H%M}-{'-'.join(names)}"
    path.parent.mkdir(exist_ok=True)
    document = {"date": now.isoformat(timespec="seconds"), **facts, "rows": results}
    path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.with_suffix(".txt")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
