"""`segue runs logs`: what steps wrote, afterwards and while they run."""

from __future__ import annotations

import os
from pathlib import Path

from command_line import Project

DEFINITIONS = """
import sys

@sg.asset
def talks():
    print("to stdout")
    print("to stderr", file=sys.stderr)

@sg.asset(deps=[talks])
def silent(): ...

@sg.asset
def waits():
    print("first line", flush=True)
    with open("begun", "w") as pipe:
        pipe.write("begun")
    with open("go", "r") as pipe:
        pipe.read()
    print("last line")

defs = sg.Definitions(assets=[talks, silent, waits])
"""


def test_what_steps_wrote_is_shown_and_listed(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", DEFINITIONS)
    assert project.run("materialize", "--select", "talks+").code == 0
    [run] = project.json("runs")["runs"]
    answer = project.run("runs", "logs", run["run_id"])
    assert (answer.code, answer.out, answer.err) == (0, "talks:\nto stdout\n", "to stderr\n")
    assert project.run("runs", "logs", run["run_id"], "talks").out == "to stdout\n"
    missing = project.run("runs", "logs", run["run_id"], "silent")
    assert (missing.code, missing.last_error_line.rpartition(": ")[2]) == (1, "talks.")
    files = project.run("runs", "logs", run["run_id"], "--json").document["files"]
    assert [(each["step"], each["stream"], each["size"]) for each in files] == [
        ("talks", "stdout", 10),
        ("talks", "stderr", 10),
    ]


def test_a_run_is_followed_to_its_end(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", DEFINITIONS)
    for name in ("begun", "go"):
        os.mkfifo(project.folder / name)
    process = project.start("materialize", "--select", "waits")
    with (project.folder / "begun").open() as pipe:
        assert pipe.read() == "begun"
    [run] = project.json("runs")["runs"]
    following = project.start("runs", "logs", "--follow", run["run_id"], "waits")
    assert following.stdout is not None
    assert following.stdout.readline() == "first line\n"
    with (project.folder / "go").open("w") as pipe:
        pipe.write("go")
    out, _ = following.communicate(timeout=30)
    assert (out, following.returncode) == ("last line\n", 0)
    process.communicate(timeout=30)
