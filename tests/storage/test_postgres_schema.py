"""The schema on Postgres is that of the migrations, and that of SQLite but for what is listed here."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from segue.errors import StorageUnavailableError, StorageVersionError
from segue.storage.postgres import migrate, open_postgres
from segue.storage.revision import REVISION
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.database import DATABASE_NAME
from segue.testing.storage_contract.builders import add_run

_TYPES = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision", "BLOB": "bytea"}
_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = current_schema()::regnamespace
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0"""
_INDEXES = """
    SELECT t.relname, i.relname, x.indisunique, pg_get_indexdef(x.indexrelid) FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition"""
# What one of them has and the other has not, and why.
ONLY_ON_POSTGRES = {
    ("events", "month"): "the log lies in parts by month",
    ("leases", "expires_at"): "leases are judged by the clock of the server",
    ("workers", "name"): "on SQLite, a worker holds the lock of a file",
    ("workers", "expires_at"): "the same",
}
ONLY_ON_SQLITE = {
    ("fencing_tokens", "id"): "a sequence on Postgres",
    ("fencing_tokens", "last"): "a sequence on Postgres",
}


def _columns(url: str) -> dict[tuple[str, str], tuple[str, bool]]:
    with psycopg.connect(url) as connection:
        return {(table, name): (kind, required) for table, name, kind, required in connection.execute(_COLUMNS)}


def _indexes(url: str) -> set[tuple[str, str, bool, str]]:
    with psycopg.connect(url) as connection:
        return {
            (table, name, unique, re.sub(r" ON (ONLY )?\w+\.", " ON ", text))
            for table, name, unique, text in connection.execute(_INDEXES)
        }


def _sqlite_columns(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[str, bool]]:
    rows = connection.execute(
        'SELECT m.name, c.name, c.type, c."notnull" OR c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c '
        "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    )
    return {(table, name): (_TYPES.get(kind, kind), bool(required)) for table, name, kind, required in rows}


def _sqlite_indexes(connection: sqlite3.Connection) -> dict[str, tuple[str, list[str], bool]]:
    rows = connection.execute(
        "SELECT m.name, m.tbl_name, (SELECT json_group_array(name) FROM pragma_index_info(m.name)), m.sql LIKE '%WHERE%' "
        "FROM sqlite_master m WHERE m.type = 'index' AND m.sql IS NOT NULL"
    )
    return {name: (table, columns, bool(partial)) for name, table, columns, partial in rows}


@pytest.fixture
def sqlite(tmp_path: Path) -> sqlite3.Connection:
    store = open_sqlite(tmp_path)
    store.get_run("nobody")
    store.close()
    connection = sqlite3.connect(tmp_path / DATABASE_NAME)
    return connection


def test_a_fresh_database_has_the_schema_of_the_migrations(postgres_url: str) -> None:
    migrate.upgrade(postgres_url)
    migrated = (_columns(postgres_url), _indexes(postgres_url))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.execute("SELECT current_schema()").fetchall()[0][0]
        connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
        connection.execute(f"CREATE SCHEMA {name}".encode())
    store = open_postgres(postgres_url)
    store.get_run("nobody")
    store.close()
    assert (_columns(postgres_url), _indexes(postgres_url)) == migrated


def test_both_databases_have_the_same_tables(postgres_url: str, sqlite: sqlite3.Connection) -> None:
    migrate.upgrade(postgres_url)
    with closing(sqlite):
        expected = {place: what for place, what in _sqlite_columns(sqlite).items() if place not in ONLY_ON_SQLITE}
        found = {place: what for place, what in _columns(postgres_url).items() if place not in ONLY_ON_POSTGRES}
        found["alembic_version", "version_num"] = ("VARCHAR(32)", True)
        assert found == expected
        indexes = _sqlite_indexes(sqlite)
    on_postgres = {name: (table, text) for table, name, _, text in _indexes(postgres_url)}
    for name, (table, columns, is_partial) in indexes.items():
        assert name in on_postgres, f"Postgres has no index {name}"
        found_table, text = on_postgres[name]
        assert found_table == table
        # SQLite's end with the number of the row by themselves.
        assert re.sub(r' DESC|"', "", text.partition("(")[2]).startswith(
            ", ".join(re.findall(r'"(\w+)"', str(columns)))
        ), text
        assert ("WHERE" in text) is is_partial, text
    keys = {name for name in on_postgres if name.endswith(("_pkey", "_key", "_pkc"))}
    assert set(on_postgres) - keys == set(indexes)


def test_a_database_is_migrated_from_the_first_revision(postgres_url: str) -> None:
    migrate.upgrade(postgres_url, "0001")
    store = open_postgres(postgres_url)
    with pytest.raises(StorageVersionError, match="segue db upgrade"):
        store.get_run("nobody")
    migrate.upgrade(postgres_url)
    add_run(store, "r1")
    assert store.get_run("r1") is not None
    store.close()


@pytest.mark.parametrize("revision", [f"{int(REVISION) + 1:04}", "a1b2c3"])
def test_another_schema_version_is_refused(postgres_url: str, revision: str) -> None:
    store = open_postgres(postgres_url)
    add_run(store, "r1")
    store.close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
    with pytest.raises(StorageVersionError, match="Upgrade: pip install --upgrade segue"):
        store.get_run("r1")
    store.close()


def test_tables_of_another_program_are_left_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
    store = open_postgres(postgres_url)
    with pytest.raises(StorageUnavailableError, match="another program"):
        store.get_run("r1")
    store.close()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute(_COLUMNS).fetchall() == [("alembic_version", "version_num", "text", False)]


def test_a_search_path_without_a_schema_is_named(postgres_url: str) -> None:
    store = open_postgres(f"{postgres_url}_nowhere")
    with pytest.raises(StorageUnavailableError, match="search_path"):
        store.get_run("r1")
    store.close()


def test_the_store_loads_neither_sqlalchemy_nor_alembic() -> None:
    code = "import sys, segue.storage.postgres\nprint(sorted({'sqlalchemy', 'alembic', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
