"""Ranges of partitions: split into runs, failures kept to themselves, state per partition."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Project

DEFINITIONS = """
import os

LETTERS = sg.StaticPartitionsDefinition(["a", "b", "c", "d", "e"])

def called(name):
    with open("calls", "a") as calls:
        calls.write(name + "\\n")

@sg.asset
def base() -> int:
    called("base")
    return 1

@sg.asset(partitions_def=LETTERS)
def letters(context, base: int) -> str:
    called(context.partition_key)
    if context.partition_key in os.environ.get("FAIL", ""):
        raise ValueError("not this one")
    return context.partition_key

@sg.asset(partitions_def=LETTERS, backfill_policy=sg.BackfillPolicy.single_run())
def together(context, letters: dict[str, str]) -> None:
    called("+".join(context.partition_keys))

@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x"]))
def other() -> None: ...

defs = sg.Definitions(assets=[base, letters, together, other])
"""
RANGE = ("materialize", "--select", "base letters together".replace(" ", " or "), "--partition-range")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "Projekt ä", DEFINITIONS)


def test_each_asset_runs_as_its_policy_says(project: Project) -> None:
    done = project.json(*RANGE, "b...d")
    assert done["success"]
    assert project.calls() == ["base", "b", "c", "d", "b+c+d"]
    assert [(run["run"]["assets"], run["run"]["partition"], run["run"]["partition_end"]) for run in done["runs"]] == [
        (["base"], None, None),
        (["letters"], "b", "b"),
        (["letters"], "c", "c"),
        (["letters"], "d", "d"),
        (["together"], "b", "d"),
    ]
    partitions = project.json("asset", "together")["partitions"]
    assert (partitions["total"], partitions["materialized"]) == (5, 3)
    assert partitions["materialized_stretches"] == [["b", "d"]]
    assert partitions["missing_stretches"] == [["a", "a"], ["e", "e"]]
    assert "Materialized  3: b...d" in project.run("asset", "together").out


def test_a_failure_stops_only_what_needs_it(project: Project) -> None:
    failed = project.run(*RANGE, "a...c", environment={"FAIL": "b"})
    assert failed.code == 1
    assert project.calls() == ["base", "a", "b", "c"]
    assert "5 runs: 3 succeeded, 1 failed, 1 not run" in failed.out
    errors = failed.err.splitlines()
    assert "(partition b) ended with status failure: step letters failed: ValueError: not this one" in errors[0]
    assert errors[1].startswith("Not run: together [a...c], because ")
    assert project.json("asset", "letters")["partitions"]["materialized_stretches"] == [["a", "a"], ["c", "c"]]


def test_fail_fast_stops_everything(project: Project) -> None:
    failed = project.run(*RANGE, "a...e", "--fail-fast", "--json", environment={"FAIL": "b"})
    assert failed.code == 1
    assert project.calls() == ["base", "a", "b"]
    document = failed.document
    assert [run["run"]["status"] for run in document["runs"]] == ["success", "success", "failure"]
    assert [left["partitions"] for left in document["not_run"]] == [["c"], ["d"], ["e"], ["a", "b", "c", "d", "e"]]


def test_one_partition_is_one_run_for_all(project: Project) -> None:
    done = project.json("materialize", "--select", "base or letters", "--partition", "c")
    assert [run["run"]["assets"] for run in done["runs"]] == [["base", "letters"]]
    assert project.calls() == ["base", "c"]


def test_different_partitions_definitions_are_an_error_that_says_which(project: Project) -> None:
    answer = project.run("materialize", "--partition-range", "a...b")
    assert answer.code == 1
    assert [part for part in ("letters, together: ", "other: ", "--select") if part not in answer.err] == []
    assert project.json("runs")["runs"] == []


def test_some_partitions_are_wiped(project: Project) -> None:
    project.json(*RANGE, "a...e")
    assert project.run("wipe", "letters", "--partition", "a", "--yes").code == 0
    document = project.json("wipe", "letters", "--partition-range", "a...c", "--yes")
    assert document == {"asset": "letters", "partitions": ["b", "c"]}
    assert project.json("asset", "letters")["partitions"]["materialized_stretches"] == [["d", "e"]]
    answer = project.run("wipe", "letters", "--partition", "a", "--yes")
    assert answer.code == 1
    assert "Nothing is recorded of partition 'a'" in answer.last_error_line
    assert project.run("wipe", "letters", "--yes").code == 0
    assert project.json("asset", "letters")["partitions"]["materialized"] == 0
