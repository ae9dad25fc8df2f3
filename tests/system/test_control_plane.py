"""`segue dev` as a user starts it: runs over the API, executed by processes that have the user's code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Project
from control_plane import ControlPlane, control_plane, gone

from segue.model.event import EventType
from segue.model.stores import EventFilter
from segue.storage.sqlite import open_sqlite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
import os
import signal
import time
from pathlib import Path

print("printed at import")


@sg.asset
def numbers(context):
    context.add_output_metadata({"pid": os.getpid(), "parent": os.getppid()})
    return [1, 2]


@sg.asset
def total(numbers):
    return sum(numbers)


@sg.asset
def broken():
    raise ValueError("no such luck")


@sg.asset
def crashing():
    os.kill(os.getpid(), signal.SIGSEGV)


@sg.asset
def waiting():
    Path("waits").write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x", "y"]))
def parted(context):
    return context.partition_key


@sg.asset(partitions_def=sg.DynamicPartitionsDefinition(name="kept"))
def kept():
    pass


@sg.op
def one():
    return 1


@sg.job
def ops():
    one()


apart = sg.define_asset_job("apart", selection=["numbers", "total"], executor_def=sg.multiprocess_executor)
defs = sg.Definitions(
    assets=[numbers, total, broken, crashing, waiting, parted, kept], jobs=[ops, apart]
)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), DEFINITIONS)


@pytest.fixture(scope="module")
def plane(project: Project) -> Iterator[ControlPlane]:
    with control_plane(project.folder) as plane:
        yield plane


def test_a_run_is_executed_by_a_process_forked_from_the_imported_code(plane: ControlPlane, project: Project) -> None:
    run = plane.run(assets=["numbers", "total"])
    assert (run["status"], run["location"], run["assets"]) == ("SUCCESS", "definitions", ["numbers", "total"])
    store = open_sqlite(project.home)
    made = store.events(EventFilter(run_id=run["run_id"], types=(EventType.ASSET_MATERIALIZATION,)), None)
    materialization = made[0].asset_materialization
    assert materialization is not None
    [zygote] = [pid for pid in plane.descendants() if pid == materialization.metadata["parent"].value]
    assert materialization.metadata["pid"].value not in (zygote, plane.process.pid)
    recorded = store.get_run(run["run_id"])
    assert recorded is not None
    assert recorded.plan_hash is not None
    assert store.get_plan(recorded.plan_hash) is not None
    assert "printed at import" not in "\n".join(plane.lines)


@pytest.mark.parametrize("job", ["ops", "apart"])
def test_jobs_are_executed_where_they_say(plane: ControlPlane, job: str) -> None:
    assert plane.run(job=job)["status"] == "SUCCESS"


def test_a_partition_is_made(plane: ControlPlane) -> None:
    run = plane.run(assets=["parted"], partition="y")
    assert (run["status"], run["partition_start"], run["tags"]["dagster/partition"]) == ("SUCCESS", "y", "y")


def test_a_step_that_fails_fails_its_run(plane: ControlPlane) -> None:
    run = plane.run(assets=["broken"])
    assert (run["status"], run["failure_reason"]) == ("FAILURE", "step_failure")


@pytest.mark.parametrize(
    ("document", "arguments"),
    [
        ({"assets": ["parted"], "partition": "z"}, ("--select", "parted", "--partition", "z")),
        (
            {"assets": ["parted"], "partition": "x", "partition_end": "z"},
            ("--select", "parted", "--partition-range", "x...z"),
        ),
        ({"assets": ["parted"]}, ("--select", "parted")),
        ({"assets": ["numbers"], "partition": "x"}, ("--select", "numbers", "--partition", "x")),
        ({"assets": ["kept"], "partition": "new"}, ("--select", "kept", "--partition", "new")),
    ],
    ids=["partition", "range", "no partition", "superfluous", "dynamic"],
)
def test_partitions_that_are_not_there_are_refused_in_the_words_of_the_command_line(
    plane: ControlPlane, project: Project, document: dict[str, object], arguments: tuple[str, ...]
) -> None:
    before = project.json("runs")
    reply = plane.post("/api/runs", document)
    assert (reply.status, "artition" in reply.document["message"]) == (422, True)
    answer = project.run("launch", *arguments)
    assert answer.code != 0
    assert reply.document["message"] in answer.err
    assert project.json("runs") == before


def test_a_dynamic_partition_is_made_once_it_is_there(plane: ControlPlane, project: Project) -> None:
    open_sqlite(project.home).change_dynamic_partitions("kept", ["there"], [], 1.0)
    assert plane.run(assets=["kept"], partition="there")["status"] == "SUCCESS"


def test_config_that_does_not_fit_fails_with_the_reason(plane: ControlPlane, project: Project) -> None:
    run = plane.run(assets=["numbers"], run_config={"ops": {"nobody": {"config": 1}}})
    assert (run["status"], run["failure_reason"]) == ("FAILURE", "platform")
    answer = project.run("show", run["run_id"])
    assert "nobody" in answer.out + answer.err


def test_a_process_that_crashes_ends_its_run_at_once(plane: ControlPlane, project: Project) -> None:
    run = plane.run(assets=["crashing"])
    assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")
    assert "SIGSEGV" in project.run("show", run["run_id"]).out


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 422),
        ({"job": "nobody"}, 422),
        ({"assets": ["nobody"]}, 422),
        ({"job": "ops", "location": "elsewhere"}, 422),
        ({"job": "ops", "jobs": "ops"}, 400),
        ({"job": 1}, 400),
        ([], 400),
    ],
)
def test_what_is_asked_wrongly_is_refused(plane: ControlPlane, document: object, status: int) -> None:
    reply = plane.post("/api/runs", document)
    assert reply.status == status
    assert reply.document["error"]
    assert reply.document["message"]


def test_what_is_not_there_is_not_found(plane: ControlPlane) -> None:
    for path in ("/api/runs/nobody", "/api/nothing"):
        assert plane.get(path).status == 404


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "evil.example:1"}]
)
def test_pages_of_other_sites_get_nothing(plane: ControlPlane, headers: dict[str, str]) -> None:
    assert plane.post("/api/runs", {"job": "ops"}, headers).status == 403
    assert plane.get("/readyz", headers).status == 403


def test_a_page_of_another_site_can_send_no_form(plane: ControlPlane) -> None:
    body = b'{"job": "ops"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert plane.request("POST", "/api/runs", body, {"Content-Type": kind}).status >= 400


def test_ctrl_c_ends_runs_and_leaves_no_process(tmp_path: Path) -> None:
    project = Project(tmp_path, DEFINITIONS)
    with control_plane(project.folder) as plane:
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for(lambda: (project.folder / "waits").exists())
        started = plane.descendants()
        assert len(started) >= 2
        assert plane.stop(signal.SIGINT) == 0
        gone(started)
    run = open_sqlite(project.home).get_run(run_id)
    assert run is not None
    assert run.status.value == "CANCELED"
