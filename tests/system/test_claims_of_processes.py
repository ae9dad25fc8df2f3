"""Claims of several processes on one home: never more than there is, and free when their holder is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest, pool_resource
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import Store
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import open_sqlite

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="record locks and SIGKILL are POSIX")

DB = pool_resource("db")
PRELUDE = """
import sys, time
from pathlib import Path
from segue.model.claims import Claim, Claimant, ClaimRequest
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import open_sqlite

place, name, *arguments = sys.argv[1:]
store = open_postgres(place) if "://" in place else open_sqlite(Path(place))

def say(word):
    print(word, flush=True)

def claim(step, *resources):
    request = ClaimRequest(Claimant(name, step, store.worker()), tuple([Claim(each, capacity=1) for each in resources]))
    return store.claim([request], time.time())[0].is_granted
"""
HOLD = """
say(claim("a", *arguments) and claim(None, "partition:sales|", "partition:costs|"))
sys.stdin.readline()
"""
CONTEND = """
say("ready")
sys.stdin.readline()
for number in range(int(arguments[0])):
    while not claim(f"step_{number}", "pool:db"):
        time.sleep(0.001)
    say(f"in {number}")
    store.release_claims(name, f"step_{number}")
"""


CALL = """
from segue.model.gates import GatePass, RateLimit

for _ in range(int(arguments[0])):
    assert store.enter_gates([GatePass("api", (RateLimit(100, per=1_000_000.0),))]).is_in
    say("in")
"""


@contextmanager
def _process(code: str, place: object, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", PRELUDE + code, str(place), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Store]]:
    """A store that processes share, and where it is."""
    place = str(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    store = open_sqlite(tmp_path) if request.param == "sqlite" else open_postgres(place)
    yield place, store
    store.close()


def _claim(store: Store, run_id: str, step_key: str | None, resource: str) -> bool:
    request = ClaimRequest(Claimant(run_id, step_key, store.worker()), (Claim(resource, capacity=1),))
    (answer,) = store.claim([request], 1.0)
    return answer.is_granted


def _kill(process: subprocess.Popen[str], place: str, store: Store) -> None:
    """Kills a process, and lets the time of its lease pass where only the clock tells that it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    if "://" in place:
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute("UPDATE workers SET expires_at = now() WHERE name <> %s", [store.worker()])


def test_what_a_killed_process_held_is_free(shared: tuple[str, Store]) -> None:
    place, store = shared
    with _process(HOLD, place, "r1", DB, "pool:other") as process:
        assert _line(process) == "True"
        assert not _claim(store, "r2", "a", DB)
        assert not _claim(store, "r2", None, "partition:costs|")
        assert len(store.claim_records(ClaimFilter(run_id="r1"))) == 4
        _kill(process, place, store)
    assert store.claim_records(ClaimFilter(run_id="r1")) == []
    assert _claim(store, "r2", None, "partition:costs|")
    assert _claim(store, "r2", "a", DB)


def test_who_waits_in_a_killed_process_holds_nobody_up(shared: tuple[str, Store]) -> None:
    place, store = shared
    assert _claim(store, "r0", "a", DB)
    with _process(HOLD, place, "r1", DB) as process:
        assert _line(process) == "False"
        assert not _claim(store, "r2", "a", DB)
        assert [each.claimant.run_id for each in store.claim_records(ClaimFilter(resource=DB))] == ["r0", "r1", "r2"]
        _kill(process, place, store)
    store.release_claims("r0", "a")
    assert _claim(store, "r2", "a", DB)
    assert [each.claimant.run_id for each in store.claim_records(ClaimFilter(resource=DB))] == ["r2"]


def test_processes_that_contend_all_come_through(shared: tuple[str, Store]) -> None:
    place, store = shared
    names = ["r1", "r2", "r3"]
    with (
        _process(CONTEND, place, names[0], "30") as one,
        _process(CONTEND, place, names[1], "30") as two,
        _process(CONTEND, place, names[2], "30") as three,
    ):
        processes = (one, two, three)
        assert [_line(process) for process in processes] == ["ready"] * 3
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            said, _ = process.communicate(timeout=120)
            assert said.split() == [word for number in range(30) for word in ("in", str(number))]
            assert process.returncode == 0
    assert store.claim_records(ClaimFilter()) == []


def test_processes_that_call_the_same_resource_share_its_tokens(shared: tuple[str, Store]) -> None:
    place, store = shared
    with _process(CALL, place, "r1", "20") as one, _process(CALL, place, "r2", "20") as two:
        for process in (one, two):
            said, _ = process.communicate(timeout=120)
            assert said.split() == ["in"] * 20
    states = store.gate_states()
    (bucket,) = states.by_name["api"].buckets.values()
    assert round(bucket.tokens_at(states.now)) == 100 - 40


RUN = """
import segue as dg
from segue.host.inprocess import execute_request
from segue.model.event import EngineEventData

blocks = arguments[1] == "block"

@dg.asset(name=arguments[0], pool="db")
def made():
    say("in")
    if blocks:
        sys.stdin.readline()

def listen(event):
    if isinstance(event.payload, EngineEventData) and event.payload.message.startswith("Waits"):
        say("waits")

instance = dg.Instance.local_temp(place)
say(execute_request(dg.Definitions(assets=[made]), instance, dg.RunRequest(), listen).status.value)
"""


@pytest.mark.parametrize("other", ["same", "another"])
def test_a_run_goes_on_when_the_process_that_held_it_up_is_killed(tmp_path: Path, other: str) -> None:
    """The same asset is locked by the run; another one waits for the slot of the pool."""
    store = open_sqlite(tmp_path)
    store.set_claim_limit(DB, 1)
    with _process(RUN, tmp_path, "-", "same", "block") as holder:
        assert _line(holder) == "in"
        with _process(RUN, tmp_path, "-", other, "go") as waiter:
            assert _line(waiter) == "waits"
            holder.send_signal(signal.SIGKILL)
            assert [_line(waiter), _line(waiter)] == ["in", "SUCCESS"]
    assert store.claim_records(ClaimFilter()) == []
    store.close()


def test_a_run_that_waits_can_be_interrupted(tmp_path: Path) -> None:
    with _process(RUN, tmp_path, "-", "same", "block") as holder:
        assert _line(holder) == "in"
        with _process(RUN, tmp_path, "-", "same", "go") as waiter:
            assert _line(waiter) == "waits"
            waiter.send_signal(signal.SIGINT)
            assert waiter.wait(60) != 0
    store = open_sqlite(tmp_path)
    assert {run.status for run in store.list_runs(RunsFilter(), None, None)} >= {RunStatus.CANCELED}
    assert [each for each in store.claim_records(ClaimFilter()) if not each.is_granted] == []
    store.close()
