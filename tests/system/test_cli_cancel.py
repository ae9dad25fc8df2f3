"""`segue runs cancel`, with real processes: whatever the run does, it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Project

import segue as sg
from segue.cancel import cancel_run
from segue.host.instances import local_instance
from segue.storage.sqlite import open_sqlite

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")

# Each says through a named pipe that it has begun, and then never ends by itself.
DEFINITIONS = """
import hashlib, signal, threading, time

def begun():
    with open("begun", "w") as pipe:
        pipe.write("begun")

def tidied(name):
    with open("tidied", "a") as lines:
        lines.write(name + "\\n")

@sg.resource
def database(_context):
    yield 1
    tidied("resource")

@sg.asset(required_resource_keys={"database"})
def polite():
    try:
        begun()
        while True:
            time.sleep(60)
    finally:
        tidied("finally")

@sg.asset
def stubborn():
    begun()
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

@sg.asset
def in_c():
    begun()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # minutes in C, where no signal is looked at

@sg.asset
def waiting():
    begun()
    threading.Event().wait()

defs = sg.Definitions(assets=[polite, stubborn, in_c, waiting], resources={"database": database})
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project", DEFINITIONS)
    os.mkfifo(project.folder / "begun")
    return project


@contextmanager
def running(project: Project, asset: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The process of a run whose asset is in its body, and the id of the run."""
    process = project.start("materialize", "--select", asset)
    try:
        with (project.folder / "begun").open() as pipe:
            assert pipe.read() == "begun"
        [run] = project.json("runs")["runs"]
        yield process, run["run_id"]
    finally:
        process.kill()
        process.communicate()


def status_of(project: Project) -> str:
    [run] = project.json("runs")["runs"]
    return run["status"]


def test_code_is_interrupted_tidies_up_and_resources_are_torn_down(project: Project) -> None:
    with running(project, "polite") as (process, run_id):
        answer = project.run("runs", "cancel", run_id[:13], "--json")
        assert (answer.code, answer.document["status"]) == (0, "canceled")
        assert process.wait(10) == 143
    assert (project.folder / "tidied").read_text().split() == ["finally", "resource"]
    steps = project.json("show", run_id)["steps"]
    assert [(step["status"], step["failure_class"]) for step in steps] == [("failed", "killed")]


@pytest.mark.parametrize("asset", ["stubborn", "in_c"])
def test_code_that_does_not_end_is_killed_after_the_grace_period(project: Project, asset: str) -> None:
    with running(project, asset) as (process, run_id):
        answer = project.run("runs", "cancel", run_id, "--grace", "0.2")
        assert (answer.code, answer.out) == (0, f"Run {run_id} is canceled.\n")
        assert process.wait(10) == -signal.SIGKILL
    assert status_of(project) == "canceled"


def test_a_process_that_stands_still_is_killed(project: Project) -> None:
    with running(project, "waiting") as (process, run_id):
        process.send_signal(signal.SIGSTOP)
        assert project.run("runs", "cancel", run_id, "--grace", "0.2").code == 0
        assert process.wait(10) == -signal.SIGKILL
    assert status_of(project) == "canceled"


@pytest.mark.skipif(sys.platform != "linux", reason="the exit of another's child is told by Linux only")
@pytest.mark.parametrize("grace", ["0.2", "30"])
def test_steps_in_processes_of_their_own_end_with_their_run(project: Project, grace: str) -> None:
    project.define(
        DEFINITIONS.replace("import hashlib,", "import hashlib, os,")
        .replace('pipe.write("begun")', "pipe.write(str(os.getpid()))")
        .replace("defs = sg.Definitions(", "defs = sg.Definitions(executor=sg.multiprocess_executor, ")
    )
    asset = "stubborn" if grace == "0.2" else "polite"
    process = project.start("materialize", "--select", asset)
    with (project.folder / "begun").open() as pipe:
        step = os.pidfd_open(int(pipe.read()))
    try:
        [run] = project.json("runs")["runs"]
        assert project.run("runs", "cancel", run["run_id"], "--grace", grace).code == 0
        assert process.wait(10) == (-signal.SIGKILL if grace == "0.2" else 143)
        assert select.select([step], [], [], 10)[0], "the process of the step is still there"
    finally:
        process.kill()
        process.communicate()
        os.close(step)
    assert status_of(project) == "canceled"
    if asset == "polite":
        assert (project.folder / "tidied").read_text().split() == ["finally", "resource"]


def test_a_run_that_was_asked_to_stop_and_lost_its_process_is_canceled(project: Project) -> None:
    with running(project, "waiting") as (process, run_id):
        with local_instance(str(project.home)) as instance:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            instance.report_run_canceling(run)
        process.kill()
        process.wait()
    assert status_of(project) == "canceled"


def test_a_run_that_has_ended_and_one_that_there_is_not(project: Project) -> None:
    with running(project, "waiting") as (process, run_id):
        process.kill()
        process.wait()
    answer = project.run("runs", "cancel", run_id)
    assert answer.code == 1
    assert answer.last_error_line == f"Error: Run {run_id} has already ended (FAILURE): there is nothing to cancel."
    assert project.run("runs", "cancel", "nothing").code == 1


def test_a_run_that_has_not_started_is_canceled_at_once(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    for status in (sg.RunStatus.QUEUED, sg.RunStatus.NOT_STARTED):
        store.create_run(sg.Run(run_id=status.value, job_name="job", status=status), b"", b"", [])
        assert cancel_run(store, status.value).status is sg.RunStatus.CANCELED
    store.close()


def test_a_process_is_never_signaled_for_a_worker_that_it_is_not(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        (tmp_path / "workers").mkdir()
        name = f"{innocent.pid}-00000000"
        assert not store.signal_worker(name, signal.SIGKILL)
        (tmp_path / "workers" / f"{name}.lock").touch()
        assert not store.signal_worker(name, signal.SIGKILL)
        assert innocent.poll() is None
        assert innocent.stdin is not None
        innocent.stdin.write(b"\n")
    assert innocent.returncode == 0
    store.close()


def test_a_run_of_this_very_process_stops_between_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.execute.loop.BETWEEN_QUESTIONS", 0.0)
    begun, asked = threading.Event(), threading.Event()

    @sg.asset
    def first() -> None:
        begun.set()
        assert asked.wait(30)

    @sg.asset(deps=[first])
    def second() -> None:
        raise AssertionError("it must not start")

    def cancel() -> None:
        with local_instance(str(tmp_path)) as instance:
            assert begun.wait(30)
            [run] = instance.get_runs()
            assert instance.cancel_run(run.run_id).status is sg.RunStatus.CANCELING
            asked.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with local_instance(str(tmp_path)) as instance:
        with pytest.raises(sg.ExecutionInterruptedError):
            sg.materialize([first, second], instance=instance)
        [run] = instance.get_runs()
        assert run.status is sg.RunStatus.CANCELED
    thread.join()
