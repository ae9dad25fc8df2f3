"""What an instance answers about the log of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import msgspec

from segue.defs.superseded import warn_superseded
from segue.errors import WrongArgumentError
from segue.model.arguments import require_kind
from segue.model.event import EventType
from segue.model.event_filters import (
    AssetRecordsFilter,
    EventRecordsFilter,
    RunShardedEventsCursor,
    RunStatusChangeRecordsFilter,
)
from segue.model.event_log import EventLogEntry, EventLogRecord, EventRecordsResult, offset_of
from segue.model.keys import AssetKey
from segue.model.stores import EventFilter, Store

_FORGOTTEN_WITH_ASSET = frozenset(
    {EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION, EventType.ASSET_MATERIALIZATION_PLANNED}
)


class InstanceEvents:
    """The queries over events. Every page is served from an index, however long the log is."""

    store: Store

    def get_event_records(
        self, event_records_filter: EventRecordsFilter, limit: int | None = None, ascending: bool = False
    ) -> Sequence[EventLogRecord]:
        """The records of one kind of event. Superseded by `fetch_materializations` and its kin.

        Args:
            event_records_filter: which.
            limit: at most so many.
            ascending: oldest first; otherwise newest first.
        """
        warn_superseded(
            "get_event_records", "use fetch_materializations, fetch_observations or fetch_run_status_changes"
        )
        return self.store.events(self._event_filter(event_records_filter, ascending), limit)

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """One page of the materializations of an asset, since it was wiped last.

        Args:
            records_filter: which.
            limit: at most so many.
            cursor: that of the page before.
            ascending: oldest first; otherwise newest first.

        Raises:
            InvalidInvocationError: the cursor is none, or the limit is not positive.
        """
        return self._asset_page(EventType.ASSET_MATERIALIZATION, records_filter, limit, cursor, ascending)

    def fetch_observations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """One page of the observations of an asset; the arguments are those of `fetch_materializations`."""
        return self._asset_page(EventType.ASSET_OBSERVATION, records_filter, limit, cursor, ascending)

    def fetch_planned_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """One page of what runs intended to make of an asset; the arguments are those of `fetch_materializations`. Superseded."""
        warn_superseded("fetch_planned_materializations", "use all_logs of the run")
        return self._asset_page(EventType.ASSET_MATERIALIZATION_PLANNED, records_filter, limit, cursor, ascending)

    def fetch_run_status_changes(
        self,
        records_filter: EventType | RunStatusChangeRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """One page of the events that take runs to a status.

        Args:
            records_filter: which, or just the kind of event.
            limit: at most so many.
            cursor: that of the page before.
            ascending: oldest first; otherwise newest first.

        Raises:
            InvalidInvocationError: the kind of event is not one of a run, the cursor is none, or the limit is not positive.
        """
        which = (
            RunStatusChangeRecordsFilter(records_filter) if isinstance(records_filter, EventType) else records_filter
        )
        chosen = self._event_filter(which.to_event_records_filter_without_job_names(cursor, ascending), ascending)
        jobs = None if which.job_names is None else tuple(which.job_names)
        return self._page(_with_jobs(chosen, jobs), limit, cursor)

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: EventType | Set[EventType] | None = None,
        limit: int | None = None,
        ascending: bool = True,
    ) -> EventRecordsResult:
        """The records of a run, or one page of them.

        Args:
            run_id: the run.
            cursor: that of the page before.
            of_type: only of this kind, or of these.
            limit: at most so many; all that follow when None.
            ascending: oldest first; otherwise newest first.

        Raises:
            InvalidInvocationError: the cursor is none, or the limit is not positive.
        """
        before, after = EventRecordsFilter.get_cursor_params(cursor, ascending)
        which = EventFilter(run_id=run_id, types=_types(of_type), after=after, before=before, ascending=ascending)
        if limit is not None:
            return self._page(which, limit, cursor)
        records = self.store.events(which, None)
        return EventRecordsResult(records, str(records[-1].storage_id) if records else cursor or "", False)

    def all_logs(self, run_id: str, of_type: EventType | Set[EventType] | None = None) -> Sequence[EventLogEntry]:
        """The entries of a run, oldest first.

        Args:
            run_id: the run.
            of_type: only of this kind, or of these.
        """
        records = self.store.events(EventFilter(run_id=run_id, types=_types(of_type)), None)
        return [record.event_log_entry for record in records]

    def logs_after(
        self,
        run_id: str,
        cursor: int | None = None,
        of_type: EventType | Set[EventType] | None = None,
        limit: int | None = None,
    ) -> Sequence[EventLogEntry]:
        """The entries of a run after the event with the storage id `cursor`, oldest first."""
        which = EventFilter(run_id=run_id, types=_types(of_type), after=cursor)
        return [record.event_log_entry for record in self.store.events(which, limit)]

    def get_event_tags_for_asset(
        self, asset_key: AssetKey, filter_tags: Mapping[str, str] | None = None, filter_event_id: int | None = None
    ) -> Sequence[Mapping[str, str]]:
        """The tags of the materializations of an asset that have any, oldest first.

        Args:
            asset_key: the asset.
            filter_tags: only those that have all of these; every materialization of the asset is looked at.
            filter_event_id: only the one with this storage id.
        """
        which = AssetRecordsFilter(asset_key, storage_ids=None if filter_event_id is None else [filter_event_id])
        chosen = which.to_event_records_filter(EventType.ASSET_MATERIALIZATION)
        found: list[Mapping[str, str]] = []
        for record in self.store.events(self._event_filter(chosen, ascending=True), None):
            tags = record.event_log_entry.tags or {}
            if tags and (filter_tags or {}).items() <= tags.items():
                found.append(tags)
        return found

    def get_latest_storage_id_by_partition(
        self,
        asset_key: AssetKey,
        event_type: EventType,
        partitions: Set[str] | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, int]:
        """The storage id of the last event of a kind for each partition of an asset.

        Args:
            asset_key: the asset.
            event_type: the kind, one about an asset.
            partitions: only these.
            after_cursor: only events with a higher storage id.
        """
        if event_type is EventType.ASSET_MATERIALIZATION:
            found = {key: state.storage_id for key, state in self.store.partition_states(asset_key).items()}
        else:
            which = EventFilter(asset_key=asset_key, types=(event_type,), after=after_cursor)
            records = self.store.events(which, None)
            found = {record.partition_key: record.storage_id for record in records if record.partition_key is not None}
        return {
            key: storage_id
            for key, storage_id in found.items()
            if (partitions is None or key in partitions) and storage_id > (after_cursor or 0)
        }

    def _asset_page(
        self, kind: EventType, which: AssetKey | AssetRecordsFilter, limit: int, cursor: str | None, ascending: bool
    ) -> EventRecordsResult:
        require_kind("Instance", "records_filter", which, (AssetKey, AssetRecordsFilter))
        chosen = AssetRecordsFilter(which) if isinstance(which, AssetKey) else which
        records = chosen.to_event_records_filter(kind, cursor, ascending)
        return self._page(self._event_filter(records, ascending), limit, cursor)

    def _page(self, which: EventFilter, limit: int, cursor: str | None) -> EventRecordsResult:
        if limit < 1:
            raise WrongArgumentError(f"limit must be at least 1, got {limit}.")
        offset_of(cursor)
        records = self.store.events(which, limit + 1)
        page = records[:limit]
        return EventRecordsResult(page, str(page[-1].storage_id) if page else cursor or "", len(records) > limit)

    def _event_filter(self, which: EventRecordsFilter, ascending: bool) -> EventFilter:
        after = _storage_id(which.after_cursor)
        if which.asset_key is not None and which.event_type in _FORGOTTEN_WITH_ASSET:
            after = max(after or 0, wiped_at(self.store, which.asset_key)) or None
        return EventFilter(
            asset_key=which.asset_key,
            types=(which.event_type,),
            partitions=None if which.asset_partitions is None else tuple(which.asset_partitions),
            after=after,
            before=_storage_id(which.before_cursor),
            after_timestamp=which.after_timestamp,
            before_timestamp=which.before_timestamp,
            storage_ids=None if which.storage_ids is None else tuple(which.storage_ids),
            ascending=ascending,
        )


def wiped_at(store: Store, key: AssetKey, partition: str | None = None) -> int:
    """The storage id of the event with which all of an asset was wiped last, or this partition of it; 0 if it never was."""
    before: int | None = None
    while True:
        which = EventFilter(asset_key=key, types=(EventType.ASSET_WIPED,), before=before, ascending=False)
        records = store.events(which, 1)
        if not records:
            return 0
        partitions = records[0].event.asset_wiped_data.partitions
        if partitions is None or partition in partitions:
            return records[0].storage_id
        before = records[0].storage_id


def _types(of_type: EventType | Set[EventType] | None) -> tuple[EventType, ...] | None:
    if of_type is None:
        return None
    return (of_type,) if isinstance(of_type, EventType) else tuple(sorted(of_type))


def _storage_id(cursor: int | RunShardedEventsCursor | None) -> int | None:
    return cursor.id if isinstance(cursor, RunShardedEventsCursor) else cursor


def _with_jobs(which: EventFilter, job_names: tuple[str, ...] | None) -> EventFilter:
    return which if job_names is None else msgspec.structs.replace(which, job_names=job_names)
