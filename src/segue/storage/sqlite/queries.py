"""The SELECTs, and how a filter becomes one.

Every list is served in order from an index, however long the log is: a filter with several values becomes one SELECT
per value, which SQLite merges by their order instead of sorting what they find.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from segue.model.stores import EventFilter, RunFilter
from segue.storage.columns import json_list, key_text
from segue.storage.fold import ASSET_TYPES, TOPIC_TYPES

Query: TypeAlias = tuple[str, list[object]]
"""A statement and its parameters."""

Condition: TypeAlias = tuple[str, *tuple[object, ...]]
"""A condition and its parameters."""

RUN_COLUMNS = "run_id, body, status, worker, started_at, ended_at, failure_reason"
_RUN_COLUMNS_OF_R = "r.number, " + ", ".join(f"r.{column}" for column in RUN_COLUMNS.split(", "))
RUN = f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = ?"
RUN_NUMBER = "SELECT number FROM runs WHERE run_id = ?"
PLAN = "SELECT body FROM plans WHERE hash = ?"
MANIFEST = "SELECT body FROM manifests WHERE hash = ?"
ASSETS = "SELECT asset_key, storage_id, run_id, timestamp, body FROM assets"
ASSETS_OF = f"{ASSETS} WHERE asset_key IN (SELECT value FROM json_each(?))"
PARTITIONS_OF = """
    SELECT partition, storage_id, run_id, timestamp, data_version FROM asset_partitions WHERE asset_key = ?"""
DYNAMIC_PARTITIONS = "SELECT partition FROM dynamic_partitions WHERE name = ? ORDER BY number"
DYNAMIC_PARTITION = "SELECT 1 FROM dynamic_partitions WHERE name = ? AND partition = ?"
CHECKS = "SELECT asset_key, check_name, storage_id, run_id, timestamp, body FROM asset_checks"
CHECKS_OF = """
    SELECT c.asset_key, c.check_name, c.storage_id, c.run_id, c.timestamp, c.body
    FROM json_each(?) k CROSS JOIN asset_checks c
    ON c.asset_key = json_extract(k.value, '$[0]') AND c.check_name = json_extract(k.value, '$[1]')"""
# A run that is being cancelled has started too, unless it was still waiting.
UNFINISHED_RUNS = " UNION ALL ".join(
    f"SELECT {RUN_COLUMNS} FROM runs WHERE status = '{status}' AND started_at IS NOT NULL"
    for status in ("STARTED", "CANCELING")
)

_EVENT_COLUMNS = """id, run_id, timestamp, step_key, version, body,
    (SELECT job_name FROM runs WHERE runs.run_id = events.run_id)"""
_LAST = 2**63 - 1
# SQLite takes 500 parts in one statement; far before that, walking the asset's events costs no more.
_MOST_PARTS = 50


def run_query(which: RunFilter, limit: int | None, before: int | None) -> Query:
    """The runs of a filter with a lower number than `before`: their number, then RUN_COLUMNS.

    Newest first, except where `run_ids` are given: these are found one by one, and the caller sorts and cuts.
    """
    tags = list(which.tags.items())
    conditions: list[Condition] = [("r.number < ?", _LAST if before is None else before)]
    if which.job_name is not None:
        conditions.append(("r.job_name = ?", which.job_name))
    if which.run_ids is not None:
        conditions += _bearing(tags) + _within("r.status", _status_values(which))
        text, parameters = _select(
            _RUN_COLUMNS_OF_R, "json_each(?) j CROSS JOIN runs r ON r.run_id = j.value", conditions
        )
        return text, [json_list(sorted(set(which.run_ids))), *parameters]
    if tags:
        first, *others = tags
        tagged: list[Condition] = [("t.key = ?", first[0]), ("t.value = ?", first[1])]
        if before is not None:
            tagged.append(("t.run_number < ?", before))
        conditions = tagged + conditions + _bearing(others) + _within("r.status", _status_values(which))
        columns = _RUN_COLUMNS_OF_R.replace("r.number", "t.run_number")
        parts = [_select(columns, "run_tags t CROSS JOIN runs r ON r.number = t.run_number", conditions)]
    elif which.statuses is None:
        parts = [_select(_RUN_COLUMNS_OF_R, "runs r", conditions)]
    else:
        parts = [
            _select(_RUN_COLUMNS_OF_R, "runs r", [("r.status = ?", status), *conditions])
            for status in _status_values(which) or ()
        ]
    return _merge(parts, "DESC", limit)


def event_query(which: EventFilter, limit: int | None) -> Query:
    """The events of a filter in the order it asks for: the columns of `event_from_row`."""
    bounds: list[Condition] = [
        ("id > ?", 0 if which.after is None else which.after),
        ("id < ?", _LAST if which.before is None else which.before),
    ]
    if which.after_timestamp is not None:
        bounds.append(("timestamp > ?", which.after_timestamp))
    if which.before_timestamp is not None:
        bounds.append(("timestamp < ?", which.before_timestamp))
    if which.job_names is not None:
        of_job = "EXISTS (SELECT 1 FROM runs r WHERE r.run_id = events.run_id AND r.job_name IN (SELECT value FROM json_each(?)))"
        bounds.append((of_job, json_list(which.job_names)))
    types = None if which.types is None else [kind.value for kind in which.types]
    partitions = which.partitions
    asset: list[Condition] = []
    if which.asset_key is not None:
        asset.append(("asset_key = ?", key_text(which.asset_key)))
    if which.storage_ids is not None:
        rest = asset + _within("run_id", None if which.run_id is None else [which.run_id])
        rest += _within("type", types) + _within("partition", partitions)
        parts = [[("id IN (SELECT value FROM json_each(?))", json_list(sorted(set(which.storage_ids)))), *rest]]
    elif which.run_id is not None:
        rest = asset + _within("type", types) + _within("partition", partitions)
        parts = [[("run_id = ?", which.run_id), *rest]]
    elif asset and partitions is not None and len(partitions) <= _MOST_PARTS:
        parts = [[*asset, ("partition = ?", partition), *_within("type", types)] for partition in set(partitions)]
    elif asset:
        kinds = ASSET_TYPES if types is None else types
        parts = [[*asset, ("type = ?", kind), *_within("partition", partitions)] for kind in set(kinds)]
    elif types is not None and TOPIC_TYPES.issuperset(types):
        parts = [[("topic = ?", kind), *_within("partition", partitions)] for kind in set(types)]
    else:
        parts = [_within("type", types) + _within("partition", partitions)]
    selects = [_select(_EVENT_COLUMNS, "events", [*part, *bounds]) for part in parts]
    return _merge(selects, "ASC" if which.ascending else "DESC", limit)


def matches_nothing(which: RunFilter | EventFilter) -> bool:
    """Whether the filter asks for one of no values, which no row can answer."""
    if isinstance(which, RunFilter):
        return which.run_ids == () or which.statuses == ()
    return () in (which.types, which.partitions, which.storage_ids, which.job_names)


def _status_values(which: RunFilter) -> list[str] | None:
    return None if which.statuses is None else sorted({status.value for status in which.statuses})


def _within(column: str, values: Sequence[str] | None) -> list[Condition]:
    return [] if values is None else [(f"{column} IN (SELECT value FROM json_each(?))", json_list(values))]


def _bearing(tags: Sequence[tuple[str, str]]) -> list[Condition]:
    return [
        (
            "EXISTS (SELECT 1 FROM run_tags x WHERE x.key = ? AND x.value = ? AND x.run_number = r.number)",
            *tag,
        )
        for tag in tags
    ]


def _select(columns: str, source: str, conditions: Sequence[Condition]) -> Query:
    where = " AND ".join(condition[0] for condition in conditions)
    return f"SELECT {columns} FROM {source} WHERE {where}", [value for _, *values in conditions for value in values]


def _merge(parts: Sequence[Query], direction: str, limit: int | None) -> Query:
    text = " UNION ALL ".join(text for text, _ in parts)
    parameters = [parameter for _, some in parts for parameter in some]
    return f"{text} ORDER BY 1 {direction} LIMIT ?", [*parameters, -1 if limit is None else limit]
