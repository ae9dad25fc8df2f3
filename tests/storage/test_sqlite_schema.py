from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segue.errors import StorageUnavailableError, StorageVersionError
from segue.model import codec
from segue.model.event import AssetObservationData, AssetWipedData
from segue.model.keys import AssetKey
from segue.model.materialization import AssetObservation
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.storage import migrate
from segue.storage.revision import REVISION
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.database import DATABASE_NAME
from segue.testing.storage_contract.builders import add_run

ROOT = Path(__file__).parents[2]


def _schema(home: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / DATABASE_NAME)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
        return tables + connection.execute("SELECT version_num FROM alembic_version").fetchall()


def test_a_fresh_home_has_the_schema_of_the_migrations(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "fresh")
    store.get_run("nobody")
    store.close()
    migrate.upgrade(tmp_path / "migrated")
    assert _schema(tmp_path / "fresh") == _schema(tmp_path / "migrated")


def test_the_snapshot_is_up_to_date() -> None:
    tool = ROOT / "tools" / "generate_schema.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_code_knows_the_newest_revision() -> None:
    assert migrate.newest_revision() == REVISION


def test_migrating_what_is_up_to_date_changes_nothing(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    add_run(store, "r1")
    store.close()
    before = _schema(tmp_path)
    migrate.upgrade(tmp_path)
    assert _schema(tmp_path) == before
    assert store.get_run("r1") is not None
    store.close()


def test_what_was_recorded_before_is_found_by_what_came_later(tmp_path: Path) -> None:
    migrate.upgrade(tmp_path, "0001")
    run = Run(run_id="r1", job_name="daily", created_at=5.0, manifest_hash="hash")
    seen = [codec.encode(AssetObservationData(AssetObservation("a", metadata={"rows": rows}))) for rows in range(3)]
    wiped = codec.encode(AssetWipedData(AssetKey("b")))
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        connection.execute(
            "INSERT INTO runs (run_id, job_name, body, status, started_at) VALUES ('r1', 'daily', ?, 'STARTED', 7.0)",
            (codec.encode(run),),
        )
        connection.executemany(
            "INSERT INTO events (timestamp, type, asset_key, version, body) VALUES (?, ?, ?, 1, ?)",
            [(float(rows), "ASSET_OBSERVATION", '["a"]', body) for rows, body in enumerate(seen)]
            + [(3.0, "ASSET_OBSERVATION", '["b"]', seen[0]), (4.0, "ASSET_WIPED", '["b"]', wiped)],
        )
    migrate.upgrade(tmp_path)
    store = open_sqlite(tmp_path)
    (found,) = store.list_runs(RunsFilter(snapshot_id="hash"), None, None)
    assert (found.created_at, found.updated_at) == (5.0, 7.0)
    just_before = datetime.fromtimestamp(4.5, UTC)
    assert store.list_runs(RunsFilter(created_after=just_before), None, None) == [found]
    states = store.observation_states(None)
    assert {key: state.timestamp for key, state in states.items()} == {AssetKey("a"): 2.0}
    store.close()


def test_a_migrated_home_can_be_used(tmp_path: Path) -> None:
    migrate.upgrade(tmp_path)
    store = open_sqlite(tmp_path)
    add_run(store, "r1")
    assert store.get_run("r1") is not None
    store.close()


def test_the_store_loads_neither_sqlalchemy_nor_alembic() -> None:
    code = """
import sys
import segue.storage.sqlite
print(sorted({'sqlalchemy', 'alembic', 'asyncio', 'multiprocessing'} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("revision", "parts"),
    [
        (
            f"{int(REVISION) + 1:04}",
            [f"{int(REVISION) + 1:04}", REVISION, "newer Segue", "pip install --upgrade segue"],
        ),
        ("9999", ["9999", REVISION, "pip install --upgrade segue"]),
        ("a1b2c3", ["a1b2c3", REVISION, "pip install --upgrade segue"]),
        ("0000", ["0000", REVISION, "pip install 'segue[server]'", "segue db upgrade"]),
    ],
)
def test_another_schema_version_is_refused(tmp_path: Path, revision: str, parts: list[str]) -> None:
    store = open_sqlite(tmp_path)
    add_run(store, "r1")
    store.close()
    _set_revision(tmp_path, revision)
    for use in (lambda: store.get_run("r1"), lambda: add_run(store, "r2"), lambda: store.append([])):
        with pytest.raises(StorageVersionError) as caught:
            use()
        for part in [*parts, str(tmp_path / DATABASE_NAME)]:
            assert part in str(caught.value)
    _set_revision(tmp_path, REVISION)
    assert store.get_run("r1") is not None
    assert store.get_run("r2") is None
    store.close()


def _set_revision(home: Path, revision: str) -> None:
    with closing(sqlite3.connect(home / DATABASE_NAME)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    store = open_sqlite(tmp_path)
    with pytest.raises(StorageUnavailableError, match="was not made by"):
        store.get_run("r1")
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
