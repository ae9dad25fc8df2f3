"""What was recorded of the executions of checks, as `instance.event_log_storage` tells it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence, Set

import msgspec

from segue.defs.instance_events import wiped_at
from segue.defs.instance_pools import InstancePools, PoolStorage
from segue.errors import InvalidInvocationError
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import AssetCheckEvaluationData, AssetCheckPlannedData, EventType
from segue.model.event_log import EventLogEntry, EventLogRecord
from segue.model.keys import AssetCheckKey
from segue.model.stores import EventFilter

_KINDS = (EventType.ASSET_CHECK_EVALUATION, EventType.ASSET_CHECK_EVALUATION_PLANNED)
_PAGE = 500


class AssetCheckExecutionRecordStatus(enum.Enum):
    """What became of an execution of a check: a run intends it, or it found all well, or not."""

    PLANNED = "PLANNED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class AssetCheckExecutionRecord(msgspec.Struct, frozen=True):
    """One execution of a check.

    Attributes:
        key: which check.
        id: its number in the log; a cursor for those before it.
        run_id: the run; empty for what was reported from outside.
        status: what became of it.
        event: what was recorded last of it.
        create_timestamp: when that was, in seconds since 1970, UTC.
    """

    key: AssetCheckKey
    id: int
    run_id: str
    status: AssetCheckExecutionRecordStatus
    event: EventLogEntry
    create_timestamp: float

    @property
    def evaluation(self) -> AssetCheckEvaluation | None:
        """What it found; None where it is only planned."""
        payload = self.event.event.payload
        return payload.evaluation if isinstance(payload, AssetCheckEvaluationData) else None

    @property
    def partition(self) -> str | None:
        """The partition that was looked at, of a check with partitions."""
        return None if self.evaluation is None else self.evaluation.partition


class InstanceChecks(InstancePools):
    """The parts of the store that are asked for under Dagster's names."""

    @property
    def event_log_storage(self) -> EventLogStorage:
        """Executions of checks and the slots of pools, under Dagster's names; an instance has one store."""
        return EventLogStorage(self.store, self.concurrency)


class EventLogStorage(PoolStorage):
    """The parts of the store that are asked for under Dagster's names: executions of checks, and the slots of pools."""

    def get_asset_check_execution_history(
        self,
        check_key: AssetCheckKey,
        limit: int,
        cursor: int | None = None,
        status: Set[AssetCheckExecutionRecordStatus] | None = None,
    ) -> Sequence[AssetCheckExecutionRecord]:
        """The executions of a check since its asset was wiped last, newest first.

        Args:
            check_key: which check.
            limit: at most so many.
            cursor: only those before this one (`record.id`).
            status: only those of which this became; all when None.

        Raises:
            InvalidInvocationError: the limit is less than 1.
        """
        if limit < 1:
            raise InvalidInvocationError(f"limit must be at least 1, got {limit}.")
        found: list[AssetCheckExecutionRecord] = []
        evaluated: set[str] = set()
        wiped = wiped_at(self._store, check_key.asset_key)
        before: int | None = None  # from the end on also behind a cursor: what a run evaluated is no longer planned
        while len(found) < limit:
            wanted = EventFilter(
                asset_key=check_key.asset_key, types=_KINDS, after=wiped, before=before, ascending=False
            )
            page = self._store.events(wanted, _PAGE)
            for each in page:
                record = _execution(check_key, each)
                if record is None or (record.evaluation is None and record.run_id in evaluated):
                    continue
                evaluated.add(record.run_id)
                if (cursor is None or record.id < cursor) and (status is None or record.status in status):
                    found.append(record)
            if len(page) < _PAGE:
                break
            before = page[-1].storage_id
        return found[:limit]

    def get_latest_asset_check_execution_by_key(
        self, check_keys: Sequence[AssetCheckKey]
    ) -> Mapping[AssetCheckKey, AssetCheckExecutionRecord]:
        """The last execution of each of these checks that has one."""
        found = {key: self.get_asset_check_execution_history(key, limit=1) for key in check_keys}
        return {key: records[0] for key, records in found.items() if records}


def _execution(key: AssetCheckKey, record: EventLogRecord) -> AssetCheckExecutionRecord | None:
    """What a record says of a check; None where it is about another."""
    payload = record.event.payload
    statuses = AssetCheckExecutionRecordStatus
    if isinstance(payload, AssetCheckEvaluationData) and payload.evaluation.asset_check_key == key:
        status = statuses.SUCCEEDED if payload.evaluation.passed else statuses.FAILED
    elif isinstance(payload, AssetCheckPlannedData) and AssetCheckKey(payload.asset_key, payload.check_name) == key:
        status = statuses.PLANNED
    else:
        return None
    return AssetCheckExecutionRecord(
        key=key,
        id=record.storage_id,
        run_id=record.run_id,
        status=status,
        event=record.event_log_entry,
        create_timestamp=record.timestamp,
    )
