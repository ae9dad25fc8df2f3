"""`segue serve` that is asked to end: its runs may go on for a while, and another control plane takes the rest."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import ControlPlane, control_plane, gone

from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.storage.sqlite import open_sqlite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
import time
from pathlib import Path


@sg.asset
def waiting():
    Path("waits").touch()
    while not Path("goes on").exists():
        time.sleep(0.01)


@sg.asset
def quick():
    pass


defs = sg.Definitions(assets=[waiting, quick])
"""
DRAINS = "Ending with its runs (1)"


def project_in(folder: Path) -> Project:
    project = Project(folder, DEFINITIONS)
    (folder / "segue.toml").write_text('file = "definitions.py"\n[retries]\nmax_retries = 1\n', encoding="utf-8")
    return project


def start_waiting(plane: ControlPlane) -> str:
    """A run that goes on until the file is there."""
    run_id = plane.start_run(assets=["waiting"])
    plane.wait_for((plane.folder / "waits").exists)
    return run_id


def test_runs_go_on_while_another_control_plane_takes_over(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    with control_plane(project.folder, "--drain", "1000", command="serve") as first:
        run_id = start_waiting(first)
        started = first.descendants()
        first.process.send_signal(signal.SIGTERM)
        first.wait_for_line(DRAINS)
        with control_plane(project.folder, command="serve") as second:
            assert second.run(assets=["quick"])["status"] == "SUCCESS"
            assert second.get(f"/api/runs/{run_id}").document["status"] == "STARTED"
            (tmp_path / "goes on").touch()
            assert second.ended(run_id)["status"] == "SUCCESS"
            assert first.process.wait(60) == 0
            gone(started)


@pytest.mark.parametrize("how", ["when its time is over", "at the second signal"])
def test_runs_that_do_not_end_are_interrupted_and_run_again_elsewhere(tmp_path: Path, how: str) -> None:
    project = project_in(tmp_path)
    drain = "0.5" if how == "when its time is over" else "1000"
    with control_plane(project.folder, "--drain", drain, command="serve") as first:
        run_id = start_waiting(first)
        started = first.descendants()
        first.process.send_signal(signal.SIGTERM)
        first.wait_for_line(DRAINS)
        if drain == "1000":
            first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(60) == 0
        gone(started)
    (tmp_path / "goes on").touch()
    with control_plane(project.folder, command="serve") as second:
        run = second.ended(run_id)
        assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")
        store = open_sqlite(project.home)
        second.wait_for(lambda: store.count_runs(RunsFilter(statuses=(RunStatus.SUCCESS,))) == 1)
        [again] = store.list_runs(RunsFilter(statuses=(RunStatus.SUCCESS,)), None, None)
        assert again.parent_run_id == run_id
        store.close()


def test_without_runs_it_ends_at_once(tmp_path: Path) -> None:
    with control_plane(project_in(tmp_path).folder, "--drain", "1000", command="serve") as plane:
        assert plane.stop(signal.SIGTERM) == 0
        assert not any("Ending with its runs" in line for line in plane.lines)
