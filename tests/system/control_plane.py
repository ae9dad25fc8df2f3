"""A control plane as a process, for tests: started on a project, asked over its API, ended."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

DEADLINE = 60.0
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class Reply(NamedTuple):
    """What the API answered."""

    status: int
    document: Any


class ControlPlane:
    """A running `segue dev` or `segue serve`.

    Attributes:
        url: where it serves.
        lines: what it has said, on both streams.
    """

    def __init__(
        self, folder: Path, command: str, arguments: tuple[str, ...], environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "segue", command, *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = ""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._said.notify_all()

    def wait_for_line(self, part: str, after: int = 0) -> str:
        """The first line that it says with this text in it."""

        def found() -> str | None:
            return next((line for line in self.lines[after:] if part in line), None)

        with self._said:
            assert self._said.wait_for(lambda: found() or self.process.poll() is not None, DEADLINE), self.lines
            line = found()
        assert line is not None, "\n".join(self.lines)
        return line

    def wait_until_served(self) -> None:
        """Waits for the URL, and until the code has loaded."""
        self.url = self.wait_for_line("Serving Segue at http").partition("Serving Segue at ")[2].split()[0]
        self.wait_for(lambda: self.get("/readyz").status == 200)
        self.wait_for_line("Code location ")  # it is said after that: what is waited for later must not be this line

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read()
            return Reply(answer.status, json.loads(text) if text else None)
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """A GET."""
        return self.request("GET", path, None, headers)

    def post(self, path: str, document: object, headers: Mapping[str, str] | None = None) -> Reply:
        """A POST of JSON."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.request("POST", path, json.dumps(document).encode(), sent)

    def start_run(self, **document: object) -> str:
        """Asks for a run; gives its id."""
        reply = self.post("/api/runs", document)
        assert reply.status == 201, reply
        return reply.document["run_id"]

    def run(self, **document: object) -> dict[str, Any]:
        """Asks for a run, and waits for its end."""
        return self.ended(self.start_run(**document))

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run as it ended."""
        document: dict[str, Any] = {}

        def has_ended() -> bool:
            document.update(self.get(f"/api/runs/{run_id}").document)
            return document["status"] in ENDED

        self.wait_for(has_ended)
        return document

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds that only asking shows."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert self.process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.01)

    def descendants(self) -> list[int]:
        """The processes that it has started, and those that these have."""
        return _descendants(self.process.pid)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ends it as Ctrl-C does; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def control_plane(
    folder: Path,
    *arguments: str,
    command: str = "dev",
    environment: Mapping[str, str] | None = None,
    served: bool = True,
) -> Iterator[ControlPlane]:
    """A control plane on a project, with any port that is free; ended at the end."""
    ports = () if "--port" in arguments or "loops" in arguments else ("--port", "0")
    plane = ControlPlane(folder, command, (*arguments, *ports), environment)
    try:
        if served:
            plane.wait_until_served()
        yield plane
    finally:
        left = plane.descendants()
        plane.process.kill()
        plane.stop()
        gone(left)


def gone(pids: list[int]) -> None:
    """Waits until none of these processes is there any more."""
    deadline = time.monotonic() + DEADLINE
    while left := [pid for pid in pids if _is_there(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text(encoding="utf-8").split())
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [each for child in found for each in (child, *_descendants(child))]
