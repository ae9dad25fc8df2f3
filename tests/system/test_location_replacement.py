"""A code location is replaced while it executes runs, and none of them fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import control_plane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

RUNS, REPLACED_AFTER = 20, (5, 10, 15)
DEFINITIONS = f"""
import os


def asset(number):
    @sg.asset(name=f"asset_{{number}}")
    def made():
        with open("zygotes", "a") as file:
            file.write(f"{{os.getppid()}}\\n")

    return made


defs = sg.Definitions(assets=[asset(number) for number in range({RUNS})])
"""


def test_no_run_fails_while_the_location_is_replaced_again_and_again(tmp_path: Path) -> None:
    project = Project(tmp_path, DEFINITIONS)
    with control_plane(project.folder, command="serve") as plane:
        [location] = plane.get("/api/locations").document
        runs: list[str] = []
        for number in range(RUNS):
            if number in REPLACED_AFTER:
                seen = len(plane.lines)
                assert plane.post(f"/api/locations/{location['name']}/reload", {}).status == 202
                runs.append(plane.start_run(assets=[f"asset_{number}"]))  # while the new process loads
                plane.wait_for_line("is loaded", after=seen)
            else:
                runs.append(plane.start_run(assets=[f"asset_{number}"]))
        assert [plane.ended(run_id)["status"] for run_id in runs] == ["SUCCESS"] * RUNS
    assert len(set((tmp_path / "zygotes").read_text(encoding="utf-8").split())) == len(REPLACED_AFTER) + 1
