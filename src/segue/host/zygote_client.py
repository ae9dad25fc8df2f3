"""The side of the coordinator: a zygote started, asked and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import BinaryIO

from segue.channel import ChannelClosedError, Inbox, receive, send
from segue.errors import LoadError, NotSupportedError, ProcessHostError
from segue.model.messages import (
    End,
    FromZygote,
    LoadCode,
    Message,
    Ping,
    Pong,
    PrepareRun,
    ProcessEnded,
    ProcessStarted,
    Ready,
    SignalProcess,
    StartProcess,
    decode_from_zygote,
    encode_message,
)

_MODULE = "segue.host.zygote"
_SECONDS_TO_END = 5.0
_LAST_WORDS = 2000


class ZygoteProcesses:
    """Starts processes with user code in them, through a zygote that is started for it.

    A zygote that dies takes its processes along: they are reported as gone, and the next `start` begins a new one.

    Args:
        code: the user's code; its import begins at once.
        line: a line to a zygote that has imported the code, which is used first; None to start one.

    Raises:
        NotSupportedError: the system cannot hand descriptors over.
    """

    def __init__(self, code: LoadCode, line: socket.socket | None = None) -> None:
        if not hasattr(socket, "SCM_RIGHTS"):
            raise NotSupportedError(
                "Steps in separate processes require Unix sockets, which this system does not have. Use "
                "in_process_executor."
            )
        self._code = code
        self._run: PrepareRun | None = None
        self._running: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._line = line
        if line is None:
            self._launch()
        else:
            self._channel, self._inbox = line, Inbox(line)

    def prepare(self, run: PrepareRun) -> Ready:
        """Says of which run the processes from now on are, and waits until the code is there.

        Returns:
            How processes are started.

        Raises:
            LoadError: the code cannot be imported.
            ProcessHostError: the zygote died over it.
        """
        self._run = run
        self._send(run)
        if self._line is not None:  # its code is loaded
            return self._wait_ready()
        ready = self._wait_ready()
        self._wait_ready()
        return ready

    def _launch(self) -> None:
        """Starts a zygote, and has it import the code."""
        own, other = socket.socketpair()
        self._output: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 reason: lives as long as the zygote
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(other.fileno(),),
                start_new_session=True,
            )
        finally:
            other.close()
        self._channel = own
        self._inbox = Inbox(own)
        self._send(self._code)

    def _wait_ready(self) -> Ready:
        try:
            answer = decode_from_zygote.decode(receive(self._channel)[0])
        except ChannelClosedError as error:
            raise self._gone() from error
        assert isinstance(answer, Ready)  # the answer to what was asked
        if answer.error is not None:
            raise LoadError(f"The process for steps failed to load the code: {answer.error.to_string()}")
        return answer

    def _gone(self) -> ProcessHostError:
        """The error that says that the zygote is gone, with what it said last."""
        if self._process is None:
            return ProcessHostError("The process of the code location that starts the steps of the run is gone.")
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(self._output.tell() - _LAST_WORDS, 0))
        said = self._output.read().decode(errors="replace").strip()
        return ProcessHostError(
            f"The process that starts the steps of the run {how}." + (f" Its last words: {said}" if said else "")
        )

    def _send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        send(self._channel, encode_message(message), descriptors)

    def fileno(self) -> int:
        """The descriptor that can be read when there are reports."""
        return self._channel.fileno()

    @property
    def pid(self) -> int:
        """The process id of the zygote."""
        if self._process is None:
            raise ProcessHostError("The zygote was started by another process, which knows its number.")
        return self._process.pid

    def start(self, number: int, task: bytes, descriptors: Sequence[int]) -> None:
        """Starts a process.

        Args:
            number: names it from now on.
            task: what it is to do, a `StepTask` encoded.
            descriptors: its socket, stdout and stderr.

        Raises:
            ProcessHostError: the zygote is gone; the next call begins a new one.
            LoadError: it had to be started anew, and the code cannot be imported any more.
        """
        if self._process is None and self._line is None:
            self._launch()
            if self._run is not None:
                self.prepare(self._run)
        try:
            self._send(StartProcess(number=number, task=task), descriptors)
        except ChannelClosedError as error:
            raise self._gone() from error
        self._running.add(number)

    def reports(self) -> list[ProcessStarted | ProcessEnded]:
        """What has happened since; never waits. A process that is lost with the zygote is reported as not started."""
        found: list[ProcessStarted | ProcessEnded] = []
        if self._process is None and self._line is None:
            return found
        for data in self._inbox.messages():
            message: FromZygote = decode_from_zygote.decode(data)
            if isinstance(message, (ProcessStarted, ProcessEnded)):
                found.append(message)
                if isinstance(message, ProcessEnded) or message.error is not None:
                    self._running.discard(message.number)
        if self._inbox.is_closed:
            why = str(self._gone())
            found.extend(ProcessStarted(number=number, error=why) for number in sorted(self._running))
            self._running.clear()
            self._line = None
            self._release()
        return found

    def signal(self, number: int, signal_number: int, *, to_group: bool = False) -> None:
        """Sends a signal to a process; nothing happens where it is gone."""
        if number in self._running:
            try:
                self._send(SignalProcess(number=number, signal=signal_number, to_group=to_group))
            except ChannelClosedError:
                return  # it is gone with the zygote, which `reports` tells

    def ping(self, number: int = 0) -> bool:
        """Whether the zygote answers; only while nothing runs."""
        try:
            self._send(Ping(number=number))
            return isinstance(decode_from_zygote.decode(receive(self._channel)[0]), Pong)
        except ChannelClosedError:
            return False

    def close(self) -> None:
        """Ends the zygote, and kills what it started."""
        process = self._process
        if process is None:
            self._line = None  # it serves others, and goes on; what it started for this process goes with the line
            return
        with contextlib.suppress(ChannelClosedError, OSError):  # it is gone already
            self._send(End())
            self._channel.shutdown(socket.SHUT_WR)
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._release()

    def _release(self) -> None:
        self._channel.close()
        if self._process is not None:
            self._output.close()
        self._process = None
