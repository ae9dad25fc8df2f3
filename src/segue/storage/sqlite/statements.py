"""SELECTs put together from conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from segue.storage.columns import json_list

Query: TypeAlias = tuple[str, list[object]]
"""A statement and its parameters."""

Condition: TypeAlias = tuple[str, *tuple[object, ...]]
"""A condition and its parameters."""


def select(columns: str, source: str, conditions: Sequence[Condition]) -> Query:
    """What satisfies all conditions; everything where there are none."""
    where = " AND ".join(condition[0] for condition in conditions) or "TRUE"
    return f"SELECT {columns} FROM {source} WHERE {where}", [value for _, *values in conditions for value in values]


def within(column: str, values: Sequence[str]) -> Condition:
    """That a column holds one of these."""
    return (f"{column} IN (SELECT value FROM json_each(?))", json_list(values))
