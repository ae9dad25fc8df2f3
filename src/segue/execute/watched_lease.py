"""The lease of a run while it is executed, where a worker that was silent for a while is given up: a run that is lost stops,
and so does one that somebody asked to stop.

Where the operating system says which workers live, nothing is watched: a run is canceled by who can send its process a signal,
and a worker that was given up since it stood still meets that with its next write.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from _thread import interrupt_main
from collections.abc import Generator

from segue.errors import LeaseLostError, StorageUnavailableError
from segue.execute.interrupts import may_interrupt
from segue.model.lease import Fence
from segue.model.run import RunStatus
from segue.model.stores import RunStore

_LOOKS = 3  # in the time for which a worker may be silent

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def watched_lease(store: RunStore, fence: Fence | None) -> Generator[None]:
    """A `with` block during which the lease of a run is looked at again and again.

    When it turns out to be lost, or the run to be canceled, what the main thread does is interrupted as by Ctrl-C, if the block
    is there; in another thread, the next write of a lost run is refused, and a canceled one ends between two steps.

    Args:
        store: where the run is recorded.
        fence: the lease; None where there is none.

    Raises:
        LeaseLostError: the lease was lost, and the block was interrupted; says who has the run.
    """
    if fence is None or store.lease_seconds is None:
        yield
        return
    watch = _Watch(store, fence, store.lease_seconds / _LOOKS)
    threading.Thread(target=watch.look, name="segue-run-lease", daemon=True).start()
    try:
        try:
            yield
        finally:
            watch.stop()
    except KeyboardInterrupt:
        if watch.lost is not None:
            raise watch.lost from None
        raise


class _Watch:
    """Looks at one lease until it is told to stop, or the lease is lost."""

    def __init__(self, store: RunStore, fence: Fence, seconds: float) -> None:
        self.lost: LeaseLostError | None = None
        self._store = store
        self._fence = fence
        self._seconds = seconds
        self._is_canceled = False
        self._stopped = threading.Event()
        self._guard = threading.Lock()  # nothing is interrupted any more once `stop` has returned
        self._interrupts = may_interrupt()

    def stop(self) -> None:
        """Has nothing happen any more."""
        with self._guard:
            self._stopped.set()

    def look(self) -> None:
        """Waits and looks, again and again."""
        while not self._stopped.wait(self._seconds):
            try:
                self._store.require_lease(self._fence)
                self._look_for_cancellation()
            except LeaseLostError as lost:
                self._lose(lost)
                return
            except StorageUnavailableError as error:
                _logger.warning(
                    "Cannot determine whether run %s still belongs to this process: %s", self._fence.run_id, error
                )

    def _look_for_cancellation(self) -> None:
        """Interrupts the run once, when somebody asked it to stop; tidying up is not interrupted again."""
        if self._is_canceled:
            return
        run = self._store.get_run(self._fence.run_id)
        if run is None or run.status is not RunStatus.CANCELING:
            return
        self._is_canceled = True
        with self._guard:
            if self._interrupts and not self._stopped.is_set():
                _interrupt_main_thread()

    def _lose(self, lost: LeaseLostError) -> None:
        with self._guard:
            if not self._stopped.is_set():
                self.lost = lost
                if self._interrupts:
                    _interrupt_main_thread()


def _interrupt_main_thread() -> None:
    if sys.platform == "win32":
        interrupt_main()
    else:  # a real signal also ends what the thread waits for
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
