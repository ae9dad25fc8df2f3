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

from segue.errors import LocationUnavailableError
from segue.location.zygote import Zygote
from segue.model.location import LocationTarget
from segue.model.messages import LoadCode

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
    zygote = _begin(target, streams)
    zygote.load(_code(target, database))
    return zygote


class Zygotes:
    """Starts the zygotes of one code location, one after the other.

    Args:
        target, streams, database: as of `start_zygote`.

    Attributes:
        keeps_one_ahead: whether `prepare` does anything: where code is loaded anew often, a process that has imported Segue
            already is worth its memory.
    """

    def __init__(self, target: LocationTarget, streams: tuple[int, int], database: str | None) -> None:
        self._target = target
        self._streams = streams
        self._database = database
        self._ahead: Zygote | None = None
        self.keeps_one_ahead = False

    def start(self) -> Zygote:
        """The next zygote, which begins to import the code.

        Raises:
            LocationUnavailableError: as of `start_zygote`.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None or not _is_there(ahead):
            return start_zygote(self._target, self._streams, self._database)
        ahead.load(_code(self._target, self._database))
        return ahead

    def prepare(self) -> None:
        """Starts the process of the next zygote, where one is to be kept ahead."""
        if self.keeps_one_ahead and self._ahead is None:
            with contextlib.suppress(LocationUnavailableError):  # which is told when it is needed
                self._ahead = _begin(self._target, self._streams)

    def close(self) -> None:
        """Ends the process that was kept ahead, which has nothing to lose."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close(0.0)


def _is_there(zygote: Zygote) -> bool:
    """Whether a process that was not told anything yet still waits; lets go of one that does not."""
    for _ in zygote.messages():
        pass
    if zygote.is_gone:
        zygote.close(0.0)
        return False
    return True


def _begin(target: LocationTarget, streams: tuple[int, int]) -> Zygote:
    """Starts the process, which waits to be told what to import."""
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
    return Zygote(own, _ZygoteProcess(process, output), streams)


def _code(target: LocationTarget, database: str | None) -> LoadCode:
    return LoadCode(
        file=target.file,
        module=target.module,
        attribute=target.attribute,
        working_directory=target.working_directory,
        dagster_compat=target.dagster_compat,
        failure_rules=target.failure_rules,
        preload=() if database is None else (_DATABASE_MODULE,),
        is_published=True,
    )


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
