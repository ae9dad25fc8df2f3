"""The plan of a run, made in a process that holds the definitions."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime

from segue.defs.collecting import collector_paused
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.plan.plan import Plan
from segue.plan.planner import plan_run


def planned(
    graph: AssetGraph,
    assets: Set[AssetKey],
    checks: Set[AssetCheckKey],
    *,
    now: datetime,
    job_name: str,
    partitions: tuple[str, str] | None = None,
) -> Plan:
    """The plan of one run, as `plan_run` makes it: it stays as long as the run, so the collector need not look for it.

    Raises:
        InvalidSubsetError, UnknownPartitionError: as `plan_run`.
    """
    with collector_paused():
        return plan_run(graph, assets, checks, now=now, job_name=job_name, partitions=partitions)
