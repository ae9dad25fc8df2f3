"""Processes of runs that a worker has started and that end with it: they live as long as it does, and need no lease of their own.

Such a process is a worker whose name says so: that of its supervisor, a slash, and which process it is. For all others the
lease of the supervisor counts. The supervisor itself knows by the operating system that one of them is gone while it goes on.
"""

from __future__ import annotations

import os

from segue.storage import stalls

LEASED = "split_part({}, '/', 1)"
"""The worker whose lease counts, with `{}` for the column with the name of one."""

_supervisors: dict[str, int] = {}  # those of this process, and which process that was: a fork is none


def supervise(worker: str) -> None:
    """This process is a worker that starts processes for runs."""
    _supervisors[worker] = os.getpid()


def end(worker: str) -> None:
    """It gives its lease back, and answers for none of them any more."""
    _supervisors.pop(worker, None)


def name_under(supervisor: str) -> str:
    """The name of this process, as one that the supervisor has started."""
    return f"{supervisor}/{os.getpid()}-{_began(os.getpid())}"


def leased(worker: str) -> str:
    """The worker whose lease counts for this one."""
    return worker.partition("/")[0]


def lives(worker: str | None) -> bool | None:
    """Whether a worker that this process supervises lives and does not stand still; None for any other, of which the leases
    tell.
    """
    supervisor, _, process = (worker or "").partition("/")
    if not process or _supervisors.get(supervisor) != os.getpid():
        return None
    pid, _, began = process.partition("-")
    return _began(int(pid)) == began and not stalls.is_stalled(int(pid), stalls.STALL_SECONDS)


def _began(pid: int) -> str | None:
    """What tells a process from a later one with the same number; None where there is none that runs."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            state, *fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if os.path.isdir("/proc/self") else _began_without_proc(pid)
    return None if state in "ZX" else fields[18]


def _began_without_proc(pid: int) -> str | None:
    """The same where the system tells only whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # another user has the number by now
        return None
    return "0"
