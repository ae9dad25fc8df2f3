"""The schema of a database: made when there is none, compared when there is one.

Everything lies in the schema that comes first in the connection's search_path.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import errors

from segue.errors import StorageUnavailableError
from segue.storage.columns import Row
from segue.storage.postgres import months
from segue.storage.revision import REVISION, require_known

_SNAPSHOT = Path(__file__).parent.parent / "schema_postgres.sql"
_FIND = b"""
    SELECT current_schema()::text, ARRAY(
        SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
    ), to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::integer,
    to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYYMM')::integer"""
_REVISION = b"SELECT version_num FROM alembic_version"
# Answered from what the server keeps by name, where a list of all tables costs it more than all else of a short run.
_IS_THERE = "to_regclass(format('%I.{}', current_schema()))"
LOCK = "SELECT pg_advisory_xact_lock(hashtext('segue.schema.' || current_schema()))"
"""Whoever makes or changes tables comes after whoever does already."""


class Found(NamedTuple):
    """What there is.

    Attributes:
        schema: the name of the schema; None where the search_path names none that exists.
        tables: the names of the tables in it.
        month, next_month: the month that the server's clock shows, as a number like 202401, and the one after it.
    """

    schema: str | None
    tables: frozenset[str]
    month: int
    next_month: int


def prepare(connection: psycopg.Connection[Row], name: str) -> None:
    """Sees to it that a fresh connection, where not all is ready, leads to a database that this Segue can use.

    Raises:
        StorageUnavailableError: its tables are not Segue's, or there is no place for them.
        StorageVersionError: they are of another version.
    """
    found = _find(connection)
    if found.schema is not None and not found.tables & {"alembic_version", "events"}:
        _make(connection)
        found = _find(connection)
    require_known(_revision(connection, found, name), name)
    missing = [month for month in (found.month, found.next_month) if months.table(month) not in found.tables]
    if missing:
        months.make(connection, missing)


def is_ready(connection: psycopg.Connection[Row]) -> bool:
    """Whether all is there for a fresh connection, as a first look shows."""
    now = datetime.now(UTC)
    this, following = now.year * 12 + now.month - 1, now.year * 12 + now.month
    tables = [months.table(month // 12 * 100 + month % 12 + 1) for month in (this, following)]
    are_there = ", ".join(_IS_THERE.format(name) for name in ("alembic_version", *tables))
    try:
        row = connection.execute(f"SELECT version_num, {are_there} FROM alembic_version".encode()).fetchone()
    except errors.UndefinedTable:
        return False
    return row is not None and row[0] == REVISION and None not in row


def read_revision(connection: psycopg.Connection[Row], name: str) -> str | None:
    """The revision that the database says it has; None where there are no tables of Segue's yet.

    Raises:
        StorageUnavailableError: there is no place for tables, or there are tables of another program.
    """
    return _revision(connection, _find(connection), name)


def _revision(connection: psycopg.Connection[Row], found: Found, name: str) -> str | None:
    if found.schema is None:
        raise StorageUnavailableError(
            f"Segue's database {name} cannot be used: no schema in its search_path exists. "
            "Create one, or correct the search_path of the role or of the URL."
        )
    if not found.tables & {"alembic_version", "events"}:
        return None
    if not found.tables >= {"alembic_version", "events"}:
        raise StorageUnavailableError(
            f"Segue's database {name} cannot be used: the schema {found.schema!r} holds tables of another program. Give "
            "Segue a database, or a schema that comes first in the search_path of its role, of its own."
        )
    row = connection.execute(_REVISION).fetchone()
    return None if row is None else str(row[0])


def _find(connection: psycopg.Connection[Row]) -> Found:
    row = connection.execute(_FIND).fetchone()
    assert row is not None
    schema, tables, month, next_month = row
    return Found(schema, frozenset(tables), month, next_month)


def _make(connection: psycopg.Connection[Row]) -> None:
    with connection.transaction():
        connection.execute(LOCK.encode())
        found = _find(connection)
        # Another process may have been first.
        if "alembic_version" not in found.tables:
            connection.execute(_snapshot())


@cache
def _snapshot() -> bytes:
    return _SNAPSHOT.read_bytes()
