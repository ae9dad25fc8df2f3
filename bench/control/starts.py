"""From what happened to the run that answers it: how long until that run begins.

    .venv/bin/python bench/control/starts.py sensors|schedules|conditions [--times 50] [--store sqlite|postgres] [--no-result]

`segue serve` runs with all its defaults. All times come out of the event log, where each process writes the clock of the one
machine: a run has begun when its own process has recorded that, just before the first line of user code.

sensors: 1,000 sensors that are asked every 30 s, and 25 asset sensors and 25 run status sensors. Events are recorded one after the
    other all through two such rounds, half of them materializations that somebody reports and half the success of runs that were
    asked for; each event is answered by one sensor with one run. p95 below 1 s is promised.
schedules: 1,000 schedules, of which one is due each second, and the others at midnight. p99 below 0.5 s is promised.
conditions: assets with `AutomationCondition.eager()`, each below an asset that is made; from that materialization. The median below
    0.2 s is promised.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import findings
import postgres_server  # pyright: ignore[reportMissingImports] reason: found through the path of findings
from control_plane import (  # pyright: ignore[reportMissingImports] reason: as above
    ControlPlane,
    control_plane,
)

import segue as sg
from segue.model.event import EventType
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.storage.opening import open_control, open_store

POLLING, EVENT_SENSORS, SCHEDULES, PAIRS = 1_000, 50, 1_000, 50
INTERVAL = 30.0
BOUNDS = {"sensors": {"p95": 1.0}, "schedules": {"p99": 0.5}, "conditions": {"p50": 0.2}}
DEFINITIONS = f"""
import segue as sg

RUNNING = sg.DefaultSensorStatus.RUNNING


def asset(name, **given):
    @sg.asset(name=name, **given)
    def made(): ...

    return made


def job(name, asset):
    return sg.define_asset_job(name, [asset])


def polling(number):
    @sg.sensor(name=f"polling_{{number}}", minimum_interval_seconds=30, default_status=RUNNING, job_name="answer_0")
    def ask():
        return sg.SkipReason("nothing new")

    return ask


def of_asset(number):
    @sg.asset_sensor(
        asset_key=sg.AssetKey(f"source_{{number}}"), name=f"asset_{{number}}", job_name=f"answer_{{number}}", default_status=RUNNING
    )
    def follow(context, event):
        return sg.RunRequest()

    return follow


def of_run(number, jobs):
    @sg.run_status_sensor(
        name=f"run_{{number}}",
        run_status=sg.RunStatus.SUCCESS,
        monitored_jobs=[jobs[f"source_job_{{number}}"]],
        request_job=jobs[f"answer_{{number}}"],
        default_status=RUNNING,
    )
    def follow(context):
        return sg.RunRequest()

    return follow


def sensors():
    sources = [asset(f"source_{{number}}") for number in range({EVENT_SENSORS})]
    answers = [asset(f"made_{{number}}") for number in range({EVENT_SENSORS})]
    jobs = {{}}
    for number in range({EVENT_SENSORS}):
        jobs[f"source_job_{{number}}"] = job(f"source_job_{{number}}", sources[number])
        jobs[f"answer_{{number}}"] = job(f"answer_{{number}}", answers[number])
    following = [of_run(each, jobs) if each % 2 else of_asset(each) for each in range({EVENT_SENSORS})]
    asked = [polling(each) for each in range({POLLING})]
    return sg.Definitions(assets=[*sources, *answers], jobs=list(jobs.values()), sensors=[*following, *asked])


def schedules():
    table = asset("table")
    made = job("job", table)
    crons = ["* * * * * *", *["0 0 * * *"] * {SCHEDULES - 1}]
    return sg.Definitions(
        assets=[table],
        jobs=[made],
        schedules=[
            sg.ScheduleDefinition(
                name=f"each_{{number}}", job=made, cron_schedule=cron, default_status=sg.DefaultScheduleStatus.RUNNING
            )
            for number, cron in enumerate(crons)
        ],
    )


def conditions():
    above = [asset(f"above_{{number}}") for number in range({PAIRS})]
    eager = sg.AutomationCondition.eager()
    below = [asset(f"below_{{number}}", deps=[each], automation_condition=eager) for number, each in enumerate(above)]
    return sg.Definitions(
        assets=[*above, *below],
        sensors=[sg.AutomationConditionSensorDefinition("conditions", target="*", default_status=RUNNING)],
    )
"""


def happened(store: Store, run_id: str, kind: EventType) -> float:
    """When an event of a run was recorded."""
    [record] = store.events(EventFilter(run_id=run_id, types=(kind,)), 1)
    return record.timestamp


def runs_of(store: Store, asset: str) -> list[str]:
    """The runs that make an asset, oldest first."""
    key = sg.AssetKey(asset)
    found = store.list_runs(RunsFilter(statuses=(RunStatus.SUCCESS,)), None, None)
    return [run.run_id for run in reversed(found) if key in run.asset_selection]


def spaced(times: int, between: float, action: Callable[[int], None]) -> None:
    began = time.monotonic()
    for number in range(times):
        time.sleep(max(began + number * between - time.monotonic(), 0.0))
        action(number)


def wait_for_answers(plane: ControlPlane, store: Store, asset: str, times: int) -> list[str]:
    plane.wait_for(lambda: len(runs_of(store, asset)) >= times)
    found = runs_of(store, asset)
    assert len(found) == times, f"{len(found)} runs made {asset} for {times} events"
    return found


def measure_sensors(plane: ControlPlane, store: Store, instance: sg.Instance, times: int) -> list[float]:
    reported: dict[int, list[float]] = {each: [] for each in range(EVENT_SENSORS)}
    asked: dict[int, list[str]] = {each: [] for each in range(EVENT_SENSORS)}

    def one(number: int) -> None:
        which = number % EVENT_SENSORS
        if which % 2:
            asked[which].append(plane.start_run(job=f"source_job_{which}"))
        else:
            reported[which].append(time.time())
            instance.report_runless_asset_event(sg.AssetMaterialization(f"source_{which}"))

    time.sleep(5.0)  # the first round of a thousand, all at once, and what is only done once
    spaced(times, 2 * INTERVAL / times, one)
    took: list[float] = []
    for which in range(min(EVENT_SENSORS, times)):
        events = reported[which] or [
            happened(store, plane.ended(each)["run_id"], EventType.RUN_SUCCESS) for each in asked[which]
        ]
        answers = wait_for_answers(plane, store, f"made_{which}", len(events))
        begun = [happened(store, each, EventType.RUN_START) for each in answers]
        took += [end - begin for begin, end in zip(events, begun, strict=True)]
    asked_at = {which.name: state.last_tick_at for which, state in open_control(store).instigator_states().items()}
    late = [
        name for name, at in asked_at.items() if name.startswith("polling") and (at or 0.0) < time.time() - 2 * INTERVAL
    ]
    assert not late, f"{len(late)} sensors were not asked for so long"
    return took


def measure_schedules(plane: ControlPlane, store: Store, _instance: sg.Instance, times: int) -> list[float]:
    time.sleep(times + 3.0)
    ticks = open_control(store).ticks(InstigatorId("definitions", InstigatorKind.SCHEDULE, "each_0"), times)
    plane.wait_for(lambda: all(plane.ended(run_id) for each in ticks for run_id in each.tick.run_ids))
    took: list[float] = []
    for each in ticks:
        assert each.tick.scheduled_at is not None
        [run_id] = each.tick.run_ids
        took.append(happened(store, run_id, EventType.RUN_START) - each.tick.scheduled_at)
    due = sorted(each.tick.scheduled_at or 0.0 for each in ticks)
    assert due == [due[0] + number for number in range(times)], "a second is missing, or there twice"
    return took


def measure_conditions(plane: ControlPlane, store: Store, _instance: sg.Instance, times: int) -> list[float]:
    asked: list[str] = []
    time.sleep(3.0)
    spaced(times, 0.5, lambda number: asked.append(plane.start_run(assets=[f"above_{number % PAIRS}"])))
    took: list[float] = []
    for number, run_id in enumerate(asked):
        plane.ended(run_id)
        answers = wait_for_answers(plane, store, f"below_{number % PAIRS}", len(range(number % PAIRS, times, PAIRS)))
        made = happened(store, run_id, EventType.ASSET_MATERIALIZATION)
        took.append(happened(store, answers[number // PAIRS], EventType.RUN_START) - made)
    return took


MEASURES = {"sensors": measure_sensors, "schedules": measure_schedules, "conditions": measure_conditions}


def measure(what: str, times: int, kind: str) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-starts-")))
        (folder / "definitions.py").write_text(f"{DEFINITIONS}\n\ndefs = {what}()\n")
        home, database = folder / "home", None
        home.mkdir()
        environment = {"SEGUE_HOME": str(home)}
        if kind == "postgres":
            database = stack.enter_context(postgres_server.server(options=())).url("postgres")
            environment["SEGUE_DATABASE"] = database
        plane = stack.enter_context(
            control_plane(folder, "-f", "definitions.py", command="serve", environment=environment)
        )
        store = open_store(home, database)
        stack.callback(store.close)
        took = MEASURES[what](plane, store, sg.Instance(store, home / "values"), times)
        return {"what": what, "store": kind, **findings.spread(took)}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="From what happened to the run that answers it.")
    parser.add_argument("what", choices=tuple(MEASURES))
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    findings.add_option(parser)
    given = parser.parse_args(arguments)
    seen = measure(given.what, given.times, given.store)
    wrong = findings.above(seen, BOUNDS[given.what])
    return findings.end(f"starts-{given.what}-{given.store}", seen, wrong, not given.no_result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
