"""What administrators do with a database in a home folder: look at it, write all of it down, read it back."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from segue.errors import StorageError
from segue.storage.columns import Row
from segue.storage.dump import LEFT_OUT, TOKENS, Table, in_batches
from segue.storage.health import COUNTED, Health
from segue.storage.revision import require_known
from segue.storage.sqlite import locks, schema
from segue.storage.sqlite.database import DATABASE_NAME, DURABLE, LOGGED, Database
from segue.storage.sqlite.failures import is_unavailable, unavailable

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name <> 'runs', name"
_NOT_CLEAN = "Restore the home from a backup, or move segue.db away to start with an empty one"


def revision(home: Path) -> str | None:
    """The revision of the schema; None where there is no database yet.

    Raises:
        StorageUnavailableError: the file cannot be read, or is not Segue's.
    """
    with _opened(home) as connection:
        return None if connection is None else schema.read_revision(connection, home / DATABASE_NAME)


def others(home: Path) -> int:
    """How many processes are executing runs in this home."""
    return sum(locks.is_alive(home / "workers", file.stem) for file in (home / "workers").glob("*.lock"))


def health(home: Path) -> Health:
    """How the database stands, with SQLite's own check of all its pages.

    Raises:
        StorageUnavailableError: the file cannot be read, or is not Segue's.
    """
    with _opened(home) as connection:
        if connection is None:
            return Health("sqlite", None, 0, {}, ("Nothing is recorded yet.",))
        found = schema.read_revision(connection, home / DATABASE_NAME)
        problems = [text for (text,) in connection.execute("PRAGMA integrity_check(10)") if text != "ok"]
        names = {name for (name,) in connection.execute(_TABLES)}
        counts = {
            name: int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
            for name in COUNTED
            if name in names
        }
        journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
        size = sum(file.stat().st_size for file in home.glob(f"{DATABASE_NAME}*"))
    durability = {"journal_mode": journal, "durable": DURABLE, "logged": LOGGED}
    return Health("sqlite", found, size, counts, (), tuple(f"{text}. {_NOT_CLEAN}." for text in problems), durability)


class _Tables:
    """`dump.Writable` on a connection inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> Sequence[Table]:
        found: list[Table] = []
        for (name,) in self._connection.execute(_TABLES).fetchall():
            if name not in LEFT_OUT:
                columns = self._connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,)).fetchall()
                held = frozenset(column for column, kind in columns if kind == "BLOB")
                found.append(Table(name, tuple(column for column, _ in columns), held))
        return found

    def rows(self, table: Table) -> Iterator[Row]:
        order = next((column for column in ("number", "id") if column in table.columns), None)
        by = f" ORDER BY {order}" if order is not None else ""
        yield from self._connection.execute(f"SELECT {_listed(table)} FROM {table.name}{by}")

    def numbers(self) -> Mapping[str, int]:
        found = dict(self._connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        row = self._connection.execute("SELECT last FROM fencing_tokens").fetchone()
        return {
            **{name: last for name, last in found.items() if name not in LEFT_OUT},
            TOKENS: 0 if row is None else row[0],
        }

    def insert(self, table: Table, rows: Iterator[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({_listed(table)}) VALUES ({marks})"
        for batch in in_batches(rows):
            self._connection.executemany(statement, batch)

    def set_numbers(self, numbers: Mapping[str, int]) -> None:
        for name, last in numbers.items():
            if name == TOKENS:
                self._connection.execute("INSERT INTO fencing_tokens (id, last) VALUES (1, ?)", (last,))
            else:
                self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
                self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last))


@contextmanager
def reading(home: Path) -> Generator[_Tables]:
    """The database as it stands at this moment, whatever is written meanwhile.

    Raises:
        StorageError: there is none, or it cannot be read.
    """
    path = home / DATABASE_NAME
    with _opened(home) as connection:
        if connection is None:
            raise StorageError(f"Nothing is recorded in {home} yet: there is no {DATABASE_NAME} to dump.")
        connection.execute("BEGIN")
        require_known(schema.read_revision(connection, path), str(path))
        yield _Tables(connection)


@contextmanager
def writing(home: Path) -> Generator[_Tables]:
    """The database inside a transaction; it is made where there is none.

    Raises:
        StorageError: it cannot be written.
    """
    database = Database(home)
    try:
        with database.write() as connection:
            yield _Tables(connection)
    finally:
        database.close()


@contextmanager
def _opened(home: Path) -> Generator[sqlite3.Connection | None]:
    """A connection for reading; None where there is no database."""
    path = home / DATABASE_NAME
    if not path.exists():
        yield None
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)) as connection:
            yield connection
    except (sqlite3.Error, OSError) as error:
        if is_unavailable(error):
            raise unavailable(error, path) from error
        raise


def _listed(table: Table) -> str:
    return ", ".join(f'"{column}"' for column in table.columns)
