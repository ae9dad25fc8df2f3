"""`segue doctor`: whatever it looks at is broken for real, and it says so with a cure."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from segue.cli.main import command
from segue.model.event import EngineEventData, Event
from segue.model.gates import CircuitBreaker, GatePass
from segue.model.location import LocationState, LocationStatus, LoopState
from segue.storage.sqlite import SqliteStore, open_sqlite
from segue.storage.sqlite.control import control_of
from segue.storage.sqlite.database import DATABASE_NAME


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".segue"


@pytest.fixture
def store(home: Path) -> Iterator[SqliteStore]:
    made = open_sqlite(home)
    made.append(())
    yield made
    made.close()


def findings(code: int) -> dict[str, Any]:
    """What the doctor says, by subject; the exit code is as expected."""
    result = CliRunner().invoke(command, ["doctor", "--json"])
    assert result.exit_code == code, result.output
    return {each["subject"]: each for each in json.loads(result.stdout)["findings"]}


def test_a_clock_that_was_set_back(store: SqliteStore) -> None:
    store.append([Event(time.time() + 3600, EngineEventData("from the future"))])
    found = findings(1)["clock"]
    assert (found["level"], "NTP" in found["cure"]) == ("error", True)
    assert "set back" in found["message"]


def test_a_damaged_database(home: Path) -> None:
    open_sqlite(home).append(())
    (home / DATABASE_NAME).write_bytes(b"no database" * 1000)
    for log in home.glob("*-wal"):
        log.unlink()
    assert findings(1)["database"]["level"] == "error"


def test_a_database_of_a_newer_version(home: Path) -> None:
    store = open_sqlite(home)
    store.append(())
    store.close()
    with sqlite3.connect(home / DATABASE_NAME) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    found = findings(1)["database"]
    assert "9999" in found["message"]


def test_settings_that_name_what_is_not_there(home: Path) -> None:
    Path("segue.toml").write_text('file = "gone.py"\n')
    found = findings(1)["settings"]
    assert (found["level"], "gone.py" in found["message"]) == ("error", True)


@pytest.mark.parametrize(
    ("reset_after", "said"), [(1_000_000.0, "no calls for another"), (1e-9, "half open")], ids=["open", "half"]
)
def test_a_resource_that_is_left_alone(store: SqliteStore, reset_after: float, said: str) -> None:
    breaker = CircuitBreaker(failures=1, reset_after=reset_after)
    store.report_to_gates([GatePass("api", (breaker,))], True)
    quiet = GatePass("quiet", (CircuitBreaker(failures=2),))
    store.report_to_gates([quiet], True)
    found = findings(0)
    assert found["circuit breaker api"]["level"] == "warning"
    assert said in found["circuit breaker api"]["message"]
    assert "circuit breaker quiet" not in found


def test_code_that_does_not_load(store: SqliteStore) -> None:
    broken = LocationState(name="sales", status=LocationStatus.BROKEN, error="ZeroDivisionError")
    control_of(store).put_location(broken)
    found = findings(1)["code location sales"]
    assert ("ZeroDivisionError" in found["message"], "segue location check sales" in found["cure"]) == (True, True)


def test_no_control_plane(store: SqliteStore) -> None:
    found = findings(0)["loops"]
    assert (found["level"], "segue serve" in found["cure"]) == ("warning", True)


@pytest.mark.parametrize(
    ("state", "level", "message"),
    [
        ({}, "ok", "run by"),
        ({"error": "the store is away", "last_error": "the store is away"}, "error", "the store is away"),
        ({"heartbeat_at": -60.0}, "error", "has been silent"),
        ({"heartbeat_at": 60.0}, "error", "is ahead"),
        ({"lag": 9.0}, "warning", "is late by"),
        ({"last_error": "ValueError: a bug", "failed_at": -30.0}, "warning", "ValueError: a bug"),
        ({"last_error": "ValueError: a bug", "failed_at": -3600.0}, "ok", "run by"),
    ],
)
def test_how_a_loop_does(state: dict[str, Any], level: str, message: str, store: SqliteStore) -> None:
    now = time.time()
    assert store.acquire_lease("loop/queue", 60.0) is not None
    times = {name: now + value for name, value in state.items() if name in ("heartbeat_at", "failed_at")}
    control_of(store).put_loop(LoopState(name="queue", holder="1-a", **{"heartbeat_at": now, **state, **times}))
    found = findings(1 if level == "error" else 0)["loop queue"]
    assert found["level"] == level
    assert message in found["message"]


def test_a_loop_that_no_process_runs(store: SqliteStore) -> None:
    assert store.acquire_lease("loop/schedules", 60.0) is not None
    control_of(store).put_loop(LoopState(name="queue", holder="1-a", heartbeat_at=time.time()))
    found = findings(0)["loop queue"]
    assert (found["level"], "takes over" in found["cure"]) == ("warning", True)
