"""A step that waits for a person: no process is left for it, and the run goes on in another control plane."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import control_plane, gone

from segue.model.run import RunStatus
from segue.storage.sqlite import open_sqlite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
from pathlib import Path


def note(what):
    with Path("calls").open("a") as calls:
        calls.write(what + "\\n")


@sg.asset
def totals():
    note("totals")
    return 3


@sg.asset(step_policy=sg.StepPolicy(approval="May the totals go out?"))
def published(totals):
    note(f"published {totals}")


job = sg.define_asset_job("job", [totals, published], executor_def=sg.multiprocess_executor)
here = sg.define_asset_job("here", [totals, published], executor_def=sg.in_process_executor)
defs = sg.Definitions(assets=[totals, published], jobs=[job, here])
"""


@pytest.mark.parametrize("job", ["job", "here"])
def test_a_run_waits_for_a_person_without_a_process_and_over_a_restart(job: str, tmp_path: Path) -> None:
    project = Project(tmp_path, DEFINITIONS)
    with control_plane(project.folder, command="serve") as plane:
        before = set(plane.descendants())
        run_id = plane.start_run(job=job)
        store = open_sqlite(Path(project.home))

        def status() -> RunStatus:
            run = store.get_run(run_id)
            assert run is not None
            return run.status

        plane.wait_for(lambda: status() is RunStatus.SUSPENDED)
        gone([pid for pid in plane.descendants() if pid not in before])
        assert plane.stop() == 0
    assert status() is RunStatus.SUSPENDED
    (waiting,) = project.run("queue", "--json").document["runs"]
    assert waiting["run_id"] == run_id
    assert "published: May the totals go out?" in waiting["blocked_by"]
    assert project.run("runs", "approve", run_id, "--by", "anna", "--json").document["steps"] == ["published"]
    with control_plane(project.folder) as plane:
        assert plane.ended(run_id)["status"] == "SUCCESS"
    assert (project.folder / "calls").read_text().split("\n") == ["totals", "published 3", ""]
    shown = project.run("show", run_id, "--json")
    assert shown.code == 0, shown.err
    store.close()
