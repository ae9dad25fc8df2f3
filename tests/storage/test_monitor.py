"""Workers that are gone are noticed at once, and those that only stand still are left alone."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lease_worker import Worker

from segue import Instance, RunStatus
from segue.model.event import RunStartData
from segue.model.run import FailureReason, Run
from segue.monitor import monitor_once, watch
from segue.storage.sqlite import open_sqlite
from segue.testing.storage_contract.builders import events_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@contextmanager
def executing(home: Path, *run_ids: str) -> Iterator[Worker]:
    """A worker that has started these runs."""
    worker = Worker(home)
    try:
        for run_id in run_ids:
            worker.do("create_run", Run(run_id=run_id, job_name="daily"), b"", b"", [])
            worker.do("start_run", run_id, events_of(run_id, [RunStartData(worker.name)]))
        yield worker
    finally:
        worker.kill()


@contextmanager
def watching(home: Path) -> Iterator[queue.SimpleQueue[Run]]:
    """The runs that a watching thread ended."""
    ended: queue.SimpleQueue[Run] = queue.SimpleQueue()
    stop = threading.Event()
    store = open_sqlite(home)
    thread = threading.Thread(target=watch, args=(store, stop.is_set, ended.put))
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()
        store.close()


def test_a_dead_worker_is_noticed_as_soon_as_it_has_exited(tmp_path: Path) -> None:
    with executing(tmp_path, "a", "b") as dying, executing(tmp_path, "c"), watching(tmp_path) as ended:
        time_of_death = time.monotonic()
        dying.kill()
        found = {ended.get(timeout=5).run_id for _ in range(2)}
        assert time.monotonic() - time_of_death < 5
        assert found == {"a", "b"}
        store = open_sqlite(tmp_path)
        statuses = {run_id: store.get_run(run_id) for run_id in "abc"}
        assert {run_id: run and (run.status, run.failure_reason) for run_id, run in statuses.items()} == {
            "a": (RunStatus.FAILURE, FailureReason.INTERRUPTED),
            "b": (RunStatus.FAILURE, FailureReason.INTERRUPTED),
            "c": (RunStatus.STARTED, None),
        }
        store.close()
    assert ended.empty()


def test_a_worker_that_began_after_the_last_look_is_noticed_too(tmp_path: Path) -> None:
    with watching(tmp_path) as ended, executing(tmp_path, "a") as dying:
        time_of_death = time.monotonic()
        dying.kill()
        assert ended.get(timeout=5).run_id == "a"
        assert time.monotonic() - time_of_death < 5


def test_several_that_watch_end_a_run_once(tmp_path: Path) -> None:
    with executing(tmp_path, "a") as dying, watching(tmp_path) as one, watching(tmp_path) as other:
        dying.kill()
        store = open_sqlite(tmp_path)
        while store.unfinished_runs():
            store.wait_for_exit(0.01)
        store.close()
    assert one.qsize() + other.qsize() == 1


def test_a_worker_that_stands_still_lives(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    with executing(tmp_path, "a") as worker:
        worker.stop()
        assert monitor_once(store, time.time()) == []
        worker.go_on()
        assert worker.do("append", events_of("a", [])) == 1
    assert [run.run_id for run in monitor_once(store, time.time())] == ["a"]
    store.close()


def test_a_run_of_another_worker_cannot_be_given_up(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    with executing(tmp_path, "a", "b") as worker:
        store.give_up("a")
        worker.do("give_up", "b")
        assert worker.do("unfinished_runs")[1][1] is False
        assert monitor_once(store, time.time()) == []
        assert worker.do("take_over", "b") == 3
    store.close()


def test_waiting_ends_with_a_worker_or_with_the_time(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.wait_for_exit(0.01)
    with executing(tmp_path, "a") as worker:
        assert worker.do("acquire_lease", "scheduler", 15.0) == 2
        store.wait_for_exit(0.01)
        threading.Timer(0.05, worker.kill).start()
        began = time.monotonic()
        store.wait_for_exit(30.0)
        assert time.monotonic() - began < 10
        assert [lease.is_held for lease in store.leases()] == [False]
    store.close()


def test_an_instance_that_lives_long_shows_what_became_of_runs(tmp_path: Path) -> None:
    with Instance.local_temp(str(tmp_path)) as instance, executing(tmp_path, "a") as worker:
        worker.kill()
        assert [run.status for run in instance.get_runs()] == [RunStatus.FAILURE]
    with Instance.local_temp(str(tmp_path)) as instance, executing(tmp_path, "b") as worker:
        worker.kill()
        run = instance.get_run_by_id("b")
        assert run is not None
        assert (run.status, run.worker) == (RunStatus.FAILURE, worker.name)
