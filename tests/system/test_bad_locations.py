"""Code locations whose import takes long or says much, and schedules that can never tick: nobody else waits for them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import control_plane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

GOOD = """
@sg.asset
def {name}():
    pass


defs = sg.Definitions(assets=[{name}])
"""
BARRIER = """
import time
from pathlib import Path

Path("imports").touch()
while not Path("goes on").exists():
    time.sleep(0.01)
"""
CHATTY = """
import os
import sys

print("x" * 3_000_000)
sys.stderr.write("y" * 3_000_000)
os.write(1, b"\\xff\\x00 not text")
sys.stdin.read()
"""
IMPOSSIBLE = """
@sg.asset
def made():
    pass


never = sg.ScheduleDefinition(target=[made], cron_schedule="0 0 30 2 *", name="never")
defs = sg.Definitions(assets=[made], schedules=[never])
"""


def two_locations(folder: Path, first: str, second: str) -> Path:
    """A deployment with the code of two locations, `one` and `two`."""
    tables: list[str] = []
    for name, code in (("one", first), ("two", second)):
        (folder / f"{name}.py").write_text("import segue as sg\n" + code, encoding="utf-8")
        tables.append(f'[[locations]]\nname = "{name}"\nfile = "{name}.py"\n')
    (folder / "segue.toml").write_text("".join(tables), encoding="utf-8")
    return folder


def test_an_import_that_takes_long_keeps_nobody_waiting_and_is_not_given_up(tmp_path: Path) -> None:
    folder = two_locations(tmp_path, BARRIER + GOOD.format(name="slow"), GOOD.format(name="quick"))
    with control_plane(folder, command="serve", served=False) as plane:
        plane.url = plane.wait_for_line("Serving Segue at http").partition("Serving Segue at ")[2].split()[0]
        plane.wait_for_line("Code location two is loaded")
        plane.wait_for((folder / "imports").exists)
        assert plane.run(assets=["quick"], location="two")["status"] == "SUCCESS"
        found = {each["name"]: each for each in plane.get("/api/locations").document}
        assert (found["one"]["status"], found["two"]["status"]) == ("loading", "ready")
        assert plane.get("/readyz").status == 503
        refused = plane.post("/api/runs", {"assets": ["slow"], "location": "one"})
        assert refused.status == 503
        assert "one" in refused.document["message"]
        (folder / "goes on").touch()
        plane.wait_for_line("Code location one is loaded")
        assert plane.run(assets=["slow"], location="one")["status"] == "SUCCESS"
        assert plane.get("/readyz").status == 200


def test_a_reload_that_takes_long_leaves_the_old_code_serving(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD.format(name="old"))
    with control_plane(project.folder) as plane:
        seen = len(plane.lines)
        project.define(BARRIER + GOOD.format(name="new"))
        plane.wait_for((tmp_path / "imports").exists)
        assert plane.run(assets=["old"])["status"] == "SUCCESS"
        (tmp_path / "goes on").touch()
        plane.wait_for_line("is loaded", after=seen)
        assert plane.run(assets=["new"])["status"] == "SUCCESS"


def test_what_an_import_prints_harms_nobody(tmp_path: Path) -> None:
    project = Project(tmp_path, CHATTY + GOOD.format(name="a"))
    with control_plane(project.folder) as plane:
        assert plane.run(assets=["a"])["status"] == "SUCCESS"


def test_a_schedule_that_can_never_tick_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    folder = two_locations(tmp_path, IMPOSSIBLE, GOOD.format(name="quick"))
    with control_plane(folder, command="serve") as plane:
        found = {each["name"]: each for each in plane.get("/api/locations").document}
        assert found["one"]["status"] == "broken"
        assert "none of its months has a day 30" in found["one"]["error"]
        assert "one.py" in found["one"]["error"]
        assert plane.run(assets=["quick"], location="two")["status"] == "SUCCESS"
