"""Processes that stand still, or are killed, in the middle of storing a value: what was stored before stays whole."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Project

from segue import AssetKey, Instance, RunStatus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")

# What is stored stops its process while it is pickled.
STANDS_STILL = """
import os, signal

class Text:
    def __init__(self, text):
        self.text = text

    def __reduce__(self):
        if "STOP" in os.environ:
            os.kill(os.getpid(), signal.SIGSTOP)
        return str, (self.text,)

@sg.asset
def page():
    return [b"x" * 100_000, Text(os.environ["TEXT"])]

@sg.asset
def index(page):
    with open("calls", "a") as calls:
        calls.write("index\\n")

defs = sg.Definitions(assets=[page, index])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path, STANDS_STILL)
    assert project.run("materialize", "--select", "page", environment={"TEXT": "old"}).code == 0
    return project


@contextmanager
def standing_still(project: Project) -> Generator[subprocess.Popen[str]]:
    """A process that has stopped in the middle of storing."""
    process = project.start("materialize", environment={"STOP": "yes", "TEXT": "new"})
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def stored(project: Project) -> list[str]:
    """What is in the folder of values."""
    return sorted(path.name for path in (project.home / "storage").iterdir())


def value(project: Project) -> str:
    """The text that is stored."""
    return pickle.loads((project.home / "storage" / "page").read_bytes())[1]


def test_a_process_whose_run_was_ended_meanwhile_leaves_the_value_as_it_is(project: Project) -> None:
    with standing_still(project) as process:
        assert len(stored(project)) == 2
        with Instance.local_temp(str(project.home)) as instance:
            (run,) = [run for run in instance.get_runs() if run.status is RunStatus.STARTED]
            instance.report_run_failed(run, "given up")
            made = instance.get_latest_materialization_event(AssetKey("page"))
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Run {run.run_id} has ended (FAILURE)" in err.splitlines()[-1]
    assert value(project) == "old"
    assert stored(project) == ["page"]
    assert project.calls() == []
    with Instance.local_temp(str(project.home)) as instance:
        assert instance.get_latest_materialization_event(AssetKey("page")) == made
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        assert ended.status is RunStatus.FAILURE


def test_a_value_that_another_run_stores_meanwhile_is_the_one_that_stays(project: Project) -> None:
    with standing_still(project) as process:
        with Instance.local_temp(str(project.home)) as instance:
            (run,) = [run for run in instance.get_runs() if run.status is RunStatus.STARTED]
            instance.report_run_canceled(run, "given up")
        assert project.run("materialize", environment={"TEXT": "newest"}).code == 0
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=30)
    assert process.returncode == 1
    assert value(project) == "newest"
    assert stored(project) == ["index", "page"]
    assert project.calls() == ["index"]


def test_what_a_killed_process_left_is_taken_by_the_next_that_stores_the_value(project: Project) -> None:
    for _ in range(2):
        with standing_still(project) as process:
            process.kill()
            process.wait()
        assert len(stored(project)) == 2
        assert value(project) == "old"
    assert project.run("materialize", "--select", "page", environment={"TEXT": "newest"}).code == 0
    assert value(project) == "newest"
    assert stored(project) == ["page"]


def test_a_process_that_only_stood_still_stores_its_value(project: Project) -> None:
    with standing_still(project) as process:
        assert project.json("runs")["runs"][0]["status"] == "started"
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert value(project) == "new"
    assert stored(project) == ["index", "page"]
