"""A clock for processes of tests that a test sets: by faketime, which stands between them and the system.

Only the time of day is moved. What measures spans of time (the monotonic clock, waiting) stays as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

PROGRAM = "faketime"
# Where the monotonic clock is left alone, faketime computes a wrong end for the call behind `time.sleep`.
_SLEEP = """
import select
import time


def sleep(seconds):
    select.select([], [], [], seconds)


time.sleep = sleep
"""


def find_faketime() -> str | None:
    """Where the program is; None where it is not installed."""
    return shutil.which(PROGRAM)


@cache
def _library() -> str:
    """What faketime has a process load."""
    program = find_faketime()
    assert program is not None
    command = [program, "-m", "now", "printenv", "LD_PRELOAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class FakeClock:
    """A clock.

    Args:
        folder: an empty one, for what it needs.
        now: what it shows at first, in seconds since 1970, UTC; it goes on from there.
    """

    def __init__(self, folder: Path, now: float) -> None:
        self._file = folder / "offset"
        self._modules = folder / "modules"
        self._modules.mkdir(parents=True)
        (self._modules / "sitecustomize.py").write_text(_SLEEP, encoding="utf-8")
        self.set(now)

    def set(self, now: float) -> None:
        """Has it show a time from now on."""
        self._offset = now - time.time()
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._offset:+.3f}\n", encoding="utf-8")
        new.replace(self._file)

    def now(self) -> float:
        """What it shows."""
        return time.time() + self._offset

    def environment(self) -> dict[str, str]:
        """For the processes whose clock it is to be."""
        return {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join([str(self._modules), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
