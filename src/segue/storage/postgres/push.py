"""Hearing from Postgres that something was written: NOTIFY, which comes over a connection of its own.

Nothing depends on it: behind a pooler that hands out servers by the transaction nothing comes, and a look once a second has
to do.
"""

from __future__ import annotations

import time

import psycopg

from segue.storage.postgres.database import connection_options
from segue.storage.postgres.notifying import LISTEN


class NotificationListener:
    """Hears of what is written in a database.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self._options = connection_options(url)
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def wait(self, seconds: float) -> bool:
        """Returns when something was written, at the latest after so many seconds; says whether something may have been."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(**self._options)
                self._connection.execute(LISTEN)
                return True  # whatever was written before was not heard
            return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error:
            # The server is away: whoever reads or writes says so. Here it is tried again.
            self.close()
            time.sleep(seconds)
            return True

    def close(self) -> None:
        """Listens no more."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
