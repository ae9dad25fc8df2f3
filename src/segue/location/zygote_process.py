"""The zygote of a code location, started by the control plane: a process in the environment of the user's code."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence

from segue.channel import ChannelClosedError, Inbox, send
from segue.errors import LocationUnavailableError
from segue.model.location import LocationTarget
from segue.model.messages import (
    End,
    FromZygote,
    LoadCode,
    Message,
    SignalProcess,
    StartProcess,
    decode_from_zygote,
    encode_message,
)

_MODULE = "segue.host.zygote"
_LAST_WORDS = 8000


class ZygoteProcess:
    """One zygote. It imports the code at once; what it says of that and of its processes is read with `messages`.

    Methods may be called in any thread, `messages` in one.

    Args:
        target: the code and its environment.

    Raises:
        LocationUnavailableError: no such interpreter, or no such working directory.
    """

    def __init__(self, target: LocationTarget) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        own, other = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 reason: lives as long as the zygote
        python = target.python or sys.executable
        try:
            self._process = subprocess.Popen(
                [python, "-P", "-m", _MODULE, str(other.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(other.fileno(),),
                start_new_session=True,
                cwd=target.working_directory,
                env={**os.environ, "PYTHONFAULTHANDLER": "1", **target.environment},
            )
        except OSError as error:
            own.close()
            self._output.close()
            raise LocationUnavailableError(
                f"The code location {target.name!r} cannot be started: {error}. Correct its `python` ({python}) or its "
                f"`working_directory` ({target.working_directory})."
            ) from error
        finally:
            other.close()
        self._channel = own
        self._inbox = Inbox(own)
        load = LoadCode(
            file=target.file,
            module=target.module,
            attribute=target.attribute,
            working_directory=target.working_directory,
            dagster_compat=target.dagster_compat,
            failure_rules=target.failure_rules,
            is_published=True,
        )
        with contextlib.suppress(ChannelClosedError):  # it is gone already, which `messages` shows
            self._send(load)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fileno(self) -> int:
        """The descriptor that can be read when there is something to hear."""
        return self._channel.fileno()

    def _send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        with self._lock:
            send(self._channel, encode_message(message), descriptors)

    def next_number(self) -> int:
        """A number for a process to be started."""
        return next(self._numbers)

    def start(self, number: int, task: bytes, descriptors: Sequence[int]) -> None:
        """Asks for a process.

        Args:
            number: names it from now on.
            task: what it is to do, encoded.
            descriptors: its socket, stdout and stderr, and the zygote's end of its line, if it is to have one.

        Raises:
            LocationUnavailableError: the zygote is gone.
        """
        try:
            self._send(StartProcess(number=number, task=task), descriptors)
        except (ChannelClosedError, OSError) as error:
            raise LocationUnavailableError("The process of the code location is gone.") from error

    def signal(self, number: int, signal_number: int, *, to_group: bool = False) -> None:
        """Sends a signal to one of its processes; nothing happens where it is gone."""
        with contextlib.suppress(ChannelClosedError, OSError):
            self._send(SignalProcess(number=number, signal=signal_number, to_group=to_group))

    def messages(self) -> Iterator[FromZygote]:
        """What it has said meanwhile; never waits."""
        for data in self._inbox.messages():
            yield decode_from_zygote.decode(data)

    @property
    def is_gone(self) -> bool:
        """Whether its end of the channel is closed, and all was read."""
        return self._inbox.is_closed

    def last_words(self) -> str:
        """How it ended, and what it had printed last; for one that is gone."""
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(self._output.tell() - _LAST_WORDS, 0))
        said = self._output.read().decode(errors="replace").strip()
        return f"The process of the code location {how}." + (f"\n{said}" if said else "")

    def end(self) -> None:
        """Tells it to end, with all that it has started; does not wait."""
        with contextlib.suppress(ChannelClosedError, OSError):  # it is gone already
            self._send(End())

    def close(self, seconds: float) -> None:
        """Waits for its end at most so long, kills it then, and gives back what it held."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._lock:
            self._channel.close()
            self._output.close()
