"""Processes that stand still: stopped by a signal or a debugger, they keep their locks and do nothing.

No system says since when a process stands still. So whoever looks again and again remembers when it saw that first: a process
that has not run between two looks has been given no turn, which its count of turns shows. The clock is the monotonic one, which
nobody sets and which does not go on while the machine sleeps. Only Linux tells; elsewhere nothing is taken for standing still.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

STALL_SECONDS = 15.0
"""For how long a process may stand still before it is given up: as long as a lease holds on Postgres."""

_seen: dict[int, tuple[str, float]] = {}  # process -> its turns, and when they were first seen to be so many


def is_stalled(pid: int, seconds: float) -> bool:
    """Whether a process has stood still for so long, as far as this process has seen it.

    Args:
        pid: the process, as it is numbered here.
        seconds: how long; the first look at a process that stands still begins the time.
    """
    turns = _turns_of_stopped(pid)
    now = time.monotonic()
    if turns is None:
        _seen.pop(pid, None)
        return False
    before = _seen.get(pid)
    if before is None or before[0] != turns:
        _seen[pid] = before = (turns, now)
    return now - before[1] >= seconds


def end_stalled_holder(path: Path, seconds: float) -> int | None:
    """Kills the process that holds the `flock` of a file and stands still for so long: nothing else gives it back.

    Args:
        path: the file.
        seconds: how long.

    Returns:
        The process that was killed; None where nobody stands in the way, or it belongs to another user.

    Raises:
        OSError: the file cannot be looked at.
    """
    if sys.platform != "linux":
        return None
    for pid in _holders(path):
        try:
            descriptor = os.pidfd_open(pid)  # stays this process, whoever gets its number later
        except ProcessLookupError:
            continue
        try:
            # It may have gone on meanwhile; then the lock is looked at once more.
            if is_stalled(pid, seconds) and pid in _holders(path):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                return pid
        except (ProcessLookupError, PermissionError):
            continue
        finally:
            os.close(descriptor)
    return None


def _turns_of_stopped(pid: int) -> str | None:
    """How often a process that stands still has been taken off a processor, and since when it is there; None for any other."""
    if sys.platform != "linux":
        return None
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        if fields[0] not in (b"T", b"t"):
            return None
        with open(f"/proc/{pid}/status", "rb") as file:
            turns = [line.split()[1] for line in file if b"ctxt_switches" in line]
    except OSError:  # it is gone
        return None
    began = fields[19]
    return b" ".join([began, *turns]).decode()


def _holders(path: Path) -> list[int]:
    """The processes that hold the `flock` of a file, as the system lists them."""
    try:
        file = path.stat()
    except FileNotFoundError:
        return []
    with open("/proc/locks", "rb") as listed:
        lines = [line.split() for line in listed]
    inode = str(file.st_ino).encode()
    pids = [int(words[4]) for words in lines if words[1] == b"FLOCK" and words[5].rpartition(b":")[2] == inode]
    return [pid for pid in pids if _has_open(pid, path)]


def _has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open: another file system may have one with the same number."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            return any(_is_same(each.path, path) for each in descriptors)
    except OSError:
        return False


def _is_same(descriptor: str, path: Path) -> bool:
    try:
        return os.path.samefile(descriptor, path)
    except OSError:
        return False
