"""Claims of several processes on one home: never more than there is, and free when their holder is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest, pool_resource
from segue.storage.sqlite import SqliteStore, open_sqlite

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="record locks and SIGKILL are POSIX")

DB = pool_resource("db")
PRELUDE = """
import sys, time
from pathlib import Path
from segue.model.claims import Claim, Claimant, ClaimRequest
from segue.storage.sqlite import open_sqlite

home, name, *arguments = sys.argv[1:]
store = open_sqlite(Path(home))

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


@contextmanager
def _process(code: str, home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", PRELUDE + code, str(home), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _claim(store: SqliteStore, run_id: str, step_key: str | None, resource: str) -> bool:
    request = ClaimRequest(Claimant(run_id, step_key, store.worker()), (Claim(resource, capacity=1),))
    (answer,) = store.claim([request], 1.0)
    return answer.is_granted


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    with _process(HOLD, tmp_path, "r1", DB, "pool:other") as process:
        assert _line(process) == "True"
        assert not _claim(store, "r2", "a", DB)
        assert not _claim(store, "r2", None, "partition:costs|")
        assert len(store.claim_records(ClaimFilter(run_id="r1"))) == 4
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert store.claim_records(ClaimFilter(run_id="r1")) == []
    assert _claim(store, "r2", None, "partition:costs|")
    assert _claim(store, "r2", "a", DB)
    store.close()


def test_who_waits_in_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    assert _claim(store, "r0", "a", DB)
    with _process(HOLD, tmp_path, "r1", DB) as process:
        assert _line(process) == "False"
        assert not _claim(store, "r2", "a", DB)
        assert [each.claimant.run_id for each in store.claim_records(ClaimFilter(resource=DB))] == ["r0", "r1", "r2"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    store.release_claims("r0", "a")
    assert _claim(store, "r2", "a", DB)
    assert [each.claimant.run_id for each in store.claim_records(ClaimFilter(resource=DB))] == ["r2"]
    store.close()


def test_processes_that_contend_all_come_through(tmp_path: Path) -> None:
    open_sqlite(tmp_path).close()
    names = ["r1", "r2", "r3"]
    with (
        _process(CONTEND, tmp_path, names[0], "30") as one,
        _process(CONTEND, tmp_path, names[1], "30") as two,
        _process(CONTEND, tmp_path, names[2], "30") as three,
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
    store = open_sqlite(tmp_path)
    assert store.claim_records(ClaimFilter()) == []
    store.close()


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

instance = dg.Instance.local_temp(home)
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
