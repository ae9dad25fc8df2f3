"""Runs whose processes are killed at random, in short; `make chaos` does it at length."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parent.parent.parent / "bench" / "chaos" / "run.py"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("store", "executor"), [("sqlite", "in_process"), ("sqlite", "processes"), ("postgres", "processes")]
)
def test_nothing_is_lost_doubled_or_stuck(store: str, executor: str) -> None:
    command = [sys.executable, str(CHAOS), "--runs", "8", "--at-once", "4", "--store", store, "--executor", executor]
    done = subprocess.run([*command, "--no-result"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    seen = json.loads(done.stdout)
    assert seen["broken"] == []
    assert sum(seen["by_status"].values()) >= 1
