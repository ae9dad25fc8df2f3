"""What administrators do with a Postgres database: look at it, write all of it down, read it back."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from segue.errors import StorageError
from segue.model.digest import digest
from segue.storage.columns import Row
from segue.storage.dump import LEFT_OUT, TOKENS, Table
from segue.storage.health import COUNTED, Health
from segue.storage.postgres import months, schema
from segue.storage.postgres.database import Connection, Database, connection_options, name_of
from segue.storage.postgres.failures import is_unavailable, unavailable
from segue.storage.postgres.log import BLOCK
from segue.storage.revision import require_known

_OWN = frozenset({("events", "month"), ("runs", "lease_expires_at")})  # what other databases have not
_TABLES = b"""
    SELECT c.relname::text, a.attname::text, a.atttypid = 'bytea'::regtype FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname <> 'runs', c.relname, a.attnum"""
_NUMBERS = b"SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = current_schema()"
_SIZE = b"""
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind = 'r'"""
_OTHERS = b"""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'segue' AND pid <> pg_backend_pid()"""
_IDENTITY = b"""
    SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()),
    (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) FROM pg_control_system()"""
_DURABILITY = b"SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')"
_STRAY = b"SELECT month, count(*) FROM events_default GROUP BY month ORDER BY month"
_VIEW = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def revision(url: str) -> str | None:
    """The revision of the schema; None where there is none yet.

    Raises:
        StorageUnavailableError: the database cannot be reached.
    """
    with _connected(url) as (connection, name):
        return schema.read_revision(connection, name)


def fingerprint(url: str) -> str | None:
    """A name for the database and schema: the same on every way to it, another one for every other. None where the server
    does not tell this user.

    Raises:
        StorageUnavailableError: the database cannot be reached.
    """
    with _connected(url) as (connection, _):
        try:
            row = connection.execute(_IDENTITY).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            return None
        return digest(*map(str, row or ()))


def others(url: str) -> int:
    """How many other connections of Segue there are to this database."""
    with _connected(url) as (connection, _):
        return _one(connection, _OTHERS)


def health(url: str) -> Health:
    """How the database stands.

    Raises:
        StorageUnavailableError: the database cannot be reached.
    """
    with _connected(url) as (connection, name):
        found = schema.read_revision(connection, name)
        if found is None:
            return Health("postgres", None, 0, {}, ("Nothing is recorded yet.",))
        names = {row[0] for row in connection.execute(_TABLES)}
        counts = {
            table: _one(connection, f"SELECT count(*) FROM {table}".encode()) for table in COUNTED if table in names
        }
        stray = connection.execute(_STRAY).fetchall()
        notes = tuple(
            f"{count:,} events of runs of {month // 100}-{month % 100:02} lie in the part of the log for all the rest."
            for month, count in stray
        )
        durability = dict(connection.execute(_DURABILITY).fetchall())
        return Health("postgres", found, _one(connection, _SIZE), counts, notes, (), durability)


class _Tables:
    """`dump.Writable` on a connection inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._months: dict[str, int] = {}  # of the runs that were inserted

    def tables(self) -> Sequence[Table]:
        found: dict[str, dict[str, bool]] = {}
        for table, column, is_bytes in self._connection.execute(_TABLES):
            if table not in LEFT_OUT and (table, column) not in _OWN:
                found.setdefault(table, {})[column] = is_bytes
        return [
            Table(name, tuple(columns), frozenset(column for column, is_bytes in columns.items() if is_bytes))
            for name, columns in found.items()
        ]

    def rows(self, table: Table) -> Iterator[Row]:
        order = next((column for column in ("number", "id") if column in table.columns), None)
        by = f" ORDER BY {order}" if order is not None else ""
        with self._connection.cursor(name="segue_dump") as cursor:  # on the server: the log may be large
            cursor.itersize = 5000
            yield from cursor.execute(f"SELECT {_listed(table)} FROM {table.name}{by}".encode())

    def numbers(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for sequence, last in self._connection.execute(_NUMBERS):
            name = sequence.removesuffix("_number_seq").removesuffix("_id_seq")
            if name not in LEFT_OUT or name == TOKENS:
                found[name] = (last or 0) + (BLOCK - 1 if name == "events" and last else 0)
        return found

    def insert(self, table: Table, rows: Iterator[Row]) -> None:
        columns = _listed(table)
        if table.name == "runs":
            rows = self._noting_months(table, rows)
        elif table.name == "events":
            months.make(self._connection, sorted(set(self._months.values())))
            columns = f"{columns}, month"
            rows = self._with_months(table, rows)
        with self._connection.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def set_numbers(self, numbers: Mapping[str, int]) -> None:
        known = [row[0] for row in self._connection.execute(_NUMBERS).fetchall()]
        for name, last in numbers.items():
            for sequence in (name, f"{name}_number_seq", f"{name}_id_seq"):
                if sequence in known and last > 0:
                    self._connection.execute(b"SELECT setval(%s::regclass, %s)", [sequence, last])

    def _noting_months(self, table: Table, rows: Iterator[Row]) -> Iterator[Row]:
        run_id, created_at = table.columns.index("run_id"), table.columns.index("created_at")
        for row in rows:
            created = datetime.fromtimestamp(row[created_at], UTC)
            self._months[row[run_id]] = created.year * 100 + created.month
            yield row

    def _with_months(self, table: Table, rows: Iterator[Row]) -> Iterator[Row]:
        run_id = table.columns.index("run_id")
        for row in rows:
            # Of a run that was removed: nobody asks for it by its run any more.
            yield (*row, 0 if row[run_id] is None else self._months.get(row[run_id], 0))


@contextmanager
def reading(url: str) -> Generator[_Tables]:
    """The database as it stands at this moment, whatever is written meanwhile.

    Raises:
        StorageError: nothing is recorded, or it cannot be reached.
    """
    with _connected(url) as (connection, name):
        found = schema.read_revision(connection, name)
        if found is None:
            raise StorageError(f"Nothing is recorded in {name} yet: there are no tables to dump.")
        require_known(found, name)
        connection.execute(_VIEW)
        yield _Tables(connection)


@contextmanager
def writing(url: str) -> Generator[_Tables]:
    """The database inside a transaction; the tables are made where there are none.

    Raises:
        StorageError: it cannot be written.
    """
    database = Database(url)
    database.read("SELECT 1")
    database.close()
    with _connected(url) as (connection, _), connection.transaction():
        yield _Tables(connection)


@contextmanager
def _connected(url: str) -> Generator[tuple[Connection, str]]:
    """A connection of its own, which is not in the state of any other; and the name of the database."""
    options = connection_options(url)
    name = name_of(options)
    try:
        with psycopg.connect(**options) as connection:
            yield connection, name
    except psycopg.Error as error:
        if is_unavailable(error):
            raise unavailable(error, name) from error
        raise


def _one(connection: Connection, statement: bytes) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def _listed(table: Table) -> str:
    return ", ".join(f'"{column}"' for column in table.columns)
