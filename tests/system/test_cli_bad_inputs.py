"""What people get wrong: each has a cause in one line with place and cure, an exit code, and loses nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from command_line import Project

GOOD = """
class Limits(sg.Config):
    most: int = 3

@sg.asset
def orders(config: Limits) -> list[int]:
    return list(range(config.most))

@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["north", "south"]))
def regions(context) -> str:
    return context.partition_key

defs = sg.Definitions(assets=[orders, regions])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "Projekt ä", GOOD)
    assert project.run("materialize", "--select", "orders").code == 0
    return project


def require_nothing_lost(project: Project) -> None:
    """The run that went well before is all there is, and the command works again with sound definitions."""
    project.define(GOOD)
    assert [run["status"] for run in project.json("runs")["runs"]] == ["success"]
    assert project.json("asset", "orders")["latest"] is not None
    assert project.run("materialize", "--select", "orders").code == 0


BAD_DEFINITIONS = {
    "a module that fails to import": (
        "import does_not_exist",
        ["definitions.py:2", "ModuleNotFoundError", "does_not_exist"],
    ),
    "a syntax error": ("def broken(:\n    pass", ["definitions.py:2", "SyntaxError"]),
    "two assets with one key": (
        '@sg.asset(name="orders")\ndef a(): ...\n@sg.asset(name="orders")\ndef b(): ...\n'
        "defs = sg.Definitions(assets=[a, b])",
        ["orders"],
    ),
    "a cycle": (
        '@sg.asset(deps=["c"])\ndef a(): ...\n@sg.asset(deps=["a"])\ndef b(): ...\n'
        '@sg.asset(deps=["b"])\ndef c(): ...\n'
        "defs = sg.Definitions(assets=[a, b, c])",
        ["a -> b -> c -> a"],
    ),
    "a missing upstream": (
        "@sg.asset\ndef report(ordesr): ...\n@sg.asset\ndef orders(): ...\n"
        "defs = sg.Definitions(assets=[report, orders])",
        ["ordesr"],
    ),
    "a missing resource": (
        '@sg.asset(required_resource_keys={"warehouse"})\ndef report(): ...\ndefs = sg.Definitions(assets=[report])',
        ["warehouse"],
    ),
    "a missing IO manager": (
        '@sg.asset(io_manager_key="lake")\ndef report(): ...\ndefs = sg.Definitions(assets=[report])',
        ["lake"],
    ),
    "no definitions": ("x = 1", ["definitions.py", "Definitions"]),
}


@pytest.mark.parametrize("name", sorted(BAD_DEFINITIONS))
@pytest.mark.parametrize("command", ["check", "materialize"])
def test_wrong_definitions(project: Project, name: str, command: str) -> None:
    text, said = BAD_DEFINITIONS[name]
    project.define(text)
    answer = project.run(command)
    assert answer.code == 1
    assert answer.out == ""
    line = answer.last_error_line
    assert line.startswith("Error: ")
    assert [part for part in said if part not in line] == []
    assert "/segue/" not in answer.err
    require_nothing_lost(project)


def test_a_failing_import_shows_the_users_traceback_down_to_the_cause(project: Project) -> None:
    (project.folder / "shelf.py").write_text("def look():\n    return {}['key']\n")
    project.define("import shelf\nshelf.look()")
    answer = project.run("check")
    assert answer.code == 1
    assert [frame for frame in ("definitions.py", "shelf.py") if f'{frame}", line' not in answer.err] == []
    assert "KeyError: 'key'" in answer.err
    assert "importlib" not in answer.err


def test_a_module_that_is_not_there(project: Project) -> None:
    answer = project.run("check", "-m", "nowhere.definitions")
    assert answer.code == 1
    assert "There is no module 'nowhere.definitions'" in answer.last_error_line
    assert "--working-directory" in answer.last_error_line


def test_all_errors_are_told_at_once(project: Project) -> None:
    project.define(
        '@sg.asset(io_manager_key="lake")\ndef a(): ...\n'
        '@sg.asset(required_resource_keys={"warehouse"})\ndef b(): ...\n'
        "defs = sg.Definitions(assets=[a, b])"
    )
    answer = project.run("check")
    assert answer.code == 1
    assert "2 errors" in answer.err
    assert "lake" in answer.err
    assert "warehouse" in answer.err
    document = project.run("check", "--json").document
    assert len(document["error"]["details"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--select", "orders", "--config", '{"ops": {"orders": {"config": {"most": "many"}}}}'], ["most", "many"]),
        (["--select", "orders", "--config", '{"ops": {"ordesr": {"config": {"most": 1}}}}'], ["ordesr"]),
        (["--partition", "east"], ["'east'", "'north', 'south'"]),
        (["--partition-range", "south...north"], ["'south' comes after 'north'"]),
        (["--partition-range", "north...east"], ["'east'"]),
        (["--select", "orders", "--partition", "north"], ["none of the selected assets is partitioned"]),
        ([], ["regions is partitioned", "--partition"]),
        (["--select", "ordesr"], ["ordesr"]),
        (["--job", "nightly"], ["'nightly'"]),
    ],
)
def test_wrong_requests_record_nothing(project: Project, arguments: list[str], said: list[str]) -> None:
    answer = project.run("materialize", *arguments)
    assert answer.code == 1
    text = " ".join(answer.err.split())
    assert text.startswith("Error: ")
    assert [part for part in said if part not in text] == []
    require_nothing_lost(project)


@pytest.mark.parametrize("arguments", [["show", "0000"], ["show", "x"], ["runs", "retry", "0000"]])
def test_an_unknown_run(project: Project, arguments: list[str]) -> None:
    answer = project.run(*arguments)
    assert answer.code == 1
    assert "There is no run" in answer.last_error_line


@pytest.mark.parametrize("arguments", [["asset", "ordesr"], ["wipe", "ordesr", "--yes"]])
def test_an_unknown_asset_is_told_with_the_nearest(project: Project, arguments: list[str]) -> None:
    answer = project.run(*arguments)
    assert answer.code == 1
    assert "Did you mean orders?" in answer.last_error_line


def test_a_home_below_a_file(project: Project) -> None:
    (project.folder / "a file").write_text("mine")
    for arguments in (["runs"], ["materialize", "--select", "orders"]):
        answer = project.run(*arguments, "--home", "a file/home")
        assert answer.code == 1
        assert "a file/home" in answer.last_error_line
        assert "SEGUE_HOME" in answer.last_error_line
        assert "Traceback" not in answer.err
    assert (project.folder / "a file").read_text() == "mine"


def test_a_home_of_a_newer_segue_is_left_as_it_is(project: Project) -> None:
    with sqlite3.connect(project.home / "segue.db") as connection:
        (ours,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for arguments in (["runs"], ["materialize", "--select", "orders"]):
        answer = project.run(*arguments)
        assert answer.code == 1
        assert [part for part in ("segue.db", "9999", "Upgrade") if part not in answer.last_error_line] == []
    with sqlite3.connect(project.home / "segue.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (ours,))
    connection.close()
    require_nothing_lost(project)


def test_a_database_that_is_none(project: Project) -> None:
    (project.home / "segue.db").write_bytes(b"not a database at all" * 100)
    for name in ("segue.db-wal", "segue.db-shm"):
        (project.home / name).unlink(missing_ok=True)
    answer = project.run("runs")
    assert answer.code == 1
    assert "segue.db" in answer.last_error_line


ODD_TEXT = """
import segue as sg

ODD = "caf\\udce9 \\0"  # a file name that is not UTF-8, as Python gives it


@sg.asset
def made(context):
    context.log.info(ODD)
    context.add_output_metadata(
        {"text": ODD, "path": sg.MetadataValue.path(ODD), "json": {"names": [ODD]}, "many": 10**30, "none": float("nan")}
    )


@sg.asset
def failed():
    raise sg.Failure(ODD, metadata={"name": ODD})


defs = sg.Definitions(assets=[made, failed], executor=sg.EXECUTOR)
"""


@pytest.mark.parametrize("executor", ["in_process_executor", "multiprocess_executor"])
def test_text_that_is_no_unicode_and_numbers_of_any_size_are_recorded(tmp_path: Path, executor: str) -> None:
    project = Project(tmp_path, ODD_TEXT.replace("EXECUTOR", executor))
    answer = project.run("materialize", "--select", "*")
    assert "a bug in Segue" not in answer.err
    (run,) = project.json("runs")["runs"]
    steps = {step["step"]: step for step in project.json("show", run["run_id"])["steps"]}
    assert (steps["made"]["status"], steps["failed"]["failure_class"]) == ("succeeded", "user_code")
    (materialization,) = steps["made"]["materializations"]
    found = materialization["metadata"]
    assert found["text"]["text"] == found["path"]["path"] == "caf\\udce9 \0"
    assert found["many"]["value"] == 10**30
    assert "caf\\udce9" in steps["failed"]["error"]["message"]
