"""Where events go while a run executes: to the store, in batches, and to whoever watches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from segue.defs.run_loggers import RunLoggers
from segue.errors import ResourceBusyError, StorageError
from segue.execute.failure import error_info
from segue.execute.tee import show
from segue.model import codec
from segue.model.claims import ClaimRequest
from segue.model.event import AnyPayload, Event, LogMessageData, RunCanceledData, RunFailureData, RunSuccessData
from segue.model.lease import Fence
from segue.model.run import PlannedRun
from segue.model.run_events import RunSuspendedData
from segue.model.stores import LeaseStore, RunStore

Observer = Callable[[Event], None]
LOG_FLUSH_SECONDS = 0.25
_ENDS = frozenset((RunSuccessData, RunFailureData, RunCanceledData, RunSuspendedData))


class EventSink:
    """Takes the events of one run in order, and writes them to the store.

    Events wait in memory until `flush`, which writes them in one transaction; the engine flushes before user code starts and
    when a step or the run has ended. Log lines of a long step are written every quarter of a second.

    Args:
        store: where events are kept.
        run_id: the run.
        observers: called with each event at once, in order.
        job_name: the job of the run.
    """

    def __init__(
        self, store: RunStore, run_id: str, observers: Sequence[Observer] = (), job_name: str | None = None
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._job_name = job_name
        self._observers = tuple(observers)
        self._waiting: list[Event] = []
        # User code logs from threads of its own, and who watches is told of one event after the other.
        self._lock = threading.RLock()
        self._flushed_at = 0.0
        self._loggers: RunLoggers | None = None
        self.has_loggers_elsewhere = False  # in the process that watches the run
        self._fence: Fence | None = None
        self._written: Callable[[Sequence[Event]], None] | None = None
        self._pass_to: Callable[[Sequence[Event]], None] | None = None
        self._holds = False
        self._planned: PlannedRun | None = None

    @property
    def fence(self) -> Fence | None:
        """The lease under which events are written; None before `start`, and after the end of the run."""
        return self._fence

    @property
    def has_loggers(self) -> bool:
        """Whether the run config names loggers."""
        return self._loggers is not None or self.has_loggers_elsewhere

    @property
    def is_watched(self) -> bool:
        """Whether somebody is shown the events."""
        return bool(self._observers) or self._loggers is not None

    def log_to(self, loggers: RunLoggers) -> None:
        """Hands the loggers of the run each event from now on."""
        self._loggers = loggers

    def emit(self, payload: AnyPayload, step_key: str | None = None, record: logging.LogRecord | None = None) -> Event:
        """Takes one event, and gives it back as it is recorded.

        Args:
            payload: what happened.
            step_key: in which step.
            record: of a line that user code logged: how it was logged.
        """
        event = Event(time.time(), payload, step_key, self._run_id, self._job_name)
        with self._lock:
            self._waiting.append(event)
            self._show(event, record)
        return event

    def show(self, event: Event, record: logging.LogRecord | None = None) -> None:
        """Shows an event to whoever watches; also one that another process has recorded.

        Args:
            event: the event.
            record: of a line that user code logged: how it was logged.
        """
        with self._lock:
            self._show(event, record)

    def _show(self, event: Event, record: logging.LogRecord | None) -> None:
        if self._observers:
            show(self._observers, event)
        if self._loggers is not None:
            for failed in self._loggers.pass_on(event, record):
                text = f"The logger {failed.name!r} raised an error and is disabled for the rest of this run: {failed.error!r}"
                self.emit(LogMessageData(logging.WARNING, text, error_info(failed.error)), event.step_key)

    def emit_log(self, payload: AnyPayload, step_key: str | None, record: logging.LogRecord) -> None:
        """Takes a log line, and writes what waits when the last write is a while ago."""
        self.emit(payload, step_key, record)
        if not self._holds and time.monotonic() - self._flushed_at > LOG_FLUSH_SECONDS:
            self.flush()

    def plan(self, planned: PlannedRun, events: Sequence[Event]) -> None:
        """Has the run that was recorded without a plan be planned when it starts, and says what it intends before all else."""
        self._planned = planned
        self._waiting = [*events, *self._waiting]

    def start(self, request: ClaimRequest | None = None) -> bool:
        """Takes the lease of the run and writes the events that wait, in one transaction: from here on others see who
        executes the run, and notice when that process is gone.

        Args:
            request: what the run claims, taken in the same transaction where it is free.

        Returns:
            Whether the run has what it claims; where not, it has started all the same.

        Raises:
            LeaseLostError: another process executes the run.
            StorageUnavailableError: the store cannot be written.
        """
        with self._lock:
            try:
                token = self._store.start_run(self._run_id, self._waiting, request, self._planned)
                has_claims = True
            except ResourceBusyError:
                token = self._store.start_run(self._run_id, self._waiting, None, self._planned)
                has_claims = False
            self._fence = Fence(self._run_id, token)
            self._waiting = []
        return has_claims

    def require_lease(self) -> None:
        """Makes sure that the run is still this process's.

        Raises:
            LeaseLostError: it is not.
        """
        if self._fence is not None and self._pass_to is None:
            self._store.require_lease(self._fence)

    def start_step(self, fence: Fence) -> None:
        """Writes from now on under the lease of one attempt of a step, in the process that executes it."""
        self._fence = fence

    def open_step(self, store: LeaseStore, step_key: str, attempt: int) -> Fence:
        """Leases an attempt of a step to a process that is about to execute it, and writes the events that wait, in one
        transaction.

        Raises:
            LeaseLostError: the run is not this process's any more.
            StorageUnavailableError: the store cannot be written.
        """
        assert self._fence is not None  # the run has started
        with self._lock:
            fence = store.open_step(self._fence, step_key, attempt, self._waiting)
            self._waiting = []
        return fence

    def tell_written(self, tell: Callable[[Sequence[Event]], None]) -> None:
        """Has a function called with the events of each write, once the store has them."""
        self._written = tell

    def hold(self) -> None:
        """Writes nothing before the next `flush`: what ends an attempt is written together with all that comes before its
        process has ended."""
        self._holds = True

    def pass_on_to(self, take: Callable[[Sequence[Event]], None]) -> None:
        """Has another process write and show the events from now on: the attempt that this one leased has ended."""
        self._pass_to, self._holds = take, False

    def take(self, event: Event) -> None:
        """Takes an event that another process passes on, as if it were emitted here."""
        with self._lock:
            self._waiting.append(event)
            self._show(event, None)

    def flush(self) -> None:
        """Writes all events that wait, in one transaction.

        Raises:
            LeaseLostError: the run is not this process's any more.
            StorageUnavailableError: the store cannot be written; the events go on waiting.
        """
        self._flushed_at = time.monotonic()
        with self._lock:
            if self._waiting:
                self._append(self._waiting)
                self._waiting = []

    def _append(self, events: Sequence[Event]) -> None:
        try:
            self._deliver(events)
        except UnicodeEncodeError:  # before anything was written: user code gave text that is none
            self._deliver([codec.storable(event, Event) for event in events])

    def _deliver(self, events: Sequence[Event]) -> None:
        if self._pass_to is not None:
            self._pass_to(events)
            return
        self._store.append(events, self._fence)
        if self._written is not None:
            self._written(events)
        # The lease ends with the run, or with its suspension. What threads of user code log later is taken as from anybody.
        if self._fence is not None and _has_end(events):
            self._fence = None

    def end(self, payload: AnyPayload) -> None:
        """Writes a last event when the run cannot be carried on: past the observers, and without those events that the
        store cannot take, as either may be what went wrong. An end that waits already is written instead.

        Raises:
            StorageError: the store cannot be written.
        """
        has_end = _has_end(self._waiting)
        try:
            self.flush()
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 reason: what cannot be written is why the run ends, and stands in the payload
            self._waiting, has_end = [], False
        if not has_end:
            self._append([Event(time.time(), payload, None, self._run_id)])


def _has_end(events: Sequence[Event]) -> bool:
    """Whether one of the events ends the run."""
    return not _ENDS.isdisjoint([type(event.payload) for event in events])
