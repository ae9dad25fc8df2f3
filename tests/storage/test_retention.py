"""What is too old goes, and everything that is known of the present stays as it was."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from segue.daemon.loop import Turn
from segue.daemon.retention import Retention as RetentionLoop
from segue.model.backfill import Backfill, BackfillStatus
from segue.model.content_hash import content_hash
from segue.model.control_stores import ControlStore, LoopLease
from segue.model.event import AnyPayload, AssetObservationData, Event, EventType, LogMessageData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.keys import AssetKey
from segue.model.materialization import AssetObservation
from segue.model.retention import DAY, Retention, RetentionStore
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.output_copies import CopiesOfRuns
from segue.retention import Removed, prune
from segue.storage.postgres import PostgresStore, open_postgres
from segue.storage.postgres import control as postgres_control
from segue.storage.postgres import retention as postgres_retention
from segue.storage.sqlite import SqliteStore, open_sqlite
from segue.storage.sqlite import control as sqlite_control
from segue.storage.sqlite import retention as sqlite_retention
from segue.storage.sqlite.database import DATABASE_NAME
from segue.testing.storage_contract.builders import add_events, checked, failed, made, planned, started, succeeded

NOW = datetime(2024, 6, 15, tzinfo=UTC).timestamp()
LONG_AGO = NOW - 200 * DAY
OF_OTHERS = ("other", "mixed", "nested", "empty")
FOR_EVER = Retention(events=None, output=None, ticks=None, failed_ticks=None, evaluations=None)
A, P = AssetKey("a"), AssetKey("p")
SENSOR = InstigatorId("shop", InstigatorKind.SENSOR, "watch")


def _pruning(store: Store) -> RetentionStore:
    if isinstance(store, PostgresStore):
        return postgres_retention.retention_of(store)
    assert isinstance(store, SqliteStore)
    return sqlite_retention.retention_of(store)


def _control(store: Store) -> ControlStore:
    if isinstance(store, PostgresStore):
        return postgres_control.control_of(store)
    assert isinstance(store, SqliteStore)
    return sqlite_control.control_of(store)


def _prune(
    store: Store,
    policy: Retention = FOR_EVER,
    *,
    output: Path | None = None,
    copies: CopiesOfRuns | None = None,
    is_asked: bool = False,
    is_trial: bool = False,
) -> Removed:
    total = Removed()
    parts = prune(
        _pruning(store),
        _control(store),
        policy,
        NOW,
        output_folder=output,
        output_copies=copies,
        is_asked=is_asked,
        is_trial=is_trial,
    )
    for removed in parts:
        total = total.plus(removed)
    return replace(total, seconds=0.0)


def _run(
    store: Store, run_id: str, at: float, *payloads: AnyPayload, is_finished: bool = True, plan: bytes = b'{"plan":1}'
) -> None:
    """A run with five log lines and these events, all of them at one time; it has ended a second later."""
    run = Run(run_id=run_id, job_name="daily", created_at=at, plan_hash=content_hash(plan))
    lines: list[AnyPayload] = [LogMessageData(20, f"line {number}") for number in range(5)]
    store.create_run(run, plan, b'{"manifest":1}', [Event(at, started("w"), None, run_id)])
    store.append([Event(at, payload, "s", run_id) for payload in [*lines, *payloads]])
    if is_finished:
        store.append([Event(at + 1, succeeded(), None, run_id)])


def _known(store: Store) -> dict[str, Any]:
    """Everything that pages show of the present."""
    observations = EventFilter(asset_key=P, partitions=("2",), ascending=False)
    return {
        "assets": store.asset_states(None),
        "observations": store.observation_states(None),
        "partitions": store.partition_states(P),
        "checks": store.check_states(None),
        "runs": store.list_runs(RunsFilter(), None, None),
        "last of a partition": store.events(observations, 1),
        "last of each partition": [
            store.events(EventFilter(asset_key=P, partitions=(key,), ascending=False), 1) for key in "123"
        ],
    }


def _history(store: Store) -> None:
    """Old runs, one that was made again since, an old one that goes on, a young one; and what has no run."""
    _run(store, "old", LONG_AGO, planned("a"), made("a"), made("p", "1"), made("p", "2"), checked("a", "fresh"))
    _run(store, "old2", LONG_AGO + DAY, made("a"), made("p", "1"), checked("a", "full"))
    _run(store, "long", LONG_AGO + 2 * DAY, made("q"), is_finished=False)
    observed = AssetObservationData(AssetObservation("p", partition="2"))
    store.append([Event(LONG_AGO, observed), Event(LONG_AGO, observed), Event(LONG_AGO, made("z"))])
    store.wipe(AssetKey("z"), None, LONG_AGO)
    _run(store, "young", NOW - DAY, made("p", "3"))


def test_what_is_known_of_the_present_stays(store: Store) -> None:
    _history(store)
    before = _known(store)
    counted = _prune(store, replace(FOR_EVER, events=90 * DAY), is_trial=True)
    assert _known(store) == before
    assert len(store.events(EventFilter(run_id="old"), None)) == 12
    removed = _prune(store, replace(FOR_EVER, events=90 * DAY))
    assert _known(store) == before
    # Kept of the first: the plan to make a, partition 2, the result of the check; of the second: a, partition 1, the check.
    assert len(store.events(EventFilter(run_id="old"), None)) == 3
    assert len(store.events(EventFilter(run_id="old2"), None)) == 3
    assert removed.events == counted.events == (12 - 3) + (10 - 3) + 1
    assert len(store.events(EventFilter(run_id="long"), None)) == 7
    assert len(store.events(EventFilter(run_id="young"), None)) == 8
    (*_, wipe) = store.events(EventFilter(asset_key=AssetKey("z")), None)
    assert wipe.event.event_type_value == "ASSET_WIPED"
    assert _prune(store, replace(FOR_EVER, events=90 * DAY)).events == 0


def test_why_a_run_failed_stays(store: Store) -> None:
    _run(store, "old", LONG_AGO, is_finished=False)
    store.append([Event(LONG_AGO, failed(), None, "old")])
    assert _prune(store, replace(FOR_EVER, events=90 * DAY)).events == 6
    (left,) = store.events(EventFilter(run_id="old", types=(EventType.RUN_FAILURE,)), None)
    assert left.event.payload == failed()
    store.delete_run("old")
    assert store.events(EventFilter(), None) == []


def test_for_ever_means_that_nothing_goes(store: Store, tmp_path: Path) -> None:
    _history(store)
    everything = store.events(EventFilter(), None)
    assert _prune(store, output=tmp_path) == Removed()
    assert store.events(EventFilter(), None) == everything


def test_a_cursor_in_the_part_that_went_goes_on(store: Store) -> None:
    _history(store)
    cursor = store.events(EventFilter(run_id="old"), None)[4].storage_id
    behind = [record for record in store.events(EventFilter(after=cursor), None) if record.run_id in ("long", "young")]
    _prune(store, replace(FOR_EVER, events=90 * DAY))
    found = store.events(EventFilter(after=cursor), None)
    assert [record for record in found if record.run_id in ("long", "young")] == behind
    following = add_events(store, None, made("new"))
    assert following > behind[-1].storage_id
    assert store.events(EventFilter(after=behind[-1].storage_id), None)[-1].storage_id == following


def test_what_an_open_backfill_has_not_read_stays(store: Store) -> None:
    _run(store, "r1", LONG_AGO)
    cursor = store.events(EventFilter(run_id="r1"), None)[-1].storage_id
    _run(store, "r2", LONG_AGO + 1)
    control = _control(store)
    backfill = Backfill(backfill_id="b1", location="shop", created_at=LONG_AGO, updated_at=NOW, cursor=cursor)
    control.create_backfill(backfill)
    assert _prune(store, replace(FOR_EVER, events=90 * DAY)).events == 7
    assert len(store.events(EventFilter(run_id="r2"), None)) == 7
    control.update_backfill(replace(backfill, status=BackfillStatus.COMPLETED_SUCCESS), backfill)
    assert _prune(store, replace(FOR_EVER, events=90 * DAY)).events == 7


def test_ticks_go_by_how_they_ended(store: Store) -> None:
    control = _control(store)
    for days in (40, 20, 3):
        for status in TickStatus:
            at = NOW - days * DAY
            tick = Tick(instigator=SENSOR, status=status, started_at=at, ended_at=at, cursor=f"{days}")
            control.commit_ticks([TickCommit(tick=tick)])
    before = control.instigator_states()
    assert _prune(store, Retention(), is_trial=True).ticks == 5
    assert _prune(store, Retention()).ticks == 5
    left = [(entry.tick.status.value, entry.tick.cursor) for entry in control.ticks(SENSOR, 10)]
    assert left == [("failure", "3"), ("skipped", "3"), ("success", "3"), ("failure", "20")]
    assert control.instigator_states() == before


def test_plans_go_with_the_events_of_their_runs(store: Store) -> None:
    plans = {run_id: f'{{"plan":"{run_id}"}}'.encode() for run_id in ("old", "long", "young")}
    _run(store, "old", LONG_AGO, plan=plans["old"])
    _run(store, "long", LONG_AGO, is_finished=False, plan=plans["long"])
    _run(store, "young", NOW - DAY, plan=plans["young"])
    policy = replace(FOR_EVER, events=90 * DAY)
    assert _prune(store, policy, is_trial=True).content == 1
    assert _prune(store, policy).content == 1
    assert store.get_plan(content_hash(plans["old"])) is None
    assert all(store.get_plan(content_hash(plans[run_id])) for run_id in ("long", "young"))
    assert _pruning(store).delete_content(NOW, 10, is_trial=False) == 1  # the plan of "young", now an old one too
    assert store.get_plan(content_hash(plans["long"])) is not None


def _of_others(folder: Path) -> None:
    """Puts old folders there that are not those of runs, or not of them alone."""
    for name in OF_OTHERS:
        (folder / name).mkdir()
    (folder / "nested" / "old").mkdir()
    for name in ("other/s-1.log", "mixed/s-1.out", "mixed/notes", "nested/old/s-1.out", *OF_OTHERS):
        (folder / name).touch()
        os.utime(folder / name, (LONG_AGO, LONG_AGO))


def test_output_goes_with_its_run(store: Store, tmp_path: Path) -> None:
    _run(store, "old", LONG_AGO)
    _run(store, "long", LONG_AGO, is_finished=False)
    _run(store, "young", NOW - DAY)
    for name in ("old", "long", "young", "deleted", "being-made"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "s-1.out").write_text("hello")
        at = NOW if name == "being-made" else LONG_AGO
        os.utime(tmp_path / name, (at, at))
    _of_others(tmp_path)
    policy = replace(FOR_EVER, output=90 * DAY)
    assert _prune(store, policy, output=tmp_path, is_trial=True).output == 2
    assert _prune(store, policy, output=tmp_path).output == 2
    left = {path.name for path in tmp_path.iterdir() if path.is_dir()} - {"home"}
    assert left == {"being-made", "long", "young", *OF_OTHERS}
    assert _prune(store, policy, output=tmp_path / "none") == Removed()


def test_copies_of_output_go_with_their_run(store: Store, tmp_path: Path) -> None:
    _run(store, "old", LONG_AGO)
    _run(store, "long", LONG_AGO, is_finished=False)
    _run(store, "young", NOW - DAY)
    for name in ("old", "long", "young", "being-made"):
        (tmp_path / "copies" / name).mkdir(parents=True)
        file = tmp_path / "copies" / name / "s-1.out"
        file.write_text("hello")
        at = NOW if name == "being-made" else LONG_AGO
        os.utime(file, (at, at))
    _of_others(tmp_path / "copies")
    policy = replace(FOR_EVER, output=90 * DAY)
    copies = CopiesOfRuns(f"file://{tmp_path}/copies")
    assert _prune(store, policy, copies=copies, is_trial=True).output_copies == 1
    assert _prune(store, policy, copies=copies) == replace(Removed(), output_copies=1)
    assert {path.name for path in (tmp_path / "copies").iterdir()} == {"being-made", "long", "young", *OF_OTHERS}
    (tmp_path / "copies").rename(tmp_path / "away")
    assert _prune(store, policy, copies=copies) == Removed()


def test_the_loop_removes_in_short_rounds_and_comes_again_in_an_hour(store: Store) -> None:
    _history(store)
    before = _known(store)
    loop = RetentionLoop(_pruning(store), _control(store), Retention())
    lease = LoopLease("loop/retention", 1)
    due = loop.round(Turn(NOW, lease, NOW))
    while due is not None and due < NOW + 60:
        due = loop.round(Turn(due, lease, NOW))
    assert due is not None
    assert due >= NOW + 3_600
    assert loop.removed.events == 17
    assert _known(store) == before
    _run(store, "another", LONG_AGO)
    assert loop.round(Turn(due - 1, lease, NOW)) == due
    assert loop.removed.events == 17
    loop.round(Turn(due, lease, NOW))
    assert loop.removed.events == 24


def test_writers_do_not_wait_for_it(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "home")
    _run(store, "old", LONG_AGO)
    _run(store, "now", NOW - DAY, is_finished=False)
    with closing(sqlite3.connect(tmp_path / "home" / DATABASE_NAME)) as connection:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
            "INSERT INTO events (run_id, timestamp, type, step_key, version, body) "
            "SELECT 'old', ?, 'LOG_MESSAGE', 's', 1, zeroblob(300) FROM n",
            (LONG_AGO,),
        )
        connection.commit()
    waits: list[float] = []
    is_done = threading.Event()

    def write() -> None:
        writer = open_sqlite(tmp_path / "home")
        while not is_done.is_set():
            begun = time.perf_counter()
            writer.append([Event(NOW, LogMessageData(20, "x"), None, "now")])
            waits.append(time.perf_counter() - begun)
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    removed = _prune(store, replace(FOR_EVER, events=90 * DAY))
    is_done.set()
    thread.join()
    assert removed.events == 100_007
    assert len(waits) > 20
    assert max(waits) < 2.0
    store.close()


def _months(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
        ).fetchall()
        return {name: connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchall()[0][0] for (name,) in names}


@pytest.fixture
def months(postgres_url: str) -> str:
    """A database with parts for the months of the history."""
    store = open_postgres(postgres_url)
    store.get_run("nobody")
    store.close()
    with psycopg.connect(postgres_url) as connection:
        for month in (202310, 202311, 202312, 202402, 202403, 202406):
            connection.execute(f"CREATE TABLE events_{month} PARTITION OF events FOR VALUES IN ({month})".encode())
    return postgres_url


def test_whole_months_are_dropped(months: str) -> None:
    store = open_postgres(months)
    _run(store, "before", LONG_AGO - 30 * DAY, made("a"), made("p", "1"))
    _history(store)  # in November 2023, but for what is young
    _run(store, "early", datetime(2024, 3, 2, tzinfo=UTC).timestamp())
    before = _known(store)
    policy = replace(FOR_EVER, events=90 * DAY)
    assert _prune(store, policy, is_trial=True).parts == 0
    removed = _prune(store, policy)
    assert _known(store) == before
    # October, December and February have nothing young or unfinished; November has "long"; March is not over for long enough.
    left = _months(months)
    assert {name for name in left if name.startswith("events_20231") or name.startswith("events_20240")} == {
        "events_202311",
        "events_202403",
        "events_202406",
    }
    assert removed.parts == 3
    assert left["events_202403"] == 7
    assert left["events_202311"] == 7 + 3 + 3
    assert _prune(store, policy, is_asked=True).events == 7
    store.append([Event(LONG_AGO + 5 * DAY, succeeded(), None, "long")])
    later = replace(FOR_EVER, events=0.5)
    total = _prune(store, later)
    assert total.parts == 2
    assert _known(store)["partitions"] == before["partitions"]
    assert _known(store)["last of each partition"] == before["last of each partition"]
    # What is left of a run is found with it, and a run of a month that has no part any more can still be told of.
    assert [record.partition_key for record in store.events(EventFilter(run_id="old"), None)] == [None, "2", None]
    store.append([Event(NOW, LogMessageData(20, "late"), None, "old")])
    assert store.events(EventFilter(run_id="old"), None)[-1].event.timestamp == NOW
    store.close()


def test_a_month_that_a_backfill_reads_stays(months: str) -> None:
    store = open_postgres(months)
    _run(store, "r1", LONG_AGO)
    _control(store).create_backfill(Backfill(backfill_id="b1", location="shop", updated_at=NOW))
    assert _prune(store, replace(FOR_EVER, events=90 * DAY)).events == 0
    assert _months(months)["events_202311"] == 7
    store.close()


def test_where_no_tables_may_be_dropped_rows_are_deleted(months: str) -> None:
    with psycopg.connect(months, autocommit=True) as connection:
        name = connection.execute("SELECT current_schema()").fetchall()[0][0]
        connection.execute(f"CREATE ROLE role_{name} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {name} TO role_{name}".encode())
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO role_{name}".encode())
        connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {name} TO role_{name}".encode())
        store = open_postgres(months.replace("postgres@", f"role_{name}@"))
        _run(store, "old", LONG_AGO, made("a"))
        before = _known(store)
        removed = _prune(store, replace(FOR_EVER, events=90 * DAY))
        assert (removed.events, removed.parts) == (7, 0)
        assert _known(store) == before
        assert _months(months)["events_202311"] == 0
        store.close()
        connection.execute(f"DROP OWNED BY role_{name}".encode())
        connection.execute(f"DROP ROLE role_{name}".encode())
