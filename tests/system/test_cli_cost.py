"""What `segue --help` costs."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

from command_line import SEGUE, Project

CPU_SECONDS = 0.150


def test_help_is_quick(tmp_path: Path) -> None:
    """As installed, that is with compiled files: the first call writes them, the best of the others counts."""
    environment = Project(tmp_path).environment(
        {"PYTHONDONTWRITEBYTECODE": None, "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    )
    costs: list[float] = []
    for _ in range(6):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*SEGUE, "--help"], env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs[1:]) < CPU_SECONDS, f"CPU seconds on {os.cpu_count()} CPUs: {costs}"
