"""The store of the control plane on Postgres, in the database of a `PostgresStore`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from segue.model.event import Event
from segue.model.run import Run
from segue.storage.columns import Row
from segue.storage.control_store import SqlControlStore
from segue.storage.control_writing import Result, Writes
from segue.storage.postgres import creating, log, writing
from segue.storage.postgres.answering import Answering
from segue.storage.postgres.creating import NewRun
from segue.storage.postgres.database import Connection, Database, marked
from segue.storage.postgres.dialect import POSTGRES
from segue.storage.postgres.store import PostgresStore

# Where the server is set to answer before a commit is on disk, this transaction waits for it.
_DURABLE = b"SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
# What the control plane decides is written one decision after the other, as everywhere: each looks before it writes.
_ONE_BY_ONE = b"SELECT pg_advisory_xact_lock(hashtext('segue.control.' || current_schema()))"

_ADD_TICKS = b"""
    INSERT INTO ticks (instigator, status, scheduled_at, ended_at, body)
    SELECT instigator, status, scheduled_at, ended_at, body
    FROM unnest(%s::bigint[], %s::text[], %s::float8[], %s::float8[], %s::bytea[]) WITH ORDINALITY
    AS t(instigator, status, scheduled_at, ended_at, body, place) ORDER BY place"""
_MOVE_ON = b"""
    UPDATE instigators i SET cursor = m.cursor, last_tick_at = m.last_tick_at, last_run_key = m.last_run_key,
    failures = m.failures
    FROM unnest(%s::text[], %s::float8[], %s::text[], %s::bigint[], %s::bigint[])
    AS m(cursor, last_tick_at, last_run_key, failures, number) WHERE i.number = m.number"""


class PostgresWrites:
    """`Writes` on a connection to Postgres, in a transaction that the caller holds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answering = Answering(connection)
        self._runs: list[NewRun] = []
        self._ticks: list[Row] = []
        self._moves: dict[int, Row] = {}  # by number: where it stands at the end

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Result:
        """See `Writes.execute`."""
        return self._answering.execute(statement, parameters)

    def send(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """See `Writes.send`."""
        self._connection.execute(marked(statement), parameters)

    def create_run(self, run: Run, events: Sequence[Event], priority: int) -> None:
        """See `Writes.create_run`. That there is one with this id shows at the end."""
        self._runs.append(NewRun(run, events, priority))

    def add_tick(self, row: Row) -> None:
        """See `Writes.add_tick`."""
        self._ticks.append(row)

    def move_on(self, row: Row) -> None:
        """See `Writes.move_on`."""
        self._moves[row[-1]] = row

    def finish(self) -> None:
        """Writes what there may be much of: each kind in one statement."""
        if self._runs:
            creating.create_runs(self._connection, self._runs)
        if self._ticks:
            self._connection.execute(_ADD_TICKS, log.columns(self._ticks))
        if self._moves:
            self._connection.execute(_MOVE_ON, log.columns([*self._moves.values()]))

    def append_events(self, events: Sequence[Event]) -> int:
        """See `Writes.append_events`."""
        return writing.append_slowly(self._connection, events, None)()

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """See `Writes.change_dynamic_partitions`."""
        writing.change_dynamic_partitions(self._connection, name, add, delete, timestamp)


class _ControlDatabase:
    def __init__(self, database: Database, is_full: bool) -> None:
        self._database = database
        self._is_full = is_full

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._database.read(statement, parameters)

    @contextmanager
    def control_writes(
        self, *, is_news: bool = False, is_durable: bool = False, is_decision: bool = True
    ) -> Generator[Writes]:
        with creating.refuse_known(), self._database.write(is_news=is_news) as connection:
            if is_durable and self._is_full:
                connection.execute(_DURABLE)
            if is_decision:
                connection.execute(_ONE_BY_ONE)
            writes = PostgresWrites(connection)
            yield writes
            writes.finish()


def control_of(store: PostgresStore) -> SqlControlStore:
    """The store of the control plane in the database of a store."""
    return SqlControlStore(_ControlDatabase(store.database, store.is_full), POSTGRES)
