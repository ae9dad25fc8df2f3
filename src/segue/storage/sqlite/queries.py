"""The SELECTs over events and the state of assets, and how a filter becomes one.

Every list is served in order from an index, however long the log is: a filter with several values becomes one SELECT
per value, which SQLite merges by their order instead of sorting what they find.
"""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.stores import EventFilter
from segue.storage.columns import json_list, key_text
from segue.storage.fold import ASSET_TYPES, TOPIC_TYPES
from segue.storage.sqlite.statements import Condition, Query, select, within

PLAN = "SELECT body FROM plans WHERE hash = ?"
MANIFEST = "SELECT body FROM manifests WHERE hash = ?"
ASSETS = "SELECT asset_key, storage_id, run_id, timestamp, body FROM assets"
ASSETS_OF = f"{ASSETS} WHERE asset_key IN (SELECT value FROM json_each(?))"
OBSERVATIONS = "SELECT asset_key, storage_id, run_id, timestamp, body FROM asset_observations"
OBSERVATIONS_OF = f"{OBSERVATIONS} WHERE asset_key IN (SELECT value FROM json_each(?))"
PARTITIONS_OF = """
    SELECT partition, storage_id, run_id, timestamp, data_version FROM asset_partitions WHERE asset_key = ?"""
DYNAMIC_PARTITIONS = "SELECT partition FROM dynamic_partitions WHERE name = ? ORDER BY number"
DYNAMIC_PARTITION = "SELECT 1 FROM dynamic_partitions WHERE name = ? AND partition = ?"
CHECKS = "SELECT asset_key, check_name, storage_id, run_id, timestamp, body FROM asset_checks"
CHECKS_OF = """
    SELECT c.asset_key, c.check_name, c.storage_id, c.run_id, c.timestamp, c.body
    FROM json_each(?) k CROSS JOIN asset_checks c
    ON c.asset_key = json_extract(k.value, '$[0]') AND c.check_name = json_extract(k.value, '$[1]')"""
_EVENT_COLUMNS = """id, run_id, timestamp, step_key, version, body,
    (SELECT job_name FROM runs WHERE runs.run_id = events.run_id)"""
_LAST = 2**63 - 1
# SQLite takes 500 parts in one statement; far before that, walking the asset's events costs no more.
_MOST_PARTS = 50


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
    selects = [select(_EVENT_COLUMNS, "events", [*part, *bounds]) for part in parts]
    return _merge(selects, "ASC" if which.ascending else "DESC", limit)


def matches_nothing(which: EventFilter) -> bool:
    """Whether the filter asks for one of no values, which no row can answer."""
    return () in (which.types, which.partitions, which.storage_ids, which.job_names)


def _within(column: str, values: Sequence[str] | None) -> list[Condition]:
    return [] if values is None else [within(column, values)]


def _merge(parts: Sequence[Query], direction: str, limit: int | None) -> Query:
    text = " UNION ALL ".join(text for text, _ in parts)
    parameters = [parameter for _, some in parts for parameter in some]
    return f"{text} ORDER BY 1 {direction} LIMIT ?", [*parameters, -1 if limit is None else limit]
