"""A step that prints a gigabyte: no process takes much memory, the disk keeps what it is told to, and both say so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SEGUE, Project

MOST_MEMORY = 200 * 2**20
# In a process of its own: the system counts for a process also what the one that started it held then.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)  # of the process and all that it has waited for
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""
DEFINITIONS = """
import os, resource, sys
from pathlib import Path

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

@sg.asset
def floods():
    for _ in range(1_000):
        sys.stdout.write("x" * 999_999 + "\\n")
    sys.stdout.flush()
    Path("peak").write_text(str(peak()))

defs = sg.Definitions(assets=[floods], executor={executor})
"""


@pytest.mark.parametrize("executor", ["in_process", "threads", "multiprocess"])
def test_a_gigabyte_fills_neither_memory_nor_disk(tmp_path: Path, executor: str) -> None:
    project = Project(tmp_path, DEFINITIONS.format(executor=f"sg.{executor}_executor"))
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, *SEGUE, "materialize"],
        cwd=project.folder,
        env=project.environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    code, most = map(int, measured.stdout.split())
    assert code == 0
    assert most < MOST_MEMORY
    assert int((project.folder / "peak").read_text()) < MOST_MEMORY
    (run,) = project.json("runs")["runs"]
    kept = sum(path.stat().st_size for path in (project.home / "logs" / run["run_id"]).iterdir())
    assert kept < 11 * 2**20
    shown = project.run("runs", "logs", run["run_id"])
    assert shown.code == 0, shown.err
    assert "989514240 more bytes were written and are not kept" in shown.out + shown.err
