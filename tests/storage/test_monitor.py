"""Workers that are gone are noticed at once, and those that stand still once that has lasted longer than a lease."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lease_worker import Worker

from segue import Instance, RunStatus
from segue.model.claims import GRANTED, Claim, Claimant, ClaimRequest
from segue.model.event import Event, RunStartData, StepSuccessData
from segue.model.lease import Fence
from segue.model.run import FailureReason, Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter
from segue.monitor import monitor_once, watch
from segue.storage.sqlite import open_sqlite
from segue.testing.storage_contract.builders import events_of, logged

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="no other system tells of processes that stand still")

STOPS_WHILE_IT_WRITES = """
import os, signal, sys
from pathlib import Path
from segue.storage.sqlite import open_sqlite

with open_sqlite(Path(sys.argv[1])).database.write() as connection:
    os.kill(os.getpid(), signal.SIGSTOP)
"""


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


def test_a_worker_that_stands_still_for_less_than_a_lease_keeps_its_run(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.stall_seconds = 0.2
    with executing(tmp_path, "a") as worker:
        for _ in range(2):  # the time begins anew each time that it has gone on
            worker.stop()
            assert monitor_once(store, time.time()) == []
            worker.go_on()
            assert worker.do("append", events_of("a", [])) == 1
            store.wait_for_exit(0.3)
        assert monitor_once(store, time.time()) == []
    assert [run.run_id for run in monitor_once(store, time.time())] == ["a"]
    store.close()


@needs_proc
def test_a_worker_that_stands_still_for_longer_than_a_lease_loses_all_it_has(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.stall_seconds = 0.2
    with executing(tmp_path, "a") as worker:
        step = worker.do("open_step", Fence("a", 1), "s", 1)
        lease = worker.do("acquire_lease", "scheduler", 15.0)
        assert store.acquire_lease("scheduler", 15.0) is None
        worker.stop()
        while not monitor_once(store, time.time()):
            assert store.list_runs(RunsFilter(), None, None)[0].status is RunStatus.STARTED
            store.wait_for_exit(0.05)
        assert [each.is_held for each in store.leases()] == [False]
        assert store.acquire_lease("scheduler", 15.0) is not None
        worker.go_on()
        assert worker.do("append", events_of("a", [logged("done")]), Fence("a", 1)) == "raised LeaseLostError"
        assert worker.do("append", [Event(1.0, StepSuccessData(), "s", "a", "daily")], step) == "raised LeaseLostError"
        assert worker.do("require_lease", Fence("a", 1)) == "raised LeaseLostError"
        assert worker.do("renew_lease", "scheduler", lease, 15.0) is False
        run = store.get_run("a")
        assert run is not None
        assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.INTERRUPTED)
    store.close()


@needs_proc
def test_what_a_worker_claims_is_its_own_until_its_run_is_taken_from_it(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.stall_seconds = 0.0
    with executing(tmp_path, "a") as worker:
        slot = (Claim("pool:scarce", 1, 1),)
        assert worker.do("claim", [ClaimRequest(Claimant("a", None, worker.name), slot)], 1.0) == [GRANTED]
        mine = ClaimRequest(Claimant("b", None, store.worker()), slot)
        worker.stop()
        while store.unfinished_runs()[0][1]:
            store.wait_for_exit(0.05)
        assert not store.claim([mine], 2.0)[0].is_granted
        assert [run.run_id for run in monitor_once(store, time.time())] == ["a"]
        assert store.claim([mine], 3.0)[0].is_granted
    store.close()


@needs_proc
def test_a_process_that_stands_still_in_the_middle_of_a_write_does_not_stop_all_others(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.create_run(Run(run_id="a", job_name="daily"), b"", b"", [])
    holder = subprocess.Popen([sys.executable, "-c", STOPS_WHILE_IT_WRITES, str(tmp_path)])
    try:
        assert os.WIFSTOPPED(os.waitpid(holder.pid, os.WUNTRACED)[1])
        written = threading.Thread(target=store.append, args=(events_of("a", [logged("waits")]),))
        written.start()
        store.end_stalled_writers()
        assert holder.poll() is None  # not for longer than a lease yet
        store.stall_seconds = 0.0
        store.end_stalled_writers()
        assert holder.wait(30) == -signal.SIGKILL
        written.join(30)
        assert not written.is_alive()
        assert [record.event.payload for record in store.events(EventFilter(run_id="a"), None)] == [logged("waits")]
        store.end_stalled_writers()
    finally:
        holder.kill()
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
