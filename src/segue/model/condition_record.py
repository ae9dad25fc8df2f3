"""What the condition of a target said, on record: so that people can ask why it was made, or was not."""

from __future__ import annotations

import msgspec

from segue.model.condition.evaluation import AutomationConditionEvaluation


class ConditionRecord(msgspec.Struct, frozen=True):
    """One evaluation of the condition of an asset, check or job.

    Attributes:
        key: the target, as text.
        timestamp: when, in seconds since 1970, UTC.
        requested: how many partitions it asked for; 1 or 0 for a target without partitions.
        evaluation: what each node of the condition was asked, and for what it was true.
    """

    key: str
    timestamp: float
    requested: int
    evaluation: AutomationConditionEvaluation


class ConditionEntry(msgspec.Struct, frozen=True):
    """An evaluation with its place in the store, by which pages go on."""

    number: int
    record: ConditionRecord


class ConditionCursor(msgspec.Struct, frozen=True):
    """What is remembered of a target, by its key as text: an `EntityCursor` as JSON, or None where it is to be forgotten."""

    key: str
    body: str | None
