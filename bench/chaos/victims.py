"""Who may be killed: the processes of the runs, found where the operating system lists them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NamedTuple


class Victim(NamedTuple):
    """A process: the worker of a run, its zygote, or one of its steps."""

    pid: int
    kind: str


def victims_of(worker: int) -> list[Victim]:
    """The processes of a run, the worker first; nothing where it is gone."""
    found = [Victim(worker, "worker")] if _is_there(worker) else []
    for child in _children(worker):
        if b"segue.host.zygote" in _command(child):
            found.append(Victim(child, "zygote"))
            found.extend(Victim(step, "step") for step in _children(child))
    return found


def hit(victim: Victim, number: signal.Signals) -> bool:
    """Sends a signal; says whether there was anyone to get it."""
    try:
        os.kill(victim.pid, number)
    except ProcessLookupError:
        return False
    return True


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(each) for each in text.split()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _is_there(pid: int) -> bool:
    return bool(_command(pid))
