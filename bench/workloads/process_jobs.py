"""The job of `process_steps`, in a module that other processes import."""

from __future__ import annotations

from typing import Any

from library import NAME, load, size

dg = load()
COUNT = size(1_000 if NAME == "segue" else 40)  # of what takes Dagster half an hour, a part


@dg.op(out=dg.DynamicOut(int))
def parts() -> Any:
    for each in range(COUNT):
        yield dg.DynamicOutput(each, mapping_key=f"part_{each}")


@dg.op
def work(part: int) -> int:
    return part + 1


@dg.job(executor_def=dg.multiprocess_executor)
def fan_out() -> None:
    parts().map(work)
