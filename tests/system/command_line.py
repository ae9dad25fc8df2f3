"""The command `segue` as a process, for tests: a project folder, commands in it, what they answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

SEGUE = (sys.executable, "-m", "segue")


class Answer(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)

    @property
    def last_error_line(self) -> str:
        """The line that says what went wrong."""
        return self.err.rstrip("\n").splitlines()[-1]


class Project:
    """A folder with definitions and a home of its own."""

    def __init__(self, folder: Path, definitions: str | None = None) -> None:
        self.folder = folder
        self.home = folder / ".segue"
        folder.mkdir(parents=True, exist_ok=True)
        if definitions is not None:
            self.define(definitions)

    def define(self, definitions: str) -> None:
        """Writes the definitions that commands load."""
        (self.folder / "segue.toml").write_text('file = "definitions.py"\n', encoding="utf-8")
        (self.folder / "definitions.py").write_text("import segue as sg\n" + definitions, encoding="utf-8")

    def python(self, *arguments: str, environment: dict[str, str | None] | None = None) -> Answer:
        """Runs Python to its end."""
        return self._run([sys.executable, *arguments], environment, subprocess.PIPE)

    def run(
        self, *arguments: str, environment: dict[str, str | None] | None = None, output: int = subprocess.PIPE
    ) -> Answer:
        """Runs a command to its end; its standard output may go to a descriptor instead."""
        return self._run([*SEGUE, *arguments], environment, output)

    def _run(self, command: list[str], environment: dict[str, str | None] | None, output: int) -> Answer:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            timeout=50,
        )
        return Answer(done.returncode, done.stdout or "", done.stderr)

    def json(self, *arguments: str) -> Any:
        """The document of a command that ends well."""
        answer = self.run(*arguments, "--json")
        assert answer.code == 0, answer.err or answer.out
        return answer.document

    def start(self, *arguments: str, environment: dict[str, str | None] | None = None) -> subprocess.Popen[str]:
        """Starts a command and does not wait for it."""
        return subprocess.Popen(
            [*SEGUE, *arguments],
            cwd=self.folder,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def environment(self, changes: dict[str, str | None] | None = None) -> dict[str, str]:
        """The environment of a command: that of the tests without settings of Segue, changed (None removes)."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
        for name, value in (changes or {}).items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        return variables

    def calls(self) -> list[str]:
        """The names that assets appended to the file `calls`, in order."""
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []


def may_mount() -> bool:
    """Whether this process may make mounts of its own."""
    probe = [*NAMESPACE, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
    try:
        return subprocess.run(probe, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")
