"""`segue migrate dagster` reads Dagster's records from a real Postgres."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from command_line import Project

ROWS = Path(__file__).parent.parent / "unit" / "migrate" / "dagster_home" / "postgres.sql"


@pytest.fixture
def database(postgres_url: str) -> str:
    """The URL of a place with the rows that Dagster left in one."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(ROWS.read_bytes())
    return postgres_url


def test_records_are_read_from_postgres(database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    dry = project.run("migrate", "dagster", "--postgres", database, "--json")
    assert dry.code == 0, dry.err
    assert dry.document["moved"] == {
        "runs": 6,
        "unfinished_runs": 0,
        "known_runs": 0,
        "materializations": 6,
        "observations": 1,
        "evaluations": 1,
        "dynamic_partitions": 2,
        "pools": 1,
        "instigators": 0,
        "running": 0,
        "run_keys": 0,
        "left": ["the sensor watch of the code location 'defs.py': no code location here has that name"],
        "failed": [],
    }
    assert project.run("migrate", "dagster", "--postgres", database, "--apply", "--json").code == 0
    assert len(project.run("runs", "--json").document["runs"]) == 6
    assert project.run("migrate", "dagster", "--postgres", database, "--json").document["moved"]["known_runs"] == 6


def test_a_database_without_dagsters_tables_is_named(postgres_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    answer = project.run("migrate", "dagster", "--postgres", postgres_url)
    assert answer.code == 1
    assert 'relation "runs" does not exist' in answer.last_error_line
    assert project.run("migrate", "dagster", "--postgres", "postgresql://localhost:1/x").code == 1
