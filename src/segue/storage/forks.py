"""No connection crosses a fork: a fork waits for the transaction of another thread, and the child opens its own."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What holds a connection."""

    def before_fork(self) -> None:
        """Waits for the lock of the connection and keeps it until the fork is done."""
        ...

    def after_fork(self) -> None:
        """Gives the lock back, in the parent and in the child."""
        ...

    def in_child(self) -> None:
        """Parts with what came along from the parent, before the lock is given back."""
        ...


_register = threading.Lock()
_forkables: weakref.WeakSet[Forkable] = weakref.WeakSet()
_waiting_for_fork: list[Forkable] = []


def watch(forkable: Forkable) -> None:
    """Has an object told of forks as long as it lives."""
    with _register:
        _forkables.add(forkable)


def _before_fork() -> None:
    _register.acquire()
    _waiting_for_fork.extend(_forkables)
    for forkable in _waiting_for_fork:
        forkable.before_fork()


def _after_fork() -> None:
    while _waiting_for_fork:
        _waiting_for_fork.pop().after_fork()
    _register.release()


def _after_fork_in_child() -> None:
    for forkable in _waiting_for_fork:
        forkable.in_child()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
