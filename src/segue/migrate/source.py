"""The databases that Dagster keeps its records in, as rows of plain values: three SQLite files in a home, or one Postgres.

Only the tables named here are read, and nothing is ever written. The names of tables and columns are those of Dagster
1.5 and later.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from segue.defs.bindings import extra_module
from segue.errors import StorageError

Query = Callable[[str], Iterator[tuple[Any, ...]]]

_RUNS = "SELECT run_id, status, run_body, create_timestamp, start_time, end_time FROM runs ORDER BY id"
_ASSET_EVENTS = """
    SELECT asset_key, event FROM event_logs WHERE id IN (
        SELECT MAX(id) FROM event_logs
        WHERE dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION') AND asset_key IS NOT NULL
        GROUP BY dagster_event_type, asset_key, partition
    ) ORDER BY id"""
_WIPES = "SELECT asset_key, wipe_timestamp FROM asset_keys WHERE wipe_timestamp IS NOT NULL"
_CHECKS = """
    SELECT asset_key, check_name, evaluation_event FROM asset_check_executions WHERE id IN (
        SELECT MAX(id) FROM asset_check_executions WHERE evaluation_event IS NOT NULL GROUP BY asset_key, check_name
    ) ORDER BY id"""
_PARTITIONS = "SELECT partitions_def_name, partition FROM dynamic_partitions ORDER BY id"
_INSTIGATORS = """
    SELECT instigator_type, status, instigator_body FROM instigators
    WHERE instigator_type IN ('SCHEDULE', 'SENSOR') ORDER BY id"""
_POOLS = 'SELECT concurrency_key, "limit" FROM concurrency_limits ORDER BY concurrency_key'


class RunRow(msgspec.Struct, frozen=True):
    """A run: its columns, and its body as JSON. Times are seconds since 1970, UTC."""

    run_id: str
    status: str
    body: str
    created_at: float
    started_at: float | None
    ended_at: float | None


class InstigatorRow(msgspec.Struct, frozen=True):
    """A schedule or sensor: its columns, and its body as JSON."""

    kind: str
    status: str
    body: str


class Source(msgspec.Struct, frozen=True):
    """Where the rows come from: the databases of runs, of events, and of schedules and sensors, and a name for messages."""

    name: str
    runs: Query
    events: Query
    schedules: Query

    def run_rows(self) -> Iterator[RunRow]:
        """All runs, the oldest first."""
        for run_id, status, body, created, started, ended in self.runs(_RUNS):
            yield RunRow(run_id, status, body, _seconds(created), started, ended)

    def asset_events(self) -> Iterator[tuple[str, str]]:
        """The last materialization and the last observation of each asset and partition, the oldest first: what it is about,
        for messages, and the event as JSON.
        """
        return ((f"an event of the asset {key}", event) for key, event in self.events(_ASSET_EVENTS))

    def wipes(self) -> dict[tuple[str, ...], float]:
        """When assets were wiped last, by the parts of their key."""
        return {tuple(json.loads(key)): _seconds(time) for key, time in self.events(_WIPES)}

    def check_events(self) -> Iterator[tuple[str, str]]:
        """The last evaluation of each check, the oldest first: what it is about, for messages, and the event as JSON."""
        return ((f"the result of the check {name} of {key}", event) for key, name, event in self.events(_CHECKS))

    def dynamic_partitions(self) -> Iterator[tuple[str, str]]:
        """Name of the definition and key, in the order in which the keys were added."""
        return ((name, key) for name, key in self.events(_PARTITIONS))

    def instigators(self) -> Iterator[InstigatorRow]:
        """How each schedule and sensor stands."""
        return (InstigatorRow(*row) for row in self.schedules(_INSTIGATORS))

    def pool_limits(self) -> Iterator[tuple[str, int]]:
        """The limits of pools by name."""
        return ((name, limit) for name, limit in self.events(_POOLS))


@contextlib.contextmanager
def open_home(home: Path) -> Generator[Source]:
    """The databases in a home folder of Dagster, opened for reading only.

    Raises:
        StorageError: the folder is not a DAGSTER_HOME, or a database in it cannot be read.
    """
    events = home / "history" / "runs" / "index.db"
    if not events.exists():
        raise StorageError(
            f"{home} is not a DAGSTER_HOME folder with records in SQLite: {events} does not exist. Pass the folder that "
            "DAGSTER_HOME names, or --postgres URL when its records are in Postgres."
        )
    with contextlib.ExitStack() as stack:
        runs = _sqlite(home / "history" / "runs.db", stack)
        schedules = _sqlite(home / "schedules" / "schedules.db", stack)
        yield Source(os.fspath(home), runs, _sqlite(events, stack), schedules)


def _sqlite(file: Path, stack: contextlib.ExitStack) -> Query:
    connection = stack.enter_context(contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)))

    def query(text: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from connection.execute(text)
        except sqlite3.Error as error:
            raise StorageError(f"{file} cannot be read as a Dagster database: {error}.") from error

    return query


@contextlib.contextmanager
def open_postgres(url: str) -> Generator[Source]:
    """The database that Dagster keeps in Postgres, in one read-only transaction.

    Raises:
        LoadError: the extra `segue[postgres]` is not installed.
        StorageError: the database cannot be read.
    """
    psycopg: Any = extra_module("psycopg")
    try:
        with psycopg.connect(url) as connection:
            connection.read_only = True

            def query(text: str) -> Iterator[tuple[Any, ...]]:
                with connection.cursor(name="segue_migrate") as cursor:  # on the server: the log may be large
                    yield from cursor.execute(text)

            yield Source(f"the Postgres database {connection.info.dbname!r}", query, query, query)
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise StorageError(f"Dagster's records in Postgres cannot be read: {reason}.") from error


def _seconds(time: str | datetime) -> float:
    """A time without zone, in UTC as Dagster writes it, in seconds since 1970."""
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return moment.replace(tzinfo=UTC).timestamp()
