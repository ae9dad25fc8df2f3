"""Runs of one partition each, in turn, in one process that lives on; event log in SQLite, values in files."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from library import folder, load, report, size, stored_instance

dg = load()
FIRST = date(2020, 1, 1)


@dg.asset(partitions_def=dg.DailyPartitionsDefinition(FIRST.isoformat(), end_date="2024-01-01"))
def daily(context) -> str:
    return context.partition_key


def run(days: range, instance: Any, values: str) -> None:
    manager = dg.FilesystemIOManager(base_dir=values)
    for day in days:
        key = (FIRST + timedelta(days=day)).isoformat()
        result = dg.materialize([daily], instance=instance, resources={"io_manager": manager}, partition_key=key)
        assert result.output_for_node("daily") == key


with stored_instance("home") as instance:
    values = folder("values")
    run(range(3), instance, values)
    count = size(200)
    report(count, lambda: run(range(3, 3 + count), instance, values))
