"""What is said where Postgres cannot serve: the database, the cause, the cure, and never the password."""

from __future__ import annotations

import sys

import psycopg
import pytest
from postgres_server import Server

from segue.errors import InvariantViolationError, StorageUnavailableError
from segue.model.database_url import masked
from segue.model.event import Event
from segue.model.stores import EventFilter
from segue.storage.postgres import open_postgres
from segue.testing.storage_contract.builders import add_run, events_of, logged, started, step_events, succeeded


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann@db/segue", "postgresql://ann@db/segue"),
        ("postgresql://ann:secret@db:5433/segue", "postgresql://ann:***@db:5433/segue"),
        ("postgresql://ann:sec/r@e:t@db/segue", "postgresql://ann:***@db/segue"),
        ("postgresql://:secret@/segue", "postgresql://:***@/segue"),
        ("postgresql://db/segue?user=ann&password=secret&x=1", "postgresql://db/segue?user=ann&password=***&x=1"),
        ("postgresql://db/segue?sslpassword=secret", "postgresql://db/segue?sslpassword=***"),
        ("postgresql:///segue", "postgresql:///segue"),
        ("postgresql://db:5432/segue", "postgresql://db:5432/segue"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://ann:secret@localhost:1/segue", ["'segue' on localhost:1", "server runs"]),
        ("postgresql://ann:secret@nowhere.invalid/segue", ["'segue' on nowhere.invalid:5432", "server runs"]),
        ("postgresql://ann:secret%zz@localhost/segue", ["postgresql://ann:***@localhost/segue", "%40"]),
        ("postgresql://ann:secret@localhost:port/segue", ["'segue' on localhost:port"]),
        ("postgresql://ann:secret@localhost/segue?secret=1", ["postgresql://ann:***@localhost/segue"]),
    ],
)
def test_a_server_that_is_not_there(url: str, parts: list[str]) -> None:
    with pytest.raises(StorageUnavailableError) as caught:
        open_postgres(url).get_run("r1")
    text = str(caught.value)
    assert "\n" not in text
    assert "secret%" not in text
    assert ":secret" not in text
    for part in parts:
        assert part in text, text


def test_a_database_that_is_not_there(postgres_server: Server) -> None:
    with pytest.raises(StorageUnavailableError, match=r"'missing' on .*does not exist.*database, user and"):
        open_postgres(postgres_server.url("missing")).get_run("r1")


def test_a_role_that_may_not(postgres_url: str) -> None:
    store = open_postgres(postgres_url)
    add_run(store, "r1")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.execute("SELECT current_schema()").fetchall()[0][0]
        connection.execute(f"CREATE ROLE reads_{name} LOGIN; GRANT USAGE ON SCHEMA {name} TO reads_{name}".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO reads_{name}".encode())
        reader = open_postgres(postgres_url.replace("postgres@", f"reads_{name}@"))
        assert reader.get_run("r1") is not None
        with pytest.raises(StorageUnavailableError, match=r"permission denied.*Grant the role"):
            add_run(reader, "r2")
        assert reader.get_run("r1") is not None
        reader.close()
        connection.execute(f"DROP OWNED BY reads_{name}; DROP ROLE reads_{name}".encode())
    store.close()


def test_what_is_refused_is_raised_and_not_logged_besides(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    store = open_postgres(postgres_url)
    add_run(store, "r1", started(), succeeded())
    for events in (
        step_events("nobody", "s", "a"),
        events_of("r1", [started()]),
        events_of("r1", [logged("x")] * 150) + events_of("r1", [started()]),
        [Event(1.0, logged("x"), "\ud800", "r1")],
    ):
        with pytest.raises((InvariantViolationError, UnicodeEncodeError)):
            store.append(events)
    with pytest.raises(InvariantViolationError):
        add_run(store, "r1")
    assert caplog.records == []
    assert len(store.events(EventFilter())) == 2
    store.close()


def test_a_server_that_takes_no_writes(postgres_url: str) -> None:
    store = open_postgres(postgres_url)
    add_run(store, "r1")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        # What a standby says, said by a table that refuses.
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'cannot write' USING ERRCODE = '25006'; END $$; "
            "CREATE TRIGGER refuse BEFORE INSERT ON runs EXECUTE FUNCTION refuse()"
        )
    with pytest.raises(StorageUnavailableError, match=r"cannot write.*primary"):
        add_run(store, "r2")
    assert store.get_run("r2") is None
    store.close()


def test_a_statement_that_is_wrong_is_our_bug(postgres_url: str) -> None:
    store = open_postgres(postgres_url)
    store.get_run("r1")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN body TO other")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        store.get_run("r1")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN other TO body")
    assert store.get_run("r1") is None
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no socket with users of the machine")
def test_a_password_may_come_from_where_libpq_looks(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("PGHOST", str(postgres_server.folder))
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGDATABASE", "missing")
    with pytest.raises(StorageUnavailableError, match="'missing' on /"):
        open_postgres("postgresql://").get_run("r1")
