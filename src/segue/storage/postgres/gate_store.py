"""The part of the store on Postgres that keeps gates."""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.gates import GateEntry, GatePass, GateStates
from segue.storage import gating
from segue.storage.columns import require_text
from segue.storage.postgres.answering import Answering
from segue.storage.postgres.claim_store import CLOCK
from segue.storage.postgres.database import Connection, Database
from segue.storage.postgres.dialect import POSTGRES

# A gate that nobody passed yet has no row to lock. In order of the names, so that nobody waits in a circle.
_LOCK = b"SELECT pg_advisory_xact_lock(hashtext('segue.gates.' || current_schema() || '.' || %s))"


class PostgresGates:
    """`segue.model.claim_stores.GateStore` on Postgres. The clock is that of the server."""

    _database: Database

    def enter_gates(self, passes: Sequence[GatePass]) -> GateEntry:
        """See `GateStore.enter_gates`."""
        require_text(*[each.name for each in passes])
        with self._database.write() as connection:
            answering, now = _locked(connection, passes)
            return gating.enter(answering, POSTGRES, passes, now)

    def report_to_gates(self, passes: Sequence[GatePass], failed: bool | None) -> None:
        """See `GateStore.report_to_gates`; where nothing changes, nothing is written."""
        if gating.changes_nothing(self.gate_states([each.name for each in passes]), failed):
            return
        with self._database.write() as connection:
            answering, now = _locked(connection, passes)
            gating.report(answering, POSTGRES, passes, failed, now)

    def gate_states(self, names: Sequence[str] | None = None) -> GateStates:
        """See `GateStore.gate_states`."""
        query, parameters = (gating.GATES, []) if names is None else gating.gates_of(POSTGRES, names)
        rows = self._database.read(query, parameters)
        return gating.as_states(self._database.read(CLOCK)[0][0], rows)


def _locked(connection: Connection, passes: Sequence[GatePass]) -> tuple[Answering, float]:
    """The transaction with its gates locked, and the time from then on."""
    for name in sorted({each.name for each in passes}):
        connection.execute(_LOCK, [name])
    answering = Answering(connection)
    return answering, answering.execute(CLOCK).fetchall()[0][0]
