"""The short form of `make soak`: few processes for a few seconds, with twice the bounds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"


def test_many_writers_lose_nothing_and_wait_for_nobody() -> None:
    sizes = ["--writers", "8", "--pollers", "3", "--seconds", "6", "--seed", "7", "--slack", "2"]
    done = subprocess.run(
        [sys.executable, str(SOAK), *sizes, "--no-write"], capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost: 0, errors: 0" in done.stdout
