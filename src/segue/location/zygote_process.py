"""The zygote of a code location on this machine: a process in the environment of the user's code."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from typing import BinaryIO

from segue.channel import ChannelClosedError, send
from segue.errors import LocationUnavailableError
from segue.location.zygote import Zygote
from segue.model.location import LocationTarget
from segue.model.messages import LoadCode, encode_message

_MODULE = "segue.host.zygote"
_TOKEN = "SEGUE_LOCATION_TOKEN"
_DATABASE_MODULE = "segue.storage.postgres"
_LAST_WORDS = 8000


def start_zygote(target: LocationTarget, streams: tuple[int, int], database: str | None = None) -> Zygote:
    """Starts a zygote, which begins to import the code.

    Args:
        target: the code and its environment.
        streams: the descriptors that are stdout and stderr of its processes.
        database: the URL of the database that these open, if there is one: what speaks to it is imported once, too.

    Raises:
        LocationUnavailableError: no such interpreter, or no such working directory.
    """
    own, other = socket.socketpair()
    output = tempfile.TemporaryFile()  # noqa: SIM115 reason: lives as long as the zygote
    python = target.python or sys.executable
    inherited = {name: value for name, value in os.environ.items() if name != _TOKEN}  # which is not for user code
    try:
        process = subprocess.Popen(
            [python, "-P", "-m", _MODULE, str(other.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(other.fileno(),),
            start_new_session=True,
            cwd=target.working_directory,
            env={**inherited, "PYTHONFAULTHANDLER": "1", **target.environment},
        )
    except OSError as error:
        own.close()
        output.close()
        raise LocationUnavailableError(
            f"The code location {target.name!r} cannot be started: {error}. Correct its `python` ({python}) or its "
            f"`working_directory` ({target.working_directory})."
        ) from error
    finally:
        other.close()
    load = LoadCode(
        file=target.file,
        module=target.module,
        attribute=target.attribute,
        working_directory=target.working_directory,
        dagster_compat=target.dagster_compat,
        failure_rules=target.failure_rules,
        preload=() if database is None else (_DATABASE_MODULE,),
        is_published=True,
    )
    with contextlib.suppress(ChannelClosedError):  # it is gone already, which `messages` shows
        send(own, encode_message(load))
    return Zygote(own, _ZygoteProcess(process, output), streams)


class _ZygoteProcess:
    """See `ZygoteOwner`."""

    def __init__(self, process: subprocess.Popen[bytes], output: BinaryIO) -> None:
        self._process = process
        self._output = output

    @property
    def pid(self) -> int:
        """See `ZygoteOwner.pid`."""
        return self._process.pid

    @property
    def ends_with_channel(self) -> bool:
        """See `ZygoteOwner.ends_with_channel`."""
        return True

    def last_words(self) -> str:
        """See `ZygoteOwner.last_words`."""
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(self._output.tell() - _LAST_WORDS, 0))
        said = self._output.read().decode(errors="replace").strip()
        return f"The process of the code location {how}." + (f"\n{said}" if said else "")

    def close(self, seconds: float) -> None:
        """See `ZygoteOwner.close`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
