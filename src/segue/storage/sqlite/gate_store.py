"""The part of the store on SQLite that keeps gates."""

from __future__ import annotations

import time
from collections.abc import Sequence

from segue.model.gates import GateEntry, GatePass, GateStates
from segue.storage import gating
from segue.storage.columns import require_text
from segue.storage.sqlite.database import Database
from segue.storage.sqlite.dialect import SQLITE


class SqliteGates:
    """`segue.model.claim_stores.GateStore` on SQLite. The clock is that of the machine, which nobody sets."""

    _database: Database

    def enter_gates(self, passes: Sequence[GatePass]) -> GateEntry:
        """See `GateStore.enter_gates`."""
        require_text(*[each.name for each in passes])
        with self._database.write() as connection:
            return gating.enter(connection, SQLITE, passes, time.monotonic())

    def report_to_gates(self, passes: Sequence[GatePass], failed: bool | None) -> None:
        """See `GateStore.report_to_gates`; where nothing changes, nothing is written."""
        if gating.changes_nothing(self.gate_states([each.name for each in passes]), failed):
            return
        with self._database.write() as connection:
            gating.report(connection, SQLITE, passes, failed, time.monotonic())

    def gate_states(self, names: Sequence[str] | None = None) -> GateStates:
        """See `GateStore.gate_states`."""
        query, parameters = (gating.GATES, []) if names is None else gating.gates_of(SQLITE, names)
        return gating.as_states(time.monotonic(), self._database.read(query, parameters))
