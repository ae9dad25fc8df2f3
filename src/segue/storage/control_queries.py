"""The SELECTs of the control plane, each served in order from an index, and what their rows mean."""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus
from segue.model.tick_record import TickStatus
from segue.storage.columns import Row
from segue.storage.run_queries import RUN_COLUMNS
from segue.storage.statements import LAST, Dialect, Query

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
PAYLOADS = """
    SELECT number, sent_at, body FROM payloads
    WHERE instigator = (SELECT number FROM instigators WHERE location = ? AND kind = ? AND name = ?) ORDER BY number LIMIT ?"""
WITH_PAYLOADS = """
    SELECT location, kind, name FROM instigators WHERE number IN (SELECT DISTINCT instigator FROM payloads)"""
MANIFEST = "SELECT body FROM manifests WHERE hash = ?"
LOCATIONS = "SELECT body FROM locations ORDER BY name"
LOOPS = "SELECT body FROM loops ORDER BY name"


def instigators_named(dialect: Dialect, names: Sequence[str]) -> Query:
    """All schedules and sensors with these names: number, then what `instigator_from_row` takes."""
    text = f"SELECT number, {_INSTIGATOR_COLUMNS} FROM instigators WHERE {dialect.is_one_of.format('name')}"
    return text, [dialect.as_list(names)]


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


def tick_query(
    dialect: Dialect, instigator: int, limit: int, before: int | None, statuses: Sequence[str] | None
) -> Query:
    """Ticks of a schedule or sensor, newest first: number and body."""
    # The index knows the order of those of each status.
    wanted = {status.value for status in TickStatus} if statuses is None else set(statuses)
    part = "SELECT number, body FROM ticks WHERE instigator = ? AND status = ? AND number < ?"
    parts: list[Query] = [(part, [instigator, status, _last(before)]) for status in sorted(wanted)]
    return dialect.merged(parts, "1 DESC", limit)


def queue_query(dialect: Dialect, limit: int, after: tuple[int, int] | None) -> Query:
    """Queued runs: priority, number, then RUN_COLUMNS."""
    source = f"runs{dialect.by_index.format('runs_queued')}"
    text = f"SELECT priority, number, {RUN_COLUMNS} FROM {source} WHERE status = 'QUEUED'"
    if after is None:
        return dialect.merged([(text, [])], "1 DESC, 2", limit)
    priority, number = after
    # In two parts, so that each is a span of the index.
    same: Query = (f"{text} AND priority = ? AND number > ?", [priority, number])
    lower: Query = (f"{text} AND priority < ?", [priority])
    return dialect.merged([same, lower], "1 DESC, 2", limit)


def backfill_query(dialect: Dialect, statuses: Sequence[str] | None, limit: int, before: int | None) -> Query:
    """Backfills, newest first: number and body."""
    if statuses is None:
        parts: list[Query] = [("SELECT number, body FROM backfills WHERE number < ?", [_last(before)])]
    else:
        part = "SELECT number, body FROM backfills WHERE status = ? AND number < ?"
        parts = [(part, [status, _last(before)]) for status in sorted(set(statuses))]
    return dialect.merged(parts, "1 DESC", limit)


def _last(before: int | None) -> int:
    return LAST if before is None else before


def evaluation_query(dialect: Dialect, key: str, limit: int, before: int | None) -> Query:
    """Evaluations of the condition of a target, newest first: number and body."""
    part = "SELECT number, body FROM condition_evaluations WHERE entity_key = ? AND number < ?"
    return dialect.merged([(part, [key, _last(before)])], "1 DESC", limit)
