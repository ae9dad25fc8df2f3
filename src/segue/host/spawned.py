"""A process that was not forked: `python -m segue.host.spawned PARENT SOCKET FILE` imports the code and does one task."""

from __future__ import annotations

import contextlib
import os
import socket
import sys

from segue.channel import ChannelClosedError
from segue.host.fresh_process import die_with
from segue.host.loaded_code import load_code
from segue.host.step_process import prepare
from segue.host.tasks import do_task
from segue.model.messages import LoadCode, PrepareRun, decode_to_zygote


def main() -> None:
    """Reads code, run and task from the file, and does the task."""
    parent, channel, file = map(int, sys.argv[1:])
    die_with(parent)
    os.set_inheritable(channel, False)
    with os.fdopen(file, "rb") as parts:
        load, run, task = (parts.read(int.from_bytes(parts.read(8))) for _ in range(3))
    code, of_run = decode_to_zygote.decode(load), decode_to_zygote.decode(run) if run else None
    assert isinstance(code, LoadCode)
    definitions = load_code(code)
    prepared = prepare(definitions, of_run) if isinstance(of_run, PrepareRun) else None
    with contextlib.suppress(ChannelClosedError):
        do_task(task, definitions, code, prepared, socket.socket(fileno=channel))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed by user code, or by nobody's reading
            stream.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
