"""Steps that are alive together and then say how much memory each takes, in a module that other processes import."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from library import load

dg = load()
COUNT = 4
HERE = Path(os.environ["BENCH_FOLDER"])


def proportional(pid: int) -> int:
    """The proportional set size of a process, in bytes: what it has alone, and its share of what it has with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def meet(name: str) -> None:
    """Waits until all of them have come here."""
    (HERE / f"{name}-{os.getpid()}").touch()
    while len(list(HERE.glob(f"{name}-*"))) < COUNT:
        time.sleep(0.01)


@dg.op(out=dg.DynamicOut(int))
def parts() -> Any:
    for each in range(COUNT):
        yield dg.DynamicOutput(each, mapping_key=f"part_{each}")


@dg.op
def measured(part: int) -> list:
    meet("alive")
    found = [proportional(os.getpid()), proportional(os.getppid())]
    meet("measured")
    return found


@dg.op
def gathered(found: list) -> None:
    (HERE / "found").write_text("\n".join(f"{step} {zygote}" for step, zygote in found))


@dg.job(executor_def=dg.multiprocess_executor)
def fan_out() -> None:
    gathered(parts().map(measured).collect())
