"""The part of the store on Postgres that keeps claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.model.claims import ClaimAnswer, ClaimFilter, ClaimRecord, ClaimRequest, busy
from segue.storage import claiming
from segue.storage.columns import require_text
from segue.storage.postgres import supervised
from segue.storage.postgres.answering import Answering
from segue.storage.postgres.database import Connection, Database, marked
from segue.storage.postgres.dialect import POSTGRES
from segue.storage.postgres.workers import LIVING

# Claims are decided one after the other: what one is given is not there for the next.
_ONE_BY_ONE = b"SELECT pg_advisory_xact_lock(hashtext('segue.claims.' || current_schema()))"
# Or beside each other, where each takes what nobody holds or waits for: then only who takes the same waits.
# OFFSET has the first lock be there before those on each, which all take in one order.
_BESIDE = b"""
    SELECT pg_advisory_xact_lock(hashtext('segue.claimed.' || current_schema()), key) FROM (
        SELECT key, pg_advisory_xact_lock_shared(hashtext('segue.claims.' || current_schema()))
        FROM (SELECT DISTINCT hashtext(value) AS key FROM unnest(%s::text[]) wanted(value)) keys ORDER BY key OFFSET 0
    ) beside"""
_FEW = 16  # a server keeps some thousand locks in all
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


class PostgresClaims:
    """`segue.model.claim_stores.ClaimStore` on Postgres. The clock is that of the server."""

    _database: Database

    def claim(self, requests: Sequence[ClaimRequest], timestamp: float) -> Sequence[ClaimAnswer]:
        """See `ClaimStore.claim`."""
        with self._database.write() as connection:
            return self._claim(connection, requests, timestamp)

    def _claim_now(self, connection: Connection, request: ClaimRequest, timestamp: float) -> None:
        """Gives a request all it asks for, inside a transaction, or raises ResourceBusyError."""
        (answer,) = self._claim(connection, [request], timestamp)
        if not answer.is_granted:
            raise busy(request, answer)

    def _claim_free(self, connection: Connection, request: ClaimRequest, timestamp: float) -> bool:
        """Gives a run the few things it asks for where nobody holds or wants any of them, inside a transaction; says whether
        it did. Runs that ask for other things do not wait until this transaction has reached the disk.
        """
        if len(request.claims) > _FEW:
            return False
        connection.execute(_BESIDE, [[each.resource for each in request.claims]])
        return claiming.take_free(Answering(connection), POSTGRES, request, timestamp)

    def _claim(
        self, connection: Connection, requests: Sequence[ClaimRequest], timestamp: float
    ) -> Sequence[ClaimAnswer]:
        connection.execute(_ONE_BY_ONE)
        answering = Answering(connection)
        now = claiming.Moment(timestamp, answering.execute(CLOCK).fetchall()[0][0])

        def is_alive(worker: str) -> bool:
            return (supervised.leased(worker),) in answering.execute(LIVING).fetchall()

        return claiming.claim(answering, POSTGRES, requests, now, is_alive)

    def release_claims(self, run_id: str, step_key: str | None) -> int:
        """See `ClaimStore.release_claims`."""
        with self._database.write() as connection:
            return claiming.release(Answering(connection), run_id, step_key)

    def claim_records(self, which: ClaimFilter) -> Sequence[ClaimRecord]:
        """See `ClaimStore.claim_records`."""
        held = self._database.read(*claiming.held_query(which))
        living = {row[0] for row in self._database.read(LIVING)}
        line = self._database.read(claiming.LINE)
        return claiming.records(held, line, which, lambda worker: supervised.leased(worker) in living)

    def claim_limits(self, prefix: str) -> Mapping[str, int]:
        """See `ClaimStore.claim_limits`."""
        return dict(self._database.read(claiming.LIMITS, (len(prefix), prefix)))

    def set_claim_limit(self, resource: str, capacity: int | None) -> None:
        """See `ClaimStore.set_claim_limit`."""
        require_text(resource)
        with self._database.write() as connection:
            if capacity is None:
                connection.execute(marked(claiming.DELETE_LIMIT), [resource])
            else:
                connection.execute(marked(claiming.PUT_LIMIT), [resource, capacity])
