"""The schema of a database: made when it is empty, compared when it is not."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from segue.errors import StorageUnavailableError

_SNAPSHOT = Path(__file__).parent.parent / "schema.sql"


def read_revision(connection: sqlite3.Connection, path: Path) -> str | None:
    """The revision that the database says it has; None for an empty one.

    Raises:
        StorageUnavailableError: it has tables, and they are not Segue's.
    """
    tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if not tables >= {"alembic_version", "events"}:
        raise StorageUnavailableError(
            f"{path} is a database that was not made by Segue. Move it away, or set SEGUE_HOME to another folder."
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def create(connection: sqlite3.Connection) -> None:
    """Makes all tables from the snapshot, inside the transaction that the caller opened."""
    for statement in _statements():
        connection.execute(statement)


@cache
def _statements() -> list[str]:
    return _SNAPSHOT.read_text(encoding="utf-8").split(";\n")
