"""The control plane of a deployment: its code locations, and its loops in threads, started and stopped together."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from segue.daemon.backfills import Backfills
from segue.daemon.loop import Loop
from segue.daemon.queue import Queue
from segue.daemon.schedules import Schedules
from segue.daemon.sensors import Sensors
from segue.decide.queue import QueueLimits
from segue.errors import SegueError
from segue.location.client import ProcessLocation
from segue.model.control_stores import ControlStore
from segue.model.run import Run
from segue.model.stores import Store
from segue.monitor import LONGEST_WAIT, monitor_once

_SECONDS_TO_STOP = 5.0


class Supervisor:
    """The loops of one control plane.

    Args:
        store, control: what is recorded.
        locations: the code locations, by name; they are started and stopped by the caller.
        limits: what bounds the runs in progress.
    """

    def __init__(
        self, store: Store, control: ControlStore, locations: Mapping[str, ProcessLocation], limits: QueueLimits
    ) -> None:
        self._store = store
        schedules, sensors = Schedules(control, locations), Sensors(store, control, locations)
        actions = {
            "queue": Queue(store, control, locations, limits).round,
            "schedules": schedules.round,
            "sensors": sensors.round,
            "backfills": Backfills(store, control, locations).round,
        }
        self.loops: Sequence[Loop] = [Loop(name, store, control, action) for name, action in actions.items()]
        by_name = {loop.name: loop for loop in self.loops}
        schedules.answers.wake, sensors.answers.wake = by_name["schedules"].wake, by_name["sensors"].wake
        self._is_stopped = threading.Event()
        self._monitor = threading.Thread(target=self._watch, name="segue-monitor", daemon=True)

    def start(self) -> None:
        """Begins."""
        for loop in self.loops:
            loop.start()
        self._monitor.start()

    def wake(self) -> None:
        """Has every loop look at once: something happened."""
        for loop in self.loops:
            loop.wake()

    def stop(self) -> None:
        """Ends the loops after the rounds that are going on."""
        self._is_stopped.set()
        for loop in self.loops:
            loop.stop()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for loop in self.loops:
            loop.join(max(deadline - time.monotonic(), 0.0))

    def _watch(self) -> None:
        """Ends runs whose workers are gone, whoever started them."""
        while not self._is_stopped.is_set():
            try:
                ended: Sequence[Run] = monitor_once(self._store, time.time())
                if ended:
                    self.wake()
                self._store.wait_for_exit(LONGEST_WAIT)
            except SegueError:
                self._is_stopped.wait(LONGEST_WAIT)  # the store is away, which the loops tell of
