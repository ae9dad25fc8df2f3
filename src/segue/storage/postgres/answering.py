"""A transaction whose statements, those that every database takes, are answered one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg

from segue.storage.columns import Row
from segue.storage.postgres.database import Connection, answered, marked


class Answering:
    """A connection that waits for the answer to each statement, which is written with `?`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, parameters: Sequence[object] = (), /) -> psycopg.Cursor[Row]:
        """Executes a statement."""
        with answered(self.connection):
            return self.connection.execute(marked(statement), parameters)

    def executemany(self, statement: str, parameters: Iterable[Sequence[object]], /) -> object:
        """Executes a statement with each of these parameters."""
        return self.connection.cursor().executemany(marked(statement), list(parameters))
