"""What is on record of an asset, as users read it."""

from __future__ import annotations

import enum

import msgspec

from segue.model.event_log import EventLogEntry, EventLogRecord
from segue.model.keys import AssetKey


class AssetPartitionStatus(enum.Enum):
    """The status of a partition of an asset: materialized; in progress; or failed in the last attempt."""

    MATERIALIZED = "MATERIALIZED"
    IN_PROGRESS = "IN_PROGRESS"
    FAILED = "FAILED"


class AssetEntry(msgspec.Struct, frozen=True):
    """The latest of an asset.

    Attributes:
        asset_key: which asset.
        last_materialization_record: when and how it was made last; None when it was not, or was wiped since.
        last_observation_record: when and how it was observed last.
    """

    asset_key: AssetKey
    last_materialization_record: EventLogRecord | None = None
    last_observation_record: EventLogRecord | None = None

    @property
    def last_materialization(self) -> EventLogEntry | None:
        """The entry of the last materialization."""
        record = self.last_materialization_record
        return None if record is None else record.event_log_entry

    @property
    def last_materialization_storage_id(self) -> int | None:
        """The storage id of the last materialization."""
        record = self.last_materialization_record
        return None if record is None else record.storage_id

    @property
    def last_observation(self) -> EventLogEntry | None:
        """The entry of the last observation."""
        record = self.last_observation_record
        return None if record is None else record.event_log_entry

    @property
    def last_observation_storage_id(self) -> int | None:
        """The storage id of the last observation."""
        record = self.last_observation_record
        return None if record is None else record.storage_id

    @property
    def last_run_id(self) -> str | None:
        """The run that made it last; None when something outside of a run did, or nothing."""
        record = self.last_materialization_record
        return None if record is None else record.event.run_id

    @property
    def last_event_timestamp(self) -> float | None:
        """When it was made or observed last: seconds since 1970, UTC."""
        records = (self.last_materialization_record, self.last_observation_record)
        return max((record.timestamp for record in records if record is not None), default=None)


class AssetRecord(msgspec.Struct, frozen=True):
    """The latest of an asset, with the highest storage id in it."""

    asset_entry: AssetEntry

    @property
    def storage_id(self) -> int:
        """The storage id of the last event in it."""
        entry = self.asset_entry
        return max(entry.last_materialization_storage_id or 0, entry.last_observation_storage_id or 0)
