"""The control plane of a deployment: its code locations, and its loops in threads, started and stopped together."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from segue.daemon.backfills import Backfills
from segue.daemon.freshness import Freshness
from segue.daemon.loop import Loop
from segue.daemon.queue import Queue
from segue.daemon.retention import Retention
from segue.daemon.retries import Retries
from segue.daemon.schedules import Schedules
from segue.daemon.sensors import Sensors
from segue.deployment import Listener
from segue.errors import SegueError
from segue.location.client import ProcessLocation
from segue.model.control_stores import ControlStore
from segue.model.stores import Store
from segue.monitor import LONGEST_WAIT, monitor_once
from segue.settings import Settings

_SECONDS_TO_STOP = 5.0
_LONGEST_SILENCE = 0.25  # so that it ends soon when it is to
_SHORTEST_SILENCE = 0.02


class Supervisor:
    """The loops of one control plane.

    Args:
        store, control: what is recorded.
        listener: hears of what is written; None where nothing can: then the loops look once a second.
        locations: the code locations, by name; they are started and stopped by the caller.
        settings: what bounds the runs in progress, and how those that failed are run again.
        retention: removes what is too old; None where somebody else does.
    """

    def __init__(
        self,
        store: Store,
        control: ControlStore,
        listener: Listener | None,
        locations: Mapping[str, ProcessLocation],
        settings: Settings,
        retention: Retention | None = None,
    ) -> None:
        self._store = store
        self._listener = listener
        rules = settings.schedules
        schedules = Schedules(control, locations, rules.catch_up, most_missed=rules.most_missed)
        sensors = Sensors(store, control, locations)
        backfills, retries = Backfills(store, control, locations), Retries(store, control, locations, settings.retries)
        self._queue = Queue(store, control, locations, settings.queue)
        actions = {
            "queue": self._queue.round,
            "schedules": schedules.round,
            "sensors": sensors.round,
            "backfills": backfills.round,
            "freshness": Freshness(store, control, locations).round,
            "retries": retries.round,
        }
        if retention is not None:
            actions["retention"] = retention.round
        self.loops: Sequence[Loop] = [Loop(name, store, control, action) for name, action in actions.items()]
        by_name = {loop.name: loop for loop in self.loops}
        schedules.wake, sensors.wake = by_name["schedules"].wake, by_name["sensors"].wake
        backfills.cancels.ended = backfills.questions.wake = by_name["backfills"].wake
        for each in (schedules, sensors, backfills, retries):  # at once also where nothing hears of what is written
            each.queued = by_name["queue"].wake
        self._is_stopped = threading.Event()
        # It may wait for an exit when all else ends, and then ends with the process.
        self._monitor = threading.Thread(target=self._watch, name="segue-monitor", daemon=True)
        self._guarding = threading.Thread(target=self._guard, name="segue-stalls", daemon=True)
        self._hearing = threading.Thread(target=self._hear, name="segue-push", daemon=True)

    def start(self) -> None:
        """Begins."""
        for loop in self.loops:
            loop.start()
        self._monitor.start()
        self._guarding.start()
        self._hearing.start()

    def wake(self) -> None:
        """Has every loop look at once: something happened."""
        for loop in self.loops:
            loop.wake()

    def stop(self) -> None:
        """Ends the loops after the rounds that are going on, and what these have begun to launch."""
        self._is_stopped.set()
        for loop in self.loops:
            loop.stop()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for each in (*self.loops, self._hearing):
            each.join(max(deadline - time.monotonic(), 0.0))
        self._queue.settle(max(deadline - time.monotonic(), 0.0))
        if self._listener is not None:
            self._listener.close()

    def _hear(self) -> None:
        """Wakes the loops when something was written, and no more often than they can do with it."""
        listener = self._listener
        while listener is not None and not self._is_stopped.is_set():
            if listener.wait(_LONGEST_SILENCE):
                self.wake()
                self._is_stopped.wait(_SHORTEST_SILENCE)

    def _watch(self) -> None:
        """Ends runs whose workers are gone, whoever started them."""
        while not self._is_stopped.is_set():
            if not _went_well(self._end_interrupted):
                self._is_stopped.wait(LONGEST_WAIT)

    def _end_interrupted(self) -> None:
        if monitor_once(self._store, time.time()):
            self.wake()
        self._store.wait_for_exit(LONGEST_WAIT)

    def _guard(self) -> None:
        """Ends writers that stand still: all else here may have to wait for them."""
        while not self._is_stopped.wait(LONGEST_WAIT):
            _went_well(self._store.end_stalled_writers)


def _went_well(action: Callable[[], object]) -> bool:
    """Does what watches over everybody else, and goes on whatever becomes of it; whether it went well."""
    try:
        action()
    except SegueError:
        return False  # the store is away, which the loops tell of
    except Exception:  # noqa: BLE001 reason: a bug must be seen, and must not end the thread: dead runs would stand for ever
        traceback.print_exc()
        return False
    return True
