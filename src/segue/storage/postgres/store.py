"""The store on Postgres: what each question of the protocols means there."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

import msgspec
from psycopg import errors

from segue.model.claims import ClaimRequest
from segue.model.event import AssetWipedData, Event
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetKey
from segue.model.lease import Fence, Lease
from segue.model.run import PlannedRun, Run
from segue.model.stores import EventFilter
from segue.storage.artifacts import Artifacts
from segue.storage.columns import run_from_row
from segue.storage.fencing import deleted_run, require_held
from segue.storage.fold import are_news
from segue.storage.given_up import give_up, is_given_up, take_up
from segue.storage.postgres import creating, leasing, log, supervised, writing
from segue.storage.postgres.claim_store import PostgresClaims
from segue.storage.postgres.database import Database
from segue.storage.postgres.dialect import POSTGRES
from segue.storage.postgres.gate_store import PostgresGates
from segue.storage.postgres.workers import END_STALLED, LEASE_SECONDS, LIVES, NEXT_END, Worker
from segue.storage.reading import ReadingStore
from segue.storage.run_queries import UNFINISHED_RUNS

_UNFINISHED_RUNS = f"SELECT {LIVES.format('u.worker')}, u.* FROM ({UNFINISHED_RUNS}) u"
_FENCE = "SELECT status, worker, fence FROM runs WHERE run_id = ?"
_STEP_FENCE = """
    SELECT status, worker,
    (SELECT token FROM step_leases l WHERE l.run_id = r.run_id AND l.step_key = ? AND l.attempt = ?)
    FROM runs r WHERE run_id = ?"""

_logger = logging.getLogger(__name__)


class PostgresStore(PostgresClaims, PostgresGates, ReadingStore):
    """`segue.model.stores.Store` on Postgres; made by `open_postgres`.

    May be used by several threads, and by any number of processes at once, each with a store of its own; a forked
    child may go on with the store of its parent. Every method raises `StorageUnavailableError` where the database
    cannot be used and `StorageVersionError` where its schema is not ours; the store can be used again as soon as the
    cause is gone.

    Args:
        url: the database, as libpq reads it.
        artifacts: keeps what is too large for the log; all is in the log when None.
        supervisor: the worker that has started this process, which ends with it; None for one that shows by itself that it
            lives.
        is_full: whether ticks and payloads survive a loss of power, also where the server is set not to wait for its disk.

    Attributes:
        lease_seconds: for how long a worker may be silent. The store says by itself that its worker lives.
    """

    lease_seconds: float | None = LEASE_SECONDS

    def __init__(
        self, url: str, artifacts: Artifacts | None = None, supervisor: str | None = None, *, is_full: bool = True
    ) -> None:
        self.is_full = is_full
        self._database = Database(url)
        self._beside = Database(url)  # for the one thread that waits for no other
        self._artifacts = artifacts
        super().__init__(self._database, POSTGRES)
        self._worker = Worker(self._database, supervisor)

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
        with creating.refuse_known(run.run_id), self._database.write(is_news=are_news(events)) as connection:
            creating.create_run(connection, run, plan, manifest, events)

    def start_run(
        self,
        run_id: str,
        events: Sequence[Event] = (),
        request: ClaimRequest | None = None,
        planned: PlannedRun | None = None,
    ) -> int:
        """See `RunStore.start_run`; for the hashes the rules of `create_run` hold."""
        worker, token = self._worker.keep(), None
        if request is not None:
            with self._database.write(is_news=are_news(events)) as connection:
                holder = leasing.find_holder(connection, run_id)
                if self._claim_free(connection, request, time.time()):
                    token = leasing.lease_run(connection, holder, worker, events, planned)
        if token is None:
            with self._database.write(is_news=are_news(events)) as connection:
                holder = leasing.find_holder(connection, run_id)
                if request is not None:
                    self._claim_now(connection, request, time.time())
                token = leasing.lease_run(connection, holder, worker, events, planned)
        take_up(worker, run_id)
        return token

    def append(self, events: Sequence[Event], fence: Fence | None = None) -> int:
        """See `RunStore.append`; without events, the newest place in the log (0 for none)."""
        prepared = None
        if self._artifacts is not None:
            events, prepared = self._artifacts.prepare(events)
        if writing.is_simple(events, fence):
            try:
                with self._database.write(is_news=are_news(events)) as connection:
                    place = writing.append_quickly(connection, events, fence, prepared)
                return place()
            except errors.NotNullViolation:
                # Something may not be written. The slow way says what.
                pass
        with self._database.write(is_news=are_news(events)) as connection:
            place = writing.append_slowly(connection, events, fence, prepared=prepared)
        return place()

    def require_lease(self, fence: Fence) -> None:
        """See `RunStore.require_lease`."""
        if fence.step_key is None:
            rows = self._database.read(_FENCE, (fence.run_id,))
        else:
            rows = self._database.read(_STEP_FENCE, (fence.step_key, fence.attempt, fence.run_id))
        if not rows:
            raise deleted_run(fence)
        status, worker, token = rows[0]
        require_held(fence, token, status, worker)

    def take_over(self, run_id: str, events: Sequence[Event] = ()) -> int:
        """See `RunStore.take_over`."""
        with self._database.write(is_news=are_news(events)) as connection:
            return leasing.lease_run(connection, leasing.find_holder(connection, run_id), None, events)

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
            return leasing.acquire(connection, name, worker, seconds)

    def renew_lease(self, name: str, token: int, seconds: float) -> bool:
        """See `LeaseStore.renew_lease`."""
        with self._database.write() as connection:
            return leasing.renew(connection, name, token, seconds)

    def release_lease(self, name: str, token: int) -> bool:
        """See `LeaseStore.release_lease`."""
        with self._database.write() as connection:
            return leasing.release(connection, name, token)

    def leases(self) -> Sequence[Lease]:
        """See `LeaseStore.leases`."""
        return [Lease(*row) for row in self._database.read(leasing.LEASES)]

    def wait_for_exit(self, seconds: float) -> None:
        """See `LeaseStore.wait_for_exit`: until the next lease of a worker would run out."""
        ((ends,),) = self._database.read(NEXT_END)
        time.sleep(seconds if ends is None else min(seconds, ends))

    def end_stalled_writers(self) -> None:
        """See `LeaseStore.end_stalled_writers`: the server ends their sessions, where the role may have it do so."""
        ended = self._beside.read(END_STALLED, (self.lease_seconds,))
        if ended:
            _logger.warning("%d transactions whose processes stood still in the middle of them were ended.", len(ended))

    def supervise(self) -> str | None:
        """See `LeaseStore.supervise`. A process beside this one says that it lives, and when it is gone."""
        name = self._worker.keep()
        supervised.supervise(name)
        return name

    def give_up(self, run_id: str) -> None:
        """See `RunStore.give_up`."""
        give_up(self.worker(), run_id)

    def worker(self) -> str:
        """See `RunStore.worker`. Each store is a worker of its own, until it is closed."""
        return self._worker.name()

    def unfinished_runs(self) -> Sequence[tuple[Run, bool]]:
        """See `RunStore.unfinished_runs`. A run that names no worker has none that lives."""
        rows = self._database.read(_UNFINISHED_RUNS)
        runs = [(run_from_row(row[1:]), bool(row[0])) for row in rows]
        known = {run.worker: supervised.lives(run.worker) for run, _ in runs}
        runs = [(run, lives if (found := known[run.worker]) is None else found) for run, lives in runs]
        return [(run, lives and not is_given_up(run.worker, run.run_id)) for run, lives in runs]

    def close(self) -> None:
        """See `RunStore.close`."""
        self._worker.end()
        self._beside.close()
        self._database.close()

    def events(self, which: EventFilter, limit: int | None = None) -> Sequence[EventLogRecord]:
        """See `StateStore.events`."""
        if not which.settled:
            return super().events(which, limit)
        settled = log.settled_before(self._database.read)
        if which.ascending and which.before is None:
            # What is not settled comes last and is little: with a bound each type would be planned by itself.
            return [each for each in super().events(which, limit) if each.storage_id < settled]
        before = settled if which.before is None else min(settled, which.before)
        return super().events(msgspec.structs.replace(which, before=before), limit)

    def add_run_tags(self, run_id: str, tags: Mapping[str, str], timestamp: float) -> None:
        """See `RunHistory.add_run_tags`."""
        with self._database.write() as connection:
            writing.add_tags(connection, run_id, tags, timestamp)

    def delete_run(self, run_id: str) -> None:
        """See `RunHistory.delete_run`."""
        with self._database.write() as connection:
            writing.delete_run(connection, run_id)

    def wipe(self, key: AssetKey, partitions: Sequence[str] | None, timestamp: float) -> None:
        """See `StateStore.wipe`. What goes is what goes on SQLite."""
        wiped = None if partitions is None else tuple(partitions)
        if wiped != ():
            self.append([Event(timestamp, AssetWipedData(key, wiped))])

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """See `DynamicPartitionStore.change_dynamic_partitions`; all of it or nothing."""
        with self._database.write() as connection:
            writing.change_dynamic_partitions(connection, name, add, delete, timestamp)


def open_postgres(
    url: str, artifacts: Artifacts | None = None, supervisor: str | None = None, *, is_full: bool = True
) -> PostgresStore:
    """The store in a database. Nothing is connected before the first use, which makes the schema where there is none.

    Args:
        url: `postgresql://user@host:port/name`. What it leaves out (the password above all) comes from the environment
            and the password file, as with all programs that use libpq.
        artifacts: keeps what is too large for the log; all is in the log when None.
        supervisor: what `LeaseStore.supervise` gave to who has started this process; None for one that nobody supervises.
        is_full: whether ticks and payloads survive a loss of power, also where the server is set not to wait for its disk.

    Raises:
        StorageUnavailableError: that is no such URL.
    """
    return PostgresStore(url, artifacts, supervisor, is_full=is_full)
