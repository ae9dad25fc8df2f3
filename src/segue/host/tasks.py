"""What a process that a zygote started does, by its task."""

from __future__ import annotations

import socket

from segue.defs.definitions import Definitions
from segue.host.step_process import PreparedRun, run_task
from segue.host.tick_process import answer_ticks
from segue.host.worker import run_worker
from segue.model.messages import LoadCode, RunTask, TicksTask, decode_task


def do_task(
    task: bytes, definitions: Definitions, code: LoadCode, prepared: PreparedRun | None, channel: socket.socket
) -> None:
    """Does a task.

    Args:
        task: the task, encoded.
        definitions: what the code declares.
        code: how it was loaded.
        prepared: the run that a step is of.
        channel: to whoever wants to hear of it.

    Raises:
        ChannelClosedError: nobody is there any more to hear it.
    """
    found = decode_task.decode(task)
    if isinstance(found, RunTask):
        run_worker(definitions, code, found, channel)
    elif isinstance(found, TicksTask):
        answer_ticks(definitions, found, channel)
    else:
        assert prepared is not None  # no step is asked for before its run is prepared
        run_task(prepared, found, channel)
