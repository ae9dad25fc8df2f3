"""Every list is served from an index, in order: no walk over all runs or events, no sorting of what was found."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from segue.model.event import EventType
from segue.model.keys import AssetKey
from segue.model.run import RunStatus
from segue.model.stores import EventFilter, RunFilter
from segue.storage.sqlite import open_sqlite, queries
from segue.storage.sqlite.database import DATABASE_NAME

RUN_FILTERS = [
    RunFilter(job_name=job_name, statuses=statuses, tags=tags)
    for job_name, statuses, tags in itertools.product(
        (None, "daily"),
        (None, (RunStatus.STARTED,), (RunStatus.STARTED, RunStatus.QUEUED, RunStatus.STARTING)),
        ({}, {"a": "b"}, {"a": "b", "c": "d", "e": "f"}),
    )
]
EVENT_FILTERS = [
    EventFilter(run_id=run_id, asset_key=asset_key, types=types, partitions=partitions)
    for run_id, asset_key, types, partitions in itertools.product(
        (None, "r1"),
        (None, AssetKey("a")),
        (
            None,
            (EventType.RUN_FAILURE,),
            (EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION),
            (EventType.STEP_START, EventType.RUN_START),
        ),
        (None, ("p1",), ("p1", "p2", "p3"), tuple(f"p{number}" for number in range(1000))),
    )
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    home = tmp_path_factory.mktemp("home")
    store = open_sqlite(home)
    store.get_run("nobody")
    store.close()
    with closing(sqlite3.connect(Path(home) / DATABASE_NAME)) as connection:
        yield connection


def _plan(connection: sqlite3.Connection, query: queries.Query) -> list[str]:
    statement, parameters = query
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def _assert_served_by_index(plan: list[str], query: queries.Query) -> None:
    for line in plan:
        # The list that came as a parameter is walked, of course.
        assert "VIRTUAL TABLE" in line or not line.startswith("SCAN"), (line, query)
        assert "TEMP B-TREE" not in line, (line, query)


@pytest.mark.parametrize("which", RUN_FILTERS, ids=str)
@pytest.mark.parametrize("before", [None, 1000])
def test_runs_are_served_by_an_index(connection: sqlite3.Connection, which: RunFilter, before: int | None) -> None:
    query = queries.run_query(which, 20, before)
    _assert_served_by_index(_plan(connection, query), query)


def test_runs_of_known_ids_are_found_one_by_one(connection: sqlite3.Connection) -> None:
    query = queries.run_query(RunFilter(run_ids=("r1", "r2"), job_name="daily", tags={"a": "b"}), 20, None)
    plan = _plan(connection, query)
    _assert_served_by_index(plan, query)
    assert any("(run_id=? AND" in line for line in plan), plan


@pytest.mark.parametrize("which", EVENT_FILTERS, ids=str)
def test_events_are_served_by_an_index(connection: sqlite3.Connection, which: EventFilter) -> None:
    for ascending, after, before in itertools.product((True, False), (None, 5), (None, 1000)):
        query = queries.event_query(replace(which, ascending=ascending, after=after, before=before), 20)
        _assert_served_by_index(_plan(connection, query), query)


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (EventFilter(run_id="r1"), "events_by_run (run_id=?"),
        (EventFilter(run_id="r1", asset_key=AssetKey("a")), "events_by_run (run_id=?"),
        (EventFilter(asset_key=AssetKey("a")), "events_by_asset (asset_key=? AND type=?"),
        (EventFilter(asset_key=AssetKey("a"), partitions=("p",)), "events_by_partition (asset_key=? AND partition=?"),
        (EventFilter(types=(EventType.RUN_FAILURE,)), "events_by_topic (topic=?"),
        (EventFilter(types=(EventType.STEP_START,)), "INTEGER PRIMARY KEY (rowid>? AND rowid<?"),
    ],
    ids=str,
)
def test_the_narrowest_index_is_taken(connection: sqlite3.Connection, which: EventFilter, index: str) -> None:
    plan = _plan(connection, queries.event_query(which, 20))
    found = [line for line in plan if line.startswith("SEARCH events")]
    assert found
    assert all(index in line for line in found), plan


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (queries.RUN, ["r1"]),
        (queries.RUN_NUMBER, ["r1"]),
        (queries.UNFINISHED_RUNS, []),
        (queries.ASSETS_OF, ["[]"]),
        (queries.PARTITIONS_OF, ["a"]),
        (queries.CHECKS_OF, ["[]"]),
        (queries.PLAN, ["x"]),
        (queries.MANIFEST, ["x"]),
    ],
)
def test_lookups_are_served_by_an_index(
    connection: sqlite3.Connection, statement: str, parameters: list[object]
) -> None:
    query = (statement, parameters)
    _assert_served_by_index(_plan(connection, query), query)
