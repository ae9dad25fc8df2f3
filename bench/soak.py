"""Many processes that write to one home, and others that look: nothing is lost, nobody waits long, who looks slows nobody down.

    .venv/bin/python bench/soak.py [--writers 64] [--seconds 60] [--pollers 10] [--seed N] [--slack 1] [--no-write]

A third of the time the writers are alone, a third beside the pollers, a third alone again; what they wrote beside the pollers is
compared with what they wrote alone. Afterwards each event that a writer was told is recorded is looked for. Ends with 1 when a
bound is broken; `--slack 2` doubles the bounds, for machines with other work.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from machine import describe
from segue.model.event import (
    Event,
    LogMessageData,
    RunStartData,
    StepMaterializationData,
    StepStartData,
    StepSuccessData,
)
from segue.model.materialization import AssetMaterialization
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter
from segue.storage.sqlite import open_sqlite

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Barrier

BENCH = Path(__file__).resolve().parent
LONGEST_WAIT = 5.0  # seconds that one write may take
MOST_SLOWED = 0.2  # of the writes per second, by the pollers
START_SECONDS = 300.0  # for all processes to be there
SETTLE_SECONDS = 1.0  # between that and the first write
POLL_SECONDS = 1.0
PHASES = ("alone", "polled", "alone again")


class Starting(NamedTuple):
    """Has all begin at the same moment, when the last of them is there."""

    barrier: Barrier
    moment: Synchronized[float]

    def go(self) -> None:
        """Waits for all, and says when."""
        self.moment.value = 0.0
        self.barrier.wait(START_SECONDS)
        self.moment.value = time.time() + SETTLE_SECONDS
        self.barrier.wait(START_SECONDS)

    def wait(self) -> float:
        """Waits for all, then until the moment; gives it back, in seconds since 1970."""
        self.barrier.wait(START_SECONDS)
        self.barrier.wait(START_SECONDS)
        time.sleep(max(self.moment.value - time.time(), 0))
        return self.moment.value


def write(number: int, home: Path, starting: Starting, phase_seconds: float, seed: int, said: Queue[Any]) -> None:
    """A writer: steps of a run of its own, one transaction each, as fast as they go."""
    dice = random.Random(seed + number)
    store = open_sqlite(home)
    run_id = f"run-{number:03d}"
    written = [0] * len(PHASES)
    waits: list[float] = []
    errors: list[str] = []
    events = 1
    now = time.time()
    store.create_run(
        Run(run_id=run_id, job_name="soak", created_at=now), b"", b"", [Event(now, RunStartData(), None, run_id)]
    )
    begin = starting.wait()
    while (elapsed := time.time() - begin) < phase_seconds * len(PHASES):
        batch = _step(run_id, f"step_{events}", dice)
        began = time.perf_counter()
        try:
            store.append(batch)
        except Exception as error:  # noqa: BLE001 reason: what is counted here is whether there is any
            errors.append(f"{type(error).__name__}: {error}")
            continue
        waits.append(time.perf_counter() - began)
        written[int(elapsed / phase_seconds)] += 1
        events += len(batch)
    store.close()
    waits.sort()
    said.put(
        {
            "writer": number,
            "writes": written,
            "events": events,
            "errors": errors[:5],
            "error_count": len(errors),
            "wait_median": median(waits) if waits else None,
            "wait_99": waits[int(len(waits) * 0.99)] if waits else None,
            "wait_longest": waits[-1] if waits else None,
        }
    )


def _step(run_id: str, step: str, dice: random.Random) -> list[Event]:
    made = AssetMaterialization(f"asset_{dice.randrange(200)}", metadata={"rows": dice.randrange(10**6)})
    lines = [LogMessageData(20, "x" * dice.randrange(20, 200)) for _ in range(dice.randrange(1, 5))]
    payloads = [StepStartData(), *lines, StepMaterializationData(made), StepSuccessData(1.0)]
    return [Event(time.time(), payload, step, run_id) for payload in payloads]


def poll(number: int, home: Path, starting: Starting, phase_seconds: float, said: Queue[Any]) -> None:
    """A poller: what a page shows, once in a second while it is its turn."""
    store = open_sqlite(home)
    store.get_run("nobody")
    looks, longest, place = 0, 0.0, 0
    begin = starting.wait()
    time.sleep(max(begin + phase_seconds + number * POLL_SECONDS / 10 - time.time(), 0))
    while time.time() < begin + 2 * phase_seconds:
        began = time.perf_counter()
        store.list_runs(RunsFilter(), 25, None)
        store.asset_states(None)
        newest = store.events(EventFilter(ascending=False), 50)
        store.events(EventFilter(run_id=f"run-{number:03d}", after=place), 100)
        place = newest[-1].storage_id if newest else 0
        longest = max(longest, time.perf_counter() - began)
        looks += 1
        time.sleep(POLL_SECONDS)
    store.close()
    said.put({"poller": number, "looks": looks, "look_longest": longest})


def soak(home: Path, writers: int, pollers: int, seconds: float, seed: int) -> dict[str, Any]:
    """Runs all of it, and counts what is recorded in the end."""
    context = multiprocessing.get_context("spawn")
    said: Queue[Any] = context.Queue()
    store = open_sqlite(home)
    store.get_run("nobody")  # makes the database
    store.close()
    starting = Starting(context.Barrier(writers + pollers + 1), context.Value("d", 0.0))
    phase = seconds / len(PHASES)
    processes = [
        context.Process(target=write, args=(each, home, starting, phase, seed, said)) for each in range(writers)
    ]
    processes += [context.Process(target=poll, args=(each, home, starting, phase, said)) for each in range(pollers)]
    for process in processes:
        process.start()
    starting.go()
    answers: list[dict[str, Any]] = [said.get(timeout=seconds * 3 + 120) for _ in processes]
    for process in processes:
        process.join()
    wrote = sorted((each for each in answers if "writer" in each), key=lambda each: each["writer"])
    looked = sorted((each for each in answers if "poller" in each), key=lambda each: each["poller"])
    with_id = {
        each["writer"]: len(store.events(EventFilter(run_id=f"run-{each['writer']:03d}"), None)) for each in wrote
    }
    lost = sum(each["events"] - with_id[each["writer"]] for each in wrote)
    store.close()
    return {
        "writers": wrote,
        "pollers": looked,
        "lost_events": lost,
        "seconds": seconds,
        "seed": seed,
    }


def judged(found: Mapping[str, Any], slack: float) -> tuple[list[str], list[str]]:
    """The lines to show, and what is wrong."""
    writers = found["writers"]
    by_phase = [sum(each["writes"][phase] for each in writers) for phase in range(len(PHASES))]
    seconds = found["seconds"] / len(PHASES)
    alone = (by_phase[0] + by_phase[2]) / 2
    slowed = 1 - by_phase[1] / alone if alone else 1.0
    longest = max((each["wait_longest"] or 0.0 for each in writers), default=0.0)
    errors = sum(each["error_count"] for each in writers)
    events = sum(each["events"] for each in writers)
    lines = [
        f"{len(writers)} writers for {found['seconds']:g} s, {len(found['pollers'])} pollers, seed {found['seed']}",
        f"writes per second: {', '.join(f'{name} {n / seconds:.0f}' for name, n in zip(PHASES, by_phase, strict=True))}",
        f"events: {events:,}, lost: {found['lost_events']}, errors: {errors}",
        f"longest wait of a write: {longest:.2f} s; slowed by those who look: {slowed:.1%}",
    ]
    wrong: list[str] = []
    if errors:
        wrong.append(f"{errors} errors, the first: {next(each['errors'][0] for each in writers if each['errors'])}")
    if found["lost_events"]:
        wrong.append(f"{found['lost_events']} events were said to be recorded and are not")
    if longest > LONGEST_WAIT * slack:
        wrong.append(f"a write waited for {longest:.1f} s, and {LONGEST_WAIT * slack:g} s are allowed")
    if slowed > MOST_SLOWED * slack:
        wrong.append(f"pollers slow the writers down by {slowed:.0%}, and {MOST_SLOWED * slack:.0%} are allowed")
    return lines, wrong


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Many processes on one home.")
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--pollers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--slack", type=float, default=1.0, help="by how much the bounds are widened")
    parser.add_argument("--no-write", action="store_true", help="keep no result in bench/results")
    options = parser.parse_args(arguments)
    seed = random.randrange(10**6) if options.seed is None else options.seed
    work = BENCH / ".work"
    work.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=work))
    try:
        found = soak(folder / "home", options.writers, options.pollers, options.seconds, seed)
    finally:
        shutil.rmtree(folder)
    facts = describe(BENCH.parent, {"segue": sys.executable})
    lines, wrong = judged(found, options.slack)
    print("\n".join([facts.text, "", *lines, *(f"NOT MET: {each}" for each in wrong)]))
    if not options.no_write:
        now = datetime.now(UTC)
        path = BENCH / "results" / f"{now:%Y-%m-%d-%H%M}-soak.json"
        document = {
            "date": now.isoformat(timespec="seconds"),
            **facts.values,
            "summary": lines,
            "wrong": wrong,
            **found,
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"\nWritten: {path}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
