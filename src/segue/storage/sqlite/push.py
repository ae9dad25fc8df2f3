"""Telling other processes of this machine that something was written: a datagram to each that listens, from a folder of sockets.

Nothing depends on a datagram: one that is lost is made up for by a look once a second. So nobody waits for a listener
whose queue is full, and where the system has no such sockets all is as if nobody listened.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import select
import socket
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

_SUFFIX = ".listener"
_PATH_LIMIT = 100  # of a socket, in bytes


class Poker:
    """Tells those who listen in a folder. One that is gone is cleared away by the first who finds nobody there.

    Args:
        folder: where their sockets are; None to tell nobody.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None or not hasattr(socket, "AF_UNIX") else str(folder)
        self._changed_at = 0
        self._addresses: list[str] = []

    def poke(self) -> None:
        """Wakes whoever listens."""
        if self._folder is None:
            return
        try:
            changed_at = os.stat(self._folder).st_mtime_ns
        except OSError:  # nobody has ever listened here
            return
        # Threads may come here at once: each puts whole values in place of whole values.
        if changed_at != self._changed_at:
            self._look(self._folder, changed_at)
        for address in self._addresses:
            self._send(address)

    def _look(self, folder: str, changed_at: int) -> None:
        self._changed_at = changed_at
        try:
            names = [name for name in os.listdir(folder) if name.endswith(_SUFFIX)]
        except OSError:
            names = []
        self._addresses = [os.path.join(folder, name) for name in names]

    def _send(self, path: str) -> None:
        try:
            with _address(path) as address:
                _sender().sendto(b"\0", address)
        except OSError as error:
            if error.errno in (errno.ECONNREFUSED, errno.ENOENT):
                with contextlib.suppress(OSError):  # another process was first
                    os.unlink(path)


@cache
def _sender() -> socket.socket:
    """The socket that sends, one for the process; a fork may share it, as a datagram is sent whole."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    atexit.register(sender.close)
    return sender


class SocketListener:
    """Hears of what other processes, and this one, have written.

    Args:
        folder: where the socket is to be.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with _address(str(self._path)) as address:
            self._socket.bind(address)

    def wait(self, seconds: float) -> bool:
        """Returns when something was written, at the latest after so many seconds; says whether something was."""
        found, _, _ = select.select([self._socket], [], [], seconds)
        if not found:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        return True

    def close(self) -> None:
        """Listens no more."""
        with contextlib.suppress(FileNotFoundError):  # someone took it for that of a dead one
            self._path.unlink()
        self._socket.close()


@contextlib.contextmanager
def _address(path: str) -> Generator[str]:
    """The address of a socket; one whose path is too long for the system is named by way of its open folder."""
    if len(os.fsencode(path)) < _PATH_LIMIT:
        yield path
        return
    if sys.platform != "linux":
        raise OSError(errno.ENAMETOOLONG, "the path of the home folder is too long for a socket", path)
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)
