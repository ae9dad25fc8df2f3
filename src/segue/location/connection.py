"""Messages over TCP, with or without TLS: four bytes of length, the message, and what guards it where a token is known."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Iterator

import msgspec

from segue.model.handshake import PROOF_BYTES, guard, is_same

LARGEST_MESSAGE = 256 << 20  # bytes
_LENGTH = 4
_READ = 1 << 16
_READS_PER_ROUND = 64
_SAYS_PER_TIMEOUT = 3


class ConnectionLostError(Exception):
    """A connection cannot be made, or goes on no longer; says why."""


class Keys(msgspec.Struct, frozen=True):
    """What guards the messages of both sides where they know a token."""

    own: bytes
    other: bytes


class Connection:
    """A connection after the handshake. It never waits but in `wait`, and is used in one thread.

    Each side says something, if only nothing, several times in the timeout: so the end of a machine or of the way to it is
    noticed that closes no connection.

    Args:
        stream: the socket; non-blocking from now on.
        keys: what guards the messages; None where TLS does.
        timeout: after how many seconds without a word it counts as lost.
    """

    def __init__(self, stream: socket.socket, keys: Keys | None, timeout: float) -> None:
        stream.setblocking(False)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = stream
        self._keys = keys
        self._timeout = timeout
        self._incoming, self._outgoing = bytearray(), bytearray()
        self._heard, self._said = 0, 0  # messages
        self._heard_at = self._said_at = time.monotonic()
        self._is_behind = True  # TLS may have read more than was asked for

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return self._stream.fileno()

    def send(self, message: bytes) -> None:
        """Sends a message, now or as soon as the socket takes it.

        Raises:
            ConnectionLostError: the other side is gone, or has not read for too long; or the message is too large.
        """
        guarded = b"" if self._keys is None else guard(self._keys.own, self._said, message)
        size = len(message) + len(guarded)
        if size > LARGEST_MESSAGE or len(self._outgoing) > LARGEST_MESSAGE:
            raise ConnectionLostError(f"the message is larger than {LARGEST_MESSAGE >> 20} MiB")
        self._said += 1
        self._said_at = time.monotonic()
        self._outgoing += size.to_bytes(_LENGTH)
        self._outgoing += message
        self._outgoing += guarded
        self._flush()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                sent = self._stream.send(self._outgoing[:_READ])
                del self._outgoing[:sent]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            raise ConnectionLostError(str(error)) from error

    def wait(self, selector: selectors.BaseSelector) -> list[selectors.SelectorKey]:
        """Waits until something that the selector watches can be read, this connection included.

        Raises:
            ConnectionLostError: nothing was heard for too long.
        """
        now = time.monotonic()
        if now - self._heard_at >= self._timeout:
            raise ConnectionLostError(f"no message arrived for {self._timeout:g} seconds")
        interval = self._timeout / _SAYS_PER_TIMEOUT
        if now - self._said_at >= interval and not self._outgoing:
            self.send(b"")
        selector.modify(self, selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0), self)
        until = min(self._heard_at + self._timeout, max(self._said_at + interval, now + interval / _SAYS_PER_TIMEOUT))
        ready = selector.select(0 if self._is_behind else max(until - now, 0))
        if any(key.data is self and mask & selectors.EVENT_WRITE for key, mask in ready):
            self._flush()
        found = [key for key, mask in ready if mask & selectors.EVENT_READ]
        own = selector.get_key(self)
        return [own, *found] if self._is_behind and own not in found else found

    def messages(self) -> Iterator[bytes]:
        """The messages that are complete.

        Raises:
            ConnectionLostError: the other side is gone, or what it says is too large, or not guarded as it must be.
        """
        self._is_behind = True
        for _ in range(_READS_PER_ROUND):
            try:
                data = self._stream.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._is_behind = False
                return
            except OSError as error:
                raise ConnectionLostError(str(error)) from error
            if not data:
                raise ConnectionLostError("the other side closed the connection")
            self._heard_at = time.monotonic()
            self._incoming += data
            yield from self._complete()

    def _complete(self) -> Iterator[bytes]:
        while len(self._incoming) >= _LENGTH:
            size = int.from_bytes(self._incoming[:_LENGTH])
            if size > LARGEST_MESSAGE:
                raise ConnectionLostError(f"a message of {size} bytes was announced, which is too large")
            if len(self._incoming) < _LENGTH + size:
                return
            message = bytes(self._incoming[_LENGTH : _LENGTH + size])
            del self._incoming[: _LENGTH + size]
            if self._keys is not None:
                message, shown = message[:-PROOF_BYTES], message[-PROOF_BYTES:]
                if not is_same(shown, guard(self._keys.other, self._heard, message)):
                    raise ConnectionLostError("a message is not from the other side, or was altered in transit")
            self._heard += 1
            if message:
                yield message

    def close(self) -> None:
        """Ends it."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()
