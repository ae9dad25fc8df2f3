"""Leases: who has a run, an attempt of a step, a name. Each function works inside a transaction that the caller holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from segue.model.event import Event
from segue.model.lease import Fence
from segue.storage.columns import Row, require_text
from segue.storage.fencing import require_free, still_open
from segue.storage.given_up import is_given_up
from segue.storage.sqlite.writing import append_events

_NEXT_TOKEN = """
    INSERT INTO fencing_tokens (id, last) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET last = last + 1"""
_TOKEN = "SELECT last FROM fencing_tokens"
_HOLDER = "SELECT status, worker, fence FROM runs WHERE run_id = ?"
_LEASE_RUN = "UPDATE runs SET fence = ?, worker = coalesce(?, worker) WHERE run_id = ?"
_END_STEPS = "DELETE FROM step_leases WHERE run_id = ?"
_OPEN_ATTEMPT = "SELECT attempt FROM step_leases WHERE run_id = ? AND step_key = ?"
_OPEN_STEP = "INSERT INTO step_leases (run_id, step_key, attempt, token) VALUES (?, ?, ?, ?)"
_REVOKE_STEP = "DELETE FROM step_leases WHERE run_id = ? AND step_key = ? AND attempt = ? AND token = ?"
_LEASE = "SELECT holder FROM leases WHERE name = ?"
_ACQUIRE = """
    INSERT INTO leases (name, holder, token) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token"""
_RELEASE = "DELETE FROM leases WHERE name = ? AND token = ?"
LEASES = "SELECT name, holder, token FROM leases ORDER BY name"
HELD_LEASE = "SELECT 1 FROM leases WHERE name = ? AND token = ?"


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
    status, holder, fence = (None, None, None) if row is None else row
    is_own = fence is None and holder == worker  # who records a run in order to execute it names itself
    is_left = is_own or is_given_up(holder, run_id)
    require_free(run_id, status, holder, holder is not None and not is_left and is_alive(holder))
    token = _next_token(connection)
    connection.execute(_LEASE_RUN, (token, worker, run_id))
    connection.execute(_END_STEPS, (run_id,))
    append_events(connection, events, Fence(run_id, token))
    return token


def open_step(
    connection: sqlite3.Connection, fence: Fence, step_key: str, attempt: int, events: Sequence[Event]
) -> Fence:
    """Leases an attempt of a step, and writes events under the lease of the run.

    Raises:
        LeaseLostError: the run is another's.
        InvariantViolationError: an attempt of the step is open.
    """
    require_text(step_key)
    append_events(connection, events, fence)
    row: Row | None = connection.execute(_OPEN_ATTEMPT, (fence.run_id, step_key)).fetchone()
    if row is not None:
        raise still_open(fence.run_id, step_key, row[0])
    token = _next_token(connection)
    connection.execute(_OPEN_STEP, (fence.run_id, step_key, attempt, token))
    return Fence(fence.run_id, token, step_key, attempt)


def revoke_step(connection: sqlite3.Connection, fence: Fence) -> bool:
    """Ends the lease of an attempt; says whether it was open."""
    place = (fence.run_id, fence.step_key, fence.attempt, fence.token)
    return connection.execute(_REVOKE_STEP, place).rowcount > 0


def acquire(connection: sqlite3.Connection, name: str, worker: str, is_alive: Callable[[str], bool]) -> int | None:
    """Takes a lease by name that nobody alive has; gives its token."""
    require_text(name)
    row: Row | None = connection.execute(_LEASE, (name,)).fetchone()
    if row is not None and is_alive(row[0]):
        return None
    token = _next_token(connection)
    connection.execute(_ACQUIRE, (name, worker, token))
    return token


def release(connection: sqlite3.Connection, name: str, token: int) -> bool:
    """Gives a lease by name back; says whether it was still there."""
    return connection.execute(_RELEASE, (name, token)).rowcount > 0


def _next_token(connection: sqlite3.Connection) -> int:
    connection.execute(_NEXT_TOKEN)
    return connection.execute(_TOKEN).fetchone()[0]
