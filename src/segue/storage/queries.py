"""The SELECTs over events and the state of assets, and how a filter becomes one.

Every list is served in order from an index, however long the log is: of a filter with several values each value is looked
up by itself, in order and no further than asked for, and what is found is put into one order.
"""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.stores import EventFilter
from segue.storage.columns import key_text
from segue.storage.fold import ASSET_TYPES, TOPIC_TYPES
from segue.storage.statements import LAST, Condition, Dialect, Query, Values, select

PLAN = "SELECT body FROM plans WHERE hash = ?"
MANIFEST = "SELECT body FROM manifests WHERE hash = ?"
ASSETS = "SELECT asset_key, storage_id, run_id, timestamp, body FROM assets"
OBSERVATIONS = "SELECT asset_key, storage_id, run_id, timestamp, body FROM asset_observations"
PARTITIONS_OF = """
    SELECT partition, storage_id, run_id, timestamp, data_version FROM asset_partitions WHERE asset_key = ?"""
DYNAMIC_PARTITIONS = "SELECT partition FROM dynamic_partitions WHERE name = ? ORDER BY number"
DYNAMIC_PARTITION = "SELECT 1 FROM dynamic_partitions WHERE name = ? AND partition = ?"
CONDITION_CURSORS = """
    SELECT c.entity_key, c.body FROM instigators i JOIN condition_cursors c ON c.instigator = i.number
    WHERE i.location = ? AND i.kind = 'sensor' AND i.name = ?"""
ACTIVE_BACKFILLS = "SELECT body FROM backfills WHERE status IN ('REQUESTED', 'PAUSED') ORDER BY number"
_CHECK_COLUMNS = "asset_key, check_name, storage_id, run_id, timestamp, body"
_CHECK_COLUMNS_OF_C = ", ".join(f"c.{column}" for column in _CHECK_COLUMNS.split(", "))
CHECKS = f"SELECT {_CHECK_COLUMNS} FROM asset_checks"
_EVENT_COLUMNS = """id, run_id, timestamp, step_key, version, body,
    (SELECT job_name FROM runs WHERE runs.run_id = events.run_id)"""
# SQLite takes 500 parts in one statement; far before that, walking the asset's events costs no more.
_MOST_PARTS = 50


def assets_query(dialect: Dialect, keys: Sequence[AssetKey] | None) -> Query:
    """The latest materializations of these assets; of all where None: the columns of `asset_state_from_row`."""
    return _of_assets(dialect, ASSETS, keys)


def observations_query(dialect: Dialect, keys: Sequence[AssetKey] | None) -> Query:
    """The latest observations of these assets; of all where None: the columns of `observation_state_from_row`."""
    return _of_assets(dialect, OBSERVATIONS, keys)


def checks_query(dialect: Dialect, keys: Sequence[AssetCheckKey] | None) -> Query:
    """The latest results of these checks; of all where None: the columns of `check_state_from_row`."""
    if keys is None:
        return CHECKS, []
    joined = f"{dialect.pairs.format('k')} {dialect.join} asset_checks c"
    text = f"SELECT {_CHECK_COLUMNS_OF_C} FROM {joined} ON c.asset_key = k.first AND c.check_name = k.second"
    return text, [*dialect.as_pairs([(key_text(key.asset_key), key.name) for key in keys])]


def event_query(dialect: Dialect, which: EventFilter, limit: int | None) -> Query:
    """The events of a filter in the order it asks for: the columns of `event_from_row`."""
    after, before = 0 if which.after is None else which.after, LAST if which.before is None else which.before
    bounds: list[Condition] = []
    if which.after_timestamp is not None:
        bounds.append(("timestamp > ?", which.after_timestamp))
    if which.before_timestamp is not None:
        bounds.append(("timestamp < ?", which.before_timestamp))
    if which.job_names is not None:
        is_named, names = dialect.within("r.job_name", which.job_names)
        bounds.append((f"EXISTS (SELECT 1 FROM runs r WHERE r.run_id = events.run_id AND {is_named})", names))
    if which.run_id is not None and dialect.in_month_of_run is not None:
        bounds.append((dialect.in_month_of_run, which.run_id))
    each, conditions = _event_conditions(dialect, which)
    direction = "ASC" if which.ascending else "DESC"
    if each is None:
        conditions = [*conditions, ("id > ?", after), ("id < ?", before), *bounds]
        return dialect.merged([select(_EVENT_COLUMNS, "events", conditions)], f"id {direction}", limit)
    values = Values(*each, after, before)
    return dialect.with_each("events", _EVENT_COLUMNS, values, [*conditions, *bounds], direction, limit)


def _event_conditions(dialect: Dialect, which: EventFilter) -> tuple[tuple[str, list[str]] | None, list[Condition]]:
    """What finds the events by the index that is best for it: values of which each is looked up by itself, and the rest."""
    types = None if which.types is None else [kind.value for kind in which.types]
    partitions = which.partitions
    asset: list[Condition] = []
    if which.asset_key is not None:
        asset.append(("asset_key = ?", key_text(which.asset_key)))

    def within(column: str, values: Sequence[str] | None) -> list[Condition]:
        return [] if values is None else [dialect.within(column, values)]

    if which.storage_ids is not None:
        rest = asset + within("run_id", None if which.run_id is None else [which.run_id])
        rest += within("type", types) + within("partition", partitions)
        return None, [dialect.within("id", sorted(set(which.storage_ids))), *rest]
    if which.run_id is not None:
        return None, [("run_id = ?", which.run_id), *asset, *within("type", types), *within("partition", partitions)]
    if asset and partitions is not None and len(partitions) <= _MOST_PARTS:
        return ("partition", sorted(set(partitions))), [*asset, *within("type", types)]
    if asset:
        kinds = ASSET_TYPES if types is None else types
        return ("type", sorted(set(kinds))), [*asset, *within("partition", partitions)]
    if types is not None and TOPIC_TYPES.issuperset(types):
        return ("topic", sorted(set(types))), within("partition", partitions)
    return None, within("type", types) + within("partition", partitions)


def matches_nothing(which: EventFilter) -> bool:
    """Whether the filter asks for one of no values, which no row can answer."""
    return () in (which.types, which.partitions, which.storage_ids, which.job_names)


def _of_assets(dialect: Dialect, text: str, keys: Sequence[AssetKey] | None) -> Query:
    if keys is None:
        return text, []
    condition, parameter = dialect.within("asset_key", [key_text(key) for key in keys])
    return f"{text} WHERE {condition}", [parameter]
