"""The questions of the store protocols, answered by SELECTs: the same for every database that speaks SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from segue.errors import RunNotFoundError
from segue.model.backfill import Backfill
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import Run
from segue.model.run_records import RunOrder, RunRecord, RunsFilter
from segue.model.stores import AssetState, CheckState, EventFilter, ObservationState, PartitionState
from segue.storage import queries, run_queries
from segue.storage.columns import (
    Row,
    asset_state_from_row,
    check_state_from_row,
    decode_backfill,
    event_from_row,
    key_text,
    observation_state_from_row,
    partition_state_from_row,
    run_from_row,
)
from segue.storage.statements import Dialect, Query


class Readable(Protocol):
    """A database, as far as it is read."""

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of one SELECT: one statement, so one consistent view."""
        ...


class ReadingStore:
    """What `segue.model.stores.Store` can be asked.

    Args:
        database: where the rows are.
        dialect: how it wants to be asked.
    """

    def __init__(self, database: Readable, dialect: Dialect) -> None:
        self._reader = database
        self._dialect = dialect

    def get_run(self, run_id: str) -> Run | None:
        """See `RunStore.get_run`."""
        rows = self._reader.read(run_queries.RUN, (run_id,))
        return run_from_row(rows[0]) if rows else None

    def get_plan(self, plan_hash: str) -> bytes | None:
        """See `RunStore.get_plan`."""
        rows = self._reader.read(queries.PLAN, (plan_hash,))
        return rows[0][0] if rows else None

    def get_manifest(self, manifest_hash: str) -> bytes | None:
        """The manifest stored under this content hash, or None."""
        rows = self._reader.read(queries.MANIFEST, (manifest_hash,))
        return rows[0][0] if rows else None

    def list_runs(self, which: RunsFilter, limit: int | None = None, before: str | None = None) -> Sequence[Run]:
        """See `RunHistory.list_runs`."""
        return [record.dagster_run for record in self.run_records(which, limit, before)]

    def run_records(
        self,
        which: RunsFilter,
        limit: int | None = None,
        behind: str | None = None,
        order: RunOrder = RunOrder.ID,
        ascending: bool = False,
    ) -> Sequence[RunRecord]:
        """See `RunHistory.run_records`; newest means created last in this database."""
        if run_queries.matches_nothing(which):
            return []
        place = None if behind is None else self._run_place(behind)
        rows = self._read(run_queries.run_query(self._dialect, which, limit, place, order, ascending))
        if which.run_ids is not None:
            rows = sorted(rows, key=lambda row: row[:2], reverse=not ascending)[:limit]
        return [RunRecord(row[1], run_from_row(row[2:])) for row in rows]

    def count_runs(self, which: RunsFilter) -> int:
        """See `RunHistory.count_runs`."""
        if run_queries.matches_nothing(which):
            return 0
        return self._read(run_queries.count_query(self._dialect, which))[0][0]

    def run_tag_keys(self) -> Sequence[str]:
        """See `RunHistory.run_tag_keys`."""
        return [row[0] for row in self._reader.read(run_queries.TAG_KEYS)]

    def run_tag_values(self, key: str, prefix: str = "", limit: int | None = None) -> Sequence[str]:
        """See `RunHistory.run_tag_values`."""
        begins = (len(prefix), prefix)
        parameters = (key, prefix, key, *begins, *begins, self._dialect.limit(limit))
        return [row[0] for row in self._reader.read(run_queries.TAG_VALUES, parameters)]

    def events(self, which: EventFilter, limit: int | None = None) -> Sequence[EventLogRecord]:
        """See `StateStore.events`."""
        if queries.matches_nothing(which):
            return []
        return [event_from_row(row) for row in self._read(queries.event_query(self._dialect, which, limit))]

    def asset_states(self, keys: Sequence[AssetKey] | None = None) -> Mapping[AssetKey, AssetState]:
        """See `StateStore.asset_states`."""
        states = map(asset_state_from_row, self._read(queries.assets_query(self._dialect, keys)))
        return {state.key: state for state in states}

    def observation_states(self, keys: Sequence[AssetKey] | None = None) -> Mapping[AssetKey, ObservationState]:
        """See `StateStore.observation_states`."""
        states = map(observation_state_from_row, self._read(queries.observations_query(self._dialect, keys)))
        return {state.key: state for state in states}

    def partition_states(self, key: AssetKey) -> Mapping[str, PartitionState]:
        """See `StateStore.partition_states`."""
        rows = self._reader.read(queries.PARTITIONS_OF, (key_text(key),))
        return {row[0]: partition_state_from_row(row) for row in rows}

    def check_states(self, keys: Sequence[AssetCheckKey] | None = None) -> Mapping[AssetCheckKey, CheckState]:
        """See `StateStore.check_states`."""
        states = map(check_state_from_row, self._read(queries.checks_query(self._dialect, keys)))
        return {state.key: state for state in states}

    def condition_cursors(self, location: str, sensor: str) -> Mapping[str, str]:
        """See `StateStore.condition_cursors`."""
        return dict(self._reader.read(queries.CONDITION_CURSORS, (location, sensor)))

    def active_backfills(self) -> Sequence[Backfill]:
        """See `StateStore.active_backfills`."""
        return [decode_backfill(body) for (body,) in self._reader.read(queries.ACTIVE_BACKFILLS)]

    def dynamic_partitions(self, name: str) -> Sequence[str]:
        """See `DynamicPartitionStore.dynamic_partitions`."""
        return [row[0] for row in self._reader.read(queries.DYNAMIC_PARTITIONS, (name,))]

    def has_dynamic_partition(self, name: str, partition: str) -> bool:
        """See `DynamicPartitionStore.has_dynamic_partition`."""
        return bool(self._reader.read(queries.DYNAMIC_PARTITION, (name, partition)))

    def _read(self, query: Query) -> list[Row]:
        return self._reader.read(*query)

    def _run_place(self, run_id: str) -> run_queries.Place:
        rows = self._reader.read(run_queries.RUN_PLACE, (run_id,))
        if not rows:
            raise RunNotFoundError(f"There is no run {run_id!r} to list from.", run_id)
        return run_queries.Place(*rows[0])
