"""Many steps fanned out of a dynamic output and gathered again, in one process; event log in SQLite, values in memory."""

from __future__ import annotations

from typing import Any

from library import NAME, load, report, size, stored_instance

dg = load()


def fanned_out(count: int) -> Any:
    """A job with as many steps of its own between the one that lists the parts and the one that counts them."""

    @dg.op(out=dg.DynamicOut(int))
    def parts() -> Any:
        for each in range(count):
            yield dg.DynamicOutput(each, mapping_key=f"part_{each}")

    @dg.op
    def work(part: int) -> int:
        return part + 1

    @dg.op
    def counted(made: list) -> int:
        return len(made)

    @dg.job
    def job() -> None:
        counted(parts().map(work).collect())

    return job


def run(count: int, instance: Any) -> None:
    result = fanned_out(count).execute_in_process(instance=instance)
    assert result.output_for_node("counted") == count


with stored_instance("home") as instance:
    run(5, instance)
    count = size(1_000 if NAME == "segue" else 100)  # with Dagster a step takes as long in the one as in the other
    report(count, lambda: run(count, instance))
