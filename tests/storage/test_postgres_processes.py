"""Several processes on one Postgres: they write at once, they are killed, they fork, they lose their connection."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator

import psycopg
import pytest
from postgres_process import go, line, running
from postgres_server import Server

from segue.errors import StorageUnavailableError
from segue.model.event import EventType
from segue.model.stores import EventFilter, Store
from segue.storage.postgres import PostgresStore, open_postgres
from segue.storage.postgres.database import Database
from segue.testing.storage_contract.builders import add_run, events_of, step_events, succeeded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and fork are POSIX")

WRITE = """
name, count = arguments
say("ready")
wait()
add_run(store, name, started())
for number in range(int(count)):
    store.append(step_events(name, f"step_{number}", f"asset_{number % 20}"))
    say(number)
"""


def _assert_states_match_the_log(store: Store) -> None:
    latest: dict[object, int] = {}
    for stored in store.events(EventFilter(types=(EventType.ASSET_MATERIALIZATION,)), None):
        latest[stored.event.asset_key] = stored.storage_id
    assert {key: state.storage_id for key, state in store.asset_states(None).items()} == latest


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    store = open_postgres(postgres_url)
    yield store
    store.close()


def test_two_processes_write_at_once(postgres_url: str) -> None:
    # There is no schema yet, so that they also meet while making it.
    with running(WRITE, postgres_url, "one", "200") as one, running(WRITE, postgres_url, "two", "200") as two:
        assert (line(one), line(two)) == ("ready", "ready")
        go(one)
        go(two)
        assert one.communicate()[0].split() == two.communicate()[0].split()
        assert (one.returncode, two.returncode) == (0, 0)
    store = open_postgres(postgres_url)
    for name in ("one", "two"):
        steps = [stored.event.step_key for stored in store.events(EventFilter(run_id=name))]
        assert steps == [None] + [f"step_{number}" for number in range(200) for _ in range(8)]
    _assert_states_match_the_log(store)
    store.close()


def test_a_killed_writer_leaves_whole_batches(store: PostgresStore, postgres_url: str) -> None:
    for attempt in range(4):
        name = f"run_{attempt}"
        with running(WRITE, postgres_url, name, "100000") as process:
            assert line(process) == "ready"
            go(process)
            for number in range(3 + 7 * attempt):
                assert line(process) == str(number)
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            said = process.stdout.read().split("\n")[:-1]
            process.wait()
        # The server may still be at the batch that was in flight: who writes to the run comes after it.
        store.append(events_of(name, [succeeded()]))
        done = len(store.events(EventFilter(run_id=name))) - 2
        assert done % 8 == 0
        last_said = int(said[-1]) if said else 2 + 7 * attempt
        assert done // 8 - (last_said + 1) in (0, 1)
    _assert_states_match_the_log(store)


def test_a_fork_shares_nothing(store: PostgresStore, postgres_url: str) -> None:
    code = """
import warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)  # the lease is renewed by a thread
add_run(store, "parent")
add_run(store, "child")
mine = store.worker()
child = os.fork()
if child == 0:
    assert store.worker() != mine
    for number in range(50):
        store.append(step_events("child", "s", "a"))
    store.close()
    os._exit(0)
for number in range(50):
    store.append(step_events("parent", "s", "a"))
assert os.waitpid(child, 0)[1] == 0
assert store.worker() == mine
store.append(step_events("parent", "s", "a"))
say("done")
"""
    with running(code, postgres_url) as process:
        assert line(process) == "done"
    counts = {name: len(store.events(EventFilter(run_id=name))) for name in ("parent", "child")}
    assert counts == {"parent": 408, "child": 400}
    _assert_states_match_the_log(store)


def test_a_fork_in_the_middle_of_a_write(store: PostgresStore, postgres_url: str) -> None:
    code = """
import warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)  # forking beside a thread is the point
add_run(store, "thread")
add_run(store, "child")
stop = threading.Event()
written = 0

def write():
    global written
    while not stop.is_set():
        store.append(step_events("thread", "s", "a"))
        written += 1

thread = threading.Thread(target=write)
thread.start()
for number in range(20):
    child = os.fork()
    if child == 0:
        store.append(step_events("child", "s", "a"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
say(written)
"""
    with running(code, postgres_url) as process:
        written = int(line(process))
    counts = {name: len(store.events(EventFilter(run_id=name))) for name in ("thread", "child")}
    assert counts == {"thread": 8 * written, "child": 160}


def test_threads_share_a_store(store: PostgresStore) -> None:
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            add_run(store, name)
            for number in range(20):
                store.append(step_events(name, f"step_{number}", name))
                store.get_run(name)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=(f"r{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {len(store.events(EventFilter(run_id=f"r{number}"))) for number in range(4)} == {160}


def test_writers_of_the_same_assets_do_not_get_in_each_others_way(postgres_url: str) -> None:
    # In opposite orders: locks that were taken in the order of the events would wait for each other for ever.
    failures: list[BaseException] = []
    stores = [open_postgres(postgres_url) for _ in range(4)]
    assets = [f"a{number}" for number in range(40)]

    def write(store: PostgresStore, order: list[str]) -> None:
        try:
            for _ in range(25):
                store.append([event for asset in order for event in step_events("r1", "s", asset)])
        except BaseException as error:
            failures.append(error)
            raise

    add_run(stores[0], "r1")
    threads = [
        threading.Thread(target=write, args=(store, assets if index % 2 else assets[::-1]))
        for index, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    _assert_states_match_the_log(stores[0])
    for store in stores:
        store.close()


def test_a_lost_connection_is_opened_anew(store: PostgresStore, postgres_url: str) -> None:
    add_run(store, "r1")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for use in (lambda: store.append(step_events("r1", "s", "a")), lambda: store.get_run("r1")):
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'segue'"
            )
            use()
    assert len(store.events(EventFilter(run_id="r1"))) == 8


def test_a_connection_that_is_lost_during_a_write_writes_nothing(store: PostgresStore, postgres_url: str) -> None:
    add_run(store, "r1")
    with psycopg.connect(postgres_url) as blocker:
        blocker.execute("LOCK TABLE assets IN ACCESS EXCLUSIVE MODE")
        failed: list[BaseException] = []

        def write() -> None:
            try:
                store.append(step_events("r1", "s", "a"))
            except StorageUnavailableError as error:
                failed.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            ended: list[object] = []
            while not ended:
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name = 'segue' AND wait_event_type = 'Lock'"
                ).fetchall()
        thread.join()
    assert len(failed) == 1
    assert "'postgres' on " in str(failed[0])
    assert store.events(EventFilter(run_id="r1")) == []
    store.append(step_events("r1", "s", "a"))
    assert len(store.events(EventFilter(run_id="r1"))) == 8


def test_a_server_that_comes_back_is_used_again(store: PostgresStore, postgres_server: Server) -> None:
    add_run(store, "r1")
    postgres_server.restart()
    store.append(step_events("r1", "s", "a"))
    assert len(store.events(EventFilter(run_id="r1"))) == 8


def test_what_is_read_inside_a_transaction_belongs_to_it(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.write() as connection:
        connection.execute(b"INSERT INTO plans (hash, body) VALUES ('mine', '')")
        assert database.read("SELECT hash FROM plans") == [("mine",)]
    assert database.read("SELECT hash FROM plans") == [("mine",)]
    database.close()
