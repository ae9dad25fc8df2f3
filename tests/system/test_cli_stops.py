"""Runs that are stopped from outside, and several at once: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Project

# `second` says through a named pipe that user code has begun, and then waits until it is stopped.
CHAIN = """
import os, signal

def called(name):
    with open("calls", "a") as calls:
        calls.write(name + "\\n")

@sg.asset
def first() -> int:
    called("first")
    return 1

@sg.asset
def second(first: int) -> int:
    called("second")
    if "WAIT" in os.environ:
        with open("begun", "w") as pipe:
            pipe.write("second")
        signal.pause()
    return first + 1

@sg.asset
def third(second: int) -> int:
    called("third")
    return second + 1

defs = sg.Definitions(assets=[first, second, third])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "Straße mit Leerzeichen", CHAIN)
    os.mkfifo(project.folder / "begun")
    return project


@contextmanager
def in_the_middle(project: Project, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """A run whose second asset is in its body."""
    process = project.start("materialize", *arguments, environment={"WAIT": "yes"})
    try:
        with (project.folder / "begun").open() as pipe:
            assert pipe.read() == "second"
        yield process
    finally:
        process.kill()
        process.communicate()


def require_sound(project: Project) -> None:
    """The database is whole."""
    with sqlite3.connect(project.home / "segue.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_after_kill_9_the_run_is_interrupted_and_a_retry_does_what_is_left(project: Project) -> None:
    with in_the_middle(project) as process:
        [during] = project.json("runs")["runs"]
        assert during["status"] == "started"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    [run] = project.json("runs")["runs"]
    assert (run["status"], run["failure_reason"]) == ("interrupted", "interrupted")
    assert run["ended_at"] is not None
    require_sound(project)
    made = {row["asset"]: row["last_run_id"] for row in project.json("list")["assets"]}
    assert made == {"first": run["run_id"], "second": None, "third": None}
    steps = {step["step"]: step["status"] for step in project.json("show", run["run_id"])["steps"]}
    assert steps == {"first": "succeeded", "second": "interrupted", "third": "not started"}
    assert project.run("runs").out.splitlines()[1].split()[:2] == [run["run_id"], "interrupted"]
    assert len(project.json("runs", "--status", "interrupted")["runs"]) == 1
    assert project.json("runs", "--status", "failure")["runs"] == []

    retried = project.json("runs", "retry", run["run_id"][:-3])
    assert retried["success"]
    assert retried["runs"][0]["run"]["parent_run_id"] == run["run_id"]
    assert project.calls() == ["first", "second", "second", "third"]
    assert [each["status"] for each in project.json("runs")["runs"]] == ["success", "interrupted"]
    steps = {step["step"]: step["status"] for step in retried["runs"][0]["steps"]}
    assert steps == {"first": "succeeded before", "second": "succeeded", "third": "succeeded"}


def test_the_run_of_a_living_process_is_left_alone_by_every_command(project: Project) -> None:
    with in_the_middle(project):
        for arguments in (("runs",), ("list",), ("asset", "first")):
            project.json(*arguments)
        run = project.json("runs")["runs"][0]
        assert run["status"] == "started"
        refused = project.run("runs", "retry", run["run_id"])
        assert refused.code == 1
        assert "has not ended" in refused.last_error_line


@pytest.mark.parametrize(
    ("sent", "code", "said"), [(signal.SIGINT, 130, "Stopped by Ctrl-C."), (signal.SIGTERM, 143, "Stopped by SIGTERM.")]
)
def test_a_stopped_run_is_recorded_as_canceled(project: Project, sent: signal.Signals, code: int, said: str) -> None:
    with in_the_middle(project) as process:
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert err.splitlines()[-1] == said
    assert "Traceback" not in err
    run = project.json("runs")["runs"][0]
    assert run["status"] == "canceled"
    assert f"run {run['run_id']}: canceled" in out
    assert project.json("runs", "retry", run["run_id"])["success"]
    assert project.calls() == ["first", "second", "second", "third"]


def test_a_stopped_run_with_json_is_an_error_document(project: Project) -> None:
    with in_the_middle(project, "--json") as process:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert '"kind":"Interrupted"' in out
    assert out.count("\n") == 1


SLOW_RESOURCE = """
import os, signal

class Warehouse(sg.ConfigurableResource):
    def setup_for_execution(self, context) -> None:
        if "WAIT" in os.environ:
            with open("begun", "w") as pipe:
                pipe.write("second")
            signal.pause()

@sg.asset
def first(warehouse: Warehouse) -> int:
    return 1

defs = sg.Definitions(assets=[first], resources={"warehouse": Warehouse()})
"""


def test_after_kill_9_while_resources_are_set_up_the_run_is_interrupted_too(project: Project) -> None:
    project.define(SLOW_RESOURCE)
    with in_the_middle(project) as process:
        process.kill()
        process.wait()
    [run] = project.json("runs")["runs"]
    assert run["status"] == "interrupted"
    assert project.json("runs", "retry", run["run_id"])["success"]


RENDEZVOUS = """
import os

@sg.asset
def meet() -> None:
    with open("meeting", os.environ["MODE"]):  # opening a pipe waits for the other side
        pass

def numbered(number):
    @sg.asset(name=f"asset_{number}", deps=["meet"])
    def made() -> int:
        return number
    return made

defs = sg.Definitions(assets=[meet, *(numbered(number) for number in range(20))])
"""


def test_two_runs_at_once_on_one_home(tmp_path: Path) -> None:
    project = Project(tmp_path, RENDEZVOUS)
    os.mkfifo(project.folder / "meeting")
    locks = {"SEGUE_PARTITION_LOCKS": "allow"}  # they make the same assets, and meet in the middle
    processes = [project.start("materialize", environment={"MODE": mode, **locks}) for mode in ("r", "w")]
    for process in processes:
        _, err = process.communicate(timeout=50)
        assert process.returncode == 0, err
    runs = project.json("runs")["runs"]
    assert [run["status"] for run in runs] == ["success", "success"]
    assert max(run["started_at"] for run in runs) < min(run["ended_at"] for run in runs)
    for run in runs:
        steps = project.json("show", run["run_id"])["steps"]
        assert [step["status"] for step in steps] == ["succeeded"] * 21
    require_sound(project)


def test_two_commands_sweep_one_interrupted_run_once(project: Project) -> None:
    with in_the_middle(project) as process:
        process.kill()
        process.wait()
    looking = [project.start("runs", "--json") for _ in range(4)]
    for each in looking:
        out, err = each.communicate(timeout=30)
        assert each.returncode == 0, err
        assert '"status":"interrupted"' in out
    with sqlite3.connect(project.home / "segue.db") as connection:
        assert connection.execute("SELECT count(*) FROM events WHERE type = 'RUN_FAILURE'").fetchone() == (1,)
    connection.close()
