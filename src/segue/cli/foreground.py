"""What a command needs that serves until it is stopped: a socket to listen on, and the signals that stop it."""

from __future__ import annotations

import contextlib
import queue
import signal
import socket
from collections.abc import Generator
from types import FrameType

import click

_BACKLOG = 128


def listen(host: str, port: int, what: str) -> socket.socket:
    """A socket that takes connections from now on; they are answered as soon as somebody does.

    Args:
        host, port: where; port 0 for any that is free.
        what: what listens there, for errors.

    Raises:
        click.ClickException: the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise click.ClickException(
            f"{what} cannot listen on {host}, port {port}: {error.strerror}. Choose another port with --port."
        ) from error
    listening.listen(_BACKLOG)
    return listening


class Signals:
    """The signals that ask this process to end.

    Attributes:
        is_waiting: whether something goes on that another signal cuts short; otherwise it ends the process at once.
        is_over: whether the process is to end now.
    """

    def __init__(self) -> None:
        self.is_waiting = True
        self.is_over = False
        self._woken = queue.SimpleQueue[
            None
        ]()  # into which a handler may put, whatever the thread is doing that it interrupts

    def come(self, number: int, _frame: FrameType | None) -> None:
        """Takes one."""
        if not self.is_waiting:
            raise SystemExit(128 + number)
        self.is_waiting, self.is_over = False, True
        self.wake()

    def wake(self) -> None:
        """Has whoever waits look again."""
        self._woken.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Waits for one, or until something else has happened, or so many seconds are over."""
        with contextlib.suppress(queue.Empty):  # the time is over
            self._woken.get(timeout=seconds)


@contextlib.contextmanager
def signals() -> Generator[Signals]:
    """SIGINT and SIGTERM; one that comes while nobody waits for it ends the process at once."""
    found = Signals()
    before = {number: signal.signal(number, found.come) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
