"""The SELECTs over runs, and how a filter becomes one.

Runs are listed by their number, from an index that gives them in this order: a filter with several values becomes one
SELECT per value, which the database merges. Bounds on a time are walked in the index of that time. Only runs that were
updated in a span of time and are wanted by number have to be sorted: as many as there were updates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from segue.model.run_records import RunOrder, RunsFilter
from segue.model.tags import BACKFILL_TAG
from segue.storage.statements import LAST, Condition, Dialect, Query, select

RUN_COLUMNS = "run_id, body, status, worker, started_at, ended_at, failure_reason, updated_at"
_RUN_COLUMNS_OF_R = ", ".join(f"r.{column}" for column in RUN_COLUMNS.split(", "))
RUN = f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = ?"
RUN_PLACE = "SELECT number, created_at, updated_at FROM runs WHERE run_id = ?"
# A run that is being cancelled has started too, unless it was still waiting. One that names no worker was reported from outside.
UNFINISHED_RUNS = " UNION ALL ".join(
    f"SELECT {RUN_COLUMNS} FROM runs WHERE {condition}"
    for condition in (
        "status = 'STARTED' AND started_at IS NOT NULL AND worker IS NOT NULL",
        "status = 'CANCELING' AND started_at IS NOT NULL AND worker IS NOT NULL",
        "status = 'NOT_STARTED' AND worker IS NOT NULL AND fence IS NULL",
        "status = 'STARTING' AND worker IS NOT NULL AND fence IS NULL",
        "fence > 0 AND fence IS NOT NULL AND started_at IS NULL AND ended_at IS NULL",
    )
)
# The keys are few and the rows are many: each key is found by a jump behind the one before.
TAG_KEYS = """
    WITH RECURSIVE keys (key) AS (
        SELECT min(key) FROM run_tags
        UNION ALL
        SELECT (SELECT min(key) FROM run_tags WHERE key > keys.key) FROM keys WHERE keys.key IS NOT NULL
    ) SELECT key FROM keys WHERE key IS NOT NULL"""
TAG_VALUES = """
    WITH RECURSIVE found (value) AS (
        SELECT min(value) FROM run_tags WHERE key = ? AND value >= ?
        UNION ALL
        SELECT (SELECT min(value) FROM run_tags WHERE key = ? AND value > found.value) FROM found
        WHERE substr(found.value, 1, ?) = ?
    ) SELECT value FROM found WHERE substr(value, 1, ?) = ? LIMIT ?"""


class Place(NamedTuple):
    """Where a run stands in the lists: a page goes on behind it."""

    number: int
    created_at: float
    updated_at: float


def run_query(
    dialect: Dialect,
    which: RunsFilter,
    limit: int | None,
    behind: Place | None = None,
    order: RunOrder = RunOrder.ID,
    ascending: bool = False,
) -> Query:
    """The runs of a filter behind a place: what they are ordered by, their number, then RUN_COLUMNS.

    Where `run_ids` are given the runs are found one by one, in no order: the caller sorts and cuts.
    """
    order = _order(which, order)
    parts = _parts(dialect, which, f"{_SORTED_BY[order]}, r.number, {_RUN_COLUMNS_OF_R}", behind, order, ascending)
    if which.run_ids is not None:
        return parts[0]
    by = "1 {0}" if order is RunOrder.ID else "1 {0}, 2 {0}"
    return dialect.merged(parts, by.format("ASC" if ascending else "DESC"), limit)


def count_query(dialect: Dialect, which: RunsFilter) -> Query:
    """How many runs a filter lets through."""
    parts = _parts(dialect, which, "count(*) AS runs", None, _order(which, RunOrder.ID), ascending=False)
    text = " UNION ALL ".join(text for text, _ in parts)
    return f"SELECT CAST(sum(runs) AS BIGINT) FROM ({text}) AS parts", [
        parameter for _, some in parts for parameter in some
    ]


def matches_nothing(which: RunsFilter) -> bool:
    """Whether the filter asks for one of no values, which no row can answer."""
    return which.run_ids == () or () in which.tag_values.values()


_SORTED_BY = {RunOrder.ID: "r.number", RunOrder.CREATED: "r.created_at", RunOrder.UPDATED: "r.updated_at"}


def _order(which: RunsFilter, order: RunOrder) -> RunOrder:
    # Runs are numbered in the order in which they are created, and the index of that time knows the bounds.
    return RunOrder.CREATED if order is RunOrder.ID and which.created != (None, None) else order


def _parts(
    dialect: Dialect, which: RunsFilter, columns: str, behind: Place | None, order: RunOrder, ascending: bool
) -> list[Query]:
    """The SELECTs that find the runs, each run in one of them."""
    conditions = _behind(behind, order, ascending) + _times(which)
    if which.job_name is not None:
        conditions.append(("r.job_name = ?", which.job_name))
    if which.snapshot_id is not None:
        conditions.append(("r.manifest_hash = ?", which.snapshot_id))
    if which.exclude_subruns:
        # The index of tags begins with the value, which is not known here; the body knows all tags of the run.
        conditions.append((f"{dialect.body_tag.format(BACKFILL_TAG)} IS NULL",))
    tags = list(which.tag_values.items())
    statuses = sorted({status.value for status in which.statuses or ()})
    in_status = [dialect.within("r.status", statuses)] if statuses else []
    rest = [*conditions, *_bearing(dialect, tags), *in_status]
    if which.run_ids is not None:
        named = f"{dialect.texts.format('j')} {dialect.join} runs r ON r.run_id = j.value"
        text, parameters = select(columns, named, rest)
        return [(text, [dialect.as_list(sorted(set(which.run_ids))), *parameters])]
    if order is not RunOrder.ID or which.updated != (None, None):
        index = "runs_by_creation" if order is RunOrder.CREATED else "runs_by_update"
        return [select(columns, f"runs r{dialect.by_index.format(index)}", rest)]
    if tags:
        return _by_tag(dialect, columns, tags, conditions + in_status, behind, ascending)
    if statuses:
        return [select(columns, "runs r", [("r.status = ?", status), *conditions]) for status in statuses]
    return [select(columns, "runs r", conditions)]


def _behind(behind: Place | None, order: RunOrder, ascending: bool) -> list[Condition]:
    comparison = ">" if ascending else "<"
    if order is RunOrder.ID:
        if behind is None:
            return [(f"r.number {comparison} ?", 0 if ascending else LAST)]
        return [(f"r.number {comparison} ?", behind.number)]
    if behind is None:
        return [(f"{_SORTED_BY[order]} {comparison}= ?", -math.inf if ascending else math.inf)]
    time = behind.created_at if order is RunOrder.CREATED else behind.updated_at
    return [(f"({_SORTED_BY[order]}, r.number) {comparison} (?, ?)", time, behind.number)]


def _times(which: RunsFilter) -> list[Condition]:
    bounds = {"r.created_at": which.created, "r.updated_at": which.updated}
    return [
        (f"{column} {comparison} ?", bound)
        for column, (after, before) in bounds.items()
        for comparison, bound in ((">", after), ("<", before))
        if bound is not None
    ]


def _by_tag(
    dialect: Dialect,
    columns: str,
    tags: Sequence[tuple[str, Sequence[str]]],
    conditions: Sequence[Condition],
    behind: Place | None,
    ascending: bool,
) -> list[Query]:
    (key, values), *others = tags
    columns = columns.replace("r.number", "t.run_number", 1)
    is_list = columns.startswith("t.")  # who counts reads them all
    source = f"run_tags t {dialect.run_of_tag if is_list else f'{dialect.join} runs r ON r.number = t.run_number'}"
    from_here: list[Condition] = []
    if behind is not None:
        from_here.append((f"t.run_number {'>' if ascending else '<'} ?", behind.number))
    return [
        select(
            columns,
            source,
            [("t.key = ?", key), ("t.value = ?", value), *from_here, *conditions, *_bearing(dialect, others)],
        )
        for value in sorted(set(values))
    ]


def _bearing(dialect: Dialect, tags: Sequence[tuple[str, Sequence[str]]]) -> list[Condition]:
    bears = (
        f"EXISTS (SELECT 1 FROM {dialect.texts.format('v')} {dialect.join} run_tags x "
        "ON x.key = ? AND x.value = v.value AND x.run_number = r.number)"
    )
    return [(bears, dialect.as_list(values), key) for key, values in tags]
