"""Waiting for processes of this machine to exit."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterable

_BETWEEN_LOOKS = 1.0  # seconds, where the system does not tell of exits


def wait_for_exit(pids: Iterable[int], seconds: float) -> None:
    """Returns when one of these processes exits, at the latest after so many seconds.

    What holds no process of this machine is passed over, and so is one that has exited already: the caller knows that.

    Args:
        pids: the processes.
        seconds: how long to wait at most. Where the system does not tell of exits, it is a second at most.
    """
    if sys.platform != "linux":
        time.sleep(min(seconds, _BETWEEN_LOOKS))
        return
    descriptors = [found for pid in pids if (found := _open(pid)) is not None]
    try:
        waiting = select.poll()
        for descriptor in descriptors:
            waiting.register(descriptor, select.POLLIN)
        # The pid may be one of another machine's or container's, and that of a process here which nobody waited for.
        for descriptor, _ in waiting.poll(0):
            waiting.unregister(descriptor)
        waiting.poll(seconds * 1000)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _open(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except OSError:  # it is gone, or the kernel is older than 5.3: then the time limit has to do
        return None
