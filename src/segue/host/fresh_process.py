"""What a new step process does before anything else: stands alone, dies with its parent, has the standard streams it was given."""

from __future__ import annotations

import ctypes
import io
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

_PR_SET_PDEATHSIG = 1
_LIBRARY = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """Has this process killed when the one that started it ends; ends it where that is gone already. Linux only."""
    if sys.platform == "linux":
        _LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def become_step_process(parent: int, descriptors: Sequence[int]) -> socket.socket:
    """Makes of a forked child a process that stands by itself.

    It leads a group of its own, dies with its parent, handles signals as a new process does, reads nothing, writes where
    it was told to, and throws dice of its own.

    Args:
        parent: the process that forked it.
        descriptors: its socket, stdout and stderr.

    Returns:
        Its socket to the coordinator.
    """
    os.setsid()
    die_with(parent)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    own, out, err = descriptors
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # and not what user code has put there
            stream.reconfigure(line_buffering=True)
    random.seed()
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    return socket.socket(fileno=own)
