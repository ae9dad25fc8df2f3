"""What survives a loss of power: how the databases wait for the disk, as they say themselves in the middle of a write."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from segue.errors import LeaseLostError
from segue.model.control_stores import LoopLease
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.storage.postgres import open_postgres
from segue.storage.postgres.control import control_of as postgres_control_of
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.control import control_of
from segue.testing.storage_contract.builders import add_events, add_run, logged

TICK = TickCommit(
    tick=Tick(
        instigator=InstigatorId("sales", InstigatorKind.SENSOR, "orders"),
        status=TickStatus.SKIPPED,
        started_at=1.0,
        ended_at=2.0,
    )
)
NORMAL, FULL = 1, 2  # as SQLite numbers them


@pytest.mark.parametrize(("is_full", "level"), [(True, FULL), (False, NORMAL)])
def test_a_tick_waits_for_the_disk_and_the_log_does_not(tmp_path: Path, is_full: bool, level: int) -> None:
    store = open_sqlite(tmp_path, is_full=is_full)
    add_run(store, "a")
    look = "SELECT synchronous FROM pragma_synchronous"
    store.database.read("CREATE TEMP TABLE seen (what, level)")
    for table in ("ticks", "events"):
        store.database.read(
            f"CREATE TEMP TRIGGER look_{table} AFTER INSERT ON main.{table} "
            f"BEGIN INSERT INTO seen VALUES ('{table}', ({look})); END"
        )
    add_events(store, "a", logged("before"))
    control_of(store).commit_ticks([TICK])
    add_events(store, "a", logged("after"))
    with pytest.raises(LeaseLostError):
        control_of(store).commit_ticks([TICK], LoopLease("loop/sensors", 7))
    add_events(store, "a", logged("behind one that was refused"))
    seen = store.database.read("SELECT what, level FROM seen")
    assert seen == [("events", NORMAL), ("ticks", level), ("events", NORMAL), ("events", NORMAL)]
    assert store.database.read("PRAGMA journal_mode") == [("wal",)]
    store.close()


@pytest.mark.parametrize(
    ("is_full", "server", "expected"), [(True, "off", "on"), (False, "off", "off"), (True, "local", "local")]
)
def test_a_tick_waits_for_the_disk_of_a_server_that_is_set_not_to(
    postgres_url: str, is_full: bool, server: str, expected: str
) -> None:
    look = "current_setting('synchronous_commit')"
    store = open_postgres(f"{postgres_url}%20-csynchronous_commit%3D{server}", is_full=is_full)
    add_run(store, "a")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in (
            "CREATE TABLE seen (what text, level text)",
            f"CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"INSERT INTO seen VALUES (TG_ARGV[0], {look}); RETURN NULL; END $$",
            "CREATE TRIGGER look AFTER INSERT ON ticks EXECUTE FUNCTION look('ticks')",
            "CREATE TRIGGER look AFTER INSERT ON events EXECUTE FUNCTION look('events')",
        ):
            connection.execute(statement)
        postgres_control_of(store).commit_ticks([TICK])
        add_events(store, "a", logged("after"))
        seen = connection.execute("SELECT what, level FROM seen").fetchall()
    assert seen == [("ticks", expected), ("events", server)]
    store.close()
