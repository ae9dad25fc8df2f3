"""A process that imports user code once and starts others that have it: by a fork, or where that is unsafe as fresh interpreters.

`python -m segue.host.zygote DESCRIPTOR` serves over the socket that it inherits; `zygote_client` starts it. It has one
thread, runs no user code but the import, and opens no database. What it starts dies with it, and it dies with whoever
started it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import tempfile
from subprocess import DEVNULL, Popen
from typing import NoReturn

from segue.defs.definitions import Definitions
from segue.execute.executors.channel import ChannelClosedError, receive, send
from segue.execute.failure import error_info
from segue.host.fresh_process import become_step_process
from segue.host.loaded_code import load_code
from segue.host.step_process import PreparedRun, prepare, run_task
from segue.host.threads import ThreadWatch
from segue.model.messages import (
    End,
    FromZygote,
    LoadCode,
    Ping,
    Pong,
    PrepareRun,
    ProcessEnded,
    ProcessStarted,
    Ready,
    SignalProcess,
    StartProcess,
    decode_task,
    decode_to_zygote,
    encode_message,
)

_SPAWNED = "segue.host.spawned"
_OWN_LAST_DESCRIPTOR = 2


class Zygote:
    """The server.

    Args:
        channel: the socket to the process that started it.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._watch = ThreadWatch()
        self._definitions: Definitions | None = None
        self._prepared: PreparedRun | None = None
        self._load: LoadCode | None = None
        self._prepare: bytes = b""
        self._forks = True
        self._pids: dict[int, int] = {}  # number -> pid
        self._numbers: dict[int, int] = {}
        self._wake, self._woken = socket.socketpair()
        for each in (self._wake, self._woken):
            each.setblocking(False)
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Answers until it is told to end, or nobody is there any more; then kills what is left."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj is self._wake:
                        self._reap()
                    elif not self._answer():
                        return
        except ChannelClosedError:
            return
        finally:
            self._kill_all()

    def _say(self, message: FromZygote) -> None:
        send(self._channel, encode_message(message))

    def _answer(self) -> bool:
        """Does what the next message asks for; False for the last."""
        data, descriptors = receive(self._channel)
        message = decode_to_zygote.decode(data)
        if isinstance(message, StartProcess):
            self._start(message, descriptors)
        elif isinstance(message, SignalProcess):
            self._signal(message)
        elif isinstance(message, LoadCode):
            self._say(self._loaded(message))
        elif isinstance(message, PrepareRun):
            self._say(self._made_ready(message, data))
        elif isinstance(message, Ping):
            self._say(Pong(number=message.number))
        return not isinstance(message, End)

    def _loaded(self, message: LoadCode) -> Ready:
        """Imports the code, and finds out how processes are started."""
        self._load = message
        if message.start_method == "spawn":
            self._forks = False
            return Ready(start_method="spawn")
        try:
            self._definitions = load_code(message)
        except BaseException as error:  # noqa: BLE001 reason: whatever user code raises is told
            return Ready(error=error_info(error))
        reason = self._watch.judge()
        self._forks = reason is None
        return Ready(start_method="fork" if self._forks else "spawn", reason=reason)

    def _made_ready(self, message: PrepareRun, data: bytes) -> Ready:
        """Makes ready what all steps of a run share, and puts all there is out of the reach of the garbage collector."""
        self._prepare = data
        if self._definitions is None or not self._forks:
            return Ready(start_method="spawn")
        try:
            self._prepared = prepare(self._definitions, message)
        except BaseException as error:  # noqa: BLE001 reason: as above
            return Ready(error=error_info(error))
        gc.collect()
        gc.freeze()
        return Ready()

    def _start(self, message: StartProcess, descriptors: list[int]) -> None:
        try:
            pid = self._fork(message, descriptors) if self._forks else self._spawn(message, descriptors)
        except OSError as error:
            self._say(ProcessStarted(number=message.number, error=f"No process could be started: {error}."))
            return
        finally:
            for each in descriptors:
                os.close(each)
        self._pids[message.number] = pid
        self._numbers[pid] = message.number
        self._say(ProcessStarted(number=message.number, pid=pid))

    def _fork(self, message: StartProcess, descriptors: list[int]) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_child(parent, message, descriptors)
        return pid

    def _be_child(self, parent: int, message: StartProcess, descriptors: list[int]) -> NoReturn:
        """The child of a fork: gives up what is the zygote's, does its task and exits, whatever happens."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            self._selector.close()
            for each in (self._channel, self._wake, self._woken):
                each.close()
            channel = become_step_process(parent, descriptors)
            prepared = self._prepared
            assert prepared is not None  # no process is asked for before the run is prepared
            task = decode_task.decode(message.task)
            with contextlib.suppress(ChannelClosedError):
                run_task(prepared, task, channel)
            code = 0
        except BaseException as error:  # noqa: BLE001 reason: the process ends here, and its log says why
            _write_last(error)
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(
                    OSError, ValueError, AttributeError
                ):  # closed by user code, or by nobody's reading
                    stream.flush()
            os._exit(code)

    def _spawn(self, message: StartProcess, descriptors: list[int]) -> int:
        """A fresh interpreter, which finds code, run and task in a file."""
        channel, out, err = descriptors
        with tempfile.TemporaryFile() as file:
            for part in (encode_message(self._load or LoadCode()), self._prepare, message.task):
                file.write(len(part).to_bytes(8) + part)
            file.flush()
            file.seek(0)
            inherited = (channel, file.fileno())
            command = [sys.executable, "-m", _SPAWNED, str(os.getpid()), *map(str, inherited)]
            process = Popen(command, stdin=DEVNULL, stdout=out, stderr=err, pass_fds=inherited, start_new_session=True)
        process.returncode = 0  # it is reaped here: subprocess must not look for it
        return process.pid

    def _signal(self, message: SignalProcess) -> None:
        pid = self._pids.get(message.number)
        if pid is not None:  # not reaped yet, so that the number is still its own
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if message.to_group else os.kill)(pid, message.signal)

    def _reap(self) -> None:
        """Tells of the processes that have ended, and kills what these started and left behind."""
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            number = self._numbers.pop(found.si_pid, None)
            if number is not None:
                _kill_group(found.si_pid)  # before it is reaped: until then nobody else can have its number
            _, status, usage = os.wait4(found.si_pid, 0)
            if number is not None:
                del self._pids[number]
                self._say(
                    ProcessEnded(
                        number=number,
                        exit_code=os.waitstatus_to_exitcode(status),
                        user_seconds=usage.ru_utime,
                        system_seconds=usage.ru_stime,
                        peak_memory=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
                    )
                )

    def _kill_all(self) -> None:
        for pid in self._numbers:
            _kill_group(pid)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _write_last(error: BaseException) -> None:
    with contextlib.suppress(OSError):
        os.write(_OWN_LAST_DESCRIPTOR, error_info(error).to_string().encode() + b"\n")


def main() -> None:
    """Serves over the socket whose descriptor is the only argument."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator
    Zygote(channel).serve()


if __name__ == "__main__":
    main()
