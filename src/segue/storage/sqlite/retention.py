"""Removing what is old on SQLite, where the log is in one piece. The file does not shrink: new rows take the place of old ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager

from segue.model.retention import LogPart
from segue.storage.columns import Row
from segue.storage.pruning import Pruning
from segue.storage.sqlite.database import Database
from segue.storage.sqlite.dialect import SQLITE
from segue.storage.sqlite.store import SqliteStore

PLAN_HASH = "json_extract(CAST(body AS TEXT), '$.plan_hash')"


class _Prunable:
    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._database.read(statement, parameters)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._database.write()

    def content_transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._database.write()


class SqlitePruning(Pruning):
    """`segue.model.retention.RetentionStore` on SQLite.

    Args:
        database: the database.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(_Prunable(database), SQLITE, PLAN_HASH)

    def log_parts(self, before: float) -> Sequence[LogPart]:
        """See `RetentionStore.log_parts`."""
        del before  # there is but one, and it is in use
        return [LogPart("events")]

    def make_parts(self) -> None:
        """See `RetentionStore.make_parts`."""

    def drop_part(self, part: LogPart, before: float, until: int | None) -> int | None:
        """See `RetentionStore.drop_part`; the only part cannot be dropped."""
        del part, before, until
        return None


def retention_of(store: SqliteStore) -> SqlitePruning:
    """What prunes the database of a store."""
    return SqlitePruning(store.database)
