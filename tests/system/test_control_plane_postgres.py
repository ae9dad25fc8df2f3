"""The control plane on Postgres: processes of several machines could share it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import control_plane

from segue.storage.opening import open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
import time
from pathlib import Path


@sg.asset
def quick():
    return 1


@sg.asset
def next_one(quick):
    return quick + 1


@sg.asset
def waiting():
    Path("waits").touch()
    time.sleep(1e6)


apart = sg.define_asset_job("apart", selection=["quick", "next_one"], executor_def=sg.multiprocess_executor)
defs = sg.Definitions(assets=[quick, next_one, waiting], jobs=[apart])
"""


def test_runs_are_executed_and_missed_when_their_processes_die(tmp_path: Path, postgres_url: str) -> None:
    project = Project(tmp_path, DEFINITIONS)
    environment = {"SEGUE_DATABASE": postgres_url}
    with control_plane(project.folder, environment=environment) as plane:
        assert plane.run(assets=["quick", "next_one"])["status"] == "SUCCESS"
        assert plane.run(job="apart")["status"] == "SUCCESS"
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for((tmp_path / "waits").exists)
        before = plane.descendants()
        zygotes = [pid for pid in before if b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        [worker] = [pid for pid in zygotes if _is_child_of(pid, zygotes)]
        os.kill(worker, signal.SIGKILL)
        run = plane.ended(run_id)
        assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")
    assert not (project.home / "segue.db").exists()


def test_runs_find_imported_what_speaks_to_the_database(tmp_path: Path, postgres_url: str) -> None:
    look = """
import os
from pathlib import Path


@sg.asset
def a():
    Path("parent").write_text(Path(f"/proc/{os.getppid()}/maps").read_text())


defs = sg.Definitions(assets=[a])
"""
    project = Project(tmp_path, look)
    with control_plane(project.folder, environment={"SEGUE_DATABASE": postgres_url}) as plane:
        assert plane.run(assets=["a"])["status"] == "SUCCESS"
    assert "psycopg" in (tmp_path / "parent").read_text()


def test_two_control_planes_share_the_work_and_one_goes_on_alone(tmp_path: Path, postgres_url: str) -> None:
    project = Project(tmp_path, DEFINITIONS)
    environment = {"SEGUE_DATABASE": postgres_url}
    with (
        control_plane(project.folder, command="serve", environment=environment) as first,
        control_plane(project.folder, command="serve", environment=environment) as second,
    ):
        runs = [plane.start_run(assets=["quick"]) for plane in (first, second) * 5]
        assert {second.ended(run_id)["status"] for run_id in runs} == {"SUCCESS"}
        first.stop(signal.SIGKILL)
        assert second.run(assets=["quick"])["status"] == "SUCCESS"
    store = open_store(tmp_path, postgres_url)
    assert len(store.asset_states(None)) == 1
    store.close()


def _is_child_of(pid: int, parents: list[int]) -> bool:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]) in parents
