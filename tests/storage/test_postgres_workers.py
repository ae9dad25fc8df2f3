"""Workers on Postgres: they die, stand still, make long calls, lose their machine."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_process import go, line, running

from segue.errors import LeaseLostError
from segue.model.lease import Fence
from segue.model.stores import EventFilter
from segue.storage.postgres import PostgresStore, open_postgres, workers
from segue.testing.storage_contract.builders import add_run, events_of, failed, started, step_events, succeeded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    store = open_postgres(postgres_url)
    yield store
    store.close()


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
EXECUTE = """
from segue.storage.postgres import workers
seconds, = arguments
workers.LEASE_SECONDS, workers.RENEWAL_SECONDS = float(seconds), float(seconds) / 5
add_run(store, "r1")
fence = Fence("r1", store.start_run("r1", []))
say(store.worker())
wait()
"""


def _until_given_up(store: PostgresStore, seconds: float) -> None:
    """Waits until the worker of the run is given up."""
    end = time.monotonic() + seconds
    while [lives for _, lives in store.unfinished_runs()] == [True]:
        assert time.monotonic() < end
        store.wait_for_exit(0.1)


def test_a_worker_that_died_is_given_up_at_once(store: PostgresStore, postgres_url: str) -> None:
    with running(EXECUTE, postgres_url, "60") as process:
        name = line(process)
        assert [(run.worker, lives) for run, lives in store.unfinished_runs()] == [(name, True)]
        with pytest.raises(LeaseLostError, match=name):
            store.take_over("r1")
        process.kill()
        process.wait()
        _until_given_up(store, 5)  # long before the lease would run out
    assert [(run.worker, lives) for run, lives in store.unfinished_runs()] == [(name, False)]
    store.take_over("r1", events_of("r1", [started(), succeeded()]))
    assert store.unfinished_runs() == []


@needs_proc
def test_a_worker_whose_machine_is_gone_is_given_up_when_its_lease_has_run_out(
    store: PostgresStore, postgres_url: str
) -> None:
    # Nobody tells of its end.
    with running(EXECUTE, postgres_url, "2") as process:
        line(process)
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        process.kill()
        process.wait()
        assert [lives for _, lives in store.unfinished_runs()] == [True]
        _until_given_up(store, 30)


def test_a_worker_is_not_given_up_for_a_long_call_that_keeps_its_threads_back(
    store: PostgresStore, postgres_url: str
) -> None:
    code = f"""{EXECUTE}
say("calls")
sum(range(300_000_000))
say(store.append(step_events("r1", "s", "a"), fence) > 0)
"""
    with running(code, postgres_url, "1") as process:
        line(process)
        go(process)
        assert line(process) == "calls"
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            looks = 0
            while not selector.select(0.05):
                assert [lives for _, lives in store.unfinished_runs()] == [True]
                looks += 1
        assert looks > 20
        assert line(process) == "True"


@needs_proc
def test_a_worker_that_stands_still_is_given_up_and_can_write_nothing_when_it_goes_on(
    store: PostgresStore, postgres_url: str
) -> None:
    code = f"""{EXECUTE}
from segue.errors import LeaseLostError
try:
    store.append(step_events("r1", "s", "a"), fence)
except LeaseLostError as error:
    say(error)
"""
    with running(code, postgres_url, "1") as process:
        line(process)
        process.send_signal(signal.SIGSTOP)
        _until_given_up(store, 30)
        store.take_over("r1", events_of("r1", [started(), failed()]))
        process.send_signal(signal.SIGCONT)
        go(process)
        assert "Run r1 has ended (FAILURE)" in line(process)
    assert store.asset_states(None) == {}


def test_a_process_that_stands_still_in_the_middle_of_a_write_does_not_stop_all_others(
    store: PostgresStore, postgres_url: str
) -> None:
    code = """
add_run(store, "r1")
with store.database.write() as connection:
    connection.execute(b"UPDATE runs SET job_name = 'nobody' WHERE run_id = 'r1'").rowcount
    say("writes")
    wait()
"""
    with running(code, postgres_url) as process:
        line(process)
        process.send_signal(signal.SIGSTOP)
        waits = threading.Thread(target=store.start_run, args=("r1",))
        waits.start()
        store.end_stalled_writers()
        store.lease_seconds = 0.0
        while waits.is_alive():  # the server may not have heard of the pause yet
            store.end_stalled_writers()
            waits.join(0.05)
    run = store.get_run("r1")
    assert run is not None
    assert (run.job_name, run.worker) == ("daily", store.worker())


@needs_proc
def test_a_worker_that_ends_leaves_no_process_behind(store: PostgresStore) -> None:
    def children() -> set[str]:
        return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())

    others = children()
    add_run(store, "r1")
    store.start_run("r1", [])
    started = children() - others
    assert started
    store.close()
    assert not started & children()


def test_a_lease_is_renewed(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "RENEWAL_SECONDS", 0.01)
    store = open_postgres(postgres_url)
    name = store.worker()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        ends = [connection.execute("SELECT expires_at FROM workers WHERE name = %s", [name]).fetchone()]
        while len(set(ends)) < 3:
            ends.append(connection.execute("SELECT expires_at FROM workers WHERE name = %s", [name]).fetchone())
        store.close()
        assert connection.execute("SELECT count(*) FROM workers").fetchone() == (0,)


def test_a_worker_that_was_given_up_writes_nothing_more(store: PostgresStore, postgres_url: str) -> None:
    add_run(store, "r1")
    fence = Fence("r1", store.start_run("r1", events_of("r1", [started()])))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE workers SET expires_at = now() - interval '1 s'")
    other = open_postgres(postgres_url)
    token = other.take_over("r1")
    for events in (step_events("r1", "s", "a"), events_of("r1", [succeeded()])):
        with pytest.raises(LeaseLostError, match="taken over"):
            store.append(events, fence)
    other.append(events_of("r1", [succeeded()]), Fence("r1", token))
    assert len(other.events(EventFilter(run_id="r1"))) == 2
    other.close()


SUPERVISED = """
supervisor, = arguments
mine = open_postgres(url, supervisor=supervisor)
add_run(mine, "r1")
mine.start_run("r1", events_of("r1", [started(mine.worker())]))
say(mine.worker())
wait()
"""


@needs_proc
def test_a_supervised_worker_lives_while_its_supervisor_does_and_records_nothing_of_itself(
    store: PostgresStore, postgres_url: str
) -> None:
    other = open_postgres(postgres_url)
    supervisor = store.supervise()
    assert supervisor == store.worker()
    with running(SUPERVISED, postgres_url, supervisor) as process:
        name = line(process)
        assert name.startswith(f"{supervisor}/{process.pid}-")
        for each in (store, other):
            assert [(run.worker, lives) for run, lives in each.unfinished_runs()] == [(name, True)]
            with pytest.raises(LeaseLostError, match=supervisor):
                each.take_over("r1")
        with psycopg.connect(postgres_url) as connection:
            names = connection.execute("SELECT name FROM workers").fetchall()
        assert names == [(supervisor,)]
        process.kill()
        process.wait()
        assert [lives for _, lives in store.unfinished_runs()] == [False]
        store.take_over("r1", events_of("r1", [failed()]))
    assert other.unfinished_runs() == []
    other.close()


def test_who_was_supervised_is_gone_with_the_supervisor(store: PostgresStore, postgres_url: str) -> None:
    supervisor = open_postgres(postgres_url)
    with running(SUPERVISED, postgres_url, str(supervisor.supervise())) as process:
        name = line(process)
        supervisor.close()
        assert [(run.worker, lives) for run, lives in store.unfinished_runs()] == [(name, False)]
