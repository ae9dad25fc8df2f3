"""Conditions as data that is shown and stored beside evaluations: what a node was called, what stood below it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

OperatorType: TypeAlias = Literal["and", "or", "not", "identity"]
FreshnessName: TypeAlias = Literal["PASS", "WARN", "FAIL"]


class AutomationConditionNodeSnapshot(msgspec.Struct, frozen=True):
    """One node of a condition."""

    class_name: str
    description: str
    unique_id: str
    label: str | None = None
    name: str | None = None
    operator_type: OperatorType = "identity"


class AutomationConditionSnapshot(msgspec.Struct, frozen=True):
    """A condition with everything below it."""

    node_snapshot: AutomationConditionNodeSnapshot
    children: tuple[AutomationConditionSnapshot, ...] = ()
