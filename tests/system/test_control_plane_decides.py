"""What a running control plane does by itself: schedules, sensors, conditions, backfills, retries; with real code and processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Project
from control_plane import ControlPlane, control_plane

from segue.model.keys import AssetKey
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.storage.sqlite import SqliteStore, open_sqlite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
keys = sg.StaticPartitionsDefinition(list("abcd"))


@sg.asset(partitions_def=keys)
def raw(): ...


@sg.asset(partitions_def=keys, deps=[raw])
def clean(): ...


@sg.asset(deps=[clean])
def report(): ...


@sg.asset
def source(): ...


@sg.asset(deps=[source], automation_condition=sg.AutomationCondition.eager())
def follower(): ...


@sg.asset
def flaky(context):
    if "dagster/retry_number" not in context.run.tags:
        raise RuntimeError("only the first time")


letters, numbers = sg.StaticPartitionsDefinition(["a", "b"]), sg.StaticPartitionsDefinition(["1", "2"])


class ByPlace(sg.PartitionMapping):
    def get_upstream_mapped_partitions_result_for_partitions(self, below, below_def, above_def, now=None, keys=None):
        wanted = above_def.subset_with_partition_keys(["ab"[int(key) - 1] for key in below])
        return sg.UpstreamPartitionsResult(
            partitions_subset=wanted, required_but_nonexistent_subset=above_def.empty_subset()
        )

    def get_downstream_partitions_for_partitions(self, above, above_def, below_def, now=None, keys=None):
        return below_def.subset_with_partition_keys([str("ab".index(key) + 1) for key in above])


@sg.asset(partitions_def=letters)
def letter(): ...


@sg.asset(partitions_def=numbers, deps=[sg.AssetDep(letter, partition_mapping=ByPlace())])
def number(): ...


class Follows(sg.AutomationCondition):
    def evaluate(self, context):
        updated = sg.AutomationCondition.any_deps_updated()
        found = context.for_child_condition(updated, [0], context.candidate_subset).evaluate()
        return sg.AutomationResult(context, found.true_subset, child_results=[found])


@sg.asset(deps=[source], automation_condition=Follows())
def own_follower(): ...


make_source = sg.define_asset_job("make_source", [source])
make_flaky = sg.define_asset_job("make_flaky", [flaky], tags={"dagster/max_retries": "2"})
make_report = sg.define_asset_job("make_report", [report])
static = sg.ScheduleDefinition(name="static", job=make_source, cron_schedule="* * * * * *")


@sg.schedule(job=make_source, cron_schedule="* * * * * *")
def asked(context):
    return sg.RunRequest(tags={"asked": context.scheduled_execution_time.isoformat()})


@sg.run_status_sensor(sg.RunStatus.SUCCESS, monitored_jobs=[make_flaky], request_job=make_report)
def after_flaky(context):
    return sg.RunRequest(run_key=context.dagster_run.run_id)


@sg.sensor(job=make_source, minimum_interval_seconds=3600)
def pushed(context):
    for payload in context.payloads:
        yield sg.RunRequest(tags={"file": payload["file"]})


defs = sg.Definitions(
    assets=[raw, clean, report, source, follower, flaky, letter, number, own_follower],
    jobs=[make_source, make_flaky, make_report],
    schedules=[static, asked],
    sensors=[after_flaky, pushed],
)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), DEFINITIONS)


@pytest.fixture(scope="module")
def plane(project: Project) -> Iterator[ControlPlane]:
    with control_plane(project.folder) as made:
        yield made


@pytest.fixture
def store(project: Project, plane: ControlPlane) -> Iterator[SqliteStore]:
    assert plane.process.poll() is None
    made = open_sqlite(Path(project.home))
    yield made
    made.close()


def succeeded(store: SqliteStore, **tags: str) -> list[Run]:
    which = RunsFilter(
        statuses=[RunStatus.SUCCESS], tags={key.replace("__", "/"): value for key, value in tags.items()}
    )
    return list(store.list_runs(which, None, None))


def ask(project: Project, *arguments: str) -> dict[str, object]:
    answer = project.run(*arguments, "--json")
    assert answer.code == 0, answer.err
    return answer.document


@pytest.mark.parametrize("name", ["static", "asked"])
def test_a_schedule_that_is_started_ticks_by_itself_and_its_runs_are_executed(
    name: str, project: Project, plane: ControlPlane, store: SqliteStore
) -> None:
    ask(project, "schedule", "start", name)
    plane.wait_for(lambda: len(succeeded(store, dagster__schedule_name=name)) >= 2)
    ask(project, "schedule", "stop", name)
    found = ask(project, "schedule", "ticks", name)["ticks"]
    assert isinstance(found, list)
    times: list[float] = sorted(tick["scheduled_at"] for tick in found)
    assert times == [times[0] + second for second in range(len(times))]


def test_an_asset_follows_what_it_is_made_from(project: Project, plane: ControlPlane, store: SqliteStore) -> None:
    sensor = "default_automation_condition_sensor"
    ask(project, "sensor", "start", sensor)
    wanted = {AssetKey("follower"), AssetKey("own_follower")}
    before = {run.run_id for run in succeeded(store, dagster__sensor_name=sensor)}

    def followed() -> bool:
        runs = [run for run in succeeded(store, dagster__sensor_name=sensor) if run.run_id not in before]
        return {key for run in runs for key in run.asset_selection} >= wanted

    plane.run(job="make_source")
    plane.wait_for(followed)
    (said,) = ask(project, "asset", "why", "follower")["evaluations"] or [None]  # pyright: ignore[reportGeneralTypeIssues] reason: JSON
    assert said is not None
    ask(project, "sensor", "stop", sensor)


def test_what_is_sent_to_a_sensor_starts_runs_at_once(
    project: Project, plane: ControlPlane, store: SqliteStore
) -> None:
    ask(project, "sensor", "start", "pushed")
    plane.wait_for(lambda: bool(ask(project, "sensor", "ticks", "pushed")["ticks"]))  # its interval begins
    for name in ("a.csv", "b.csv"):
        assert ask(project, "event", "send", "pushed", f'{{"file": "{name}"}}')["is_running"]
    plane.wait_for(lambda: len(succeeded(store, dagster__sensor_name="pushed")) == 2)
    assert {run.tags["file"] for run in succeeded(store, dagster__sensor_name="pushed")} == {"a.csv", "b.csv"}
    assert ask(project, "event", "list", "pushed")["payloads"] == []
    ask(project, "sensor", "stop", "pushed")


def test_a_run_that_failed_is_run_again_and_a_sensor_sees_that_it_ended_well(
    project: Project, plane: ControlPlane, store: SqliteStore
) -> None:
    ask(project, "sensor", "start", "after_flaky")
    plane.wait_for(lambda: bool(ask(project, "sensor", "ticks", "after_flaky")["ticks"]))
    first = plane.run(job="make_flaky")
    assert first["status"] == "FAILURE"
    plane.wait_for(lambda: bool(succeeded(store, dagster__parent_run_id=first["run_id"])))
    plane.wait_for(lambda: bool(succeeded(store, dagster__sensor_name="after_flaky")))
    assert len(store.list_runs(RunsFilter(job_name="make_flaky"), None, None)) == 2


def test_a_backfill_is_carried_out_and_ends(project: Project, plane: ControlPlane, store: SqliteStore) -> None:
    made = ask(project, "backfill", "create", "--select", "raw+*", "--all", "--max-concurrent", "2")
    name = str(made["backfill_id"])
    plane.wait_for(lambda: ask(project, "backfill", "show", name)["status"] == "COMPLETED_SUCCESS")
    runs = succeeded(store, dagster__backfill=name)
    assert sorted(str(run.partition_start) for run in runs) == ["None", "a", "b", "c", "d"]


def test_a_backfill_asks_the_code_for_a_mapping_of_its_own(
    project: Project, plane: ControlPlane, store: SqliteStore
) -> None:
    made = ask(project, "backfill", "create", "--select", "letter+", "--partition", "b")
    name = str(made["backfill_id"])
    plane.wait_for(lambda: ask(project, "backfill", "show", name)["status"] == "COMPLETED_SUCCESS")
    runs = sorted(succeeded(store, dagster__backfill=name), key=lambda run: run.started_at or 0.0)
    assert [(*run.asset_selection, run.partition_start) for run in runs] == [
        (AssetKey("letter"), "b"),
        (AssetKey("number"), "2"),
    ]


def test_a_run_that_waits_for_a_person_starts_when_one_says_so(
    project: Project, plane: ControlPlane, store: SqliteStore
) -> None:
    held = str(ask(project, "launch", "--job", "make_source", "--tag", "segue/approval=required")["run_id"])
    free = str(ask(project, "launch", "--job", "make_source")["run_id"])
    assert plane.ended(free)["status"] == "SUCCESS"
    run = store.get_run(held)
    assert run is not None
    assert run.status is RunStatus.QUEUED
    ask(project, "runs", "approve", held)
    assert plane.ended(held)["status"] == "SUCCESS"
