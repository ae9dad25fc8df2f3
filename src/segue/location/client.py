"""A code location whose code runs in processes of its own: the side of the control plane."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec

from segue.errors import LocationUnavailableError
from segue.location.base import LocationListener
from segue.location.generation import Generation, how_it_ended
from segue.location.remote import reach_zygote
from segue.location.tick_processes import Asked, TickProcess, TickProcesses
from segue.location.zygote_process import Zygotes
from segue.model.error_info import ErrorInfo
from segue.model.graph import AssetGraph
from segue.model.location import LocationState, LocationStatus, LocationTarget
from segue.model.manifest import decode_manifest
from segue.model.messages import (
    AskOpaque,
    AskTick,
    FromTicks,
    OpaqueAnswered,
    ProcessEnded,
    ProcessStarted,
    Ready,
    Records,
    TickAnswered,
)
from segue.model.questions import OpaqueAnswer, Question
from segue.model.tick_task import TickAnswer, TickTask
from segue.version import __version__

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0
_STEADY_SECONDS = 30.0  # after so long without a crash, the next one is the first again
_SECONDS_TO_END = 3.0


class ProcessLocation:
    """See `CodeLocation`. A thread of its own hears what the processes say; `start` begins, `stop` ends all of them.

    Args:
        target: the code and its environment.
        records: where its processes find what is recorded.
        listener: who is told what happens.
        streams: the descriptors that are stdout and stderr of the processes.
        database: gives a name for the database of the records, by which another machine knows it; see `Hello`.
    """

    def __init__(
        self,
        target: LocationTarget,
        records: Records,
        listener: LocationListener,
        streams: tuple[int, int] = (2, 2),
        database: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.target = target
        self._database = database
        self._records = records if target.remote is None else None  # another machine has its own
        self._zygotes = Zygotes(target, streams, records.database)
        self._listener = listener
        self._state = LocationState(name=target.name, status=LocationStatus.LOADING, updated_at=time.time())
        self._graph: AssetGraph | None = None
        self._current: Generation | None = None
        self._next: Generation | None = None
        self._retired: list[Generation] = []
        self._held: deque[tuple[Asked, float]] = deque()  # asked while nothing was there to answer
        self._calls: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        for each in (self._wake, self._woken):
            each.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._delay = _FIRST_DELAY
        self._load_at: float | None = 0.0  # on the monotonic clock
        self._loaded_at = 0.0
        self._must_load_again = False
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name=f"segue-location-{target.name}", daemon=True)

    @property
    def name(self) -> str:
        """See `CodeLocation.name`."""
        return self.target.name

    @property
    def state(self) -> LocationState:
        """See `CodeLocation.state`."""
        return self._state

    @property
    def graph(self) -> AssetGraph | None:
        """See `CodeLocation.graph`."""
        return self._graph

    @property
    def pid(self) -> int | None:
        """The process that has the code; None while there is none on this machine."""
        current = self._current
        return None if current is None else current.zygote.owner.pid

    @property
    def running(self) -> int:
        """How many runs its processes execute."""
        return sum(each.running for each in self._generations())

    def start(self) -> None:
        """Begins to load the code."""
        self._thread.start()

    def launch(self, run_id: str) -> None:
        """See `CodeLocation.launch`."""
        current = self._current
        if current is None:
            raise LocationUnavailableError(f"The code location {self.name!r} has no running process: {self._why()}")
        current.launch(run_id, self._listener.supervisor())

    def evaluate(self, task: TickTask, timeout: float, answered: Callable[[TickAnswer], None]) -> None:
        """See `CodeLocation.evaluate`; what is asked while no process is there is asked as soon as one is."""

        def heard(said: FromTicks) -> None:
            assert isinstance(said, TickAnswered)  # the answer to its question
            answered(said.answer)

        def failed(error: ErrorInfo) -> None:
            answered(TickAnswer(error=error))

        self._call(lambda: self._ask(Asked(AskTick(task=task), timeout, heard, failed)))

    def answer(self, question: Question, now: float, timeout: float, answered: Callable[[OpaqueAnswer], None]) -> None:
        """See `CodeLocation.answer`."""

        def heard(said: FromTicks) -> None:
            assert isinstance(said, OpaqueAnswered)  # the answer to its question
            answered(said.answer)

        def failed(error: ErrorInfo) -> None:
            answered(OpaqueAnswer(error=error))

        self._call(lambda: self._ask(Asked(AskOpaque(question=question, now=now), timeout, heard, failed)))

    def reload(self) -> None:
        """Loads the code anew, in a new process beside the one there is, which serves until then."""
        self._call(self._reload)

    def expect_reloads(self) -> None:
        """Keeps a process ready for the next load, where the code is on this machine."""
        self._zygotes.keeps_one_ahead = self.target.remote is None
        self._call(lambda: None if self._current is None else self._zygotes.prepare())

    def stop(self, *, interrupt_runs: bool = False) -> None:
        """Ends all processes and the thread.

        Args:
            interrupt_runs: whether runs are first asked to end, and given a few seconds to record that.
        """
        self._call(lambda: self._stop(interrupt_runs))
        if self._thread.ident is not None:
            self._thread.join(2 * _SECONDS_TO_END + 2)

    def _call(self, action: Callable[[], None]) -> None:
        """Has something done in the thread."""
        self._calls.append(action)
        with contextlib.suppress(BlockingIOError, OSError):  # it is awake already; or has ended
            self._wake.send(b"\0")

    # In the thread

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._go_round()
            except Exception as error:  # noqa: BLE001 reason: a bug must be seen, and must not end all that this thread serves
                self._state = msgspec.structs.replace(self._state, error=f"A bug in Segue: {error!r}")
                time.sleep(_FIRST_DELAY)
        self._selector.close()
        for each in (self._wake, self._woken):
            each.close()

    def _go_round(self) -> None:
        """Waits for what is said, asked or due, and does it."""
        for key, _ in self._selector.select(self._pause()):
            if key.fileobj is self._woken:
                with contextlib.suppress(BlockingIOError):
                    while self._woken.recv(4096):
                        pass
            elif isinstance(key.data, Generation):
                if key.data in self._generations():  # and did not go while others were heard
                    self._hear(key.data)
            else:
                generation, process = key.data
                generation.ticks.hear(process)
        while self._calls:
            self._calls.popleft()()
        self._retire()

    def _pause(self) -> float | None:
        """How long nothing is due, in seconds; does what is."""
        now = time.monotonic()
        due = [each.ticks.expire(now) for each in self._generations()]
        while self._held and self._held[0][1] <= now:
            question, _ = self._held.popleft()
            why = f"The code location {self.name!r} has no running process: {self._why()}"
            question.failed(ErrorInfo(why, "LocationUnavailableError"))
        due.append(self._held[0][1] if self._held else None)
        if self._load_at is not None and self._load_at <= now:
            self._load_at = None
            self._load()
        due.append(self._load_at)
        return max(min((each for each in due if each is not None), default=now + 3600.0) - now, 0.0)

    def _generations(self) -> list[Generation]:
        return [each for each in (self._current, self._next, *self._retired) if each is not None]

    def _load(self) -> None:
        """Starts a new zygote."""
        try:
            remote = self.target.remote
            zygote = self._zygotes.start() if remote is None else reach_zygote(self.name, remote, self._database)
        except LocationUnavailableError as error:
            self._broken(str(error))
            return

        def watch(process: TickProcess) -> None:
            self._selector.register(process.channel, selectors.EVENT_READ, (made, process))

        def unwatch(process: TickProcess) -> None:
            with contextlib.suppress(KeyError, ValueError):  # it was let go before
                self._selector.unregister(process.channel)

        ticks = TickProcesses(zygote, self._records, watch, unwatch)
        made = Generation(zygote, ticks, self._records)
        self._next = made
        self._selector.register(zygote, selectors.EVENT_READ, made)

    def _reload(self) -> None:
        if self._next is not None:  # it may have read some files already, and others not: once more, then
            self._must_load_again = True
            return
        self._delay = _FIRST_DELAY
        self._load_at = 0.0

    def _hear(self, generation: Generation) -> None:
        """Takes what a zygote has said."""
        try:
            messages = list(generation.zygote.messages())
        except msgspec.DecodeError as error:
            self._misunderstood(generation, error)
            return
        for message in messages:
            if isinstance(message, Ready):
                self._ready(generation, message)
            elif isinstance(message, ProcessStarted):
                generation.started(message)
            elif isinstance(message, ProcessEnded):
                run_id = generation.ended(message)
                if run_id is not None:
                    self._listener.run_ended(run_id, how_it_ended(message.exit_code))
        if generation.zygote.is_gone:
            self._gone(generation)

    def _ready(self, generation: Generation, ready: Ready) -> None:
        if self._next is not generation:
            return
        self._next = None
        again, self._must_load_again = self._must_load_again, False
        if ready.error is not None or ready.manifest is None:
            self._end(generation, "the code failed to load")
            self._broken("" if ready.error is None else ready.error.to_string())
        else:
            try:
                graph = AssetGraph(decode_manifest(ready.manifest))
            except msgspec.DecodeError as error:
                self._misunderstood(generation, error)
                return
            if self._current is not None:
                self._retired.append(self._current)
            self._current = generation
            self._loaded_at = time.monotonic()
            self._load_at = None
            self._tell(
                LocationStatus.READY, ready.reason and _spawns(ready.reason), ready.manifest_hash, ready.manifest, graph
            )
            while self._held:
                generation.ticks.ask(self._held.popleft()[0])
        self._zygotes.prepare()
        if again:
            self._reload()

    def _misunderstood(self, generation: Generation, error: msgspec.DecodeError) -> None:
        """A zygote says what this side does not know: its segue is another."""
        if self._next is generation:
            self._next = None
        if self._current is generation:
            self._current = None
        why = (
            f"Its process sent a message that this control plane does not understand ({error}). Install segue "
            f"{__version__} in its environment."
        )
        self._end(generation, why)
        self._broken(why)

    def _gone(self, generation: Generation) -> None:
        """A zygote is gone that was not told to go, or that was."""
        said = generation.zygote.owner.last_words()
        was_next, was_current = self._next is generation, self._current is generation
        self._end(generation, said)
        if was_next:
            self._next = None
            again, self._must_load_again = self._must_load_again, False
            self._broken(said)
            if again:
                self._reload()
        elif was_current:
            self._current = None
            if time.monotonic() - self._loaded_at > _STEADY_SECONDS:
                self._delay = _FIRST_DELAY
            if self._next is None:
                self._load_later()
            self._tell(LocationStatus.LOADING, said, self._state.manifest_hash)

    def _broken(self, why: str) -> None:
        """The code does not load: what is there goes on, and it is tried again later."""
        self._load_later()
        is_up = self._current is not None or self._graph is None
        self._tell(LocationStatus.BROKEN if is_up else LocationStatus.LOADING, why, self._state.manifest_hash)

    def _load_later(self) -> None:
        self._load_at = time.monotonic() + self._delay
        self._delay = min(2 * self._delay, _LONGEST_DELAY)

    def _retire(self) -> None:
        """Ends what a reload has replaced, as soon as nothing works there any more."""
        for each in [each for each in self._retired if each.is_idle]:
            self._end(each, "the code was reloaded")

    def _end(self, generation: Generation, why: str) -> None:
        if generation in self._retired:
            self._retired.remove(generation)
        self._selector.unregister(generation.zygote)
        generation.zygote.end()
        lost = generation.close(why)
        generation.zygote.close(_SECONDS_TO_END)
        for run_id in lost:
            self._listener.run_ended(run_id, "ended with the process of its code location")

    def _ask(self, question: Asked) -> None:
        if self._current is None:
            self._held.append((question, time.monotonic() + question.timeout))
        else:
            self._current.ticks.ask(question)

    def _stop(self, interrupt_runs: bool) -> None:
        deadline = time.monotonic() + _SECONDS_TO_END
        if interrupt_runs:
            for each in self._generations():
                each.stop_runs()
            while (left := deadline - time.monotonic()) > 0 and self.running:
                for key, _ in self._selector.select(left):
                    if isinstance(key.data, Generation):
                        self._hear(key.data)
        for each in self._generations():
            self._end(each, "the control plane ends")
        self._zygotes.close()
        self._is_stopped = True

    def _why(self) -> str:
        return self._state.error or f"it is {self._state.status.value}."

    def _tell(
        self,
        status: LocationStatus,
        error: str | None,
        manifest_hash: str | None,
        manifest: bytes | None = None,
        graph: AssetGraph | None = None,
    ) -> None:
        state = msgspec.structs.replace(
            self._state, status=status, error=error or None, manifest_hash=manifest_hash, updated_at=time.time()
        )
        self._listener.record(state, manifest if manifest_hash != self._state.manifest_hash else None)
        if graph is not None:
            self._graph = graph
        self._state = state
        self._listener.changed(state)


def _spawns(reason: str) -> str:
    return (
        f"Each run starts a new interpreter, which is slower than a fork: {reason}, and threads do not survive a "
        "fork. Start it in a step or a resource to have runs forked."
    )
