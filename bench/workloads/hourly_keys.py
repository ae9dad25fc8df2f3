"""The keys of twenty years of hours, as a list."""

from __future__ import annotations

from library import load, report

dg = load()
HOURS = 175_320  # 2005 to 2024


def work() -> None:
    partitions = dg.HourlyPartitionsDefinition("2005-01-01-00:00", end_date="2025-01-01-00:00")
    keys = partitions.get_partition_keys()
    assert (len(keys), keys[0], keys[-1]) == (HOURS, "2005-01-01-00:00", "2024-12-31-23:00")


report(HOURS, work)
