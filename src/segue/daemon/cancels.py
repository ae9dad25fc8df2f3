"""Canceling runs from a loop: in threads, since a run may take its time to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from segue.cancel import cancel_run
from segue.errors import InvalidInvocationError, RunNotFoundError, StorageUnavailableError
from segue.model.stores import Store

THREADS = 8


class Cancels:
    """Cancels runs, each once at a time.

    Args:
        store: where they are recorded.

    Attributes:
        ended: called, in a thread, when one has ended; whoever runs the loop sets it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._pending: dict[str, Future[None]] = {}
        self.ended: Callable[[], object] = lambda: None

    def cancel(self, run_ids: Iterable[str]) -> None:
        """Begins to cancel runs; those that are being canceled already are passed over."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, "segue-cancel")
        for run_id in run_ids:
            with self._lock:
                if run_id not in self._pending:
                    self._pending[run_id] = self._threads.submit(self._cancel, run_id)

    def settle(self) -> None:
        """Waits until all of them have ended."""
        with self._lock:
            pending = list(self._pending.values())
        wait(pending)

    def _cancel(self, run_id: str) -> None:
        try:
            # It ended by itself, its process is elsewhere (and reads that it was asked), or the store is away: looked at again.
            with suppress(InvalidInvocationError, RunNotFoundError, StorageUnavailableError):
                cancel_run(self._store, run_id)
        finally:
            with self._lock:
                self._pending.pop(run_id, None)
            self.ended()
