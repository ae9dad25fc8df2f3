"""The log on Postgres: followers miss nothing, whoever commits when; and each month has a part of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

import segue as sg
from segue.errors import StorageUnavailableError
from segue.host.automations import Automations
from segue.model.event import Event, StepMaterializationData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.keys import AssetKey
from segue.model.run import Run
from segue.model.stores import EventFilter
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.model.tick_task import TickTask
from segue.storage.postgres import PostgresStore, open_postgres
from segue.storage.postgres.control import control_of
from segue.storage.postgres.database import Connection, Database
from segue.storage.postgres.writing import append_quickly, append_slowly
from segue.testing.storage_contract.builders import (
    add_events,
    add_run,
    events_of,
    logged,
    made,
    started,
    step_events,
    succeeded,
)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    store = open_postgres(postgres_url)
    yield store
    store.close()


class Overlapping:
    """A second writer whose transaction stays open until it is told to commit."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._transaction = self._database.write()
        self._connection: Connection = self._transaction.__enter__()

    def write(self, *events: Event) -> None:
        place = append_quickly(self._connection, events, None)
        place()  # waits until the server has done it

    def write_status(self, *events: Event) -> None:
        place = append_slowly(self._connection, events, None)
        place()

    def commit(self) -> None:
        self._transaction.__exit__(None, None, None)
        self._database.close()


def _texts(store: PostgresStore, which: EventFilter) -> list[object]:
    return [getattr(record.event.payload, "message", None) for record in store.events(which)]


def _said(text: str) -> Event:
    return Event(1.0, logged(text))


SETTLED = EventFilter(settled=True)


def test_a_follower_waits_for_what_commits_late(store: PostgresStore, postgres_url: str) -> None:
    store.append([_said("before")])
    late = Overlapping(postgres_url)
    late.write(_said("late"))
    store.append([_said("after")])
    assert _texts(store, EventFilter()) == ["before", "after"]
    assert _texts(store, SETTLED) == ["before"]
    assert _texts(store, replace(SETTLED, ascending=False)) == ["before"]
    late.commit()
    assert _texts(store, SETTLED) == ["before", "late", "after"]


def test_the_order_in_which_transactions_begin_does_not_matter(store: PostgresStore, postgres_url: str) -> None:
    # The older transaction draws last and commits first: by transaction ids alone, its event would look settled.
    store.append([_said("before")])
    older, younger = Overlapping(postgres_url), Overlapping(postgres_url)
    older.write(_said("older, first"))
    younger.write(_said("younger"))
    older.write(_said("older, last"))
    older.commit()
    assert _texts(store, SETTLED) == ["before", "older, first"]
    younger.commit()
    assert _texts(store, SETTLED) == ["before", "older, first", "younger", "older, last"]


def test_a_transaction_of_somebody_else_stops_no_follower(store: PostgresStore, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as other:
        other.execute("CREATE TEMPORARY TABLE theirs AS SELECT pg_current_xact_id()")
        store.append([_said("seen")])
        assert _texts(store, SETTLED) == ["seen"]


def test_a_follower_by_cursor_sees_each_event_once(store: PostgresStore, postgres_url: str) -> None:
    seen: list[object] = []
    cursor = 0

    def follow() -> None:
        nonlocal cursor
        for record in store.events(replace(SETTLED, after=cursor)):
            seen.append(getattr(record.event.payload, "message", None))
            cursor = record.storage_id

    writers: list[Overlapping] = []
    for number in range(40):
        writers.append(Overlapping(postgres_url))
        writers[-1].write(_said(str(number)))
        if number % 3 == 2:
            writers.pop(-2).commit()  # never in the order in which they wrote
        if number % 5 == 4:
            writers.pop(0).commit()
        follow()
    for writer in reversed(writers):
        writer.commit()
        follow()
    assert seen == [str(number) for number in range(40)]


def test_what_happens_in_a_run_lies_in_the_month_in_which_the_server_looks_for_it(
    store: PostgresStore, postgres_url: str
) -> None:
    edge = datetime(2024, 3, 1, tzinfo=UTC).timestamp()
    for number, created_at in enumerate((edge - 1, edge - 4e-7, edge, edge + 1)):
        run_id = f"r{number}"
        store.create_run(Run(run_id=run_id, job_name="j", created_at=created_at), b"", b"", ())
        store.append(events_of(run_id, [started()]))  # looks at the run first
        store.append(events_of(run_id, [logged("said")]))  # has the server look
        store.append(events_of(run_id, [logged(str(each)) for each in range(250)]))  # takes several blocks of numbers
        found = store.events(EventFilter(run_id=run_id))
        assert len(found) == 252
        assert [record.event.message for record in found][2:] == [str(each) for each in range(250)]
    with psycopg.connect(postgres_url) as connection:
        months = connection.execute("SELECT run_id, min(month), max(month) FROM events GROUP BY run_id ORDER BY run_id")
        assert months.fetchall() == [
            ("r0", 202402, 202402),
            ("r1", 202403, 202403),
            ("r2", 202403, 202403),
            ("r3", 202403, 202403),
        ]


def test_a_wipe_takes_back_what_was_written_before_it(store: PostgresStore, postgres_url: str) -> None:
    store.append(events_of(None, [made("a")]))
    late = Overlapping(postgres_url)
    late.write(*events_of(None, [made("a", "p")]))
    # The wipe waits for the other writer, as that one's event comes before its own.
    impatient = open_postgres(f"{postgres_url}%20-clock_timeout%3D100")
    with pytest.raises(StorageUnavailableError, match="lock timeout"):
        impatient.wipe(AssetKey("a"), None, 2.0)
    assert set(store.asset_states()) == {AssetKey("a")}
    late.commit()
    impatient.wipe(AssetKey("a"), None, 3.0)
    assert store.asset_states() == {}
    assert store.partition_states(AssetKey("a")) == {}
    impatient.close()


def _parts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
        ).fetchall()
        return {name: connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchall()[0][0] for (name,) in names}


def test_each_month_has_a_part(store: PostgresStore, postgres_url: str) -> None:
    add_run(store, "old", created_at=5.0)
    add_run(store, "new", created_at=time.time())
    for run_id in ("old", "new"):
        store.append(step_events(run_id, "s", "a"))
    add_events(store, None, made("b"))
    now = datetime.now(UTC)
    month = now.year * 100 + now.month
    following = month + 1 if now.month < 12 else month + 89
    assert _parts(postgres_url) == {
        f"events_{month}": 8,
        f"events_{following}": 0,
        "events_without_run": 1,
        "events_default": 8,
    }
    assert len(store.events(EventFilter())) == 17
    for run_id in ("old", "new"):
        assert len(store.events(EventFilter(run_id=run_id))) == 8
        store.delete_run(run_id)
    assert set(_parts(postgres_url).values()) == {0, 1}


def test_a_run_is_read_from_its_part_alone(store: PostgresStore, postgres_url: str) -> None:
    add_run(store, "new", created_at=time.time())
    store.append(step_events("new", "s", "a"))
    with psycopg.connect(postgres_url) as connection:
        plan = connection.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT id FROM events WHERE run_id = 'new' AND month = "
            "(SELECT to_char(to_timestamp(created_at) AT TIME ZONE 'UTC', 'YYYYMM')::integer FROM runs "
            "WHERE run_id = 'new') ORDER BY id"
        ).fetchall()
    lines = [line for (line,) in plan]
    assert sum("never executed" in line for line in lines) == 3, lines


def test_where_no_tables_may_be_made_the_rest_takes_all(store: PostgresStore, postgres_url: str) -> None:
    store.get_run("nobody")  # makes the schema
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.execute("SELECT current_schema()").fetchall()[0][0]
        connection.execute(f"CREATE ROLE role_{name} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {name} TO role_{name}".encode())
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO role_{name}".encode())
        connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {name} TO role_{name}".encode())
        for (part,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relname ~ '^events_[0-9]+$'"
        ).fetchall():
            connection.execute(f"DROP TABLE {part}".encode())
        other = open_postgres(postgres_url.replace("postgres@", f"role_{name}@"))
        add_run(other, "r1", created_at=time.time())
        other.append(step_events("r1", "s", "a"))
        assert len(other.events(EventFilter(run_id="r1"))) == 8
        other.close()
        connection.execute(f"DROP OWNED BY role_{name}".encode())
        connection.execute(f"DROP ROLE role_{name}".encode())
    assert _parts(postgres_url) == {"events_without_run": 0, "events_default": 8}
    # The owner cannot make the part of this month any more, but that of the next.
    store.close()
    assert len(store.events(EventFilter())) == 8
    assert len(_parts(postgres_url)) == 3


def test_a_sensor_over_runs_is_told_of_what_commits_late(
    store: PostgresStore, postgres_url: str, tmp_path: Path
) -> None:
    told: list[str] = []

    @sg.run_status_sensor(run_status=sg.RunStatus.SUCCESS)
    def sensor(context: sg.RunStatusSensorContext) -> None:
        told.append(context.dagster_run.run_id)

    for run_id in ("late", "early"):
        add_run(store, run_id, started("w1"))
    instance = sg.Instance(store, tmp_path)
    cursor: str | None = None

    def ask() -> None:
        nonlocal cursor
        cursor = sensor.evaluate_tick(sg.build_sensor_context(instance, cursor=cursor)).cursor

    ask()
    late = Overlapping(postgres_url)
    try:
        late.write_status(*events_of("late", [succeeded()]))
        store.append(events_of("early", [succeeded()]))
        ask()
    finally:
        late.commit()
    ask()
    assert sorted(told) == ["early", "late"]


@sg.asset
def source() -> None: ...


@sg.asset(deps=[source], automation_condition=sg.AutomationCondition.eager())
def table() -> None: ...


@sg.asset(automation_condition=sg.AutomationCondition.missing() & ~sg.AutomationCondition.in_progress())
def wanted() -> None: ...


class Automation:
    """Asks for runs by conditions, one evaluation after the other."""

    def __init__(self, store: PostgresStore, folder: Path, *assets: sg.AssetsDefinition, remembers: bool) -> None:
        self._control = control_of(store)
        self._instance = sg.Instance(store, folder)
        self._definitions = sg.Definitions(assets=list(assets))
        self._automations = Automations()
        self._remembers = remembers
        self._which = InstigatorId("main", InstigatorKind.SENSOR, "default_automation_condition_sensor")

    def ask(self) -> list[str]:
        """The assets that are asked for."""
        if not self._remembers:
            self._automations = Automations()
        which = self._which
        cursor = self._control.instigator_state(which).cursor
        task = TickTask(kind=which.kind, name=which.name, location=which.location, cursor=cursor)
        answer = self._automations.answer(self._definitions, self._instance, task, time.time())
        tick = Tick(instigator=which, status=TickStatus.SKIPPED, started_at=1.0, ended_at=1.0, cursor=answer.cursor)
        self._control.commit_ticks([TickCommit(tick=tick, condition_cursors=answer.condition_cursors)])
        return [key.to_user_string() for run in answer.requests for key in run.asset_selection or ()]


def _materialized(key: str, run_id: str | None = None) -> Event:
    return Event(time.time(), StepMaterializationData(sg.AssetMaterialization(key)), run_id=run_id)


@pytest.mark.parametrize("remembers", [True, False], ids=["remembers", "begins anew"])
def test_a_condition_hears_of_what_commits_late_and_once(
    store: PostgresStore, postgres_url: str, tmp_path: Path, remembers: bool
) -> None:
    automation = Automation(store, tmp_path, source, table, remembers=remembers)
    assert [automation.ask(), automation.ask()] == [[], []]
    late = Overlapping(postgres_url)
    try:
        late.write_status(_materialized("source"))
        store.append([_materialized("elsewhere"), _said("after")])
        during = automation.ask()
    finally:
        late.commit()
    assert during == []
    assert [automation.ask(), automation.ask()] == [["table"], []]


@pytest.mark.parametrize("remembers", [True, False], ids=["remembers", "begins anew"])
def test_a_condition_does_not_ask_again_while_what_a_run_made_is_not_settled(
    store: PostgresStore, postgres_url: str, tmp_path: Path, remembers: bool
) -> None:
    automation = Automation(store, tmp_path, wanted, remembers=remembers)
    assert automation.ask() == ["wanted"]
    run = Run(run_id="r", job_name="j", asset_selection=frozenset({wanted.key}), created_at=time.time())
    store.create_run(run, b"", b"", events_of("r", [started("w1")]))
    assert automation.ask() == []
    late = Overlapping(postgres_url)
    try:
        late.write(_said("late"))
        store.append([_materialized("wanted", "r"), *events_of("r", [succeeded()])])
        during = automation.ask()
    finally:
        late.commit()
    assert during == []
    assert [automation.ask(), automation.ask()] == [[], []]
