"""What code locations tell, put on record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress

from segue.errors import SegueError
from segue.model.control_stores import DeploymentStore
from segue.model.location import LocationState
from segue.model.stores import Store
from segue.monitor import end_exited

_AGAIN_SECONDS = 1.0


class Listening:
    """Records how code locations stand, and ends the runs whose processes are gone.

    Args:
        store: where runs are recorded.
        control: where locations are.

    Attributes:
        wake: called when something changed that the loops decide by.
        tell: called with what a person should know.
        location_changed: called with how a code location stands from now on.
        ended: called when the process of a run has ended.
    """

    def __init__(self, store: Store, control: DeploymentStore) -> None:
        self._store = store
        self._control = control
        self._lock = threading.Lock()
        self._unrecorded: dict[str, tuple[LocationState, bytes | None]] = {}
        self._known: frozenset[str] | None = None  # what others than these are is still to be forgotten
        self._is_waiting = False
        self.wake: Callable[[], None] = lambda: None
        self.tell: Callable[[str], None] = lambda _text: None
        self.location_changed: Callable[[LocationState], None] = lambda _state: None
        self.ended: Callable[[], None] = lambda: None

    def record(self, state: LocationState, manifest: bytes | None) -> None:
        """See `LocationListener.record`. While the store is away it is tried again and again."""
        with self._lock:
            before = self._unrecorded.get(state.name)
            if manifest is None and before is not None and before[0].manifest_hash == state.manifest_hash:
                manifest = before[1]
            self._unrecorded[state.name] = (state, manifest)
        self._recorded(self._record_all)

    def forget_others(self, names: Collection[str]) -> None:
        """Removes code locations from the record that are no longer any; their schedules and sensors stay on record."""
        self._known = frozenset(names)
        self._recorded(self._record_all)

    def _record_all(self) -> None:
        """Writes what is not on record yet; when it cannot be, once more in a second."""
        with self._lock:  # so that nothing older is written over it
            try:
                if self._known is not None:
                    for gone in {each.name for each in self._control.location_states()} - self._known:
                        self._control.remove_location(gone)
                    self._known = None
                for name, (state, manifest) in list(self._unrecorded.items()):
                    self._control.put_location(state, manifest)
                    del self._unrecorded[name]
            except SegueError:
                if not self._is_waiting:
                    self._is_waiting = True
                    timer = threading.Timer(_AGAIN_SECONDS, self._record_again)
                    timer.daemon = True
                    timer.start()
                raise

    def _record_again(self) -> None:
        self._is_waiting = False
        with suppress(SegueError):  # told at the first time
            self._record_all()

    def changed(self, state: LocationState) -> None:
        """See `LocationListener.changed`."""
        self.location_changed(state)
        self.wake()

    def supervisor(self) -> str | None:
        """See `LocationListener.supervisor`."""
        return self._store.supervise()

    def run_ended(self, run_id: str, how: str) -> None:
        """See `LocationListener.run_ended`."""
        self._recorded(lambda: end_exited(self._store, run_id, how, time.time()))
        self.wake()
        self.ended()

    def _recorded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except SegueError as error:
            # The store is away. The monitor ends the run as soon as it is back, and the location goes on as it is.
            self.tell(str(error))
