"""Disks that are full or read-only: said with the place and the cure, and nothing is lost."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import NAMESPACE, SEGUE, Answer, Project, may_mount

SMALL = """
@sg.asset
def orders() -> int:
    return 1

defs = sg.Definitions(assets=[orders])
"""

LARGE = """
@sg.asset
def orders() -> int:
    return 1

@sg.asset
def large(orders: int) -> bytes:
    return b"x" * 8_000_000

defs = sg.Definitions(assets=[orders, large])
"""


def in_namespace(project: Project, script: str) -> Answer:
    """Runs a shell script with mounts of its own; `$SEGUE` is the command, `$SEGUE_HOME` the home."""
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", script],
        cwd=project.folder,
        env=project.environment({"SEGUE_HOME": str(project.home), "SEGUE": shlex.join(SEGUE)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def full_disk(project: Project) -> Answer:
    """The large asset on a disk of 4 MB, then the runs that are recorded there."""
    script = (
        'mount -t tmpfs -o size=4m tmpfs "$SEGUE_HOME" && eval "$SEGUE materialize"; code=$?; '
        'eval "$SEGUE runs --json" > runs.json; exit $code'
    )
    return in_namespace(project, script)


def file_size_limit(project: Project) -> Answer:
    """The large asset where no file may be larger than 4 MB: what a quota does."""
    script = 'ulimit -f 4096; eval "$SEGUE materialize"; code=$?; eval "$SEGUE runs --json" > runs.json; exit $code'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project.folder,
        env=project.environment({"SEGUE": shlex.join(SEGUE)}),
        capture_output=True,
        text=True,
        timeout=50,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("run", [file_size_limit, *([full_disk] if may_mount() else [])])
def test_no_room_for_an_output(tmp_path: Path, run: Callable[[Project], Answer]) -> None:
    project = Project(tmp_path / "Projekt ä", LARGE)
    project.home.mkdir()
    answer = run(project)
    assert answer.code == 1, answer.err
    assert "step large failed" in answer.last_error_line
    assert "No space left" in answer.last_error_line or "File too large" in answer.last_error_line
    runs = json.loads((project.folder / "runs.json").read_text())["runs"]
    assert [each["status"] for each in runs] == ["failure"]


@pytest.mark.parametrize("made_before", [True, False])
def test_a_home_that_cannot_be_written(tmp_path: Path, made_before: bool) -> None:
    project = Project(tmp_path / "Projekt ä", SMALL)
    project.home.mkdir()
    if made_before:
        assert project.run("materialize").code == 0
    script = (
        'mount --bind "$SEGUE_HOME" "$SEGUE_HOME" && mount -o remount,bind,ro "$SEGUE_HOME" && '
        'eval "$SEGUE runs" > runs.txt 2>&1; echo $? >> runs.txt; eval "$SEGUE materialize"'
    )
    answer = read_only(project, script)
    assert answer.code == 1, answer.err
    line = answer.last_error_line
    assert [part for part in (".segue", "SEGUE_HOME") if part not in line] == []
    assert "Traceback" not in answer.err
    *said, code = (project.folder / "runs.txt").read_text().splitlines()
    if made_before:
        assert (code, said[1].split()[1]) == ("0", "success")
        assert project.json("asset", "orders")["latest"] is not None
        assert project.run("materialize").code == 0
    else:
        assert code == "1"
        assert list(project.home.iterdir()) == []


def read_only(project: Project, script: str) -> Answer:
    """Runs a script in which the home is read-only: by a mount, or by its mode where nobody is root."""
    if may_mount():
        return in_namespace(project, script)
    project.home.chmod(0o555)
    try:
        return in_namespace(project, script.partition("&& ")[2].partition("&& ")[2])
    finally:
        project.home.chmod(0o755)


FILLING = """
import os

@sg.asset
def orders() -> int:
    return 1

@sg.asset(deps=["orders"])
def filling(context) -> None:
    if "FILL" in os.environ:
        with open(os.environ["SEGUE_HOME"] + "/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass
        context.add_output_metadata({f"part_{n}": "y" * 50_000 for n in range(4)})  # more than what is left for the database

defs = sg.Definitions(assets=[orders, filling])
"""

if may_mount():

    def test_no_room_for_the_database(tmp_path: Path) -> None:
        """The run cannot be recorded to its end; once there is room it is interrupted, and can be retried."""
        project = Project(tmp_path / "Projekt ä", FILLING)
        project.home.mkdir()
        script = (
            'mount -t tmpfs -o size=4m tmpfs "$SEGUE_HOME" && export FILL=1; eval "$SEGUE materialize"; code=$?; '
            'unset FILL; rm "$SEGUE_HOME/filler"; eval "$SEGUE runs --json" > runs.json; '
            'eval "$SEGUE list --json" > list.json; '
            "run=$(grep -o '[0-9a-f-]\\{36\\}' runs.json | head -1); "
            'eval "$SEGUE runs retry $run --json" > retry.json; exit $code'
        )
        answer = in_namespace(project, script)
        assert answer.code == 1, answer.err
        error = next(line for line in answer.err.splitlines() if "segue.db" in line)
        assert error.startswith("Error: ")
        assert "Free space" in error

        def read(name: str) -> dict[str, list[dict[str, object]]]:
            return json.loads((project.folder / name).read_text())

        assert [run["status"] for run in read("runs.json")["runs"]] == ["interrupted"]
        made = {row["asset"]: row["last_materialized"] is not None for row in read("list.json")["assets"]}
        assert made == {"orders": True, "filling": False}
        assert read("retry.json")["success"] is True

    @pytest.mark.parametrize(
        ("options", "subject", "said"),
        [("size=4m", "disk of home", "0.0 GB are free"), ("ro", "writes to home", "cannot be written")],
        ids=["full", "read-only"],
    )
    def test_the_doctor_names_a_disk_that_nothing_can_be_written_to(
        tmp_path: Path, options: str, subject: str, said: str
    ) -> None:
        project = Project(tmp_path, SMALL)
        project.home.mkdir()
        answer = in_namespace(
            project, f'mount -t tmpfs -o {options} tmpfs "$SEGUE_HOME" && eval "$SEGUE doctor --json"'
        )
        assert answer.code == 1, answer.err
        found = next(each for each in answer.document["findings"] if each["subject"] == subject)
        assert found["level"] == "error"
        assert said in found["message"]
        assert found["cure"]
