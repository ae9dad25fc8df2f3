"""A zygote from the side of those who have processes started by it, wherever it runs."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

from segue.channel import ChannelClosedError, Inbox, send
from segue.errors import LocationUnavailableError
from segue.model.messages import (
    End,
    FromZygote,
    LoadCode,
    Message,
    SignalProcess,
    StartProcess,
    decode_from_zygote,
    encode_message,
)

_PATIENCE = struct.pack("ll", 2, 0)  # seconds and microseconds


class ZygoteOwner(Protocol):
    """What stands at the other end of the channel to a zygote: its process, or a connection to another machine."""

    @property
    def pid(self) -> int | None:
        """The process id of the zygote, where it is on this machine."""
        ...

    @property
    def ends_with_channel(self) -> bool:
        """Whether the zygote and all that it started are gone when its channel is closed."""
        ...

    def last_words(self) -> str:
        """How it ended, and what it had printed last; for one whose channel is closed."""
        ...

    def close(self, seconds: float) -> None:
        """Waits for its end at most so long, makes an end of it then, and gives back what it held."""
        ...


class Zygote:
    """One zygote. It imports the code that `load` names; what it says of that and of its processes is read with `messages`.

    Methods may be called in any thread, `messages` in one.

    Args:
        channel: the socket to it.
        owner: what stands at the other end.
        streams: the descriptors that are stdout and stderr of its processes.
    """

    def __init__(self, channel: socket.socket, owner: ZygoteOwner, streams: tuple[int, int]) -> None:
        self.owner = owner
        self._channel = channel
        self._inbox = Inbox(channel)
        self._streams = streams
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """The descriptor that can be read when there is something to hear."""
        return self._channel.fileno()

    def load(self, code: LoadCode) -> None:
        """Has it import the code; where it is gone already, `messages` shows that."""
        with contextlib.suppress(ChannelClosedError, OSError):
            self._send(code)

    def next_number(self) -> int:
        """A number for a process to be started."""
        return next(self._numbers)

    def start_run(self, number: int, task: bytes) -> None:
        """Asks for a process that has a line to the zygote.

        Args:
            number: names it from now on.
            task: what it is to do, a `RunTask` encoded.

        Raises:
            LocationUnavailableError: the zygote is gone.
        """
        own, line = socket.socketpair()
        with own, line:
            self._start(number, task, (own.fileno(), *self._streams, line.fileno()))

    def start_ticks(self, number: int, task: bytes) -> socket.socket:
        """Asks for a process that has a channel to this one.

        Args:
            number: names it from now on.
            task: what it is to do, a `TicksTask` encoded.

        Returns:
            The channel to it. What it does not take within two seconds is refused with a BlockingIOError: a process that stands
            still must not keep everybody else waiting.

        Raises:
            LocationUnavailableError: the zygote is gone.
        """
        own, other = socket.socketpair()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)
        try:
            self._start(number, task, (other.fileno(), *self._streams))
        except BaseException:
            own.close()
            raise
        finally:
            other.close()
        return own

    def _start(self, number: int, task: bytes, descriptors: Sequence[int]) -> None:
        try:
            self._send(StartProcess(number=number, task=task), descriptors)
        except (ChannelClosedError, OSError) as error:
            raise LocationUnavailableError("The process of the code location is gone.") from error

    def signal(self, number: int, signal_number: int, *, to_group: bool = False) -> None:
        """Sends a signal to one of its processes; nothing happens where it is gone."""
        with contextlib.suppress(ChannelClosedError, OSError):
            self._send(SignalProcess(number=number, signal=signal_number, to_group=to_group))

    def messages(self) -> Iterator[FromZygote]:
        """What it has said meanwhile; never waits.

        Raises:
            msgspec.DecodeError: it said what is none of the messages.
        """
        for data in self._inbox.messages():
            yield decode_from_zygote.decode(data)

    @property
    def is_gone(self) -> bool:
        """Whether its end of the channel is closed, and all was read."""
        return self._inbox.is_closed

    def end(self) -> None:
        """Tells it to end, with all that it has started; does not wait."""
        with contextlib.suppress(ChannelClosedError, OSError):  # it is gone already
            self._send(End())

    def close(self, seconds: float) -> None:
        """Waits for its end at most so long, makes an end of it then, and gives back what it held."""
        self.owner.close(seconds)
        with self._lock:
            self._channel.close()

    def _send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        with self._lock:
            send(self._channel, encode_message(message), descriptors)
