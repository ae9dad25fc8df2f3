"""The store on SQLite: what each question of the protocols means there."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from segue.model.claims import ClaimRequest
from segue.model.event import AssetWipedData, Event
from segue.model.keys import AssetKey
from segue.model.lease import Fence, Lease
from segue.model.run import PlannedRun, Run
from segue.model.stored_content import ArtifactSettings
from segue.storage import run_queries, stalls
from segue.storage.artifacts import artifacts_in
from segue.storage.columns import run_from_row
from segue.storage.fencing import deleted_run, require_held
from segue.storage.fold import are_news
from segue.storage.given_up import give_up, is_given_up, take_up
from segue.storage.reading import ReadingStore
from segue.storage.sqlite import exits, leasing, locks, writing
from segue.storage.sqlite.claim_store import SqliteClaims
from segue.storage.sqlite.database import WRITE_LOCK_NAME, Database
from segue.storage.sqlite.dialect import SQLITE
from segue.storage.sqlite.failures import unavailable
from segue.storage.sqlite.gate_store import SqliteGates
from segue.storage.stalls import STALL_SECONDS

_logger = logging.getLogger(__name__)


class SqliteStore(SqliteClaims, SqliteGates, ReadingStore):
    """`segue.model.stores.Store` on SQLite; made by `open_sqlite` and `open_memory`.

    May be used by several threads, and by any number of processes at once, each with a store of its own; a forked
    child may go on with the store of its parent, unless that is in memory. Every method raises
    `StorageUnavailableError` where the database cannot be used and `StorageVersionError` where its schema is not ours;
    the store can be used again as soon as the cause is gone.

    Args:
        home: the folder of the database; None for memory.
        artifacts: what is kept apart from the log, and where; nothing where the database is in memory.
        is_full: whether ticks and payloads survive a loss of power.

    Attributes:
        lease_seconds: None, since a worker lives as long as its process holds the lock of its file.
        stall_seconds: for how long a process may stand still, stopped by a signal, before its runs and leases are given up.
    """

    lease_seconds: float | None = None
    stall_seconds: float = STALL_SECONDS

    def __init__(self, home: Path | None, artifacts: ArtifactSettings | None = None, *, is_full: bool = True) -> None:
        self._home = home
        self._database = Database(home, is_full=is_full)
        super().__init__(self._database, SQLITE)
        self._workers = None if home is None else home / "workers"
        self._memory_worker: str | None = None
        self._artifacts = None if home is None else artifacts_in(home, artifacts)

    @property
    def database(self) -> Database:
        """The database, for the stores that share it."""
        return self._database

    def create_run(self, run: Run, plan: bytes, manifest: bytes, events: Sequence[Event]) -> None:
        """See `RunStore.create_run`.

        The hashes of plan and manifest are those that the run names, or are computed where it names none. A named hash
        is compared with the content when the content is stored for the first time.

        Raises:
            InvariantViolationError: also where a named hash is not that of the content.
        """
        with self._database.write(is_news=are_news(events)) as connection:
            writing.create_run(connection, run, plan, manifest, events)

    def start_run(
        self,
        run_id: str,
        events: Sequence[Event] = (),
        request: ClaimRequest | None = None,
        planned: PlannedRun | None = None,
    ) -> int:
        """See `RunStore.start_run`; for the hashes the rules of `create_run` hold."""
        worker = self.worker()
        with self._database.write(is_news=are_news(events)) as connection:
            if request is not None:
                self._claim_now(connection, request)
            if planned is not None:
                writing.plan_run(connection, planned)
            token = leasing.lease_run(connection, run_id, worker, self._works, events)
        take_up(worker, run_id)
        return token

    def append(self, events: Sequence[Event], fence: Fence | None = None) -> int:
        """See `RunStore.append`; without events, the storage id of the last event there is (0 for none)."""
        prepared = None
        if self._artifacts is not None:  # before others have to wait
            events, prepared = self._artifacts.prepare(events)
        with self._database.write(is_news=are_news(events)) as connection:
            return writing.append_events(connection, events, fence, prepared)

    def require_lease(self, fence: Fence) -> None:
        """See `RunStore.require_lease`."""
        rows = self._database.read(*writing.fence_state(fence))
        if not rows:
            raise deleted_run(fence)
        status, worker, *_, token, _ = rows[0]
        require_held(fence, token, status, worker)

    def take_over(self, run_id: str, events: Sequence[Event] = ()) -> int:
        """See `RunStore.take_over`."""
        with self._database.write(is_news=are_news(events)) as connection:
            return leasing.lease_run(connection, run_id, None, self._works, events)

    def open_step(self, fence: Fence, step_key: str, attempt: int, events: Sequence[Event] = ()) -> Fence:
        """See `LeaseStore.open_step`."""
        with self._database.write() as connection:
            return leasing.open_step(connection, fence, step_key, attempt, events)

    def revoke_step(self, fence: Fence) -> bool:
        """See `LeaseStore.revoke_step`."""
        with self._database.write() as connection:
            return leasing.revoke_step(connection, fence)

    def acquire_lease(self, name: str, seconds: float) -> int | None:
        """See `LeaseStore.acquire_lease`."""
        worker = self.worker()
        with self._database.write() as connection:
            return leasing.acquire(connection, name, worker, self._works)

    def renew_lease(self, name: str, token: int, seconds: float) -> bool:
        """See `LeaseStore.renew_lease`."""
        return bool(self._database.read(leasing.HELD_LEASE, (name, token)))

    def release_lease(self, name: str, token: int) -> bool:
        """See `LeaseStore.release_lease`."""
        with self._database.write() as connection:
            return leasing.release(connection, name, token)

    def leases(self) -> Sequence[Lease]:
        """See `LeaseStore.leases`."""
        rows = self._database.read(leasing.LEASES)
        return [Lease(name, holder, token, self._works(holder)) for name, holder, token in rows]

    def wait_for_exit(self, seconds: float) -> None:
        """See `LeaseStore.wait_for_exit`; the system tells of it where it can."""
        holders = {run.worker for run, _ in self.unfinished_runs()} | {lease.holder for lease in self.leases()}
        exits.wait_for_exit([locks.pid_of(holder) for holder in holders if holder is not None], seconds)

    def end_stalled_writers(self) -> None:
        """See `LeaseStore.end_stalled_writers`: the lock that writers wait for falls with its process alone."""
        if self._home is None:
            return
        try:
            pid = stalls.end_stalled_holder(self._home / WRITE_LOCK_NAME, self.stall_seconds)
        except OSError as error:
            raise unavailable(error, self._database.path) from error
        if pid is not None:
            _logger.warning(
                "Process %s was stopped in the middle of a write and kept all others from writing for %s seconds: it was killed.",
                pid,
                self.stall_seconds,
            )

    def signal_worker(self, worker: str, number: int) -> bool:
        """See `WorkerSignals.signal_worker`; a process executes the runs of a store in memory itself."""
        return self._workers is not None and locks.signal_worker(self._workers, worker, number)

    def supervise(self) -> str | None:
        """See `LeaseStore.supervise`: the system says of each process whether it lives."""
        return None

    def give_up(self, run_id: str) -> None:
        """See `RunStore.give_up`."""
        give_up(self.worker(), run_id)

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
        """See `RunStore.unfinished_runs`."""
        runs = [run_from_row(row) for row in self._database.read(run_queries.UNFINISHED_RUNS)]
        return [(run, self._works(run.worker) and not is_given_up(run.worker, run.run_id)) for run in runs]

    def _works(self, worker: str | None) -> bool:
        """Whether a worker lives and does not stand still. What it claims stays its own until its run is taken from it, since
        it may go on."""
        if not self._is_alive(worker):
            return False
        if self._workers is None or worker is None:
            return True
        try:
            return not locks.is_stalled(self._workers, worker, self.stall_seconds)
        except OSError as error:
            raise unavailable(error, self._database.path) from error

    def close(self) -> None:
        """See `RunStore.close`. What is in memory is lost; the process stays the worker it is."""
        self._database.close()

    def add_run_tags(self, run_id: str, tags: Mapping[str, str], timestamp: float) -> None:
        """See `StateStore.add_run_tags`."""
        with self._database.write() as connection:
            writing.add_tags(connection, run_id, tags, timestamp)

    def delete_run(self, run_id: str) -> None:
        """See `StateStore.delete_run`."""
        with self._database.write() as connection:
            writing.delete_run(connection, run_id)

    def wipe(self, key: AssetKey, partitions: Sequence[str] | None, timestamp: float) -> None:
        """See `StateStore.wipe`.

        With the asset go its partitions and the results of its checks. Where partitions are named only these go: the
        latest materialization of the asset stays, even if it was of one of them. No partitions: nothing happens.
        """
        wiped = None if partitions is None else tuple(partitions)
        if wiped != ():
            self.append([Event(timestamp, AssetWipedData(key, wiped))])

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """See `DynamicPartitionStore.change_dynamic_partitions`; all of it or nothing."""
        with self._database.write() as connection:
            writing.change_dynamic_partitions(connection, name, add, delete, timestamp)


def open_sqlite(home: Path, artifacts: ArtifactSettings | None = None, *, is_full: bool = True) -> SqliteStore:
    """The store in a home folder, in the file `segue.db`. Nothing is touched before the first use, which makes both."""
    # Workers are known by the path of their lock: the same home must not have two names in one process.
    return SqliteStore(home.resolve(), artifacts, is_full=is_full)


def open_memory() -> SqliteStore:
    """A store that lives and dies with this object, for tests and runs that leave no trace."""
    return SqliteStore(None)
