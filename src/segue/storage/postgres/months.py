"""The parts of the log: one for the runs that were created in a month, made before that month begins.

Old months can so be dropped whole. What has no run lies in a part of its own, and what belongs to a month without a part
(long ago, or where the role may not make tables) in one for all the rest. Where an event lies is nothing that a reader
has to know.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import errors

from segue.storage.columns import Row

# Making a part waits for whoever reads the log at the moment, and all others wait behind.
_PATIENCE = b"SET LOCAL lock_timeout = '500ms'"
_TRIES = 3
_TAKEN = b"SELECT EXISTS (SELECT 1 FROM events_default WHERE month = %s)"
_REFUSALS = (
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
    errors.LockNotAvailable,
    errors.DuplicateTable,
    errors.UniqueViolation,  # of the catalogue: another process makes the same table at the same time
    errors.CheckViolation,  # an event of that month came first
)


def table(month: int) -> str:
    """The name of the part for a month."""
    return f"events_{month}"


def make(connection: psycopg.Connection[Row], months: Sequence[int]) -> None:
    """Makes the parts for these months where it may; the part for the rest takes their events where it may not."""
    for month in months:
        try:
            with connection.transaction():
                connection.execute(_PATIENCE)
                row = connection.execute(_TAKEN, [month]).fetchone()
                if row == (False,):
                    statement = f"CREATE TABLE IF NOT EXISTS {table(month)} PARTITION OF events FOR VALUES IN ({month})"
                    connection.execute(statement.encode())
        except _REFUSALS:
            # The next connection tries again. `segue db check` says what lies in the part for the rest.
            return


def drop(connection: psycopg.Connection[Row], name: str) -> bool:
    """Drops a part, with all that lies in it.

    Returns:
        Whether that could be done: not where the role may not, nor while others read or write the log for long.
    """
    for _ in range(_TRIES):
        try:
            with connection.transaction():
                connection.execute(_PATIENCE)
                connection.execute(f"DROP TABLE IF EXISTS {name}".encode())  # another replica may have been first
        except errors.LockNotAvailable:
            continue
        except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction):
            return False
        return True
    return False
