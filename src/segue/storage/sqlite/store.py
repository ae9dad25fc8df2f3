"""The store on SQLite: what each question of the protocols means there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from segue.errors import LeaseLostError, RunNotFoundError
from segue.model.event import AssetWipedData, Event
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.lease import Fence
from segue.model.run import Run
from segue.model.run_records import RunOrder, RunRecord, RunsFilter
from segue.model.stores import AssetState, CheckState, EventFilter, ObservationState, PartitionState
from segue.storage.columns import (
    asset_state_from_row,
    check_state_from_row,
    event_from_row,
    json_list,
    key_text,
    observation_state_from_row,
    partition_state_from_row,
    run_from_row,
)
from segue.storage.fencing import require_held
from segue.storage.sqlite import leasing, locks, queries, run_queries, writing
from segue.storage.sqlite.database import Database
from segue.storage.sqlite.failures import unavailable


class SqliteStore:
    """`segue.model.stores.Store` on SQLite; made by `open_sqlite` and `open_memory`.

    May be used by several threads, and by any number of processes at once, each with a store of its own; a forked
    child may go on with the store of its parent, unless that is in memory. Every method raises
    `StorageUnavailableError` where the database cannot be used and `StorageVersionError` where its schema is not ours;
    the store can be used again as soon as the cause is gone.

    Args:
        home: the folder of the database; None for memory.
    """

    def __init__(self, home: Path | None) -> None:
        self._database = Database(home)
        self._workers = None if home is None else home / "workers"
        self._memory_worker: str | None = None

    def create_run(self, run: Run, plan: bytes, manifest: bytes, events: Sequence[Event]) -> None:
        """See `RunStore.create_run`.

        The hashes of plan and manifest are those that the run names, or are computed where it names none. A named hash
        is compared with the content when the content is stored for the first time.

        Raises:
            InvariantViolationError: also where a named hash is not that of the content.
        """
        with self._database.write() as connection:
            writing.create_run(connection, run, plan, manifest, events)

    def start_run(self, run_id: str, events: Sequence[Event] = ()) -> int:
        """See `RunStore.start_run`."""
        worker = self.worker()
        with self._database.write() as connection:
            return leasing.lease_run(connection, run_id, worker, self._is_alive, events)

    def append(self, events: Sequence[Event], fence: Fence | None = None) -> int:
        """See `RunStore.append`; without events, the storage id of the last event there is (0 for none)."""
        with self._database.write() as connection:
            return writing.append_events(connection, events, fence)

    def require_lease(self, fence: Fence) -> None:
        """See `RunStore.require_lease`."""
        rows = self._database.read(*writing.fence_state(fence))
        if not rows:
            raise LeaseLostError(f"Run {fence.run_id} was deleted while it was executed.", fence.run_id)
        status, worker, *_, token = rows[0]
        require_held(fence, token, status, worker)

    def take_over(self, run_id: str, events: Sequence[Event] = ()) -> int:
        """See `RunStore.take_over`."""
        with self._database.write() as connection:
            return leasing.lease_run(connection, run_id, None, self._is_alive, events)

    def get_run(self, run_id: str) -> Run | None:
        """See `RunStore.get_run`."""
        rows = self._database.read(run_queries.RUN, (run_id,))
        return run_from_row(rows[0]) if rows else None

    def get_plan(self, plan_hash: str) -> bytes | None:
        """See `RunStore.get_plan`."""
        rows = self._database.read(queries.PLAN, (plan_hash,))
        return rows[0][0] if rows else None

    def get_manifest(self, manifest_hash: str) -> bytes | None:
        """The manifest stored under this content hash, or None."""
        rows = self._database.read(queries.MANIFEST, (manifest_hash,))
        return rows[0][0] if rows else None

    def worker(self) -> str:
        """See `RunStore.worker`. All stores of one home and one process are the same worker."""
        if self._workers is None:
            if self._memory_worker is None:
                self._memory_worker = f"{os.getpid()}-{os.urandom(4).hex()}"
            return self._memory_worker
        try:
            return locks.become_worker(self._workers)
        except OSError as error:
            raise unavailable(error, self._database.path) from error

    def unfinished_runs(self) -> Sequence[tuple[Run, bool]]:
        """See `RunStore.unfinished_runs`. A run that names no worker has none that lives."""
        runs = [run_from_row(row) for row in self._database.read(run_queries.UNFINISHED_RUNS)]
        return [(run, self._is_alive(run.worker)) for run in runs]

    def close(self) -> None:
        """See `RunStore.close`. What is in memory is lost; the process stays the worker it is."""
        self._database.close()

    def list_runs(self, which: RunsFilter, limit: int | None = None, before: str | None = None) -> Sequence[Run]:
        """See `StateStore.list_runs`."""
        return [record.dagster_run for record in self.run_records(which, limit, before)]

    def run_records(
        self,
        which: RunsFilter,
        limit: int | None = None,
        behind: str | None = None,
        order: RunOrder = RunOrder.ID,
        ascending: bool = False,
    ) -> Sequence[RunRecord]:
        """See `StateStore.run_records`; newest means created last in this database."""
        if run_queries.matches_nothing(which):
            return []
        place = None if behind is None else self._run_place(behind)
        rows = self._database.read(*run_queries.run_query(which, limit, place, order, ascending))
        if which.run_ids is not None:
            rows = sorted(rows, key=lambda row: row[:2], reverse=not ascending)[:limit]
        return [RunRecord(row[1], run_from_row(row[2:])) for row in rows]

    def count_runs(self, which: RunsFilter) -> int:
        """See `StateStore.count_runs`."""
        if run_queries.matches_nothing(which):
            return 0
        return self._database.read(*run_queries.count_query(which))[0][0]

    def run_tag_keys(self) -> Sequence[str]:
        """See `StateStore.run_tag_keys`."""
        return [row[0] for row in self._database.read(run_queries.TAG_KEYS)]

    def run_tag_values(self, key: str, prefix: str = "", limit: int | None = None) -> Sequence[str]:
        """See `StateStore.run_tag_values`."""
        begins = (len(prefix), prefix)
        parameters = (key, prefix, key, *begins, *begins, -1 if limit is None else limit)
        return [row[0] for row in self._database.read(run_queries.TAG_VALUES, parameters)]

    def add_run_tags(self, run_id: str, tags: Mapping[str, str], timestamp: float) -> None:
        """See `StateStore.add_run_tags`."""
        with self._database.write() as connection:
            writing.add_tags(connection, run_id, tags, timestamp)

    def delete_run(self, run_id: str) -> None:
        """See `StateStore.delete_run`."""
        with self._database.write() as connection:
            writing.delete_run(connection, run_id)

    def events(self, which: EventFilter, limit: int | None = None) -> Sequence[EventLogRecord]:
        """See `StateStore.events`."""
        if queries.matches_nothing(which):
            return []
        return [event_from_row(row) for row in self._database.read(*queries.event_query(which, limit))]

    def asset_states(self, keys: Sequence[AssetKey] | None = None) -> Mapping[AssetKey, AssetState]:
        """See `StateStore.asset_states`."""
        if keys is None:
            rows = self._database.read(queries.ASSETS)
        else:
            rows = self._database.read(queries.ASSETS_OF, (json_list([key_text(key) for key in keys]),))
        states = map(asset_state_from_row, rows)
        return {state.key: state for state in states}

    def observation_states(self, keys: Sequence[AssetKey] | None = None) -> Mapping[AssetKey, ObservationState]:
        """See `StateStore.observation_states`."""
        if keys is None:
            rows = self._database.read(queries.OBSERVATIONS)
        else:
            rows = self._database.read(queries.OBSERVATIONS_OF, (json_list([key_text(key) for key in keys]),))
        states = map(observation_state_from_row, rows)
        return {state.key: state for state in states}

    def partition_states(self, key: AssetKey) -> Mapping[str, PartitionState]:
        """See `StateStore.partition_states`."""
        rows = self._database.read(queries.PARTITIONS_OF, (key_text(key),))
        return {row[0]: partition_state_from_row(row) for row in rows}

    def check_states(self, keys: Sequence[AssetCheckKey] | None = None) -> Mapping[AssetCheckKey, CheckState]:
        """See `StateStore.check_states`."""
        if keys is None:
            rows = self._database.read(queries.CHECKS)
        else:
            pairs = [(key_text(key.asset_key), key.name) for key in keys]
            rows = self._database.read(queries.CHECKS_OF, (json_list(pairs),))
        states = map(check_state_from_row, rows)
        return {state.key: state for state in states}

    def wipe(self, key: AssetKey, partitions: Sequence[str] | None, timestamp: float) -> None:
        """See `StateStore.wipe`.

        With the asset go its partitions and the results of its checks. Where partitions are named only these go: the
        latest materialization of the asset stays, even if it was of one of them. No partitions: nothing happens.
        """
        wiped = None if partitions is None else tuple(partitions)
        if wiped != ():
            self.append([Event(timestamp, AssetWipedData(key, wiped))])

    def dynamic_partitions(self, name: str) -> Sequence[str]:
        """See `DynamicPartitionStore.dynamic_partitions`."""
        return [row[0] for row in self._database.read(queries.DYNAMIC_PARTITIONS, (name,))]

    def has_dynamic_partition(self, name: str, partition: str) -> bool:
        """See `DynamicPartitionStore.has_dynamic_partition`."""
        return bool(self._database.read(queries.DYNAMIC_PARTITION, (name, partition)))

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """See `DynamicPartitionStore.change_dynamic_partitions`; all of it or nothing."""
        with self._database.write() as connection:
            writing.change_dynamic_partitions(connection, name, add, delete, timestamp)

    def _run_place(self, run_id: str) -> run_queries.Place:
        rows = self._database.read(run_queries.RUN_PLACE, (run_id,))
        if not rows:
            raise RunNotFoundError(
                f"The runs behind {run_id!r} were asked for, and no run with this id is recorded.", run_id
            )
        return run_queries.Place(*rows[0])

    def _is_alive(self, worker: str | None) -> bool:
        if self._workers is None:
            return worker is not None and worker == self._memory_worker
        try:
            return worker is not None and locks.is_alive(self._workers, worker)
        except OSError as error:
            raise unavailable(error, self._database.path) from error


def open_sqlite(home: Path) -> SqliteStore:
    """The store in a home folder, in the file `segue.db`. Nothing is touched before the first use, which makes both."""
    # Workers are known by the path of their lock: the same home must not have two names in one process.
    return SqliteStore(home.resolve())


def open_memory() -> SqliteStore:
    """A store that lives and dies with this object, for tests and runs that leave no trace."""
    return SqliteStore(None)
