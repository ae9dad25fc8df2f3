"""A process that imports user code once and starts others that have it: by a fork, or where that is unsafe as fresh interpreters.

It serves one run, or as the zygote of a code location the control plane and every run that this has started in it.

`python -m segue.host.zygote DESCRIPTOR [PARENT]` serves over the socket that it inherits; `zygote_client` and the code
locations of the control plane start it. It has one thread, runs no user code but the import, and opens no database. What it
starts dies with it, and it dies with whoever started it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable
from subprocess import DEVNULL, Popen
from typing import NoReturn

from segue.channel import ChannelClosedError, receive, send
from segue.defs.collecting import freeze
from segue.defs.definitions import Definitions
from segue.execute.failure import error_info
from segue.host.fresh_process import become_step_process, die_with
from segue.host.loaded_code import load_code
from segue.host.step_process import PreparedRun, prepare
from segue.host.tasks import do_task
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
    decode_to_zygote,
    encode_message,
)

_SPAWNED = "segue.host.spawned"
_OWN_LAST_DESCRIPTOR = 2
_WITH_PARENT = 2  # the place of that argument
_OWN_DESCRIPTORS = 3  # socket, stdout and stderr; a fourth is the other end of its line to the zygote


class _Coordinator:
    """Whoever has processes started: the one that started the zygote, or a run that is executed in one of these.

    Args:
        channel: the socket to it.
    """

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.prepared: PreparedRun | None = None
        self.prepare: bytes = b""
        self.pids: dict[int, int] = {}  # number -> pid

    def say(self, message: FromZygote) -> None:
        send(self.channel, encode_message(message))


class Zygote:
    """The server.

    Args:
        channel: the socket to the process that started it.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._first = _Coordinator(channel)
        self._coordinators = [self._first]
        self._watch = ThreadWatch()
        self._definitions: Definitions | None = None
        self._load: LoadCode | None = None
        self._forks = True
        self._numbers: dict[int, tuple[_Coordinator, int]] = {}  # pid -> for whom, and under which number
        self._wake, self._woken = socket.socketpair()
        for each in (self._wake, self._woken):
            each.setblocking(False)
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Answers until it is told to end, or nobody is there any more; then kills what is left."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._first.channel, selectors.EVENT_READ, self._first)
        self._selector.register(self._wake, selectors.EVENT_READ)
        try:
            while self._first in self._coordinators:
                for key, _ in self._selector.select():
                    if key.data is None:
                        self._reap()
                    else:
                        self._serve_one(key.data)
        finally:
            _kill_groups(self._numbers)

    def _serve_one(self, coordinator: _Coordinator) -> None:
        """Answers one message; lets go of one that has ended, with what was started for it."""
        if coordinator not in self._coordinators:
            return  # it went while others were served
        try:
            goes_on = self._answer(coordinator)
        except ChannelClosedError:
            goes_on = False
        if not goes_on:
            self._drop(coordinator)

    def _drop(self, coordinator: _Coordinator) -> None:
        self._selector.unregister(coordinator.channel)
        self._coordinators.remove(coordinator)
        coordinator.channel.close()
        _kill_groups(coordinator.pids.values())

    def _tell(self, coordinator: _Coordinator, message: FromZygote) -> None:
        """Says something that was not asked for; nothing where nobody listens any more, which its channel then shows."""
        if coordinator in self._coordinators:
            with contextlib.suppress(ChannelClosedError):
                coordinator.say(message)

    def _answer(self, coordinator: _Coordinator) -> bool:
        """Does what the next message asks for; False for the last."""
        data, descriptors = receive(coordinator.channel)
        message = decode_to_zygote.decode(data)
        if isinstance(message, StartProcess):
            self._start(coordinator, message, descriptors)
        elif isinstance(message, SignalProcess):
            _signal(coordinator, message)
        elif isinstance(message, LoadCode):
            coordinator.say(self._loaded(message))
        elif isinstance(message, PrepareRun):
            coordinator.say(self._made_ready(coordinator, message, data))
        elif isinstance(message, Ping):
            coordinator.say(Pong(number=message.number))
        return not isinstance(message, End)

    def _loaded(self, message: LoadCode) -> Ready:
        """Imports the code, and finds out how processes are started."""
        self._load = message
        if message.start_method == "spawn":
            self._forks = False
            return Ready(start_method="spawn")
        try:
            definitions = load_code(message)
            published = (
                (definitions.encoded_manifest, definitions.manifest_hash) if message.is_published else (None, None)
            )
        except BaseException as error:  # noqa: BLE001 reason: whatever user code raises is told
            return Ready(error=error_info(error))
        self._definitions = definitions
        reason = self._watch.judge()
        self._forks = reason is None
        start_method = "fork" if self._forks else "spawn"
        freeze()
        return Ready(start_method=start_method, reason=reason, manifest=published[0], manifest_hash=published[1])

    def _made_ready(self, coordinator: _Coordinator, message: PrepareRun, data: bytes) -> Ready:
        """Makes ready what all steps of a run share, and puts all there is out of the reach of the garbage collector."""
        coordinator.prepare = data
        if self._definitions is None or not self._forks:
            return Ready(start_method="spawn")
        try:
            coordinator.prepared = prepare(self._definitions, message)
        except BaseException as error:  # noqa: BLE001 reason: as above
            return Ready(error=error_info(error))
        freeze()
        return Ready()

    def _start(self, coordinator: _Coordinator, message: StartProcess, descriptors: list[int]) -> None:
        own, line = descriptors[:_OWN_DESCRIPTORS], descriptors[_OWN_DESCRIPTORS:]
        try:
            pid = (
                self._fork(coordinator, message, descriptors) if self._forks else self._spawn(coordinator, message, own)
            )
        except OSError as error:
            for each in line:
                os.close(each)
            self._tell(
                coordinator, ProcessStarted(number=message.number, error=f"No process could be started: {error}.")
            )
            return
        finally:
            for each in own:
                os.close(each)
        for each in line:
            new = _Coordinator(socket.socket(fileno=each))
            self._coordinators.append(new)
            self._selector.register(new.channel, selectors.EVENT_READ, new)
        coordinator.pids[message.number] = pid
        self._numbers[pid] = (coordinator, message.number)
        self._tell(coordinator, ProcessStarted(number=message.number, pid=pid))

    def _fork(self, coordinator: _Coordinator, message: StartProcess, descriptors: list[int]) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_child(coordinator, parent, message, descriptors)
        return pid

    def _be_child(
        self, coordinator: _Coordinator, parent: int, message: StartProcess, descriptors: list[int]
    ) -> NoReturn:
        """The child of a fork: gives up what is the zygote's, does its task and exits, whatever happens."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            self._selector.close()
            for each in (*(each.channel for each in self._coordinators), self._wake, self._woken):
                each.close()
            for each in descriptors[_OWN_DESCRIPTORS:]:
                os.close(each)
            channel = become_step_process(parent, descriptors[:_OWN_DESCRIPTORS])
            definitions, load = self._definitions, self._load
            assert definitions is not None  # no process is asked for before the code is loaded
            assert load is not None
            with contextlib.suppress(ChannelClosedError):
                do_task(message.task, definitions, load, coordinator.prepared, channel)
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

    def _spawn(self, coordinator: _Coordinator, message: StartProcess, descriptors: list[int]) -> int:
        """A fresh interpreter, which finds code, run and task in a file."""
        channel, out, err = descriptors
        with tempfile.TemporaryFile() as file:
            for part in (encode_message(self._load or LoadCode()), coordinator.prepare, message.task):
                file.write(len(part).to_bytes(8) + part)
            file.flush()
            file.seek(0)
            inherited = (channel, file.fileno())
            command = [sys.executable, "-m", _SPAWNED, str(os.getpid()), *map(str, inherited)]
            process = Popen(command, stdin=DEVNULL, stdout=out, stderr=err, pass_fds=inherited, start_new_session=True)
        process.returncode = 0  # it is reaped here: subprocess must not look for it
        return process.pid

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
            started_for = self._numbers.pop(found.si_pid, None)
            if started_for is not None:
                _kill_groups([found.si_pid])  # before it is reaped: until then nobody else can have its number
            _, status, usage = os.wait4(found.si_pid, 0)
            if started_for is not None:
                coordinator, number = started_for
                del coordinator.pids[number]
                ended = ProcessEnded(
                    number=number,
                    exit_code=os.waitstatus_to_exitcode(status),
                    user_seconds=usage.ru_utime,
                    system_seconds=usage.ru_stime,
                    peak_memory=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
                )
                self._tell(coordinator, ended)


def _signal(coordinator: _Coordinator, message: SignalProcess) -> None:
    pid = coordinator.pids.get(message.number)
    if pid is not None:  # not reaped yet, so that the number is still its own
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if message.to_group else os.kill)(pid, message.signal)


def _kill_groups(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _write_last(error: BaseException) -> None:
    with contextlib.suppress(OSError):
        os.write(_OWN_LAST_DESCRIPTOR, error_info(error).to_string().encode() + b"\n")


def main() -> None:
    """Serves over the socket whose descriptor is the first argument; dies with the process that is the second, if any."""
    if len(sys.argv) > _WITH_PARENT:
        die_with(int(sys.argv[_WITH_PARENT]))
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator
    Zygote(channel).serve()


if __name__ == "__main__":
    main()
