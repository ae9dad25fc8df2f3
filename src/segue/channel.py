"""Messages over a stream socket: four bytes of length, then the message; descriptors travel with the length."""

from __future__ import annotations

import array
import socket
from collections.abc import Iterator, Sequence

_LENGTH = 4
_MOST_DESCRIPTORS = 8
_READ = 1 << 16


class ChannelClosedError(Exception):
    """The other side of a channel is gone."""


def send(channel: socket.socket, message: bytes, descriptors: Sequence[int] = ()) -> None:
    """Sends one message; waits until the socket has taken it.

    Args:
        channel: the socket, in blocking mode or not.
        message: the bytes.
        descriptors: open files to hand over; the other side gets copies.

    Raises:
        ChannelClosedError: nobody is there to take it.
    """
    data = len(message).to_bytes(_LENGTH) + message
    try:
        if descriptors:
            rights = array.array("i", descriptors)
            sent = channel.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            data = data[sent:]
        if data:
            channel.sendall(data)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise ChannelClosedError from error


def receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    """Waits for one message.

    Returns:
        The message, and the descriptors that came along; they are closed by an exec.

    Raises:
        ChannelClosedError: the other side is gone.
    """
    head, descriptors = b"", list[int]()
    while len(head) < _LENGTH:
        size = array.array("i").itemsize * _MOST_DESCRIPTORS
        data, ancillary, _, _ = channel.recvmsg(_LENGTH - len(head), socket.CMSG_SPACE(size), _FLAGS)
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                rights = array.array("i")
                rights.frombytes(content[: len(content) - len(content) % rights.itemsize])
                descriptors.extend(rights)
        if not data:
            raise ChannelClosedError
        head += data
    return _exactly(channel, int.from_bytes(head)), descriptors


def _exactly(channel: socket.socket, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        data = channel.recv(min(count, _READ))
        if not data:
            raise ChannelClosedError
        parts.append(data)
        count -= len(data)
    return b"".join(parts)


_FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Inbox:
    """The messages that have arrived on a channel, without waiting for more.

    Args:
        channel: the socket; it is set to non-blocking mode for reading.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._waiting = bytearray()
        self.is_closed = False

    def messages(self) -> Iterator[bytes]:
        """Those that are complete; sets `is_closed` when the other side is gone and all is read."""
        while not self.is_closed:
            try:
                data = self._channel.recv(_READ, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:
                data = b""
            if not data:
                self.is_closed = True
            self._waiting += data
            if len(data) < _READ:
                break
        while len(self._waiting) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._waiting[:_LENGTH])
            if len(self._waiting) < end:
                break
            message = bytes(self._waiting[_LENGTH:end])
            del self._waiting[:end]
            yield message
