"""Launching runs that left the queue: in threads of each location, so that a slow one holds nobody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from segue.daemon.loop import Turn
from segue.decide.launches import Launched, overdue_launches
from segue.errors import (
    InvariantViolationError,
    LeaseLostError,
    RunNotFoundError,
    SegueError,
    StorageUnavailableError,
)
from segue.location.base import Locations
from segue.model.event import Event, RunFailureData
from segue.model.failure_class import FailureClass
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.run_records import RunOrder, RunsFilter
from segue.model.stores import Store

THREADS_PER_LOCATION = 4
LOOK_SECONDS = 5.0


class Launches:
    """Launches runs, and again those that nobody took.

    Args:
        store: where runs are recorded.
        locations: the code locations.
        clock: gives the time in seconds since 1970, UTC.
        steady: gives the time by a clock that nobody sets, in seconds: how long a run was waited for is judged by it.
    """

    def __init__(
        self,
        store: Store,
        locations: Locations,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._locations = locations
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._pending: set[Future[None]] = set()
        self._launched: dict[str, Launched] = {}
        self._token: int | None = None
        self._looked_at = 0.0

    def launch(self, run: Run) -> None:
        """Launches a run, in a thread; what cannot be launched ends as failed, for a retry to take up."""
        name = run.location or ""
        now, before = self._steady(), self._launched.get(run.run_id)
        self._launched[run.run_id] = Launched(now if before is None else before.first, now)
        if name not in self._threads:
            self._threads[name] = ThreadPoolExecutor(THREADS_PER_LOCATION, f"segue-launch-{name}")
        future = self._threads[name].submit(self._launch, run)
        with self._lock:
            self._pending.add(future)
        future.add_done_callback(self._forget)

    def again(self, turn: Turn) -> None:
        """Launches again what was taken out of the queue and nobody took; at once what an earlier control plane left so."""
        is_new, now = turn.lease.token != self._token, self._steady()
        if not is_new and now - self._looked_at < LOOK_SECONDS:
            return
        self._token, self._looked_at = turn.lease.token, now
        which = RunsFilter(statuses=(RunStatus.STARTING,))
        starting = [each.dagster_run for each in self._store.run_records(which, None, None, RunOrder.ID, True)]
        self._launched = {run.run_id: self._launched[run.run_id] for run in starting if run.run_id in self._launched}
        overdue = overdue_launches(starting, self._launched, now)
        for run in overdue.lost:
            with suppress(LeaseLostError, InvariantViolationError, RunNotFoundError):  # a process took it after all
                event = self._failure(run, "No process has picked up the run since it was launched. Retry it.")
                self._store.take_over(run.run_id, [event])
        for run in overdue.again:
            self.launch(run)

    def settle(self, timeout: float | None = None) -> None:
        """Waits until all that was to be launched is, for so many seconds at most."""
        with self._lock:
            pending = list(self._pending)
        wait(pending, timeout)

    def _launch(self, run: Run) -> None:
        location = self._locations.get(run.location or "")
        if location is None:
            self._fail(run, f"The run could not be launched: the code location {run.location!r} no longer exists.")
            return
        try:
            location.launch(run.run_id)
        except SegueError as error:
            self._fail(run, f"The run could not be launched: {error}")
        except Exception as error:  # noqa: BLE001 reason: nobody sees what is raised in this thread; the run tells
            self._fail(run, f"The run could not be launched: {type(error).__name__}: {error}")

    def _fail(self, run: Run, message: str) -> None:
        # Refused where it was canceled meanwhile. Where the store is away, the run is launched again later.
        with suppress(InvariantViolationError, StorageUnavailableError):
            self._store.append([self._failure(run, message)])

    def _failure(self, run: Run, message: str) -> Event:
        payload = RunFailureData(FailureReason.PLATFORM, message, failure_class=FailureClass.PLATFORM)
        return Event(self._clock(), payload, None, run.run_id, run.job_name)

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._pending.discard(future)
