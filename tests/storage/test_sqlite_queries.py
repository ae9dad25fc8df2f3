"""Every list is served from an index, in order: no walk over all runs or events, no sorting of what was found."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from segue.model.event import EventType
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter
from segue.storage import queries, run_queries
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.database import DATABASE_NAME
from segue.storage.sqlite.dialect import SQLITE
from segue.storage.statements import Query

RUN_FILTERS = [
    RunsFilter(job_name=job_name, statuses=statuses, tags=tags, snapshot_id=snapshot_id)
    for job_name, statuses, tags, snapshot_id in itertools.product(
        (None, "daily"),
        (None, (RunStatus.STARTED,), (RunStatus.STARTED, RunStatus.QUEUED, RunStatus.STARTING)),
        ({}, {"a": "b"}, {"a": ["b", "c"]}, {"a": "b", "c": ["d", "g"], "e": "f"}),
        (None, "hash"),
    )
]
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
PLACE = run_queries.Place(1000, 5.0, 7.0)
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


def _plan(connection: sqlite3.Connection, query: Query) -> list[str]:
    statement, parameters = query
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def _assert_served_by_index(plan: list[str], query: Query) -> None:
    for line in plan:
        # The list that came as a parameter is walked, of course.
        assert "VIRTUAL TABLE" in line or not line.startswith("SCAN"), (line, query)
        assert "TEMP B-TREE" not in line, (line, query)


@pytest.mark.parametrize("which", RUN_FILTERS, ids=str)
@pytest.mark.parametrize("behind", [None, PLACE])
def test_runs_are_served_by_an_index(
    connection: sqlite3.Connection, which: RunsFilter, behind: run_queries.Place | None
) -> None:
    for order, ascending in itertools.product(run_queries.RunOrder, (True, False)):
        query = run_queries.run_query(SQLITE, which, 20, behind, order, ascending)
        _assert_served_by_index(_plan(connection, query), query)


def test_runs_of_known_ids_are_found_one_by_one(connection: sqlite3.Connection) -> None:
    query = run_queries.run_query(SQLITE, RunsFilter(run_ids=("r1", "r2"), job_name="daily", tags={"a": "b"}), 20, None)
    plan = _plan(connection, query)
    _assert_served_by_index(plan, query)
    assert any("(run_id=? AND" in line for line in plan), plan


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (RunsFilter(created_after=NOON), "runs_by_creation (created_at>?"),
        (RunsFilter(created_before=NOON, job_name="daily"), "runs_by_creation (created_at<?"),
        (RunsFilter(updated_after=NOON), "runs_by_update (updated_at>?"),
        (RunsFilter(updated_before=NOON, tags={"a": "b"}), "runs_by_update (updated_at<?"),
        (RunsFilter(snapshot_id="hash"), "runs_by_manifest (manifest_hash=?"),
        (RunsFilter(tags={"a": "b"}), "PRIMARY KEY (key=? AND value=?"),
    ],
    ids=str,
)
def test_bounds_are_looked_up(connection: sqlite3.Connection, which: RunsFilter, index: str) -> None:
    plan = _plan(connection, run_queries.run_query(SQLITE, which, 20))
    assert any(index in line for line in plan), plan
    # What was changed in a span of time and is wanted in the order of creation has to be sorted: as much as there is.
    sorts = any("TEMP B-TREE" in line for line in plan)
    assert sorts is (which.updated != (None, None))
    in_order = run_queries.run_query(SQLITE, which, 20, order=run_queries.RunOrder.UPDATED)
    assert not any("TEMP B-TREE" in line for line in _plan(connection, in_order))


@pytest.mark.parametrize(
    "query", [(run_queries.TAG_KEYS, []), (run_queries.TAG_VALUES, ["a", "", "a", 0, "", 0, "", -1])]
)
def test_each_tag_is_found_by_a_jump(connection: sqlite3.Connection, query: Query) -> None:
    over_tags = [line for line in _plan(connection, query) if "run_tags" in line]
    assert over_tags
    assert all(line.startswith("SEARCH run_tags USING PRIMARY KEY") for line in over_tags), over_tags


@pytest.mark.parametrize("which", RUN_FILTERS, ids=str)
def test_runs_are_counted_in_an_index(connection: sqlite3.Connection, which: RunsFilter) -> None:
    query = run_queries.count_query(SQLITE, which)
    if which != RunsFilter():
        assert not any(line.startswith("SCAN runs") for line in _plan(connection, query)), query


@pytest.mark.parametrize("which", EVENT_FILTERS, ids=str)
def test_events_are_served_by_an_index(connection: sqlite3.Connection, which: EventFilter) -> None:
    for ascending, after, before in itertools.product((True, False), (None, 5), (None, 1000)):
        query = queries.event_query(SQLITE, replace(which, ascending=ascending, after=after, before=before), 20)
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
    plan = _plan(connection, queries.event_query(SQLITE, which, 20))
    found = [line for line in plan if line.startswith("SEARCH events")]
    assert found
    assert all(index in line for line in found), plan


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (run_queries.RUN, ["r1"]),
        (run_queries.RUN_PLACE, ["r1"]),
        (run_queries.UNFINISHED_RUNS, []),
        queries.assets_query(SQLITE, [AssetKey("a")]),
        queries.observations_query(SQLITE, [AssetKey("a")]),
        (queries.PARTITIONS_OF, ["a"]),
        queries.checks_query(SQLITE, [AssetCheckKey(AssetKey("a"), "fresh")]),
        (queries.PLAN, ["x"]),
        (queries.MANIFEST, ["x"]),
    ],
)
def test_lookups_are_served_by_an_index(
    connection: sqlite3.Connection, statement: str, parameters: list[object]
) -> None:
    query = (statement, parameters)
    _assert_served_by_index(_plan(connection, query), query)
