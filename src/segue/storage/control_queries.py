"""The SELECTs of the control plane, each served in order from an index, and what their rows mean."""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus
from segue.storage.columns import Row
from segue.storage.run_queries import RUN_COLUMNS
from segue.storage.statements import LAST, Query

_INSTIGATOR_COLUMNS = "location, kind, name, status, cursor, started_at, last_tick_at, last_run_key, failures"
INSTIGATOR = f"SELECT number, {_INSTIGATOR_COLUMNS} FROM instigators WHERE location = ? AND kind = ? AND name = ?"
INSTIGATORS = f"SELECT {_INSTIGATOR_COLUMNS} FROM instigators"
INSTIGATORS_OF = f"{INSTIGATORS} WHERE location = ?"
# What has been switched since shows in one of the sums: one that is switched on has a new `started_at`.
SWITCHES = """
    SELECT COUNT(*), SUM(CASE status WHEN 'running' THEN 1 ELSE 0 END), SUM(CASE status WHEN 'stopped' THEN 1 ELSE 0 END),
    SUM(started_at), COUNT(started_at) FROM instigators WHERE kind = ?"""
BACKFILL = "SELECT body FROM backfills WHERE backfill_id = ?"
BACKFILL_NUMBER = "SELECT number FROM backfills WHERE backfill_id = ?"
LOCATIONS = "SELECT body FROM locations ORDER BY name"
LOOPS = "SELECT body FROM loops ORDER BY name"


def instigator_from_row(row: Row) -> InstigatorState:
    """The state of a schedule or sensor from its columns, `location` first."""
    location, kind, name, status, cursor, started_at, last_tick_at, last_run_key, failures = row
    return InstigatorState(
        id=InstigatorId(location, InstigatorKind(kind), name),
        status=InstigatorStatus(status),
        cursor=cursor,
        started_at=started_at,
        last_tick_at=last_tick_at,
        last_run_key=last_run_key,
        failures=failures,
    )


def tick_query(instigator: int, limit: int, before: int | None, statuses: Sequence[str] | None) -> Query:
    """Ticks of a schedule or sensor, newest first: number and body."""
    last = LAST if before is None else before
    if statuses is None:
        text = "SELECT number, body FROM ticks WHERE instigator = ? AND number < ?"
        return f"{text} ORDER BY number DESC LIMIT ?", [instigator, last, limit]
    part = "SELECT number, body FROM ticks WHERE instigator = ? AND status = ? AND number < ?"
    parameters = [value for status in sorted(set(statuses)) for value in (instigator, status, last)]
    text = " UNION ALL ".join([part] * len(set(statuses)))
    return f"{text} ORDER BY 1 DESC LIMIT ?", [*parameters, limit]


def queue_query(limit: int, after: tuple[int, int] | None) -> Query:
    """Queued runs: priority, number, then RUN_COLUMNS."""
    text = f"SELECT priority, number, {RUN_COLUMNS} FROM runs WHERE status = 'QUEUED'"
    order = "ORDER BY priority DESC, number LIMIT ?"
    if after is None:
        return f"{text} {order}", [limit]
    priority, number = after
    # In two parts, so that each is a span of the index.
    same = f"{text} AND priority = ? AND number > ?"
    lower = f"{text} AND priority < ?"
    return f"{same} UNION ALL {lower} ORDER BY 1 DESC, 2 LIMIT ?", [priority, number, priority, limit]


def backfill_query(statuses: Sequence[str] | None, limit: int, before: int | None) -> Query:
    """Backfills, newest first: number and body."""
    last = LAST if before is None else before
    if statuses is None:
        return "SELECT number, body FROM backfills WHERE number < ? ORDER BY number DESC LIMIT ?", [last, limit]
    part = "SELECT number, body FROM backfills WHERE status = ? AND number < ?"
    parameters = [value for status in sorted(set(statuses)) for value in (status, last)]
    text = " UNION ALL ".join([part] * len(set(statuses)))
    return f"{text} ORDER BY 1 DESC LIMIT ?", [*parameters, limit]
