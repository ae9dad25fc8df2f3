"""A code location served to control planes on other machines: a zygote for each connection, here where the code is.

Whoever connects says what is to be run, never from where: code, environment and database are those of this machine. When
a connection is lost, what was asked of schedules and sensors ends, and runs go on to their ends.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from segue.channel import ChannelClosedError, Inbox, send
from segue.errors import LocationUnavailableError
from segue.location.connection import Connection, ConnectionLostError
from segue.location.handshake import welcome
from segue.location.zygote import Zygote
from segue.location.zygote_process import start_zygote
from segue.model.location import Credentials, LocationTarget
from segue.model.messages import (
    Carried,
    ProcessEnded,
    ProcessStarted,
    Records,
    RunTask,
    SignalProcess,
    StartProcess,
    TicksTask,
    ToLocation,
    ZygoteEnded,
    decode_ask,
    decode_task,
    decode_to_location,
    encode_message,
)

_SECONDS_TO_END = 3.0
_SECONDS_BETWEEN_FAILURES = 0.5
_MOST_STRANGERS = 32  # connections at once that have not shown yet who they are


class LocationServer:
    """Serves one code location until it is stopped.

    Args:
        target: the code and its environment.
        records: where its processes find what is recorded.
        credentials: by what it knows control planes, and they it.
        timeout: after how many seconds without a word a connection counts as lost.
        tell: called with what a person should know.
        database: gives a name for the database of the records; see `Hello`.
    """

    def __init__(
        self,
        target: LocationTarget,
        records: Records,
        credentials: Credentials,
        timeout: float,
        tell: Callable[[str], None],
        database: Callable[[], str | None],
    ) -> None:
        self._target = target
        self._database = database
        self._records = records
        self._credentials = credentials
        self._timeout = timeout
        self._tell = tell
        self._strangers = threading.BoundedSemaphore(_MOST_STRANGERS)
        self._lock = threading.Lock()
        self._sessions: dict[_Session, threading.Thread] = {}
        self._is_stopped = False

    def serve(self, listening: socket.socket) -> None:
        """Takes connections from a listening socket, in a thread."""
        threading.Thread(target=self._accept, args=(listening,), name="segue-accept", daemon=True).start()

    def stop(self) -> None:
        """Ends every zygote, with all that it has started."""
        with self._lock:
            self._is_stopped = True
            sessions = dict(self._sessions)
        for session in sessions:
            session.stop()
        for thread in sessions.values():
            thread.join(2 * _SECONDS_TO_END)

    def _accept(self, listening: socket.socket) -> None:
        while not self._is_stopped:
            try:
                stream, address = listening.accept()
            except OSError as error:  # as many files are open as may be
                self._tell(f"A connection could not be accepted: {error}.")
                time.sleep(_SECONDS_BETWEEN_FAILURES)
                continue
            if self._strangers.acquire(blocking=False):
                arguments = (stream, str(address[0]))
                threading.Thread(target=self._serve_one, args=arguments, name="segue-session", daemon=True).start()
            else:
                stream.close()

    def _serve_one(self, stream: socket.socket, host: str) -> None:
        try:
            connection = welcome(stream, self._target.name, self._credentials, self._timeout, self._database())
        except ConnectionLostError as error:
            self._tell(f"Refused a connection from {host}: {error}.")
            return
        finally:
            self._strangers.release()
        self._tell(f"Control plane connected: {host}.")
        session = _Session(connection, self._records, lambda why: self._tell(_parted(host, why)))
        with self._lock:
            if self._is_stopped:
                return
            self._sessions[session] = threading.current_thread()
        try:
            session.run(self._target)
        finally:
            with self._lock:
                del self._sessions[session]


def _parted(host: str, why: str) -> str:
    return f"Control plane disconnected: {host} ({why}). Its runs continue."


class _Session:
    """What one connection has started.

    Args:
        connection: to the control plane.
        records: where the processes find what is recorded.
        lost: called with the reason when the connection has ended before its zygote.
    """

    def __init__(self, connection: Connection, records: Records, lost: Callable[[str], None]) -> None:
        self._lost = lost
        self._connection = connection
        self._records = records
        self._known: set[int] = set()
        self._runs: set[int] = set()
        self._channels: dict[int, tuple[socket.socket, Inbox]] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._is_stopped = False

    def stop(self) -> None:
        """Has it end at once; from any thread."""
        self._is_stopped = True
        self._wake.send(b"\0")

    def run(self, target: LocationTarget) -> None:
        """Serves the connection, then waits for the ends of its runs."""
        try:
            zygote = start_zygote(target, (2, 2))
        except LocationUnavailableError as error:
            self._close(str(error))
            return
        self._selector.register(self._woken, selectors.EVENT_READ, self)
        self._selector.register(zygote, selectors.EVENT_READ, zygote)
        try:
            why = self._serve(zygote)
            is_over = zygote.is_gone or self._is_stopped
            self._close(why if is_over else None)
            if not is_over:
                self._lost(why)
            while self._runs and not zygote.is_gone and not self._is_stopped:
                self._selector.select()
                for message in zygote.messages():
                    self._note(message)
        except msgspec.DecodeError as error:
            self._close(f"The process of the code location sent a message that cannot be understood ({error}).")
        zygote.end()
        zygote.close(_SECONDS_TO_END)
        self._selector.close()
        for each in (self._wake, self._woken):
            each.close()

    def _close(self, said: str | None) -> None:
        """Ends the connection, and the processes that answer over it.

        Args:
            said: what the control plane is told of the end of the zygote; None where that goes on.
        """
        with contextlib.suppress(ConnectionLostError):
            if said is not None:
                self._connection.send(encode_message(ZygoteEnded(said=said)))
        self._connection.close()
        for number in list(self._channels):
            self._forget(number)

    def _serve(self, zygote: Zygote) -> str:
        """Carries messages until the connection or the zygote ends, or this is stopped; says which."""
        self._selector.register(self._connection, selectors.EVENT_READ, self._connection)
        try:
            while True:
                for key in self._connection.wait(self._selector):
                    if self._is_stopped:
                        return "It is no longer served there."
                    if key.data is self._connection:
                        for data in self._connection.messages():
                            self._do(zygote, decode_to_location.decode(data), data)
                    elif key.data is zygote:
                        self._tell(zygote)
                        if zygote.is_gone:
                            return zygote.owner.last_words()
                    elif key.data in self._channels:  # and not closed while others were heard
                        self._answer(key.data)
        except ConnectionLostError as error:
            return str(error)
        except msgspec.DecodeError as error:
            return f"it sent a message that cannot be understood ({error})"
        finally:
            self._selector.unregister(self._connection)

    def _do(self, zygote: Zygote, message: ToLocation, data: bytes) -> None:
        """Does what the control plane asks for.

        Raises:
            ConnectionLostError: it is not to be done here.
        """
        if isinstance(message, StartProcess):
            self._start(zygote, message)
        elif isinstance(message, SignalProcess):
            zygote.signal(message.number, message.signal, to_group=message.to_group)
        elif message.number in self._channels:
            if message.content is None:
                self._forget(message.number)
                return
            decode_ask.decode(message.content)
            with contextlib.suppress(ChannelClosedError):  # it died, which the zygote tells
                send(self._channels[message.number][0], message.content)

    def _start(self, zygote: Zygote, message: StartProcess) -> None:
        if message.number in self._known:
            raise ConnectionLostError(f"process {message.number} was requested twice")
        task = decode_task.decode(message.task)
        if not isinstance(task, (RunTask, TicksTask)):
            raise ConnectionLostError("a process for a step was requested, which only its run may do")
        self._known.add(message.number)
        try:
            if isinstance(task, RunTask):
                self._runs.add(message.number)
                run_task = RunTask(run_id=task.run_id, records=self._records)
                zygote.start_run(message.number, encode_message(run_task))
            else:
                channel = zygote.start_ticks(message.number, encode_message(TicksTask(records=self._records)))
                self._channels[message.number] = (channel, Inbox(channel))
                self._selector.register(channel, selectors.EVENT_READ, message.number)
        except LocationUnavailableError as error:
            self._connection.send(encode_message(ProcessStarted(number=message.number, error=str(error))))

    def _tell(self, zygote: Zygote) -> None:
        """Sends what the zygote has said."""
        for message in zygote.messages():
            if isinstance(message, ProcessEnded) and message.number in self._channels:
                self._answer(message.number)  # what it had said before its end
                self._forget(message.number)
            self._note(message)
            self._connection.send(encode_message(message))

    def _note(self, message: object) -> None:
        """Takes note of a run that has ended, or was not started."""
        if isinstance(message, ProcessEnded) or (isinstance(message, ProcessStarted) and message.error is not None):
            self._runs.discard(message.number)

    def _answer(self, number: int) -> None:
        """Sends what a process has said."""
        _, inbox = self._channels[number]
        for data in inbox.messages():
            self._connection.send(encode_message(Carried(number=number, content=data)))
        if inbox.is_closed:
            self._forget(number)
            self._connection.send(encode_message(Carried(number=number)))

    def _forget(self, number: int) -> None:
        found = self._channels.pop(number, None)
        if found is not None:
            self._selector.unregister(found[0])
            found[0].close()
