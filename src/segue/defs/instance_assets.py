"""What an instance answers about assets, and what it records of them from outside of runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from segue.defs.instance_events import wiped_at
from segue.errors import InvalidInvocationError, InvariantViolationError
from segue.model.arguments import require_each, require_kind
from segue.model.asset_records import AssetEntry, AssetPartitionStatus, AssetRecord
from segue.model.checks import AssetCheckEvaluation
from segue.model.data_version import CODE_VERSION_TAG
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    EventType,
    StepMaterializationData,
)
from segue.model.event_log import EventLogEntry, EventLogRecord
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.loading import DynamicKeys
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import AssetState, CheckState, EventFilter, ObservationState, PartitionState, Store

_PAGE = 1000


class InstanceAssets:
    """The queries over the state of assets, and its changes."""

    store: Store

    def has_asset_key(self, asset_key: AssetKey) -> bool:
        """Whether the asset was ever made or observed (and not wiped since)."""
        _require_keys([asset_key])
        return bool(self.store.asset_states([asset_key]) or self.store.observation_states([asset_key]))

    def get_asset_keys(
        self, prefix: Sequence[str] | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[AssetKey]:
        """The assets that were made or observed, sorted.

        Args:
            prefix: only those whose keys begin with these parts.
            limit: at most so many.
            cursor: only those after this one, written as the JSON list of its parts (`AssetKey.to_string()`).

        Raises:
            InvalidInvocationError: the cursor is something else.
        """
        known = self.store.asset_states(None).keys() | self.store.observation_states(None).keys()
        keys = [key for key in sorted(known) if key.has_prefix(prefix or ())]
        after = None if cursor is None else _key_of(cursor)
        return [key for key in keys if after is None or key > after][:limit]

    def all_asset_keys(self) -> Sequence[AssetKey]:
        """The assets that were made or observed, sorted."""
        return self.get_asset_keys()

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """The latest of each of these assets that was made or observed, or of all; sorted by key."""
        _require_keys(asset_keys or ())
        made, seen = self._latest_materializations(asset_keys), self._latest_observations(asset_keys)
        return [AssetRecord(AssetEntry(key, made.get(key), seen.get(key))) for key in sorted(made.keys() | seen.keys())]

    def get_latest_materialization_event(self, asset_key: AssetKey) -> EventLogEntry | None:
        """The last event that says the asset was made; None when it was not, or was wiped."""
        return self.get_latest_materialization_events([asset_key])[asset_key]

    def get_latest_materialization_events(
        self, asset_keys: Iterable[AssetKey]
    ) -> Mapping[AssetKey, EventLogEntry | None]:
        """The last event that says each of these assets was made; None for one that was not, or was wiped."""
        keys = list(asset_keys)
        _require_keys(keys)
        latest = self._latest_materializations(keys)
        return {key: latest[key].event_log_entry if key in latest else None for key in keys}

    def get_latest_materialization_code_versions(self, asset_keys: Iterable[AssetKey]) -> Mapping[AssetKey, str | None]:
        """The version of the code that made each of these assets last: the run where none is declared, None where nothing did."""
        keys = list(asset_keys)
        _require_keys(keys)
        states = self.store.asset_states(keys)
        return {key: states[key].materialization.tags.get(CODE_VERSION_TAG) if key in states else None for key in keys}

    def get_latest_data_version_record(
        self,
        key: AssetKey,
        is_source: bool | None = None,
        partition_key: str | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> EventLogRecord | None:
        """The last event that tells the data version of an asset, or of one partition; None if it was wiped since.

        Args:
            key: the asset.
            is_source: whether it is only observed, and never made here; both are looked at when None.
            partition_key: the partition.
            before_cursor, after_cursor: exclusive bounds on the storage id.
        """
        wiped = wiped_at(self.store, key, partition_key)
        for kind, of_source in ((EventType.ASSET_MATERIALIZATION, False), (EventType.ASSET_OBSERVATION, True)):
            if is_source not in (None, of_source):
                continue
            which = EventFilter(
                asset_key=key,
                types=(kind,),
                partitions=None if partition_key is None else (partition_key,),
                before=before_cursor,
                after=max(after_cursor or 0, wiped),
                ascending=False,
            )
            for record in self.store.events(which, 1):
                return record
        return None

    def get_materialized_partitions(
        self, asset_key: AssetKey, before_cursor: int | None = None, after_cursor: int | None = None
    ) -> set[str]:
        """The partitions that were made.

        Args:
            asset_key: the asset.
            before_cursor, after_cursor: exclusive bounds on the storage id of what made them.
        """
        states = self.store.partition_states(asset_key)
        if before_cursor is not None:  # what is known of now may have been made again since
            which = EventFilter(
                asset_key=asset_key, types=(EventType.ASSET_MATERIALIZATION,), after=after_cursor, before=before_cursor
            )
            made = {record.partition_key for record in self.store.events(which, None)}
            return {key for key in made if key is not None and key in states}
        return {key for key, state in states.items() if state.storage_id > (after_cursor or 0)}

    def get_status_by_partition(
        self, asset_key: AssetKey, partition_keys: Sequence[str], partitions_def: PartitionsDefinition
    ) -> Mapping[str, AssetPartitionStatus | None]:
        """How these partitions of an asset stand; None for one that was never made nor tried, or does not exist.

        Args:
            asset_key: the asset.
            partition_keys: which partitions.
            partitions_def: the partitions of the asset.
        """
        now = datetime.now(UTC)
        dynamic = {name: self.store.dynamic_partitions(name) for name in partitions_def.dynamic_names}
        listed = partitions_def.listed(now, DynamicKeys(dynamic))
        places = {key: listed.index_of(key, now) for key in partition_keys if listed.contains(key, now)}
        states = self.store.partition_states(asset_key)
        made = {key: states[key] for key in places if key in states}
        tried = self._last_tries(asset_key, places, listed, made)
        runs = {
            run.run_id: run for run in self.store.list_runs(RunsFilter(run_ids=tuple(set(tried.values()))), None, None)
        }
        found: dict[str, AssetPartitionStatus | None] = {}
        for key in partition_keys:
            run = runs.get(tried.get(key, ""))
            if run is not None and not run.is_finished:
                found[key] = AssetPartitionStatus.IN_PROGRESS
            elif run is not None and run.status is RunStatus.FAILURE:
                found[key] = AssetPartitionStatus.FAILED
            else:
                found[key] = AssetPartitionStatus.MATERIALIZED if key in made else None
        return found

    def _last_tries(
        self,
        asset_key: AssetKey,
        places: Mapping[str, int],
        partitions_def: PartitionsDefinition,
        made: Mapping[str, PartitionState],
    ) -> dict[str, str]:
        """The last run that intended to make each of these partitions, where that was after the partition was made."""
        now = datetime.now(UTC)
        made_at = {key: made[key].storage_id if key in made else 0 for key in places}
        tried: dict[str, str] = {}
        before: int | None = None
        while len(tried) < len(places):
            which = EventFilter(
                asset_key=asset_key,
                types=(EventType.ASSET_MATERIALIZATION_PLANNED,),
                after=min(made_at[key] for key in places if key not in tried),
                before=before,
                ascending=False,
            )
            records = self.store.events(which, _PAGE)
            for record in records:
                planned = record.event.asset_materialization_planned_data
                ends = [each for each in (planned.partition, planned.partition_end) if each is not None]
                if len(ends) == 2 and all(partitions_def.contains(each, now) for each in ends):
                    first, last = (partitions_def.index_of(each, now) for each in ends)
                    keys = [key for key, place in places.items() if first <= place <= last]
                else:
                    keys = [each for each in ends if each in places]
                for key in keys:
                    if record.storage_id > made_at[key]:
                        tried.setdefault(key, record.run_id)
            if len(records) < _PAGE:
                break
            before = records[-1].storage_id
        return tried

    def get_latest_check_results(
        self, keys: Sequence[AssetCheckKey] | None = None
    ) -> Mapping[AssetCheckKey, CheckState]:
        """The last result of each of these checks, or of all."""
        return self.store.check_states(keys)

    def report_runless_asset_event(
        self, asset_event: AssetMaterialization | AssetObservation | AssetCheckEvaluation
    ) -> None:
        """Records what happened to an asset outside of any run.

        Raises:
            InvariantViolationError: it is none of these.
        """
        payload: AnyPayload
        if isinstance(asset_event, AssetMaterialization):
            payload = StepMaterializationData(asset_event)
        elif isinstance(asset_event, AssetObservation):
            payload = AssetObservationData(asset_event)
        elif isinstance(asset_event, AssetCheckEvaluation):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            payload = AssetCheckEvaluationData(asset_event)
        else:
            raise InvariantViolationError(
                "report_runless_asset_event expected an AssetMaterialization, an AssetObservation or an "
                f"AssetCheckEvaluation, got {asset_event!r}."
            )
        self.store.append([Event(time.time(), payload)])

    def wipe_assets(self, asset_keys: Sequence[AssetKey]) -> None:
        """Removes the recorded state of assets; stored values and past events stay."""
        _require_keys(asset_keys)
        for key in asset_keys:
            self.store.wipe(key, None, time.time())

    def wipe_asset_partitions(self, asset_key: AssetKey, partition_keys: Sequence[str]) -> None:
        """Removes the recorded state of some partitions of an asset; stored values and past events stay."""
        self.store.wipe(asset_key, partition_keys, time.time())

    def _latest_materializations(self, keys: Sequence[AssetKey] | None) -> dict[AssetKey, EventLogRecord]:
        states = self.store.asset_states(keys)
        return self._in_log(
            {
                key: (state, Event(state.timestamp, StepMaterializationData(state.materialization), None, state.run_id))
                for key, state in states.items()
            }
        )

    def _latest_observations(self, keys: Sequence[AssetKey] | None) -> dict[AssetKey, EventLogRecord]:
        states = self.store.observation_states(keys)
        return self._in_log(
            {
                key: (state, Event(state.timestamp, AssetObservationData(state.observation), None, state.run_id))
                for key, state in states.items()
            }
        )

    def _in_log(
        self, latest: Mapping[AssetKey, tuple[AssetState | ObservationState, Event]]
    ) -> dict[AssetKey, EventLogRecord]:
        """The records of the last events: as they stand in the log, or from the state where the log was pruned."""
        which = EventFilter(storage_ids=tuple(state.storage_id for state, _ in latest.values()))
        stored = {record.storage_id: record for record in self.store.events(which, None)}
        return {
            key: stored.get(state.storage_id) or EventLogRecord(state.storage_id, EventLogEntry.of(event))
            for key, (state, event) in latest.items()
        }


def _require_keys(keys: Iterable[AssetKey]) -> None:
    require_kind("Instance", "asset_keys", keys, Iterable)
    for key in keys:
        require_each("Instance", "asset_keys", key, AssetKey)


def _key_of(cursor: str) -> AssetKey:
    try:
        return AssetKey(msgspec.json.decode(cursor, type=list[str]))
    except msgspec.DecodeError as error:
        raise InvalidInvocationError(
            f"{cursor!r} is not a valid cursor: pass AssetKey.to_string() of the last asset key."
        ) from error
