"""`segue runs retry`: what is left of a run, all of it, or a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Project

DEFINITIONS = """
import os

def called(name):
    with open("calls", "a") as calls:
        calls.write(name + "\\n")

@sg.asset
def first() -> int:
    called("first")
    return 1

@sg.asset
def second(first: int) -> int:
    called("second")
    if "BROKEN" in os.environ:
        raise ValueError("not yet")
    return first + 1

@sg.asset
def third(second: int) -> int:
    called("third")
    return second + 1

@sg.asset
def aside() -> None:
    called("aside")

defs = sg.Definitions(assets=[first, second, third, aside])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", DEFINITIONS)


def retried(project: Project, *arguments: str, broken: bool = True) -> list[str]:
    """What a retry of a run called, in order; the run failed in the middle, or ended well."""
    environment: dict[str, str | None] = {"BROKEN": "yes"} if broken else {}
    assert project.run("materialize", environment=environment).code == (1 if broken else 0)
    calls = project.folder / "calls"
    calls.unlink()
    [run] = project.json("runs", "--limit", "1")["runs"]
    document = project.json("runs", "retry", run["run_id"], *arguments)
    assert document["success"], document
    assert document["runs"][0]["run"]["parent_run_id"] == run["run_id"]
    return calls.read_text().split()


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        ([], ["second", "third"]),
        (["--from-failure"], ["second", "third"]),
        (["--all"], ["aside", "first", "second", "third"]),
        (["--select", "second"], ["second"]),
        (["--select", "first+"], ["first", "second"]),
        (["--select", "tag:none or aside"], ["aside"]),
        (["--step", "first"], ["first"]),
        (["--step", "second+", "--step", "aside"], ["aside", "second", "third"]),
    ],
)
def test_a_failed_run(project: Project, arguments: list[str], calls: list[str]) -> None:
    assert sorted(retried(project, *arguments)) == calls


@pytest.mark.parametrize(
    ("arguments", "calls"), [(["--all"], ["aside", "first", "second", "third"]), (["--step", "third"], ["third"])]
)
def test_a_run_that_ended_well(project: Project, arguments: list[str], calls: list[str]) -> None:
    assert sorted(retried(project, *arguments, broken=False)) == calls


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--all", "--step", "first"], 2, "one of --from-failure, --all, --select and --step"),
        (["--step", "nothing"], 1, "unknown steps nothing"),
        (["--step", "third"], 1, "depends on 'second'"),
        (["--select", "elsewhere"], 1, "elsewhere"),
    ],
)
def test_what_cannot_be_run_again(project: Project, arguments: list[str], code: int, said: str) -> None:
    project.run("materialize", environment={"BROKEN": "yes"})
    [run] = project.json("runs")["runs"]
    answer = project.run("runs", "retry", run["run_id"], *arguments)
    assert answer.code == code
    assert said in answer.err
    assert len(project.json("runs")["runs"]) == 1
