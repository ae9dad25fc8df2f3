"""What code locations tell, put on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from segue.errors import SegueError
from segue.model.control_stores import DeploymentStore
from segue.model.location import LocationState
from segue.model.stores import Store
from segue.monitor import end_exited


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
        self.wake: Callable[[], None] = lambda: None
        self.tell: Callable[[str], None] = lambda _text: None
        self.location_changed: Callable[[LocationState], None] = lambda _state: None
        self.ended: Callable[[], None] = lambda: None

    def record(self, state: LocationState, manifest: bytes | None) -> None:
        """See `LocationListener.record`."""
        self._recorded(lambda: self._control.put_location(state, manifest))

    def forget_others(self, names: Collection[str]) -> None:
        """Removes code locations from the record that are no longer any; their schedules and sensors stay on record."""

        def forget() -> None:
            for state in self._control.location_states():
                if state.name not in names:
                    self._control.remove_location(state.name)

        self._recorded(forget)

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
