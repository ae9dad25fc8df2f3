"""The control plane is killed at every step of what it decides: no time is lost or doubled, no run key, no run, no retry."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from control_facts import HOUR, opened, payloads_of, require_ended, require_nothing_lost_or_doubled, times_of
from replicas import PROGRAM, kill_leaders

from segue.model.run_records import RunsFilter

BEGIN = 1_900_000_800.0 - 1_900_000_800.0 % 3600
WRITES = ["static", "asked", "counting", "pushed", "conditions", "run_retries", "dequeue", "backfill"]
WHERE = ["before", "inside", "at the end", "after"]
"""Of a transaction: before it, after its first statement, after its last one, and once it is committed."""


def run_steps(place: str, begin: float, end: float, point: str) -> int:
    command = [sys.executable, str(PROGRAM), "step", place, str(begin), str(end), point]
    return subprocess.run(command, timeout=120, check=False).returncode


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_at_every_step_of_a_write(
    database: str, write: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "home") if database == "sqlite" else str(request.getfixturevalue("postgres_url"))
    now = BEGIN
    for where in WHERE:
        assert run_steps(place, now, now + 3 * HOUR, f"{write}:{where}") == -signal.SIGKILL, where
        now += HOUR
    end = BEGIN + 8 * HOUR
    assert run_steps(place, now, end, "none") == 0
    with opened(place) as (store, control):
        require_nothing_lost_or_doubled(store, control, HOUR)
        require_ended(store, control)
        sent = payloads_of(store.list_runs(RunsFilter(), None, None))
        for number in range(len(WHERE) + 1):  # each process sent one an hour, as long as it lived
            begin = BEGIN + number * HOUR
            hours = sorted(int(payload.partition("/")[2]) for payload in sent if payload.startswith(f"{begin:.0f}/"))
            assert hours == list(range(max(len(hours), 1)))
        assert times_of(control, "static")[-1] == times_of(control, "asked")[-1] == end


def test_the_leader_of_three_is_killed_at_random(postgres_url: str) -> None:
    found = kill_leaders(postgres_url, 5, seed=5)
    assert max(found.took_over) <= 5.0
