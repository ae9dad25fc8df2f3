"""What the commands tell of runs that wait, of what steps used, of freshness, and of how backfills are held back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from segue.cli.main import command
from segue.model.event import (
    EngineEventData,
    Event,
    FreshnessChangedData,
    RunStartData,
    StepMaterializationData,
    StepRestartedData,
    StepStartData,
    StepSuccessData,
)
from segue.model.freshness import FreshnessState
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization
from segue.model.usage import StepUsage
from segue.storage.sqlite import SqliteStore

CODE = """
from datetime import timedelta
import segue as sg

days = sg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-11")

@sg.asset(
    freshness_policy=sg.FreshnessPolicy.time_window(warn_window=timedelta(minutes=60), fail_window=timedelta(minutes=120)),
    pool="db",
)
def window(): ...

@sg.asset(freshness_policy=sg.FreshnessPolicy.cron("0 0 * * *", timedelta(hours=3), "Europe/Berlin"))
def deadline(): ...

@sg.asset(partitions_def=days)
def raw(): ...

@sg.op(out=sg.DynamicOut())
def fan():
    for number in range(2):
        yield sg.DynamicOutput(number, mapping_key=str(number))

@sg.op
def one(number): ...

@sg.op
def last(several): ...

@sg.job
def mapped():
    last(fan().map(one).collect())

defs = sg.Definitions(assets=[window, deadline, raw], jobs=[mapped])
"""


def text(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def document(*arguments: str) -> Any:
    return json.loads(text(*arguments, "--json"))


def test_why_a_run_or_a_step_waits_is_shown_until_it_goes_on(store: SqliteStore) -> None:
    run = document("launch", "--select", "window")["run_id"]
    why = "Waits, because another run materializes the same."
    store.append(
        [Event(1.0, RunStartData(), run_id=run), Event(2.0, EngineEventData(why, is_waiting=True), run_id=run)]
    )
    assert document("show", run)["message"] == why
    (queued,) = document("queue")["runs"]
    assert (queued["run_id"], queued["blocked_by"]) == (run, f"started. {why}")
    slots = "Waits for slots: the pool 'db' (1 of 1 taken)."
    store.append([Event(2.5, EngineEventData("Executing 1 step in this process."), run_id=run)])
    assert why not in text("queue")
    store.append([Event(3.0, EngineEventData(slots, is_waiting=True), "window", run)])
    assert f"Waiting\nwindow: {slots}" in text("show", run)
    store.append([Event(4.0, StepStartData(), "window", run)])
    shown = document("show", run)
    assert (shown["message"], shown["steps"][0]["status"], shown["steps"][0]["waits"]) == (None, "running", None)
    assert "Waiting" not in text("show", run)
    store.append([Event(5.0, EngineEventData(slots, is_waiting=True), "another", run)])
    assert document("queue")["runs"] == []  # one step waits, and another one runs


def test_what_steps_used_is_shown(store: SqliteStore) -> None:
    run = document("launch", "--select", "window")["run_id"]
    usage = StepUsage(2.0, 1.5, 123_400_000, 4_000, None)
    events = [RunStartData(), StepStartData(), StepRestartedData(attempt=2), StepSuccessData(2000.0, usage=usage)]
    store.append([Event(float(at), each, "window" if at else None, run) for at, each in enumerate(events)])
    (row,) = [line for line in text("show", run).splitlines() if line.startswith("window")]
    assert row.split() == ["window", "succeeded", "2.0", "s", "2", "1.5", "s", "123.4", "MB", "4.0", "kB"]


def test_how_an_asset_stands_against_its_policy_is_shown(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert document("asset", "window")["freshness"] == {
        "state": "UNKNOWN",
        "policy": "warns after 1 h 0 min, fails after 2 h 0 min",
        "changes_at": None,
        "changes": [],
    }
    assert document("asset", "raw")["freshness"] is None
    noon = 1767268800.0  # 2026-01-01T12:00Z
    key = AssetKey("window")
    changed = FreshnessChangedData(key, FreshnessState.PASS, FreshnessState.UNKNOWN, noon)
    made = [StepMaterializationData(AssetMaterialization(each)) for each in (key, AssetKey("deadline"))]
    store.append([Event(noon, made[0]), Event(noon + 1, changed), Event(noon + 10 * 3600, made[1])])

    def at(hours: float, asset: str) -> tuple[str, float | None]:
        monkeypatch.setattr("segue.cli.asset.time.time", lambda: noon + hours * 3600)
        found = document("asset", asset)["freshness"]
        return found["state"], None if found["changes_at"] is None else (found["changes_at"] - noon) / 3600

    assert at(0.5, "window") == ("PASS", pytest.approx(1.0, abs=0.001))
    assert at(1.5, "window") == ("WARN", pytest.approx(2.0, abs=0.001))
    assert at(2.5, "window") == ("FAIL", None)
    # Made at 23:00 in Berlin, so in time for the midnight after it, and not for the next one.
    assert at(10.5, "deadline") == ("PASS", 35.0)
    assert at(35.5, "deadline") == ("FAIL", None)
    shown = text("asset", "window")
    assert "FAIL" in shown
    assert "UNKNOWN -> PASS" in shown


def test_how_a_backfill_is_held_back_is_shown(store: SqliteStore) -> None:
    rules = ("--max-concurrent", "2", "--stagger", "10m", "--off-peak", "22-6@Europe/Berlin", "--retries", "1")
    made = document("backfill", "create", "--select", "raw", "--all", *rules)["backfill_id"]
    (line,) = [each for each in text("backfill", "show", made).splitlines() if each.startswith("rules")]
    for words in (
        "2 runs at once",
        "runs start at 22-6 Europe/Berlin",
        "10 min 0 s between runs",
        "1 retry of a failed",
    ):
        assert words in line


def test_the_steps_of_a_dynamic_output_stand_where_the_one_for_all_of_them_stood(store: SqliteStore) -> None:
    import segue as sg

    space: dict[str, Any] = {}
    exec(CODE, space)
    instance = sg.Instance(store, Path("values"))
    result = space["defs"].get_job_def("mapped").execute_in_process(instance=instance)
    assert [step["step"] for step in document("show", result.run_id)["steps"]] == ["fan", "one[0]", "one[1]", "last"]
