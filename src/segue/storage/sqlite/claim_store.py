"""The part of the store on SQLite that keeps claims."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from segue.model.claims import ClaimAnswer, ClaimFilter, ClaimRecord, ClaimRequest, busy
from segue.storage import claiming
from segue.storage.columns import require_text
from segue.storage.sqlite import locks
from segue.storage.sqlite.database import Database
from segue.storage.sqlite.dialect import SQLITE
from segue.storage.sqlite.failures import unavailable


class SqliteClaims:
    """`segue.model.claim_stores.ClaimStore` on SQLite. The clock is that of the machine, which no one sets: it counts from its
    start, and a time that lies ahead is one from before."""

    _database: Database
    _workers: Path | None
    _memory_worker: str | None

    def claim(self, requests: Sequence[ClaimRequest], timestamp: float) -> Sequence[ClaimAnswer]:
        """See `ClaimStore.claim`."""
        with self._database.write() as connection:
            now = claiming.Moment(timestamp, time.monotonic())
            return claiming.claim(connection, SQLITE, requests, now, self._is_alive)

    def _claim_now(self, connection: sqlite3.Connection, request: ClaimRequest) -> None:
        """Gives a request all it asks for, inside a transaction, or raises ResourceBusyError."""
        now = claiming.Moment(time.time(), time.monotonic())
        (answer,) = claiming.claim(connection, SQLITE, [request], now, self._is_alive)
        if not answer.is_granted:
            raise busy(request, answer)

    def release_claims(self, run_id: str, step_key: str | None) -> int:
        """See `ClaimStore.release_claims`."""
        with self._database.write() as connection:
            return claiming.release(connection, run_id, step_key)

    def claim_records(self, which: ClaimFilter) -> Sequence[ClaimRecord]:
        """See `ClaimStore.claim_records`."""
        held = self._database.read(*claiming.held_query(which))
        return claiming.records(held, self._database.read(claiming.LINE), which, self._is_alive)

    def claim_limits(self, prefix: str) -> Mapping[str, int]:
        """See `ClaimStore.claim_limits`."""
        return dict(self._database.read(claiming.LIMITS, (len(prefix), prefix)))

    def set_claim_limit(self, resource: str, capacity: int | None) -> None:
        """See `ClaimStore.set_claim_limit`."""
        require_text(resource)
        with self._database.write() as connection:
            if capacity is None:
                connection.execute(claiming.DELETE_LIMIT, (resource,))
            else:
                connection.execute(claiming.PUT_LIMIT, (resource, capacity))

    def _is_alive(self, worker: str | None) -> bool:
        """Whether a worker lives; in memory there is none but this process."""
        if self._workers is None:
            return worker is not None and worker == self._memory_worker
        try:
            return worker is not None and locks.is_alive(self._workers, worker)
        except OSError as error:
            raise unavailable(error, self._database.path) from error
