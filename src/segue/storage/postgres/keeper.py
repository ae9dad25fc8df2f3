"""A process beside a worker that executes runs: it says that the worker lives, and when it is gone.

A thread of the worker does not suffice. While a call into C keeps Python's lock, no other thread of the process runs:
measured, a sum over 3e8 numbers silenced one for all of its 3.5 s, and a merge of tables may take minutes. A healthy run
would be given up. This process runs no code of users. When the worker dies, however it dies, it gives the lease back at
once, so that nobody has to wait until it runs out. One that stands still (a debugger, SIGSTOP) is given up after a while,
as one whose machine is gone.

It costs the worker 0.2 ms, and a core 0.12 s once. So that it is not more, this file is run as a script and imports nothing
of Segue; it gets one line of JSON on its standard input (`Task`).
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from typing import Any, TypedDict

import psycopg

_BETWEEN_LOOKS = 1.0  # seconds, where the system does not tell of the end of a process


class Task(TypedDict):
    """What it is to do.

    Attributes:
        worker: the process, which has started this one.
        options: what psycopg connects with.
        renew, renew_with: the statement that says that the worker lives, and its parameters.
        end, end_with: the one that says that it is gone.
        seconds: between two renewals.
    """

    worker: int
    options: dict[str, Any]
    renew: str
    renew_with: list[object]
    end: str
    end_with: list[object]
    seconds: float


def keep(task: Task) -> None:
    """Renews the lease until the worker is gone, then ends it."""
    connection: psycopg.Connection[Any] | None = None
    while True:
        is_gone = _wait(task["worker"], task["seconds"])
        if not is_gone and _stands_still(task["worker"]):
            continue
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(**task["options"])
            if is_gone:
                connection.execute(task["end"].encode(), task["end_with"])
                return
            connection.execute(task["renew"].encode(), task["renew_with"])
        except psycopg.Error:
            # The thread of the worker meets the same error and tells it; a lease that is not ended runs out.
            if is_gone:
                return
            if connection is not None:
                connection.close()


def _wait(worker: int, seconds: float) -> bool:
    """Waits so long, or until the worker is gone; says whether it is. Its id is not given away while it is our parent."""
    if sys.platform == "linux":
        try:
            descriptor = os.pidfd_open(worker)
        except OSError:
            return _wait_and_look(worker, seconds)
        try:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            return os.getppid() != worker or bool(waiting.poll(seconds * 1000)) or os.getppid() != worker
        finally:
            os.close(descriptor)
    return _wait_and_look(worker, seconds)


def _wait_and_look(worker: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while os.getppid() == worker:
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _BETWEEN_LOOKS))
    return True


def _stands_still(worker: int) -> bool:
    """Whether the worker was stopped, by a signal or a debugger; never, where the system does not tell."""
    try:
        with open(f"/proc/{worker}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except OSError:
        return False


if __name__ == "__main__":
    keep(json.loads(sys.stdin.readline()))
