"""Several processes on one home: they write at once, they are killed, they fork."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from segue.model.event import EventType
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.storage.sqlite import SqliteStore, open_sqlite
from segue.storage.sqlite.control import control_of
from segue.storage.sqlite.database import DATABASE_NAME
from segue.testing.storage_contract.builders import add_run, started, step_events

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="record locks, signals and fork are POSIX")

PRELUDE = """
import os, signal, sys, threading
from pathlib import Path
from segue.errors import StorageUnavailableError
from segue.model.stores import EventFilter
from segue.storage.sqlite import open_memory, open_sqlite
from segue.testing.storage_contract.builders import add_run, started, step_events

home, *arguments = sys.argv[1:]
store = open_sqlite(Path(home))

def say(word):
    print(word, flush=True)

def wait():
    sys.stdin.readline()
"""
WRITE = """
name, count = arguments
say("ready")
wait()
add_run(store, name, started(store.worker()))
for number in range(int(count)):
    store.append(step_events(name, f"step_{number}", f"asset_{number % 20}"))
    say(number)
"""
BE_A_WORKER = """
add_run(store, arguments[0], started(store.worker()))
say(store.worker())
wait()
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


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _assert_intact(home: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE_NAME)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _assert_states_match_the_log(store: Store) -> None:
    latest: dict[object, int] = {}
    for stored in store.events(EventFilter(types=(EventType.ASSET_MATERIALIZATION,)), None):
        latest[stored.event.asset_key] = stored.storage_id
    assert {key: state.storage_id for key, state in store.asset_states(None).items()} == latest


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    # The home is fresh, so that they also meet while making the schema.
    with _process(WRITE, tmp_path, "one", "500") as one, _process(WRITE, tmp_path, "two", "500") as two:
        assert (_line(one), _line(two)) == ("ready", "ready")
        _go(one)
        _go(two)
        assert one.communicate()[0].split() == two.communicate()[0].split()
        assert (one.returncode, two.returncode) == (0, 0)
    store = open_sqlite(tmp_path)
    for name in ("one", "two"):
        steps = [stored.event.step_key for stored in store.events(EventFilter(run_id=name), None)]
        assert steps == [None] + [f"step_{number}" for number in range(500) for _ in range(8)]
    assert len(store.events(EventFilter(), None)) == 2 * (1 + 500 * 8)
    _assert_states_match_the_log(store)
    store.close()
    _assert_intact(tmp_path)


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    for attempt in range(8):
        name = f"run_{attempt}"
        with _process(WRITE, tmp_path, name, "100000") as process:
            assert _line(process) == "ready"
            _go(process)
            for number in range(3 + 7 * attempt):
                assert _line(process) == str(number)
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            said = process.stdout.read().split("\n")[:-1]  # what stands behind the last line break may be half a number
            process.wait()
        done = len(store.events(EventFilter(run_id=name), None)) - 1
        assert done % 8 == 0
        # What it said was committed; of the batch in flight, all or nothing.
        last_said = int(said[-1]) if said else 2 + 7 * attempt
        assert done // 8 - (last_said + 1) in (0, 1)
        assert [alive for run, alive in store.unfinished_runs() if run.run_id == name] == [False]
    _assert_states_match_the_log(store)
    store.close()
    _assert_intact(tmp_path)


def test_a_worker_lives_as_long_as_its_process(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    with _process(BE_A_WORKER, tmp_path, "killed") as killed, _process(BE_A_WORKER, tmp_path, "left") as left:
        names = [_line(killed), _line(left)]
        assert [(run.run_id, run.worker, alive) for run, alive in _by_id(store)] == [
            ("killed", names[0], True),
            ("left", names[1], True),
        ]
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert [alive for _, alive in _by_id(store)] == [False, True]
        assert [path.stem for path in (tmp_path / "workers").iterdir()] == [names[1]]
        _go(left)
        assert left.wait() == 0
        assert [alive for _, alive in _by_id(store)] == [False, False]
    store.close()


def test_a_new_worker_removes_what_dead_ones_left(tmp_path: Path) -> None:
    with _process(BE_A_WORKER, tmp_path, "r1") as process:
        alive = _line(process)
        (tmp_path / "workers" / "123-dead.lock").touch()
        mine = open_sqlite(tmp_path).worker()
        assert {path.stem for path in (tmp_path / "workers").iterdir()} == {alive, mine}


def test_the_run_of_an_unknown_worker_is_not_alive_and_one_that_names_none_is_left_alone(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    add_run(store, "r1", started("of another machine"))
    add_run(store, "r2", started(None))
    assert [(run.run_id, alive) for run, alive in store.unfinished_runs()] == [("r1", False)]
    store.close()


def test_stores_of_one_home_are_one_worker(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "home")
    stores = [open_sqlite(tmp_path / "home"), open_sqlite(tmp_path / "home"), open_sqlite(tmp_path / "link")]
    assert len({store.worker() for store in stores}) == 1
    add_run(stores[0], "r1", started(stores[0].worker()))
    for store in stores:
        assert [alive for _, alive in store.unfinished_runs()] == [True]
        store.close()
    # Looking at its own lock, or closing a store, would have released it.
    look = "say([alive for _, alive in store.unfinished_runs()])"
    with _process(look, tmp_path / "home") as process:
        assert _line(process) == "[True]"


def test_a_child_that_outlives_a_worker_does_not_keep_it_alive(tmp_path: Path) -> None:
    code = """
add_run(store, "r1", started(store.worker()))
if os.fork() == 0:
    say(os.getpid())
    wait()
    os._exit(0)
signal.pause()
"""
    store = open_sqlite(tmp_path)
    with _process(code, tmp_path) as process:
        child = int(_line(process))
        assert [alive for _, alive in store.unfinished_runs()] == [True]
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.kill(child, 0)
        assert [alive for _, alive in store.unfinished_runs()] == [False]
    store.close()


def test_a_fork_shares_nothing(tmp_path: Path) -> None:
    code = """
mine = store.worker()
add_run(store, "parent", started(mine))
child = os.fork()
if child == 0:
    assert [alive for _, alive in store.unfinished_runs()] == [True]
    assert store.worker() != mine
    add_run(store, "child", started(store.worker()))
    assert [alive for _, alive in store.unfinished_runs()] == [True, True]
    for number in range(50):
        store.append(step_events("child", "s", "a"))
    os._exit(0)
for number in range(50):
    store.append(step_events("parent", "s", "a"))
assert os.waitpid(child, 0)[1] == 0
assert store.worker() == mine
assert {run.run_id: alive for run, alive in store.unfinished_runs()} == {"parent": True, "child": False}
say("done")
"""
    with _process(code, tmp_path) as process:
        assert _line(process) == "done"
    _assert_event_counts(tmp_path, {"parent": 401, "child": 401})


def test_a_fork_in_the_middle_of_a_write(tmp_path: Path) -> None:
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
for number in range(30):
    child = os.fork()
    if child == 0:
        store.append(step_events("child", "s", "a"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
say(written)
"""
    with _process(code, tmp_path) as process:
        written = int(_line(process))
    _assert_event_counts(tmp_path, {"thread": 8 * written, "child": 240})


def test_a_memory_store_stays_in_its_process(tmp_path: Path) -> None:
    code = """
store = open_memory()
add_run(store, "r1")
child = os.fork()
if child == 0:
    try:
        store.append(step_events("r1", "s", "a"))
    except StorageUnavailableError as error:
        assert "forked child" in str(error), error
        os._exit(0)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
store.append(step_events("r1", "s", "a"))
say("done")
"""
    with _process(code, tmp_path) as process:
        assert _line(process) == "done"


def test_threads_share_a_store(store: Store) -> None:
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            add_run(store, name)
            for number in range(50):
                store.append(step_events(name, f"step_{number}", name))
                store.list_runs(RunsFilter(), 3, None)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=(f"r{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for number in range(4):
        steps = [stored.event.step_key for stored in store.events(EventFilter(run_id=f"r{number}"), None)]
        assert steps == [f"step_{step}" for step in range(50) for _ in range(8)]


def _by_id(store: SqliteStore) -> list[tuple[object, bool]]:
    return sorted(store.unfinished_runs(), key=lambda pair: pair[0].run_id)


def _assert_event_counts(home: Path, expected: dict[str, int]) -> None:
    store = open_sqlite(home)
    assert {name: len(store.events(EventFilter(run_id=name), None)) for name in expected} == expected
    _assert_states_match_the_log(store)
    store.close()
    _assert_intact(home)


def test_what_is_sent_to_a_sensor_is_on_disk_before_anybody_says_so(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    statements: list[str] = []
    with store.database.write(is_durable=True) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    with store.database.write() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        connection.set_trace_callback(statements.append)
    control_of(store).send_payload(InstigatorId("main", InstigatorKind.SENSOR, "sensor"), "1", 5.0)
    store.close()
    assert statements.index("PRAGMA synchronous=FULL") < statements.index("BEGIN IMMEDIATE")
    assert statements[-2:] == ["COMMIT", "PRAGMA synchronous=NORMAL"]
