"""A code location in the process of a test: the same questions and answers, with threads where there would be processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.errors import LocationUnavailableError
from segue.host.answer import answer_question
from segue.host.automations import Automations
from segue.host.ticks import answer_tick
from segue.model.control_stores import DeploymentStore
from segue.model.event import ErrorInfo
from segue.model.graph import AssetGraph
from segue.model.location import LocationState, LocationStatus
from segue.model.manifest import decode_manifest
from segue.model.questions import OpaqueAnswer, Question
from segue.model.tick_task import TickAnswer, TickTask


class InProcessLocation:
    """`segue.location.base.CodeLocation` over definitions in this process.

    A schedule or sensor is asked in a thread, which goes on when its time is over, and is not heard any more. The definitions
    are what they are after they were written down and read, as they come from a process.

    Args:
        definitions: what is declared.
        instance: what schedules and sensors see of the store.
        control: where the location records how it stands, with its definitions.
        name: of the location.

    Attributes:
        launched: the runs that it was to launch, in order.
        is_available: whether it launches; a test sets it to False.
        asked: the tasks that it was asked, in order.
    """

    def __init__(
        self, definitions: Definitions, instance: Instance, control: DeploymentStore, name: str = "main"
    ) -> None:
        self.name = name
        self.launched: list[str] = []
        self.asked: list[TickTask] = []
        self.is_available = True
        self._instance = instance
        self._control = control
        self._threads: list[threading.Thread] = []
        self.load(definitions)

    @property
    def state(self) -> LocationState:
        """See `CodeLocation.state`."""
        return self._state

    @property
    def graph(self) -> AssetGraph | None:
        """See `CodeLocation.graph`."""
        return self._graph

    def load(self, definitions: Definitions) -> None:
        """Serves other definitions from now on, as after a reload."""
        self._definitions = definitions
        self._automations = Automations()
        self._graph = AssetGraph(decode_manifest(definitions.encoded_manifest))
        self._state = LocationState(
            name=self.name, status=LocationStatus.READY, manifest_hash=definitions.manifest_hash
        )
        self._control.put_location(self._state, definitions.encoded_manifest)

    def reload(self) -> None:
        """See `CodeLocation.reload`: serves the same definitions as before."""
        self.load(self._definitions)

    def launch(self, run_id: str) -> None:
        """See `CodeLocation.launch`: remembers the run."""
        if not self.is_available:
            raise LocationUnavailableError(f"The code location {self.name!r} is not accepting runs.")
        self.launched.append(run_id)

    def evaluate(self, task: TickTask, timeout: float, answered: Callable[[TickAnswer], None]) -> None:
        """See `CodeLocation.evaluate`."""
        self.asked.append(task)
        found: list[TickAnswer] = []
        automations = self._automations

        def ask() -> None:
            found.append(answer_tick(self._definitions, self._instance, task, time.time(), automations))

        def wait() -> None:
            asking = threading.Thread(target=ask, daemon=True)
            asking.start()
            asking.join(timeout)
            answered(found[0] if found else _too_slow(timeout))

        thread = threading.Thread(target=wait, daemon=True)
        self._threads.append(thread)
        thread.start()

    def answer(self, question: Question, now: float, timeout: float, answered: Callable[[OpaqueAnswer], None]) -> None:
        """See `CodeLocation.answer`: in this thread, however long it takes."""
        answered(answer_question(self._definitions, self._instance, question, now))

    def settle(self) -> None:
        """Waits until everything that was asked is answered."""
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()


def _too_slow(timeout: float) -> TickAnswer:
    return TickAnswer(error=ErrorInfo(f"No answer within {timeout:g} seconds.", "TimeoutError"))
