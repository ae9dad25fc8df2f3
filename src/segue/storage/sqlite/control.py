"""The store of the control plane on SQLite, in the database of a `SqliteStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from segue.model.event import Event
from segue.model.run import Run
from segue.storage.columns import Row
from segue.storage.control_store import SqlControlStore
from segue.storage.control_writing import Result, Writes
from segue.storage.sqlite import writing
from segue.storage.sqlite.database import Database
from segue.storage.sqlite.dialect import SQLITE
from segue.storage.sqlite.store import SqliteStore

_SET_PRIORITY = "UPDATE runs SET priority = ? WHERE run_id = ?"
_ADD_TICK = "INSERT INTO ticks (instigator, status, scheduled_at, ended_at, body) VALUES (?, ?, ?, ?, ?)"
_MOVE_ON = "UPDATE instigators SET cursor = ?, last_tick_at = ?, last_run_key = ?, failures = ? WHERE number = ?"


class SqliteWrites:
    """`Writes` on a connection to SQLite, in a transaction that the caller holds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Result:
        """See `Writes.execute`."""
        return self._connection.execute(statement, tuple(parameters))

    def send(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """See `Writes.send`."""
        self._connection.execute(statement, tuple(parameters))

    def create_run(self, run: Run, events: Sequence[Event], priority: int) -> None:
        """See `Writes.create_run`."""
        writing.create_run(self._connection, run, b"", b"", events)
        if priority:
            self._connection.execute(_SET_PRIORITY, (priority, run.run_id))

    def add_tick(self, row: Row) -> None:
        """See `Writes.add_tick`."""
        self._connection.execute(_ADD_TICK, row)

    def move_on(self, row: Row) -> None:
        """See `Writes.move_on`."""
        self._connection.execute(_MOVE_ON, row)

    def append_events(self, events: Sequence[Event]) -> int:
        """See `Writes.append_events`."""
        return writing.append_events(self._connection, events)

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """See `Writes.change_dynamic_partitions`."""
        writing.change_dynamic_partitions(self._connection, name, add, delete, timestamp)


class _ControlDatabase:
    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._database.read(statement, parameters)

    @contextmanager
    def control_writes(
        self, *, is_news: bool = False, is_durable: bool = False, is_decision: bool = True
    ) -> Generator[Writes]:
        del is_decision  # no two writes run at once here
        with self._database.write(is_news=is_news, is_durable=is_durable) as connection:
            yield SqliteWrites(connection)


def control_of(store: SqliteStore) -> SqlControlStore:
    """The store of the control plane in the database of a store."""
    return SqlControlStore(_ControlDatabase(store.database), SQLITE)
