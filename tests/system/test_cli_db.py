"""`segue db`: upgrade, check, dump and restore, on SQLite and on Postgres, and from one to the other."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import Project

from segue.model.claims import ClaimFilter
from segue.model.keys import AssetKey
from segue.model.lease import Fence
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.storage import migrate
from segue.storage.opening import open_store
from segue.storage.postgres import migrate as postgres_migrate
from segue.storage.revision import REVISION
from segue.testing.storage_contract.builders import add_run, checked, events_of, made, started, step_events, succeeded

Environment = dict[str, str | None]
KINDS = ("sqlite", "postgres")


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], tuple[Path, Environment]]:
    """A home, and the environment that names a database of a kind; the same place each time."""

    def place_of(kind: str) -> tuple[Path, Environment]:
        url = request.getfixturevalue("postgres_url") if kind == "postgres" else ""
        home = tmp_path / kind
        return home, {"SEGUE_HOME": str(home), "SEGUE_DATABASE": url}

    return place_of


def _open(place: tuple[Path, Environment]) -> Store:
    return open_store(place[0], place[1]["SEGUE_DATABASE"] or None)


def _fill(store: Store) -> None:
    for number in range(3):
        name = f"run {number} größe"
        add_run(store, name, tags={"team": "ü", "number": str(number)}, created_at=1.7e9 + number * 3e6)
        fence = Fence(name, store.start_run(name, events_of(name, [started()])))
        store.append(
            [*step_events(name, "s", f"asset_{number}"), *events_of(name, [made("part", f"p{number}")])], fence
        )
        if number < 2:
            store.append(events_of(name, [succeeded()]), fence)
    store.append(events_of(None, [made("outside"), checked("outside", "fresh")]))
    store.change_dynamic_partitions("people", ["zoe", "amy"], [], 1.0)
    store.set_claim_limit("pool:db", 3)
    store.wipe(AssetKey("asset_0"), None, 9.0)


def _content(store: Store) -> Any:
    return (
        store.list_runs(RunsFilter(), None, None),
        store.events(EventFilter(), None),
        store.asset_states(None),
        store.partition_states(AssetKey("part")),
        store.check_states(None),
        store.dynamic_partitions("people"),
        store.run_tag_values("number", "", None),
        store.claim_limits(""),
        store.get_plan(store.list_runs(RunsFilter(), 1, None)[0].plan_hash or ""),
    )


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_a_dump_is_restored_into_either_kind(
    place: Callable[[str], tuple[Path, Environment]], tmp_path: Path, source: str, target: str
) -> None:
    project = Project(tmp_path / "project")
    store = _open(place(source))
    _fill(store)
    before = _content(store)
    store.close()
    name = "dump.gz" if source == target else "dump.json"
    dumped = project.run("db", "dump", name, "--json", environment=place(source)[1])
    assert dumped.code == 0, dumped.err
    if source == target == "postgres":
        url = place(source)[1]["SEGUE_DATABASE"]
        assert url is not None
        with psycopg.connect(url, autocommit=True) as connection:
            schema = connection.execute("SELECT current_schema()").fetchall()[0][0]
            connection.execute(f"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}".encode())
    home, environment = place(target)
    if source == target == "sqlite":
        home = tmp_path / "other"
        environment = {"SEGUE_HOME": str(home), "SEGUE_DATABASE": ""}
    restored = project.run("db", "restore", name, "--json", environment=environment)
    assert restored.code == 0, restored.err
    assert restored.document["rows"] == dumped.document["rows"]
    again = open_store(home, environment.get("SEGUE_DATABASE") or None)
    assert _content(again) == before
    # What comes next has greater numbers than all that was, whose workers are gone.
    newest = before[1][-1].storage_id
    assert again.append(events_of(None, [made("new")])) > newest
    assert [alive for _, alive in again.unfinished_runs()] == [False]
    add_run(again, "new")
    assert again.start_run("new") > 3
    assert again.claim_records(ClaimFilter()) == []
    refused = project.run("db", "restore", name, environment=environment)
    assert refused.code == 1
    assert "restored into an empty one" in refused.last_error_line
    assert len(again.list_runs(RunsFilter(), None, None)) == 4
    again.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_dump_leaves_nothing(
    place: Callable[[str], tuple[Path, Environment]], tmp_path: Path, kind: str
) -> None:
    project = Project(tmp_path / "project")
    store = open_store(tmp_path / "full")
    _fill(store)
    store.close()
    whole = tmp_path / "whole"
    assert project.run("db", "dump", str(whole), environment={"SEGUE_HOME": str(tmp_path / "full")}).code == 0
    lines = whole.read_bytes().splitlines(keepends=True)
    other = [lines[0].replace(f'"{REVISION}"'.encode(), b'"0001"'), *lines[1:]]
    unknown = [line.replace(b'"table":"events"', b'"table":"unknown"') for line in lines]
    for content, said in (
        (lines[:-1], "is not a complete dump"),
        (lines[: len(lines) // 2], "is not a complete dump"),
        ([*lines[:4], b"{broken\n"], "is not a complete dump"),
        ([b"PGDMP"], "is not a complete dump"),
        ([], "is not a complete dump"),
        (other, "schema version 0001"),
        (unknown, "does not know"),
        ([*lines[:-1], b'{"rows":1}\n'], "does not contain all rows"),
    ):
        file = tmp_path / "dump"
        file.write_bytes(b"".join(content))
        answer = project.run("db", "restore", str(file), environment=place(kind)[1])
        assert (answer.code, said in answer.last_error_line) == (1, True), (said, answer.err)
    (tmp_path / "dump.gz").write_bytes(gzip.compress(b"".join(lines))[:-100])
    assert project.run("db", "restore", str(tmp_path / "dump.gz"), environment=place(kind)[1]).code == 1
    assert project.run("db", "restore", str(tmp_path / "nowhere"), environment=place(kind)[1]).code == 1
    store = _open(place(kind))
    assert store.list_runs(RunsFilter(), None, None) == []
    assert store.events(EventFilter(), None) == []
    store.close()
    assert project.run("db", "restore", str(whole), environment=place(kind)[1]).code == 0


def test_a_dump_does_not_replace_a_file(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    nothing = project.run("db", "dump", "dump")
    assert (nothing.code, "Nothing is recorded" in nothing.err) == (1, True)
    assert list(project.folder.iterdir()) == []
    (project.folder / "dump").write_text("mine")
    assert project.run("db", "dump", "dump").code == 2
    assert (project.folder / "dump").read_text() == "mine"


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_database_is_checked(
    place: Callable[[str], tuple[Path, Environment]], tmp_path: Path, kind: str
) -> None:
    project = Project(tmp_path / "project")
    empty = project.run("db", "check", "--json", environment=place(kind)[1])
    assert (empty.code, empty.document["health"]["revision"]) == (0, None)
    store = _open(place(kind))
    _fill(store)
    expected = len(store.events(EventFilter(), None))
    store.close()
    answer = project.run("db", "check", "--json", environment=place(kind)[1])
    assert (answer.code, answer.document["is_reachable"], answer.document["problems"]) == (0, True, [])
    health = answer.document["health"]
    assert (health["kind"], health["revision"], health["problems"]) == (kind, REVISION, [])
    assert (health["counts"]["runs"], health["counts"]["events"]) == (3, expected)
    assert health["bytes"] > 10_000
    text = project.run("db", "check", environment=place(kind)[1])
    assert (text.code, "Nothing is wrong." in text.out) == (0, True)


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    store = open_store(project.home)
    for number in range(100):
        add_run(store, f"r{number}")
        store.append(step_events(f"r{number}", "s", "a"))
    store.close()
    file = project.home / "segue.db"
    content = file.read_bytes()
    file.write_bytes(content[:40_960] + b"\xff" * 8192 + content[49_152:])
    answer = project.run("db", "check", "--json")
    assert answer.code == 1
    assert "backup" in answer.document["problems"][0]


def test_a_database_out_of_reach_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    nowhere: Environment = {"SEGUE_DATABASE": "postgresql://ann:secret@localhost:1/segue"}
    answer = project.run("db", "check", "--json", environment=nowhere)
    assert (answer.code, answer.document["is_reachable"]) == (1, False)
    assert answer.document["database"] == "postgresql://ann:***@localhost:1/segue"
    assert "secret" not in answer.out + answer.err


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_database_is_upgraded(
    place: Callable[[str], tuple[Path, Environment]], tmp_path: Path, kind: str
) -> None:
    project = Project(tmp_path / "project")
    home, environment = place(kind)
    if kind == "sqlite":
        migrate.upgrade(home, "0003")
    else:
        postgres_migrate.upgrade(environment["SEGUE_DATABASE"] or "", "0003")
    assert project.run("runs", environment=environment).code == 1
    wrong = project.run("db", "check", environment=environment)
    assert (wrong.code, "segue db upgrade" in wrong.out) == (1, True)
    done = project.run("db", "upgrade", environment=environment)
    assert done.code == 0, done.err
    assert f"from 0003 to {REVISION}" in done.err
    assert project.run("db", "upgrade", "--json", environment=environment).document["before"] == REVISION
    assert project.run("runs", environment=environment).code == 0
    assert project.run("db", "check", environment=environment).code == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_upgrade_asks_while_others_use_the_database(
    place: Callable[[str], tuple[Path, Environment]], tmp_path: Path, kind: str
) -> None:
    project = Project(tmp_path / "project")
    home, environment = place(kind)
    store = _open((home, environment))
    store.worker()
    store.get_run("nobody")
    _set_revision(home, environment, "0003")
    answer = project.run("db", "upgrade", environment=environment)
    assert (answer.code, "Other processes are using" in answer.err, "--yes" in answer.err) == (2, True, True)
    _set_revision(home, environment, REVISION)
    store.close()


def test_a_database_of_a_newer_segue_is_left_alone(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    open_store(project.home).get_run("nobody")
    _set_revision(project.home, {}, "9999")
    for command in ("upgrade", "check"):
        answer = project.run("db", command)
        assert (answer.code, "pip install --upgrade segue" in answer.out + answer.err) == (1, True)


def _set_revision(home: Path, environment: Environment, revision: str) -> None:
    url = environment.get("SEGUE_DATABASE")
    if url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
    else:
        with closing(sqlite3.connect(home / "segue.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
