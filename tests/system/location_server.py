"""A code location served over TCP in a process of its own, a control plane that uses it, and what stands between them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from command_line import Answer, Project
from control_plane import ControlPlane, control_plane, gone

NAME = "far"
TOKEN = "a-token-that-nobody-guesses"
DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"  # no process that a test starts here opens it
WITH_TOKEN = {"SEGUE_DATABASE": DATABASE, "SEGUE_LOCATION_TOKEN": TOKEN}
WITHOUT_TOKEN = {"SEGUE_DATABASE": DATABASE, "SEGUE_LOCATION_TOKEN": ""}


@contextmanager
def location_server(
    folder: Path, *arguments: str, environment: Mapping[str, str], port: int = 0
) -> Iterator[ControlPlane]:
    """`segue location serve` on a project; `url` is its port."""
    server = ControlPlane(folder, "location", ("serve", "--port", str(port), *arguments), environment)
    try:
        server.url = server.wait_for_line("Serving the code location").partition("port ")[2].split()[0]
        yield server
    finally:
        left = server.descendants()
        server.process.kill()
        server.stop()
        gone(left)


@contextmanager
def user_of(
    folder: Path, port: int | str, environment: Mapping[str, str], served: bool = True, **more: object
) -> Iterator[ControlPlane]:
    """`segue serve` with a location at this port; `more` are further keys of its table in the settings."""
    folder.mkdir(exist_ok=True)
    table = {"name": NAME, "host": "127.0.0.1", "port": int(port), **more}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    (folder / "segue.toml").write_text(f"[[locations]]\n{lines}")
    with control_plane(folder, command="serve", environment=environment, served=served) as plane:
        yield plane


class Between:
    """A machine on the way: what goes through it can be read, kept back, changed, or cut off.

    Attributes:
        port: where it listens.
        heard: what control planes have sent, in the order of the connections.
        is_silent: whether it passes nothing on, and does not say so.
        changes: what is done to what comes back from the other side.
    """

    def __init__(self, port: int | str) -> None:
        self._target = int(port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.heard: list[bytearray] = []
        self.is_silent = False
        self.changes: Callable[[bytes], bytes] = bytes
        self._streams: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, action: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=action, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._streams += [client, server]
                heard = bytearray()
                self.heard.append(heard)
                self._start(self._pump, client, server, heard)
                self._start(self._pump, server, client, None)

    def _pump(self, source: socket.socket, target: socket.socket, heard: bytearray | None) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if heard is not None:
                    heard += data
                if not self.is_silent:
                    target.sendall(data if heard is not None else self.changes(data))
            if not self.is_silent:
                target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Ends every connection."""
        for each in self._streams:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends it."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()
        for each in (self._listening, *self._streams):
            each.close()


@contextmanager
def between(port: int | str) -> Iterator[Between]:
    """A machine on the way to this port."""
    found = Between(port)
    try:
        yield found
    finally:
        found.close()


def far_project(folder: Path) -> Path:
    """A small project as it stands on the other machine."""
    folder.mkdir(parents=True)
    (folder / "far.py").write_text(
        "import segue as sg\n\n\n@sg.asset\ndef a():\n    pass\n\n\ndefs = sg.Definitions(assets=[a])\n"
    )
    (folder / "segue.toml").write_text('file = "far.py"\n')
    return folder


@contextmanager
def far_server(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[ControlPlane]:
    """Its location, served."""
    with location_server(far_project(folder / "there"), *arguments, environment=environment or WITH_TOKEN) as server:
        yield server


def check(folder: Path, port: int | str, environment: dict[str, str] | None = None, **more: str) -> Answer:
    """`segue location check` of a control plane whose location is at this port."""
    table = "".join(f"{key} = '{value}'\n" for key, value in more.items())
    project = Project(folder / "here")
    where = "" if "host" in more else "host = '127.0.0.1'\n"
    (project.folder / "segue.toml").write_text(f"[[locations]]\nname = '{NAME}'\n{where}port = {port}\n{table}")
    return project.run("location", "check", environment={**(environment or WITH_TOKEN)})
