"""No list on Postgres reads more of the log or of the runs than it shows, however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from msgspec.structs import replace
from postgres_server import Server

from segue.model.event import EventType
from segue.model.keys import AssetKey
from segue.model.run import RunStatus
from segue.model.run_records import RunOrder, RunsFilter
from segue.model.stores import EventFilter
from segue.storage import queries, run_queries
from segue.storage.postgres import open_postgres
from segue.storage.postgres.database import marked
from segue.storage.postgres.dialect import POSTGRES
from segue.storage.statements import Query

LIMIT = 5
FILL = """
INSERT INTO runs (run_id, job_name, status, body, created_at, updated_at)
    SELECT 'r' || n, 'job' || n % 3, CASE n % 4 WHEN 0 THEN 'FAILURE' WHEN 1 THEN 'STARTED' ELSE 'SUCCESS' END, '{}',
    n * 1e5, n * 1e5 FROM generate_series(1, 3000) n;
INSERT INTO run_tags (key, value, run_number) SELECT 'env', 'e' || number % 2, number FROM runs;
INSERT INTO events (id, month, run_id, timestamp, type, topic, asset_key, partition, version, body)
    SELECT n, to_char(to_timestamp(n / 10 * 1e5) AT TIME ZONE 'UTC', 'YYYYMM')::integer, 'r' || n / 10, n, type,
    CASE WHEN type <> 'STEP_START' THEN type END, CASE WHEN type LIKE 'ASSET%' THEN '["a"]' END,
    CASE WHEN type LIKE 'ASSET%' THEN 'p' || n % 3 END, 1, '{}'
    FROM generate_series(10, 20000) n,
    LATERAL (SELECT (ARRAY['STEP_START', 'ASSET_MATERIALIZATION', 'ASSET_OBSERVATION', 'RUN_FAILURE'])[n % 4 + 1] AS type) t;
ANALYZE
"""


@pytest.fixture(scope="module")
def connection(postgres_server: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with postgres_server.schema("queries") as url:
        store = open_postgres(url)
        store.get_run("nobody")
        store.close()
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in FILL.split(";"):
                connection.execute(statement.encode())
            yield connection


def _assert_reads_no_more_than_it_shows(connection: psycopg.Connection[tuple[object, ...]], query: Query) -> None:
    text, parameters = query
    rows = connection.execute(b"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + marked(text), parameters).fetchall()
    plan = [str(line) for (line,) in rows]
    for line in plan:
        if (
            "by_month" in line
        ):  # the planner may look there too, where the run is known and its events are found at once
            continue
        found = re.search(r"Scan.*actual rows=([0-9]+)", line)
        assert found is None or int(found[1]) <= 2 * LIMIT, "\n".join(plan)
        assert "Rows Removed" not in line or int(line.split()[-1]) <= 20 * LIMIT, "\n".join(plan)


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize(
    "which",
    [
        EventFilter(),
        EventFilter(run_id="r700"),
        EventFilter(after=9000),
        EventFilter(asset_key=AssetKey("a")),
        EventFilter(asset_key=AssetKey("a"), types=(EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION)),
        EventFilter(asset_key=AssetKey("a"), partitions=("p1", "p2")),
        EventFilter(types=(EventType.RUN_FAILURE, EventType.ASSET_OBSERVATION)),
        EventFilter(types=(EventType.STEP_START,)),
        EventFilter(storage_ids=(100, 200, 300)),
    ],
    ids=str,
)
def test_events(connection: psycopg.Connection[tuple[object, ...]], which: EventFilter, ascending: bool) -> None:
    which = replace(which, ascending=ascending)
    _assert_reads_no_more_than_it_shows(connection, queries.event_query(POSTGRES, which, LIMIT))


@pytest.mark.parametrize("order", RunOrder)
@pytest.mark.parametrize(
    "which",
    [
        RunsFilter(),
        RunsFilter(job_name="job1"),
        RunsFilter(statuses=[RunStatus.STARTED]),
        RunsFilter(statuses=[RunStatus.STARTED, RunStatus.FAILURE]),
        RunsFilter(job_name="job1", statuses=[RunStatus.STARTED, RunStatus.FAILURE]),
        RunsFilter(tags={"env": "e1"}),
        RunsFilter(tags={"env": ["e0", "e1"]}),
        RunsFilter(run_ids=["r1", "r2000"]),
    ],
    ids=str,
)
def test_runs(connection: psycopg.Connection[tuple[object, ...]], which: RunsFilter, order: RunOrder) -> None:
    _assert_reads_no_more_than_it_shows(connection, run_queries.run_query(POSTGRES, which, LIMIT, order=order))
