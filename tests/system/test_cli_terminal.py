"""What a person sees: on a terminal the running steps are in view, and user code may fork below them."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

from command_line import SEGUE, Project

DEFINITIONS = """
import os

@sg.asset
def slow() -> None:
    with open("shown") as pipe:  # waits until the test has seen this step in view
        pipe.read()

@sg.asset(deps=["slow"])
def forking(context) -> None:
    for number in range(20):
        child = os.fork()
        if child == 0:
            print(f"child {number}", flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    context.log.warning("all children came back")

defs = sg.Definitions(assets=[slow, forking])
"""


def test_running_steps_are_in_view_and_user_code_may_fork(tmp_path: Path) -> None:
    project = Project(tmp_path, DEFINITIONS)
    os.mkfifo(project.folder / "shown")
    terminal, other_side = pty.openpty()
    process = subprocess.Popen(
        [*SEGUE, "materialize"],
        cwd=project.folder,
        env=project.environment({"TERM": "xterm-256color", "NO_COLOR": None, "COLUMNS": "100", "LINES": "40"}),
        stdin=other_side,
        stdout=other_side,
        stderr=other_side,
    )
    os.close(other_side)
    seen = ""
    try:
        while not re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] slow  ", seen):
            seen += os.read(terminal, 4096).decode(errors="replace")
        with (project.folder / "shown").open("w") as pipe:
            pipe.write("seen")
        while chunk := read_all(terminal):
            seen += chunk
        assert process.wait(timeout=30) == 0, seen
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert [number for number in range(20) if f"child {number}" not in text] == []
    assert "forking: WARNING all children came back" in text
    assert text.count("all children came back") == 1, "logging printed the line a second time"
    assert re.search(r"run [0-9a-f-]{36}: success in", text)
    assert "\x1b[?25h" in seen, "the cursor is shown again"


def test_wipe_asks_before_it_removes(tmp_path: Path) -> None:
    project = Project(tmp_path, "@sg.asset\ndef orders(): ...\ndefs = sg.Definitions(assets=[orders])")
    project.json("materialize")
    for answer, code, stays in (("n", 1, True), ("y", 0, False)):
        terminal, other_side = pty.openpty()
        process = subprocess.Popen(
            [*SEGUE, "wipe", "orders"], cwd=tmp_path, stdin=other_side, stdout=other_side, stderr=other_side
        )
        os.close(other_side)
        seen = ""
        while "Remove it? [y/N]: " not in seen:
            seen += os.read(terminal, 4096).decode()
        assert "removes what is recorded of orders" in seen
        os.write(terminal, f"{answer}\n".encode())
        while read_all(terminal):
            pass
        assert process.wait(timeout=30) == code
        os.close(terminal)
        assert (project.json("asset", "orders")["latest"] is not None) == stays


def read_all(terminal: int) -> str:
    """What comes next; empty when the other side is closed (Linux raises then)."""
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        return ""
