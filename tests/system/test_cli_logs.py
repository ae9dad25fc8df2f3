"""`segue runs logs`: what steps wrote, afterwards and while they run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
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


EXECUTORS = """
@sg.op
def talks():
    print("0123456789")

def job_with(way, executor):
    @sg.job(name=way, executor_def=executor)
    def job():
        talks()
    return job

defs = sg.Definitions(jobs=[
    job_with("inline", sg.in_process_executor),
    job_with("threads", sg.threads_executor),
    job_with("processes", sg.multiprocess_executor),
])
"""


@pytest.mark.parametrize("way", ["inline", "threads", "processes"])
def test_output_is_kept_where_the_settings_say_and_cut_where_they_say(tmp_path: Path, way: str) -> None:
    project = Project(tmp_path / "project", EXECUTORS)
    with (project.folder / "segue.toml").open("a") as file:
        file.write('logs = "../output"\nlog_limit = 4\n')
    assert project.run("materialize", "--job", way).code == 0
    [run] = project.json("runs")["runs"]
    [kept] = (tmp_path / "output" / run["run_id"]).iterdir()
    assert kept.read_text().startswith("0123\n(7 more bytes")
    assert project.run("runs", "logs", run["run_id"], "talks").out == kept.read_text()
    assert not (project.home / "logs").exists()


def test_another_machine_follows_copies(tmp_path: Path, postgres_url: str) -> None:
    """Two projects with one database and homes of their own stand for two machines."""
    one, other = Project(tmp_path / "one", DEFINITIONS), Project(tmp_path / "other", DEFINITIONS)
    shared: dict[str, str | None] = {"SEGUE_DATABASE": postgres_url, "SEGUE_LOGS": f"file://{tmp_path}/copies"}
    for name in ("begun", "go"):
        os.mkfifo(one.folder / name)
    process = one.start("materialize", "--select", "waits", environment=shared)
    with (one.folder / "begun").open() as pipe:
        assert pipe.read() == "begun"
    [run] = other.run("runs", "--json", environment=shared).document["runs"]
    following = other.start("runs", "logs", "--follow", run["run_id"], environment=shared)
    assert following.stdout is not None
    assert [following.stdout.readline() for _ in range(2)] == ["waits:\n", "first line\n"]
    with (one.folder / "go").open("w") as pipe:
        pipe.write("go")
    out, _ = following.communicate(timeout=30)
    assert (out, following.returncode) == ("last line\n", 0)
    process.communicate(timeout=30)


@pytest.mark.parametrize("way", ["inline", "threads", "processes"])
def test_each_way_to_run_steps_has_its_output_copied(tmp_path: Path, way: str) -> None:
    project = Project(tmp_path / "project", EXECUTORS)
    with (project.folder / "segue.toml").open("a") as file:
        file.write(f'logs = "file://{tmp_path}/copies"\n')
    assert project.run("materialize", "--job", way).code == 0
    shutil.rmtree(project.home / "logs")
    [run] = project.json("runs")["runs"]
    assert project.run("runs", "logs", run["run_id"], "talks").out == "0123456789\n"
