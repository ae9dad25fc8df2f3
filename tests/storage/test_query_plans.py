"""Every list is served from an index on both databases, however many rows there are: no more is read than a page needs.

Both hold the same rows. Postgres is asked what it did (EXPLAIN ANALYZE), since it chooses by the rows that there are; SQLite
chooses by the indexes, and is asked for its plan.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from msgspec.structs import replace
from postgres_server import Server

from segue.model.event import EventType
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter
from segue.storage import control_queries, queries, run_queries
from segue.storage.postgres import open_postgres
from segue.storage.postgres.database import marked
from segue.storage.postgres.dialect import POSTGRES
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.database import DATABASE_NAME
from segue.storage.sqlite.dialect import SQLITE
from segue.storage.statements import Dialect, Query

PAGE = 20
MOST_ROWS = 40 * PAGE
"""How many rows may be looked at for a page: some do not match, and a list of several values has a part for each."""
RUNS, EVENTS_OF_RUN, TICKS, BACKFILLS, ASSETS = 20_000, 6, 20_000, 4_000, 200
FIRST = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
BIG = frozenset(
    "runs run_tags events ticks backfills asset_partitions asset_checks run_keys condition_evaluations".split()
)

# The same rows for both, from a table of numbers `n (i)`. Run i was created at FIRST + 300 i: some seventy days in all.
ROWS = [
    (
        "runs (number, run_id, job_name, status, worker, started_at, ended_at, body, manifest_hash, created_at, updated_at, "
        "priority)",
        RUNS,
        f"""i, 'r' || i, 'job' || i % 20, CASE WHEN i % 500 = 0 THEN 'STARTED' WHEN i % 250 = 1 THEN 'QUEUED'
        WHEN i % 10 = 3 THEN 'FAILURE' ELSE 'SUCCESS' END, 'w', {FIRST} + 300.0 * i, {FIRST} + 300.0 * i + 60,
        {{body}}, 'm' || i % 30, {FIRST} + 300.0 * i, {FIRST} + 300.0 * i + 60, i % 3""",
    ),
    ("run_tags (key, value, run_number)", RUNS, "'team', 't' || i % 50, i"),
    ("run_tags (key, value, run_number)", RUNS, "'dagster/partition', 'p' || i % 900, i"),
    (
        "assets (asset_key, storage_id, run_id, timestamp, body)",
        ASSETS,
        "'[\"a' || i || '\"]', i, 'r1', 1.0, {body}",
    ),
    (
        "asset_partitions (asset_key, partition, storage_id, run_id, timestamp)",
        ASSETS * 100,
        f"'[\"a' || i % {ASSETS} || '\"]', 'p' || i / {ASSETS}, i, 'r1', 1.0",
    ),
    (
        "asset_checks (asset_key, check_name, storage_id, run_id, timestamp, body)",
        ASSETS * 20,
        f"'[\"a' || i % {ASSETS} || '\"]', 'c' || i / {ASSETS}, i, 'r1', 1.0, {{body}}",
    ),
    ("instigators (number, location, kind, name, status)", 10, "i, 'shop', 'sensor', 's' || i, 'running'"),
    (
        "ticks (instigator, status, scheduled_at, ended_at, body)",
        TICKS,
        "i % 10, CASE WHEN i % 20 = 0 THEN 'failure' WHEN i % 3 = 0 THEN 'success' ELSE 'skipped' END, NULL, i * 1.0, {body}",
    ),
    (
        "backfills (backfill_id, status, body)",
        BACKFILLS,
        "'b' || i, CASE WHEN i % 400 = 0 THEN 'REQUESTED' WHEN i % 7 = 0 THEN 'COMPLETED_FAILED' "
        "ELSE 'COMPLETED_SUCCESS' END, {body}",
    ),
]
EVENT_ROW = f"""
    INSERT INTO events (id, run_id, timestamp, type, topic, step_key, asset_key, partition, version, body{{month_column}})
    SELECT i, 'r' || i / {EVENTS_OF_RUN}, {FIRST} + 50.0 * i, kind, CASE WHEN kind = 'LOG_MESSAGE' THEN NULL ELSE kind END, 's',
    CASE WHEN kind LIKE 'ASSET%' THEN '["a' || i / {EVENTS_OF_RUN} % {ASSETS} || '"]' END,
    CASE WHEN kind = 'ASSET_MATERIALIZATION' THEN 'p' || i / {EVENTS_OF_RUN} % 900 END, 1, {{body}}{{month}}
    FROM (SELECT i, CASE i % {EVENTS_OF_RUN} WHEN 0 THEN 'RUN_START' WHEN 1 THEN 'ASSET_MATERIALIZATION_PLANNED'
    WHEN 2 THEN 'ASSET_MATERIALIZATION' WHEN 5 THEN CASE WHEN i / {EVENTS_OF_RUN} % 10 = 3 THEN 'RUN_FAILURE' ELSE 'RUN_SUCCESS' END
    ELSE 'LOG_MESSAGE' END AS kind FROM {{numbers}}) AS k"""
NUMBERS = {
    "sqlite": "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) SELECT i FROM n)",
    "postgres": "(SELECT i FROM generate_series(1, {0}) AS n (i))",
}

NOON = datetime(2024, 2, 15, 12, tzinfo=UTC)
PLACE = run_queries.Place(RUNS // 2, FIRST + 150.0 * RUNS, FIRST + 150.0 * RUNS + 60)
RUN_FILTERS = [
    RunsFilter(),
    RunsFilter(statuses=(RunStatus.FAILURE,)),
    RunsFilter(statuses=(RunStatus.QUEUED,)),
    RunsFilter(statuses=(RunStatus.STARTED, RunStatus.STARTING, RunStatus.QUEUED)),
    RunsFilter(job_name="job7"),
    RunsFilter(job_name="job3", statuses=(RunStatus.FAILURE,)),
    RunsFilter(tags={"team": "t5"}),
    RunsFilter(tags={"team": ["t5", "t6"]}, statuses=(RunStatus.SUCCESS,)),
    RunsFilter(tags={"team": "t5", "dagster/partition": "p55"}),
    RunsFilter(snapshot_id="m3"),
    RunsFilter(created_after=NOON),
    RunsFilter(created_before=NOON, job_name="job7"),
]
UPDATED = [
    RunsFilter(),
    RunsFilter(statuses=(RunStatus.SUCCESS,)),
    RunsFilter(updated_after=NOON),
    RunsFilter(updated_before=NOON, statuses=(RunStatus.FAILURE,)),
]
A7 = AssetKey("a7")
EVENT_FILTERS = [
    EventFilter(),
    EventFilter(run_id="r77"),
    EventFilter(run_id="r77", types=(EventType.RUN_SUCCESS,)),
    EventFilter(asset_key=A7),
    EventFilter(asset_key=A7, types=(EventType.ASSET_MATERIALIZATION,)),
    EventFilter(asset_key=A7, types=(EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION)),
    EventFilter(asset_key=A7, partitions=("p7",)),
    EventFilter(asset_key=A7, partitions=("p7", "p207", "p407"), types=(EventType.ASSET_MATERIALIZATION,)),
    EventFilter(types=(EventType.RUN_FAILURE,)),
    EventFilter(types=(EventType.RUN_FAILURE, EventType.RUN_SUCCESS, EventType.RUN_CANCELED)),
    EventFilter(types=(EventType.LOGS_CAPTURED, EventType.RUN_START)),
    EventFilter(storage_ids=(5, 50, 500)),
]


def _lists(dialect: Dialect) -> Iterator[tuple[str, Query]]:
    """Every list, its first page and one in the middle."""
    for which, behind, ascending in itertools.product(RUN_FILTERS, (None, PLACE), (False, True)):
        yield f"{which} {behind} {ascending}", run_queries.run_query(dialect, which, PAGE, behind, ascending=ascending)
    for which, behind in itertools.product(UPDATED, (None, PLACE)):
        by_update = run_queries.RunOrder.UPDATED
        yield f"{which} {behind} by update", run_queries.run_query(dialect, which, PAGE, behind, by_update)
    middle = RUNS * EVENTS_OF_RUN // 2
    for which, bounds, ascending in itertools.product(
        EVENT_FILTERS, ({}, {"after": middle}, {"before": middle}), (False, True)
    ):
        asked = replace(which, ascending=ascending, **bounds)
        yield str(asked), queries.event_query(dialect, asked, PAGE)
    for before, statuses in itertools.product((None, TICKS // 2), (None, ["failure"], ["success", "failure"])):
        yield f"ticks {before} {statuses}", control_queries.tick_query(dialect, 3, PAGE, before, statuses)
    for before, statuses in itertools.product((None, BACKFILLS // 2), (None, ["REQUESTED", "PAUSED", "CANCELING"])):
        yield f"backfills {before} {statuses}", control_queries.backfill_query(dialect, statuses, PAGE, before)
    for after in (None, (1, RUNS // 2)):
        yield f"queue {after}", control_queries.queue_query(dialect, PAGE, after)
    yield "assets", queries.assets_query(dialect, [A7, AssetKey("a8")])
    yield "partitions of an asset", (queries.PARTITIONS_OF, ['["a7"]'])
    yield "checks", queries.checks_query(dialect, [AssetCheckKey(A7, "c3")])
    yield "unfinished runs", (run_queries.UNFINISHED_RUNS, [])
    yield "a run", (run_queries.RUN, ["r7"])
    yield "tag keys", (run_queries.TAG_KEYS, [])
    yield "tag values", (run_queries.TAG_VALUES, ["team", "t", "team", 1, "t", 1, "t", dialect.limit(PAGE)])


@pytest.fixture(scope="module")
def postgres(postgres_server: Server) -> Iterator[psycopg.Connection[Any]]:
    with postgres_server.schema("query_plans") as url:
        store = open_postgres(url)
        store.get_run("nobody")
        store.close()
        with psycopg.connect(url, autocommit=True) as connection:
            for month in (202401, 202402, 202403):
                connection.execute(f"CREATE TABLE events_{month} PARTITION OF events FOR VALUES IN ({month})".encode())
            body = "convert_to('{\"tags\": {}}', 'UTF8')"
            for table, count, columns in ROWS:
                numbers = NUMBERS["postgres"].format(count)
                statement = f"INSERT INTO {table} SELECT {columns.format(body=body)} FROM {numbers} AS n"
                connection.execute(statement.encode())
            month = f", to_char(to_timestamp({FIRST} + 50.0 * i) AT TIME ZONE 'UTC', 'YYYYMM')::integer"
            numbers = NUMBERS["postgres"].format(RUNS * EVENTS_OF_RUN) + " AS n"
            text = EVENT_ROW.format(body=body, month=month, month_column=", month", numbers=numbers)
            connection.execute(text.encode())
            connection.execute(b"ANALYZE")
            yield connection


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    home = tmp_path_factory.mktemp("home")
    store = open_sqlite(home)
    store.get_run("nobody")
    store.close()
    with closing(sqlite3.connect(Path(home) / DATABASE_NAME)) as connection:
        yield connection


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _seen(node: Mapping[str, Any]) -> float:
    """How many rows a part of a plan looked at."""
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return (node["Actual Rows"] + removed) * node["Actual Loops"]


def _is_big(table: str) -> bool:
    return table in BIG or table.startswith("events_2")


def _complaints(connection: psycopg.Connection[Any], query: Query) -> list[str]:
    statement, parameters = query
    explained = connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + marked(statement), parameters).fetchone()
    assert explained is not None
    found: list[str] = []
    for node in _nodes(explained[0][0]["Plan"]):
        kind, table = node["Node Type"], node.get("Relation Name", "")
        if kind == "Seq Scan" and _is_big(table) and _seen(node) > PAGE:
            found.append(f"all of {table} is read")
        elif "Scan" in kind and _seen(node) > MOST_ROWS:
            found.append(f"{_seen(node):.0f} rows are read: {kind} of {table or node.get('Index Name')}")
        elif "Sort" in kind and sum(each["Actual Rows"] * each["Actual Loops"] for each in node["Plans"]) > MOST_ROWS:
            found.append("more than a page is sorted")
    return found


def test_postgres_reads_a_page_for_a_page(postgres: psycopg.Connection[Any]) -> None:
    found = {name: complaints for name, query in _lists(POSTGRES) if (complaints := _complaints(postgres, query))}
    assert found == {}


def test_a_list_that_scans_is_found_out(postgres: psycopg.Connection[Any]) -> None:
    assert _complaints(postgres, ("SELECT body FROM events WHERE step_key = ? LIMIT 20", ["nobody"]))
    assert _complaints(postgres, ("SELECT body FROM runs ORDER BY ended_at LIMIT 20", []))


def test_sqlite_walks_an_index(sqlite: sqlite3.Connection) -> None:
    found: dict[str, list[str]] = {}
    for name, (statement, parameters) in _lists(SQLITE):
        lines = [row[3] for row in sqlite.execute(f"EXPLAIN QUERY PLAN {statement}", cast("Sequence[Any]", parameters))]
        bad = [line for line in lines if _is_scan(line) or "TEMP B-TREE" in line]
        if bad:
            found[name] = bad
    assert found == {}


def _is_scan(line: str) -> bool:
    """Whether a line of a plan is about a whole table; an index of the queued runs alone is short, and in order."""
    words = line.split()
    return words[0] == "SCAN" and "VIRTUAL TABLE" not in line and words[1] in BIG and words[-1] != "runs_queued"
