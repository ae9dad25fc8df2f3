"""`segue db prune` as a process: what it counts, asks, removes and leaves."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Project
from control_plane import control_plane

DEFINITIONS = """
from pathlib import Path

@sg.asset
def orders(context):
    print("making orders")
    assert not Path("broken").exists()
    context.add_output_metadata({"rows": 3})
    return 1

@sg.asset_check(asset=orders)
def some(orders):
    return sg.AssetCheckResult(passed=True)

defs = sg.Definitions([orders], asset_checks=[some])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two runs, the first of them failed and a hundred days old."""
    project = Project(tmp_path / "project", DEFINITIONS)
    (project.folder / "broken").touch()
    for code in (1, 0):
        assert project.run("materialize").code == code
        (project.folder / "broken").unlink(missing_ok=True)
        with closing(sqlite3.connect(project.home / "segue.db")) as connection, connection:
            if connection.execute("SELECT count(*) FROM runs").fetchone() == (1,):
                ago = 100 * 86_400
                connection.execute("UPDATE events SET timestamp = timestamp - ?", (ago,))
                connection.execute(
                    "UPDATE runs SET created_at = created_at - ?1, started_at = started_at - ?1, "
                    "ended_at = ended_at - ?1, updated_at = updated_at - ?1",
                    (ago,),
                )
    return project


def test_what_is_old_goes_after_a_yes(project: Project) -> None:
    runs, asset = project.json("runs"), project.json("asset", "orders")
    counted = project.json("db", "prune", "--dry-run")
    assert counted["dry_run"] is True
    assert counted["events"] > 5
    refused = project.run("db", "prune")
    assert refused.code == 2
    assert f"Removing {counted['events']} events" in refused.last_error_line
    assert "--yes" in refused.last_error_line
    answer = project.run("db", "prune", "--yes")
    assert answer.code == 0, answer.err
    assert f"Removed {counted['events']} events" in answer.out
    assert project.json("runs") == runs
    assert {**project.json("asset", "orders"), "recent_runs": []} == {**asset, "recent_runs": []}
    assert project.json("db", "prune", "--yes")["events"] == 0
    old = runs["runs"][-1]["run_id"]
    shown = project.run("show", old)
    assert shown.code == 0, shown.err
    assert "AssertionError" not in shown.out
    assert "not started" not in shown.out  # nobody knows any more
    assert "Its events were removed" in shown.out
    assert {step["status"] for step in project.json("show", old)["steps"]} == {"unknown"}


def test_files_of_metadata_that_nothing_refers_to_go(project: Project) -> None:
    kept = project.home / "artifacts" / ("a" * 32)
    kept.parent.mkdir()
    kept.write_text("{}")
    assert project.json("db", "prune", "--dry-run")["artifacts"] == 0
    os.utime(kept, (1.0, 1.0))
    assert project.json("db", "prune", "--dry-run")["artifacts"] == 1
    assert "1 file of metadata" in project.run("db", "prune", "--yes").out
    assert not kept.exists()


def test_how_old_can_be_said(project: Project) -> None:
    assert project.json("db", "prune", "--older-than", "200d", "--dry-run")["events"] == 0
    everything = project.json("db", "prune", "--older-than", "0.000001m", "--dry-run")
    assert everything["output"] >= 1
    assert everything["events"] > project.json("db", "prune", "--dry-run")["events"]
    for text in ("soon", "0", "never"):
        wrong = project.run("db", "prune", "--older-than", text, "--dry-run")
        assert wrong.code == 2, wrong.out
        assert "--older-than" in wrong.last_error_line


def test_the_settings_say_what_is_old(project: Project) -> None:
    settings = project.folder / "segue.toml"
    settings.write_text(settings.read_text() + '[retention]\nevents = "never"\n')
    assert project.json("db", "prune", "--dry-run")["events"] == 0


def test_the_control_plane_does_it_by_itself(project: Project) -> None:
    def left() -> int:
        return project.json("db", "prune", "--dry-run")["events"]

    assert left() > 0
    with control_plane(project.folder) as plane:
        plane.wait_for(lambda: left() == 0)
