"""The commands over the control plane: schedules, sensors, the queue, launches and backfills."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from segue.cli.main import command
from segue.model.approval import ApprovalWanted
from segue.model.backfill import BackfillChange, BackfillStatus
from segue.model.event import Event, RunFailureData, RunStartData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.lease import Fence
from segue.model.run import FailureReason, RunStatus
from segue.model.run_events import RunSuspendedData
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.storage.sqlite import SqliteStore
from segue.storage.sqlite.control import control_of

CODE = """
import segue as sg

days = sg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-11")

@sg.asset(partitions_def=days)
def raw(): ...

@sg.asset(partitions_def=days, deps=[raw])
def clean(): ...

@sg.asset(deps=[clean])
def report(): ...

@sg.asset(partitions_def=days, deps=[raw], automation_condition=sg.AutomationCondition.eager())
def copied(): ...

@sg.op
def step(): ...

@sg.job(partitions_def=days)
def op_job():
    step()

job = sg.define_asset_job("job", [report], tags={"team": "a"})
nightly = sg.ScheduleDefinition(
    name="nightly", job=job, cron_schedule="30 2 * * *", execution_timezone="Europe/Berlin", tags={"kind": "nightly"}
)

@sg.sensor(job=job, minimum_interval_seconds=5)
def arrivals(context):
    return sg.SensorResult([sg.RunRequest(run_key="k", tags={"from": context.cursor or "nothing"})], cursor="next")

@sg.asset_sensor("raw", job=job)
def follows(context, event):
    return sg.SkipReason("nothing")

defs = sg.Definitions(
    assets=[raw, clean, report, copied], jobs=[job, op_job], schedules=[nightly], sensors=[arrivals, follows]
)
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def document(*arguments: str) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code != 0
    return result.output


def test_schedules_are_listed_switched_and_previewed(store: SqliteStore) -> None:
    (listed,) = document("schedule", "list")["schedules"]
    assert (listed["schedule"], listed["location"], listed["cron"]) == ("nightly", "code", ["30 2 * * *"])
    assert (listed["is_running"], listed["next_tick"], listed["last_tick"]) == (False, None, None)
    started = document("schedule", "start", "nightly")
    assert started["is_running"]
    assert started["next_tick"] > 0
    assert "30 2 * * * (Europe/Berlin)" in call("schedule", "list").output
    assert listed["catch_up"] == "latest"
    with Path("segue.toml").open("a") as settings:
        settings.write('[schedules]\ncatch_up = "all"\n')
    assert document("schedule", "list")["schedules"][0]["catch_up"] == "all"
    shown = document("schedule", "preview", "nightly", "--at", "2026-03-28T02:30", "--count", "2")
    assert shown["catch_up"] == "all"
    assert len(shown["next_ticks"]) == 2
    assert shown["at"] == 1774661400.0
    (request,) = shown["requests"]
    assert (request["job"], request["tags"]["kind"]) == ("job", "nightly")
    assert not document("schedule", "stop", "nightly")["is_running"]
    assert "There is no schedule 'weekly'; available: nightly" in refused("schedule", "start", "weekly")


def test_ticks_are_listed(store: SqliteStore) -> None:
    which = InstigatorId("code", InstigatorKind.SCHEDULE, "nightly")
    for at, status, reason in ((100.0, TickStatus.SUCCESS, None), (200.0, TickStatus.SKIPPED, "holiday")):
        tick = Tick(
            instigator=which, status=status, scheduled_at=at, started_at=at, ended_at=at + 1, skip_reason=reason
        )
        control_of(store).commit_ticks([TickCommit(tick=tick)])
    newest, oldest = document("schedule", "ticks", "nightly")["ticks"]
    assert (newest["status"], newest["skip_reason"], oldest["scheduled_at"]) == ("skipped", "holiday", 100.0)
    assert "holiday" in call("schedule", "ticks", "nightly").output
    (listed,) = document("schedule", "list")["schedules"]
    assert listed["last_tick"]["status"] == "skipped"


def test_sensors_are_listed_switched_previewed_and_their_cursor_is_set(store: SqliteStore) -> None:
    arrivals, default, follows = document("sensor", "list")["sensors"]
    assert default["sensor"] == "default_automation_condition_sensor"
    assert (arrivals["interval"], arrivals["follows_events"], arrivals["jobs"]) == (5.0, False, ["job"])
    assert (follows["type"], follows["follows_events"]) == ("ASSET", True)
    assert document("sensor", "start", "arrivals")["is_running"]
    assert document("sensor", "cursor", "arrivals")["cursor"] is None
    assert document("sensor", "cursor", "arrivals", "--set", "file 7")["cursor"] == "file 7"
    shown = document("sensor", "preview", "arrivals")
    assert (shown["cursor"], shown["requests"][0]["tags"]["from"]) == ("next", "file 7")
    assert document("sensor", "preview", "arrivals", "--cursor", "other")["requests"][0]["tags"]["from"] == "other"
    assert document("sensor", "cursor", "arrivals")["cursor"] == "file 7"  # a preview records nothing
    assert "Add --yes" in refused("sensor", "cursor", "arrivals", "--clear")
    assert document("sensor", "cursor", "arrivals", "--clear", "--yes")["cursor"] is None
    assert not document("sensor", "stop", "arrivals")["is_running"]


def test_a_run_is_launched_waits_and_is_approved(store: SqliteStore) -> None:
    made = document("launch", "--job", "job", "--tag", "segue/approval=required")
    (waiting,) = document("queue")["runs"]
    assert (waiting["run_id"], waiting["location"], waiting["assets"]) == (made["run_id"], "code", ["report"])
    assert f"segue runs approve {made['run_id']}" in waiting["blocked_by"]
    assert "Missing option '--reason'" in refused("runs", "reject", made["run_id"])
    answered = document("runs", "approve", made["run_id"], "--by", "anna", "--comment", "go")
    assert answered == {"run_id": made["run_id"], "steps": [], "approved": True, "by": "anna", "text": "go"}
    assert "is not waiting for approval" in refused("runs", "approve", made["run_id"])
    run = store.get_run(made["run_id"])
    assert run is not None
    assert (run.status, run.tags["team"]) == (RunStatus.QUEUED, "a")


def test_a_suspended_run_is_listed_with_what_is_asked_and_answered_by_step(store: SqliteStore) -> None:
    made = document("launch", "--job", "job")["run_id"]
    control_of(store).dequeue([made], 2.0)
    fence = Fence(made, store.start_run(made, [Event(3.0, RunStartData(), None, made)]))
    asked = RunSuspendedData(tuple(ApprovalWanted(key, f"May {key}?") for key in ("a", "b")))
    store.append([Event(4.0, asked, None, made)], fence)
    (waiting,) = document("queue")["runs"]
    assert (waiting["run_id"], "a: May a?; b: May b?" in waiting["blocked_by"]) == (made, True)
    assert made in call("queue").output
    assert "is not waiting for approval" in refused("runs", "approve", made, "c")
    assert document("runs", "reject", made, "a", "--reason", "no")["steps"] == ["a"]
    run = store.get_run(made)
    assert run is not None
    assert run.status is RunStatus.QUEUED
    assert "b of run" in call("runs", "approve", made).output
    assert "is not waiting for approval" in refused("runs", "approve", made)


def test_what_is_launched_must_be_there(store: SqliteStore) -> None:
    assert "Nothing to run" in refused("launch")
    assert "Job 'other' not found" in refused("launch", "--job", "other")
    assert "Choose one with --partition" in refused("launch", "--select", "raw")
    assert "Partition key '2030-01-01' not found" in refused("launch", "--select", "raw", "--partition", "2030-01-01")
    assert "Leave the partition out" in refused("launch", "--select", "report", "--partition", "2026-01-01")
    for wrong in ("often", "-1", "1.5", ""):
        tagged = ("--select", "report", "--tag", f"dagster/max_retries={wrong}")
        assert f"dagster/max_retries must be a whole number (0 for no retries), got {wrong!r}" in refused(
            "launch", *tagged
        )
    made = document("launch", "--select", "raw", "--partition-range", "2026-01-02...2026-01-03")
    run = store.get_run(made["run_id"])
    assert run is not None
    assert (run.partition_start, run.partition_end) == ("2026-01-02", "2026-01-03")


def test_a_backfill_over_a_selection(store: SqliteStore) -> None:
    arguments = [
        "--partition-range",
        "2026-01-02...2026-01-04",
        "--max-concurrent",
        "2",
        "--off-peak",
        "22-6@Europe/Berlin",
        "--stagger",
        "10m",
    ]
    made = document("backfill", "create", "--select", "raw+*", *arguments, "--title", "again")
    assert {each["asset"]: each["partitions"] for each in made["targets"]} == {
        "raw": [["2026-01-02", "2026-01-04"]],
        "clean": [["2026-01-02", "2026-01-04"]],
        "copied": [["2026-01-02", "2026-01-04"]],
        "report": None,
    }
    assert (made["stagger"], made["off_peak"], made["max_concurrent"]) == (600.0, "22-6@Europe/Berlin", 2)
    assert "use a positive length of time" in refused(
        "backfill", "create", "--select", "raw", "--all", "--stagger", "soon"
    )
    assert "Nowhere" in refused("backfill", "create", "--select", "raw", "--all", "--off-peak", "22-6@Nowhere")
    recorded = control_of(store).get_backfill(made["backfill_id"])
    assert recorded is not None
    assert recorded.off_peak is not None
    assert (recorded.max_concurrent, recorded.off_peak.start, recorded.off_peak.timezone) == (2, 22, "Europe/Berlin")
    assert [each["title"] for each in document("backfill", "list", "--open")["backfills"]] == ["again"]
    name = made["backfill_id"]
    assert document("backfill", "pause", name)["status"] == "PAUSED"
    assert "so this is not possible" in refused("backfill", "pause", name)
    assert document("backfill", "resume", name)["status"] == "REQUESTED"
    assert "Add --yes" in refused("backfill", "cancel", name)
    assert document("backfill", "cancel", name, "--yes")["status"] == "CANCELING"
    assert "still running" in refused("backfill", "retry", name)
    assert "raw" in call("backfill", "show", name).output
    assert "There is no backfill 'x'" in refused("backfill", "show", "x")


def test_a_backfill_of_a_job_and_what_must_be_said(store: SqliteStore) -> None:
    made = document("backfill", "create", "--job", "op_job", "--all")
    assert made["job"] == "op_job"
    assert "exactly one of" in refused("backfill", "create", "--job", "op_job")
    assert "exactly one of" in refused("backfill", "create", "--job", "op_job", "--all", "--all-missing")
    assert "Nothing to backfill" in refused("backfill", "create", "--all")
    assert "has no partitions" in refused("backfill", "create", "--job", "job", "--all")
    assert "use two hours" in refused("backfill", "create", "--job", "op_job", "--all", "--off-peak", "night")


def test_what_is_missing_and_what_failed(store: SqliteStore) -> None:
    import segue as sg

    instance = sg.Instance(store, Path("values"))
    instance.report_runless_asset_event(sg.AssetMaterialization("raw", partition="2026-01-01"))
    made = document("backfill", "create", "--select", "raw", "--all-missing")
    assert made["targets"] == [{"asset": "raw", "partitions": [["2026-01-02", "2026-01-10"]]}]
    assert "nothing to backfill" in refused("backfill", "create", "--select", "raw", "--all-failed")
    launched = document("launch", "--select", "raw", "--partition", "2026-01-05")["run_id"]
    failure = RunFailureData(FailureReason.STEP_FAILURE, "")
    store.append([Event(5.0, RunStartData(), run_id=launched), Event(6.0, failure, run_id=launched)])
    failed = document("backfill", "create", "--select", "raw", "--all-failed")
    assert failed["targets"] == [{"asset": "raw", "partitions": [["2026-01-05", "2026-01-05"]]}]


def test_what_has_changed_since_a_backfill_began_is_shown(store: SqliteStore) -> None:
    made = document("backfill", "create", "--select", "raw", "--all")
    control = control_of(store)
    before = control.get_backfill(made["backfill_id"])
    assert before is not None
    assert made["manifest_hash"] == before.manifest_hash
    changes = (BackfillChange("raw", ("code version", "gone")),)
    control.update_backfill(
        msgspec.structs.replace(before, changes=changes, warning="The definitions changed."), before
    )
    shown = document("backfill", "show", made["backfill_id"])
    assert shown["changes"] == [{"name": "raw", "what": ["code version", "gone"]}]
    (listed,) = document("backfill", "list")["backfills"]
    assert (listed["changes"], listed["warning"]) == (shown["changes"], "The definitions changed.")
    table = call("backfill", "show", made["backfill_id"]).output
    assert "The definitions changed." in table
    assert "code version, gone" in table


def test_what_failed_in_a_backfill_is_retried(store: SqliteStore) -> None:
    made = document("backfill", "create", "--select", "raw", "--all")
    control = control_of(store)
    before = control.get_backfill(made["backfill_id"])
    assert before is not None
    after = msgspec.structs.replace(before, status=BackfillStatus.COMPLETED_FAILED, failed=before.targets)
    control.update_backfill(after, before)
    again = document("backfill", "retry", made["backfill_id"])
    assert again["targets"] == made["targets"]
    assert again["backfill_id"] != made["backfill_id"]


def test_payloads_are_sent_listed_and_discarded(store: SqliteStore) -> None:
    which = InstigatorId("code", InstigatorKind.SENSOR, "arrivals")
    sent = document("event", "send", "arrivals", '{"file": "a.csv"}')
    assert (sent["sensor"], sent["location"], sent["is_running"]) == ("arrivals", "code", False)
    assert "takes it after 'segue sensor start arrivals'" in call("event", "send", "arrivals").output
    read = CliRunner().invoke(command, ["event", "send", "arrivals", "-", "--json"], input="[1,\n 2]")
    assert [each.text for each in control_of(store).payloads(which, 9)] == ['{"file":"a.csv"}', "null", "[1,2]"]
    listed = document("event", "list", "arrivals")["payloads"]
    assert listed[0]["payload"] == {"file": "a.csv"}
    assert [each["number"] for each in listed][2] == json.loads(read.stdout)["number"]
    assert "a.csv" in call("event", "list", "arrivals").output
    assert document("event", "discard", "arrivals", str(sent["number"]))["discarded"] == 1
    assert "Add --yes" in refused("event", "discard", "arrivals")
    assert "2 payloads discarded" in call("event", "discard", "arrivals", "--yes").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("arrivals", "{file: 1}"), "is not valid JSON"),
        (("arrivals", '"' + "x" * (1 << 20) + '"'), "the maximum of 1,048,576"),
        (("follows", "1"), "cannot take a payload"),
        (("departures", "1"), "There is no sensor 'departures'"),
    ],
)
def test_what_cannot_be_sent_is_refused(arguments: tuple[str, ...], message: str, store: SqliteStore) -> None:
    assert message in refused("event", "send", *arguments)
    assert control_of(store).sensors_with_payloads() == []


def test_a_preview_shows_the_sensor_what_waits_for_it(store: SqliteStore) -> None:
    Path("code.py").write_text(CODE.replace('context.cursor or "nothing"', "str(list(context.payloads))"))
    document("event", "send", "arrivals", "7")
    (request,) = document("sensor", "preview", "arrivals")["requests"]
    assert request["tags"]["from"] == "[7]"
    assert len(document("event", "list", "arrivals")["payloads"]) == 1


def test_why_a_condition_had_an_asset_made_or_not(store: SqliteStore) -> None:
    assert document("asset", "why", "copied") == {"evaluations": []}
    assert "No evaluation of copied is recorded" in call("asset", "why", "copied").output
    import segue as sg
    from segue.host.source import CodeTarget, load_definitions
    from segue.host.ticks import answer_tick
    from segue.model.tick_task import TickTask

    definitions = load_definitions(CodeTarget(file="code.py"))
    instance = sg.Instance(store, Path("values"))
    name = "default_automation_condition_sensor"
    cursor: str | None = None
    for partition in (None, "2026-01-10"):
        if partition is not None:
            instance.report_runless_asset_event(sg.AssetMaterialization("raw", partition=partition))
        task = TickTask(kind=InstigatorKind.SENSOR, name=name, location="code", cursor=cursor)
        answer = answer_tick(definitions, instance, task, 1_900_000_000.0)
        assert answer.error is None
        cursor = answer.cursor
        tick = Tick(
            instigator=InstigatorId("code", InstigatorKind.SENSOR, name),
            status=TickStatus.SUCCESS,
            started_at=1.0,
            ended_at=2.0,
        )
        remembered = answer.condition_cursors
        commit = TickCommit(tick=tick, evaluations=answer.evaluations, condition_cursors=remembered)
        control_of(store).commit_ticks([commit])
    (newest,) = document("asset", "why", "copied", "2026-01-10")["evaluations"]
    assert (newest["requested"], newest["condition"]["is_true"], newest["partition"]) == (1, True, "2026-01-10")
    (other,) = document("asset", "why", "copied", "2026-01-04")["evaluations"]
    assert not other["condition"]["is_true"]
    assert "is false, because" in other["explanation"]
    assert len(document("asset", "why", "copied", "--history", "5")["evaluations"]) == 2
    assert "2026-01-10" in call("asset", "why", "copied").output
    assert "is not partitioned" in refused("asset", "why", "report", "2026-01-10")
