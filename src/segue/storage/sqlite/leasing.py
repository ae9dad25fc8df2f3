"""Leases: who has a run, an attempt of a step, a name. Each function works inside a transaction that the caller holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from segue.model.event import Event
from segue.model.lease import Fence
from segue.storage.columns import Row
from segue.storage.fencing import require_free
from segue.storage.sqlite.writing import append_events

_NEXT_TOKEN = """
    INSERT INTO fencing_tokens (id, last) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET last = last + 1"""
_TOKEN = "SELECT last FROM fencing_tokens"
_HOLDER = "SELECT status, worker FROM runs WHERE run_id = ?"
_LEASE_RUN = "UPDATE runs SET fence = ?, worker = coalesce(?, worker) WHERE run_id = ?"
_END_STEPS = "DELETE FROM step_leases WHERE run_id = ?"


def lease_run(
    connection: sqlite3.Connection,
    run_id: str,
    worker: str | None,
    is_alive: Callable[[str], bool],
    events: Sequence[Event],
) -> int:
    """Gives a new lease of a run, and writes events under it.

    Args:
        connection: of the transaction.
        run_id: the run.
        worker: who executes it from now on; None where the run goes on naming who had it.
        is_alive: whether a worker lives.
        events: what is to be recorded with it.

    Returns:
        The token.

    Raises:
        RunNotFoundError, InvariantViolationError, LeaseLostError: see `require_free`, `append_events`.
    """
    row: Row | None = connection.execute(_HOLDER, (run_id,)).fetchone()
    status, holder = (None, None) if row is None else row
    require_free(run_id, status, holder, holder is not None and is_alive(holder))
    token = _next_token(connection)
    connection.execute(_LEASE_RUN, (token, worker, run_id))
    connection.execute(_END_STEPS, (run_id,))
    append_events(connection, events, Fence(run_id, token))
    return token


def _next_token(connection: sqlite3.Connection) -> int:
    connection.execute(_NEXT_TOKEN)
    return connection.execute(_TOKEN).fetchone()[0]
