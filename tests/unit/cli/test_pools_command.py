"""`segue pools`: what it lists, sets and takes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from segue.cli.main import command
from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest
from segue.model.gates import CircuitBreaker, GatePass, RateLimit
from segue.storage.sqlite import SqliteStore, open_sqlite


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    monkeypatch.chdir(tmp_path)
    store = open_sqlite(tmp_path / ".segue")
    yield store
    store.close()


def _claim(store: SqliteStore, run_id: str, step_key: str | None, resource: str, weight: int = 1) -> None:
    claimant = Claimant(run_id, step_key, store.worker(), 4)
    store.claim([ClaimRequest(claimant, (Claim(resource, weight),))], 1_000_000.0)


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["pools", *arguments])


def _document(*arguments: str) -> Any:
    result = _call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_without_pools_there_is_nothing_to_list(store: SqliteStore) -> None:
    assert _call().output == "No pools.\n"
    assert _document() == {"pools": []}


def test_pools_are_listed_with_who_holds_and_who_waits(store: SqliteStore) -> None:
    store.set_claim_limit("pool:db", 2)
    _claim(store, "r1", "load", "pool:db", 2)
    _claim(store, "r2", "save", "pool:db")
    _claim(store, "r2", "call", "pool:api")
    _claim(store, "r2", None, "partition:sales|")
    api, db = _document()["pools"]
    assert api == {
        "pool": "api",
        "limit": None,
        "is_default": True,
        "used": 1,
        "holders": [{"run_id": "r2", "step": "call", "slots": 1, "priority": 4, "since": 1_000_000.0}],
        "waiting": [],
    }
    assert (db["limit"], db["is_default"], db["used"]) == (2, False, 2)
    assert [each["run_id"] for each in db["holders"]] == ["r1"]
    assert [(each["run_id"], each["step"], each["slots"]) for each in db["waiting"]] == [("r2", "save", 1)]
    lines = _call().output.splitlines()
    assert [line.split()[:4] for line in lines[:3]] == [
        ["POOL", "SLOTS", "USED", "WAITING"],
        ["api", "any", "number", "1"],
        ["db", "2", "2", "1"],
    ]
    assert "r1 load holds 2 slots since" in lines[2]
    assert lines[3].strip().startswith("r2 save waits for 1 slot since")


def test_a_limit_is_set_and_deleted(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _call("set", "db", "3").output == "The pool db has 3 slots, 0 of them used.\n"
    assert store.claim_limits("") == {"pool:db": 3}
    assert _document("set", "db", "0")["limit"] == 0
    monkeypatch.setenv("SEGUE_DEFAULT_POOL_LIMIT", "5")
    assert _call("delete", "db").output == "Removed the limit of the pool db: it now has 5 slots.\n"
    assert store.claim_limits("") == {}
    store.set_claim_limit("pool:db", 3)
    assert _document("delete", "db") == {"pool": "db", "limit": 5}
    assert "No limit is set for the pool 'db'" in _failure("delete", "db")


@pytest.mark.parametrize("limit", ["-1", "many", "1001"])
def test_a_limit_that_is_none_is_refused(store: SqliteStore, limit: str) -> None:
    assert _call("set", "--", "db", limit).exit_code != 0
    assert store.claim_limits("") == {}


def test_claims_are_taken_back_when_asked_for(store: SqliteStore) -> None:
    store.set_claim_limit("pool:db", 1)
    _claim(store, "run-one", "load", "pool:db")
    _claim(store, "run-one", None, "partition:sales|")
    _claim(store, "run-two", "load", "pool:db")
    assert "Add --yes" in _failure("free", "run-one")
    assert "2 runs match 'run'" in _failure("free", "run", "--yes")
    assert "Step 'other' of run 'run-one' holds no slots" in _failure("free", "run-one", "other", "--yes")
    assert "Run 'nobody' holds no slots" in _failure("free", "nobody", "--yes")
    assert len(store.claim_records(ClaimFilter())) == 3
    assert _document("free", "run-o", "load", "--yes") == {
        "freed": [{"run_id": "run-one", "step": "load", "resource": "pool:db", "is_held": True}]
    }
    assert _call("free", "run-one", "--yes").output == "Released 1 claim of run run-one.\n"
    assert _document("free", "run-two", "-y")["freed"][0]["is_held"] is False
    assert store.claim_records(ClaimFilter()) == []


def test_limits_of_resources_are_listed(store: SqliteStore) -> None:
    assert _call("--limits").output == "No resource with limits has been called yet.\n"
    breaker = CircuitBreaker(failures=1, reset_after=7200.0)
    store.enter_gates([GatePass("api", (RateLimit(10, per=1_000_000.0), breaker))])
    store.report_to_gates([GatePass("api", (breaker,))], True)
    (found,) = _document("--limits")["resources"]
    assert (found["resource"], found["circuit"], found["failures"]) == ("api", "open", 0)
    assert 7100 < found["seconds"] <= 7200
    assert round(found["tokens"][0]["available"]) == 9
    head, row = _call("--limits").output.splitlines()
    assert head.split() == ["RESOURCE", "CIRCUIT", "FAILURES", "TOKENS"]
    assert "open for 1 h 59 min" in row
    assert row.endswith("9.0 of 10, 1e-05 per second")


def _failure(*arguments: str) -> str:
    """What is said of a call that fails."""
    result = _call(*arguments)
    assert result.exit_code != 0, result.output
    return " ".join(result.output.split())
