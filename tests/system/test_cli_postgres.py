"""Every command works on a Postgres that the settings name, and shows no password."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import Project
from postgres_server import Server

DEFINITIONS = """
days = sg.StaticPartitionsDefinition(["1", "2", "3"])

@sg.asset
def raw():
    return 1

@sg.asset
def totals(raw):
    return sg.MaterializeResult(metadata={"rows": raw + 1})

@sg.asset(partitions_def=days)
def daily(context):
    assert context.instance.get_dynamic_partitions("none") == []
    return context.partition_key

@sg.asset_check(asset=totals)
def looks_good():
    return sg.AssetCheckResult(passed=True)
"""


@pytest.fixture
def project(tmp_path: Path, postgres_url: str) -> Project:
    project = Project(tmp_path / "project", DEFINITIONS)
    with (project.folder / "segue.toml").open("a") as settings:
        settings.write(f'database = "{postgres_url}"\n')
    return project


def test_commands_work_on_postgres(project: Project, postgres_url: str) -> None:
    made = project.json("materialize", "-s", "raw or totals")
    run_id = made["runs"][0]["run"]["run_id"]
    assert project.run("materialize", "-s", "daily", "--partition-range", "1...3").code == 0
    runs = project.json("runs")["runs"]
    assert [run["status"] for run in runs] == ["success"] * len(runs)
    assert len(runs) == 4
    assert project.run("show", run_id).code == 0
    assert "rows" in project.run("asset", "totals").out
    assert project.run("list", "assets").code == 0
    assert project.run("pools").code == 0
    assert project.run("wipe", "daily", "--partition", "2", "--yes").code == 0
    assert project.run("wipe", "totals", "--yes").code == 0
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM assets").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM asset_partitions").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM workers").fetchone() == (0,)
    assert not (project.home / "segue.db").exists()
    assert (project.home / "storage").is_dir()


def test_the_environment_wins_and_a_home_has_a_database_of_its_own(project: Project, postgres_url: str) -> None:
    nowhere: dict[str, str | None] = {"SEGUE_DATABASE": "postgresql://ann:secret@localhost:1/nowhere"}
    answer = project.run("runs", environment=nowhere)
    assert answer.code == 1
    assert "'nowhere' on localhost:1" in answer.last_error_line
    assert "secret" not in answer.err
    assert project.run("runs", "--home", "elsewhere", environment=nowhere).code == 0
    assert project.run("runs", environment={"SEGUE_HOME": str(project.folder / "other")}).code == 0
    both: dict[str, str | None] = {"SEGUE_HOME": str(project.folder / "third"), "SEGUE_DATABASE": postgres_url}
    assert project.run("materialize", "-s", "raw", environment=both).code == 0
    assert len(project.json("runs")["runs"]) == 1
    assert not (project.folder / "third" / "segue.db").exists()


def test_a_database_of_another_kind_is_refused(project: Project) -> None:
    answer = project.run("runs", environment={"SEGUE_DATABASE": "mysql://ann:secret@db/x"})
    assert answer.code == 1
    assert "mysql://ann:***@db/x" in answer.last_error_line
    assert "postgresql://" in answer.last_error_line


def test_a_password_comes_from_the_environment(project: Project, postgres_server: Server, postgres_url: str) -> None:
    url = postgres_url.replace("postgres@", "ann@")
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        schema = re.findall("search_path%3D(\\w+)", postgres_url)[0]
        connection.execute("DROP ROLE IF EXISTS ann")
        connection.execute("CREATE ROLE ann LOGIN PASSWORD 'secret'")
        connection.execute(f"GRANT ALL ON SCHEMA {schema} TO ann".encode())
        with postgres_server.asks_for_passwords():
            refused = project.run("runs", environment={"SEGUE_DATABASE": url, "PGPASSWORD": "wrong"})
            assert (refused.code, "password authentication failed" in refused.err) == (1, True)
            assert project.run("runs", environment={"SEGUE_DATABASE": url, "PGPASSWORD": "secret"}).code == 0
        connection.execute("DROP OWNED BY ann")
        connection.execute("DROP ROLE ann")


def test_without_psycopg_the_extra_is_named(project: Project) -> None:
    stub = project.folder / "psycopg.py"
    stub.write_text("raise ModuleNotFoundError(\"No module named 'psycopg'\", name='psycopg')\n")
    answer = project.run("runs", environment={"PYTHONPATH": str(project.folder)})
    assert answer.code == 1
    assert "pip install 'segue[postgres]'" in answer.last_error_line


USE_THE_INSTANCE = """
import pickle
import segue as sg

@sg.asset
def raw():
    return 1

with sg.Instance.get() as instance:
    assert instance.is_persistent
    assert sg.materialize([raw], instance=instance).success
    ref = instance.get_ref()
    assert "secret" not in repr(ref), repr(ref)
with sg.Instance.from_ref(pickle.loads(pickle.dumps(ref))) as again:
    print(again.get_runs_count())
"""


def test_the_instance_is_that_database(project: Project, postgres_url: str) -> None:
    (project.folder / "use.py").write_text(USE_THE_INSTANCE)
    url = postgres_url.replace("postgres@", "postgres:secret@")
    answer: Any = project.python("use.py", environment={"SEGUE_DATABASE": url})
    assert (answer.code, answer.out, answer.err) == (0, "1\n", "")
