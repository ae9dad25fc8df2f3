"""`segue dev` and `dagster dev` on the same definitions: started, asked for a run, measured, and ended.

The two differ in what their APIs look like, and in nothing else here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

NAME = os.environ["BENCH_LIBRARY"]
FOLDER = Path(os.environ["BENCH_FOLDER"])
DEADLINE = 120.0
BETWEEN_LOOKS = 0.005
DEFINITIONS = f"""
import time
from pathlib import Path

import {NAME} as dg


@dg.asset
def first():
    with open(Path({str(FOLDER)!r}) / "first line", "w") as file:
        file.write(repr(time.time()))


@dg.asset
def second(first):
    Path({str(FOLDER)!r}, "last line").touch()


defs = dg.Definitions(assets=[first, second])
"""
_LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on RepositoryLocation { name repositories { name } } } } } } }"""
_LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
    ... on PythonError { message } ... on LaunchRunSuccess { run { runId } } } }"""
_STATUS = """query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"""


class Server:
    """The development server of the library, with all defaults on."""

    def __init__(self) -> None:
        (FOLDER / "definitions.py").write_text(DEFINITIONS)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        home = FOLDER / "home"
        home.mkdir()
        module = ["-m", "segue"] if NAME == "segue" else ["-m", "dagster"]
        with (FOLDER / "said.txt").open("w") as said:
            self.started_at = time.perf_counter()
            self.process = subprocess.Popen(
                [sys.executable, *module, "dev", "-f", "definitions.py", "--port", str(self.port)],
                cwd=FOLDER,
                stdout=said,
                stderr=said,
                env={**os.environ, f"{NAME.upper()}_HOME": str(home)},
                start_new_session=True,
            )
        self._location: dict[str, str] = {}

    def wait_until_ready(self) -> float:
        """Waits until a run could be asked for; how many seconds that took."""
        _wait(self._is_ready)
        return time.perf_counter() - self.started_at

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise SystemExit("the server has ended: " + (FOLDER / "said.txt").read_text()[-500:])
        try:
            if NAME == "segue":
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz"):
                    return True
            for entry in self._query(_LOCATIONS)["workspaceOrError"]["locationEntries"]:
                found = entry["locationOrLoadError"]
                if found and found.get("repositories"):
                    self._location = {"location": found["name"], "repository": found["repositories"][0]["name"]}
                    return True
        except (OSError, KeyError):
            return False
        return False

    def _post(self, path: str, document: object) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(document).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def _query(self, text: str, **variables: object) -> Any:
        return self._post("/graphql", {"query": text, "variables": variables})["data"]

    def launch(self) -> float:
        """Asks for a run; the seconds from then to the first line of its code, which is waited for, as is its end."""
        first, last = FOLDER / "first line", FOLDER / "last line"
        for file in (first, last):
            file.unlink(missing_ok=True)
        asked_at = time.time()
        run_id = self._start_run()
        _wait(last.exists)
        _wait(lambda: self._has_ended(run_id))
        return float(first.read_text()) - asked_at

    def _start_run(self) -> str:
        if NAME == "segue":
            return self._post("/api/runs", {"assets": ["first", "second"]})["run_id"]
        selector = {
            "repositoryLocationName": self._location["location"],
            "repositoryName": self._location["repository"],
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": ["first"]}, {"path": ["second"]}],
        }
        answer = self._query(_LAUNCH, params={"selector": selector, "mode": "default", "runConfigData": {}})[
            "launchRun"
        ]
        return answer["run"]["runId"]

    def _has_ended(self, run_id: str) -> bool:
        if NAME == "segue":
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/runs/{run_id}") as answer:
                status = json.load(answer)["status"]
        else:
            status = self._query(_STATUS, id=run_id)["runOrError"]["status"]
        if status in ("FAILURE", "CANCELED"):
            raise SystemExit(f"the run ended as {status}")
        return status == "SUCCESS"

    def processes(self) -> list[int]:
        """The server and all that it has started."""
        return [self.process.pid, *_below(self.process.pid)]

    def memory(self) -> int:
        """What all of them hold, in bytes: what several share counts once (PSS)."""
        return sum(_proportional(pid) for pid in self.processes())

    def cpu(self) -> float:
        """The CPU time that all of them have used, in seconds."""
        ticks = 0
        for pid in self.processes():
            if not Path(f"/proc/{pid}/stat").exists():  # it has ended meanwhile
                continue
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Ends it as Ctrl-C does."""
        left = self.processes()
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _wait(condition: Any) -> None:
    deadline = time.perf_counter() + DEADLINE
    while not condition():
        if time.perf_counter() > deadline:
            raise SystemExit("waited in vain: " + (FOLDER / "said.txt").read_text()[-500:])
        time.sleep(BETWEEN_LOOKS)


def _below(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [each for child in found for each in (child, *_below(child))]


def _proportional(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def report(count: int, amount: float, cpu: float) -> None:
    """Prints what was measured."""
    print(json.dumps({"library": NAME, "count": count, "seconds": amount, "cpu": cpu}))
