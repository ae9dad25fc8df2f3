"""What automation looks at: the recorded state of assets, checks and runs, and what it remembers of its own.

All are values. The shell reads them from the store (`host/automation_facts.py`), `decide/automation` works on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec

from segue.model.freshness import FreshnessState
from segue.model.keys import EntityKey
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import Run

SubsetValue: TypeAlias = bool | PartitionSubset
"""Which part of a target: partitions, or for one without partitions whether it is meant at all."""


def shown_part(value: SubsetValue) -> str:
    """A part of a target in words: yes or no, or its first few ranges of partitions."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    ranges = [first if first == last else f"{first}...{last}" for first, last in value.ranges[:5]]
    return ", ".join([*ranges, *(["..."] if len(value.ranges) > 5 else [])]) or "no partition"


class Update(msgspec.Struct, frozen=True):
    """One materialization, observation or check execution.

    Attributes:
        storage_id: its place in the log.
        timestamp: seconds since 1970, UTC.
        run_id: who did it; None outside of any run.
        data_version: what it says of the data; None where it says nothing.
    """

    storage_id: int
    timestamp: float
    run_id: str | None = None
    data_version: str | None = None

    @property
    def version(self) -> str | None:
        """What is compared to see whether the data changed: each run makes new data where nothing else is said."""
        return self.data_version or self.run_id


class EntityFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of one target.

    Attributes:
        made: which part was ever made, observed or executed; None for nothing.
        latest: the last update by partition; under None for a target without partitions. Of a target with partitions, those
            since the previous evaluation, and those before that conditions ask about.
        before: the last update before the previous evaluation, for what was updated since; where it was asked for.
        updates: every update since the previous evaluation, by partition; where it was asked for.
        is_observed: whether the updates are observations: it is looked at, and made elsewhere.
        passed: of a check: whether the last execution passed, by partition like `latest`.
        freshness: what the asset's freshness policy says now.
        backfilling: which part backfills are still going to ask runs for; their runs are among the active ones.
    """

    made: SubsetValue | None = None
    latest: Mapping[str | None, Update] = {}
    before: Mapping[str | None, Update] = {}
    updates: Mapping[str | None, tuple[Update, ...]] = {}
    is_observed: bool = False
    passed: Mapping[str | None, bool] = {}
    freshness: FreshnessState = FreshnessState.NOT_APPLICABLE
    backfilling: SubsetValue = False


class AutomationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an evaluation looks at.

    Attributes:
        now: the time of the evaluation.
        last_storage_id: the place of the last event of the log.
        entities: what is recorded of each target that a condition may ask about.
        runs: the runs that updates name, by id, where conditions look at them.
        active_runs: the runs that wait or are under way.
        failed_runs: the runs that failed; where it was asked for.
        updated: the targets of which the log says something since the previous evaluation.
        changed: those of which something else that is looked at is not what it was then: runs, partitions, freshness.
    """

    now: datetime
    last_storage_id: int = 0
    entities: Mapping[EntityKey, EntityFacts] = {}
    runs: Mapping[str, Run] = {}
    active_runs: tuple[Run, ...] = ()
    failed_runs: tuple[Run, ...] = ()
    updated: frozenset[EntityKey] = frozenset()
    changed: frozenset[EntityKey] = frozenset()


class NodeCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one node of a condition remembers.

    Attributes:
        true, candidates: for what it was true, and about what it was asked.
        text: what a custom condition wrote down, or a version that is compared.
        extra: one more set, for conditions that compare with more than their own result.
        metadata: facts to show beside the result.
    """

    true: SubsetValue = False
    candidates: SubsetValue = False
    text: str | None = None
    extra: SubsetValue | None = None
    metadata: dict[str, AnyMetadataValue] = {}


class EntityCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of the last evaluation of one target.

    Attributes:
        timestamp: when that was, in seconds since 1970, UTC; None where it was the last evaluation of all.
        last_storage_id: how far the log went; it counts where there is a timestamp.
        requested: what it asked for.
        condition: the unique id of the condition it was evaluated with.
        nodes: what the nodes of the condition remember, by their unique id.
    """

    timestamp: float | None = None
    last_storage_id: int = 0
    requested: SubsetValue = False
    condition: str = ""
    nodes: dict[str, NodeCursor] = {}


class AutomationCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an evaluation leaves to the next: a value that survives JSON.

    Attributes:
        evaluation_id: how many evaluations there were.
        entities: what is remembered of each target, by its key as text.
        timestamp: when the last one was, in seconds since 1970, UTC.
        last_storage_id: how far the log went then.
    """

    evaluation_id: int = 0
    entities: dict[str, EntityCursor] = {}
    timestamp: float = 0.0
    last_storage_id: int = 0
