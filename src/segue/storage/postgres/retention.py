"""Removing what is old on Postgres: months of the log go whole, where the role may drop tables."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from segue.model.retention import LogPart
from segue.storage.columns import Row
from segue.storage.postgres import months
from segue.storage.postgres.answering import Answering
from segue.storage.postgres.database import Database
from segue.storage.postgres.dialect import POSTGRES
from segue.storage.postgres.store import PostgresStore
from segue.storage.postgres.writing import KEEP_CONTENT_ALONE
from segue.storage.pruning import IN_USE, IS_KEPT, Pruning

PLAN_HASH = "(convert_from(body, 'UTF8')::json ->> 'plan_hash')"
_PARTS = """
    SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'events'::regclass ORDER BY c.relname"""
_MONTHS_NOW = """
    SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::integer,
    to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYYMM')::integer"""
_MONTH_TABLE = re.compile(r"events_(\d{6})")
_KEPT = f"SELECT e.id FROM {{}} e WHERE e.id > ? AND {IS_KEPT} ORDER BY e.id LIMIT ?"
# Those of no month are looked into whatever run is asked for.
_MOVE = "UPDATE events SET month = 0 WHERE month = ? AND id = ANY(?)"
_COUNT = "SELECT count(*), COALESCE(max(id), 0) FROM {}"
_AT_ONCE = 1_000


class _Prunable:
    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self.database.read(statement, parameters)

    @contextmanager
    def transaction(self) -> Generator[Answering]:
        with self.database.write() as connection:
            yield Answering(connection)

    @contextmanager
    def content_transaction(self) -> Generator[Answering]:
        with self.database.write() as connection:
            connection.execute(KEEP_CONTENT_ALONE)
            yield Answering(connection)


class PostgresPruning(Pruning):
    """`segue.model.retention.RetentionStore` on Postgres.

    Args:
        database: the database.
    """

    def __init__(self, database: Database) -> None:
        self._database_here = database
        super().__init__(_Prunable(database), POSTGRES, PLAN_HASH)

    def log_parts(self, before: float) -> Sequence[LogPart]:
        """See `RetentionStore.log_parts`."""
        parts: list[LogPart] = []
        for (table,) in self._database_here.read(_PARTS):
            found = _MONTH_TABLE.fullmatch(table)
            month = None if found is None else int(found[1])
            parts.append(LogPart(table, month, month is None or self._is_in_use(month, before)))
        return parts

    def make_parts(self) -> None:
        """See `RetentionStore.make_parts`."""
        wanted = self._database_here.read(_MONTHS_NOW)[0]
        there = {part for (part,) in self._database_here.read(_PARTS)}
        missing = [month for month in wanted if months.table(month) not in there]
        if missing:
            self._database_here.change_schema(lambda connection: months.make(connection, missing))

    def drop_part(self, part: LogPart, before: float, until: int | None) -> int | None:
        """See `RetentionStore.drop_part`. Whoever reads the log makes it wait, and all others wait behind it, for half a second
        at most; what cannot be dropped within three tries is refused.
        """
        if part.month is None or self._is_in_use(part.month, before):
            return None
        ((count, newest),) = self._database_here.read(_COUNT.format(part.table))
        if until is not None and newest > until:
            return None
        moved = self._move_kept(part)
        is_dropped = self._database_here.change_schema(lambda connection: months.drop(connection, part.table))
        return count - moved if is_dropped else None

    def _move_kept(self, part: LogPart) -> int:
        """Moves what may not go out of a part; gives back how many events that were."""
        place = moved = 0
        while ids := [key for (key,) in self._database_here.read(_KEPT.format(part.table), (place, _AT_ONCE))]:
            with self._database_here.write() as connection:
                moved += Answering(connection).execute(_MOVE, (part.month, ids)).rowcount
            place = ids[-1]
        return moved

    def _is_in_use(self, month: int, before: float) -> bool:
        first, following = (_start(each) for each in (month, month + 1 if month % 100 < 12 else month + 89))
        return self._database_here.read(IN_USE, (first, following, before))[0][0]


def _start(month: int) -> float:
    return datetime(month // 100, month % 100, 1, tzinfo=UTC).timestamp()


def retention_of(store: PostgresStore) -> PostgresPruning:
    """What prunes the database of a store."""
    return PostgresPruning(store.database)
