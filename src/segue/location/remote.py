"""The zygote of a code location on another machine, as the control plane reaches it: one connection for each.

To the control plane it is a channel like that to a zygote of this machine. A thread stands at its other end, and carries what
is said there over the connection, where descriptors cannot go: the messages to processes that answer for schedules and
sensors go as `Carried`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Callable

import msgspec

from segue.channel import ChannelClosedError, Inbox, receive, send
from segue.location.connection import Connection, ConnectionLostError
from segue.location.handshake import connect
from segue.location.zygote import Zygote
from segue.model.location import Remote
from segue.model.messages import (
    Carried,
    End,
    FromLocation,
    ProcessEnded,
    SignalProcess,
    StartProcess,
    ZygoteEnded,
    decode_answer,
    decode_from_location,
    decode_to_zygote,
    encode_message,
)
from segue.version import __version__

_OF_TICKS = 3  # descriptors of a process that has a channel to the control plane: that, stdout and stderr


def reach_zygote(name: str, remote: Remote, database: Callable[[], str | None]) -> Zygote:
    """Begins to connect to a code location on another machine, which starts a zygote for the connection.

    Args:
        name: of the code location.
        remote: where it is served.
        database: gives a name for the database of the control plane; see `Hello`.
    """
    own, other = socket.socketpair()
    carrier = _Carrier(name, remote, other, database)
    carrier.start()
    return Zygote(own, carrier, (2, 2))


class _Carrier:
    """See `ZygoteOwner`: a thread that stands for the zygote.

    Args:
        name: of the code location.
        remote: where it is served.
        line: the end of the channel at which a zygote of this machine would be.
        database: as of `reach_zygote`.
    """

    def __init__(self, name: str, remote: Remote, line: socket.socket, database: Callable[[], str | None]) -> None:
        self._name = name
        self._remote = remote
        self._line = line
        self._database = database
        self._why = ""
        self._channels: dict[int, tuple[socket.socket, Inbox]] = {}
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name=f"segue-remote-{name}", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    @property
    def pid(self) -> None:
        """See `ZygoteOwner.pid`."""
        return

    @property
    def ends_with_channel(self) -> bool:
        """See `ZygoteOwner.ends_with_channel`: its runs go on when the connection is lost."""
        return False

    def last_words(self) -> str:
        """See `ZygoteOwner.last_words`."""
        return self._why

    def close(self, seconds: float) -> None:
        """See `ZygoteOwner.close`: it ends by itself, at once or when it has stopped to wait for an answer of the network."""
        del seconds

    # In the thread

    def _run(self) -> None:
        place = self._remote.place
        try:
            connection = connect(self._name, self._remote, self._database())
        except ConnectionLostError as error:
            self._why = f"Cannot connect to {place}: {error}."
        else:
            try:
                self._carry(connection)
            except ConnectionLostError as error:
                self._why = f"The connection to {place} was lost: {error}. Its runs continue there."
            except msgspec.DecodeError as error:
                self._why = (
                    f"The server at {place} sent a message that this control plane does not understand ({error}). "
                    f"Install segue {__version__} there."
                )
            except ChannelClosedError:  # the control plane let go of it
                self._why = f"The connection to {place} was closed."
            except Exception as error:  # noqa: BLE001 reason: a bug must be seen; the location would stand as if it were there
                self._why = f"The connection to {place} was closed because of a bug in Segue: {error!r}."
            connection.close()
        for channel, _ in self._channels.values():
            channel.close()
        self._selector.close()
        self._line.close()

    def _carry(self, connection: Connection) -> None:
        """Carries messages until one side ends."""
        self._selector.register(connection, selectors.EVENT_READ, connection)
        self._selector.register(self._line, selectors.EVENT_READ, self._line)
        while not self._why:
            for key in connection.wait(self._selector):
                if key.data is connection:
                    for data in connection.messages():
                        self._take(decode_from_location.decode(data), data)
                        if self._why:  # the last that is said: behind it is nothing but the end of the connection
                            return
                elif key.data is self._line:
                    self._pass_on(connection)
                elif key.data in self._channels:  # and not closed while others were heard
                    self._ask(connection, key.data)

    def _pass_on(self, connection: Connection) -> None:
        """Sends the next message of the control plane to the zygote."""
        data, descriptors = receive(self._line)
        message = decode_to_zygote.decode(data)
        if isinstance(message, StartProcess) and len(descriptors) == _OF_TICKS:
            channel = socket.socket(fileno=descriptors.pop(0))
            self._channels[message.number] = (channel, Inbox(channel))
            self._selector.register(channel, selectors.EVENT_READ, message.number)
        for each in descriptors:
            os.close(each)
        if isinstance(message, End):
            raise ChannelClosedError
        if isinstance(message, (StartProcess, SignalProcess)):
            connection.send(data)

    def _ask(self, connection: Connection, number: int) -> None:
        """Sends what is said to a process."""
        _, inbox = self._channels[number]
        for data in inbox.messages():
            connection.send(encode_message(Carried(number=number, content=data)))
        if inbox.is_closed:
            self._forget(number)
            connection.send(encode_message(Carried(number=number)))

    def _take(self, message: FromLocation, data: bytes) -> None:
        """Gives the control plane what the other machine has sent."""
        if isinstance(message, Carried):
            self._answer(message)
            return
        if isinstance(message, ZygoteEnded):
            self._why = message.said or "The process of the code location is gone."
            return
        if isinstance(message, ProcessEnded):
            self._forget(message.number)
        send(self._line, data)

    def _answer(self, message: Carried) -> None:
        """Gives on what a process has said."""
        if message.number not in self._channels:
            return  # nobody waits for it any more
        if message.content is None:
            self._forget(message.number)
            return
        decode_answer.decode(message.content)  # what is none is refused here, where it is known who sent it
        with contextlib.suppress(ChannelClosedError):  # as above
            send(self._channels[message.number][0], message.content)

    def _forget(self, number: int) -> None:
        channel = self._channels.pop(number, None)
        if channel is not None:
            self._selector.unregister(channel[0])
            channel[0].close()
