"""Leases: who has a run, an attempt of a step, a name. Each function works inside a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import Cursor

from segue.model.event import Event
from segue.model.lease import Fence
from segue.model.run import PlannedRun
from segue.storage.columns import Row, require_text, run_body, run_from_row
from segue.storage.fencing import require_free, require_not_begun, still_open
from segue.storage.given_up import is_given_up
from segue.storage.postgres import supervised
from segue.storage.postgres.database import Connection
from segue.storage.postgres.workers import LIVES
from segue.storage.postgres.writing import END_STEPS, Standing, append_slowly, plan_run
from segue.storage.run_queries import RUN_COLUMNS

# The token is drawn behind the lock on the run, so that a later lease has a greater one: OFFSET keeps the order.
_HOLDER = f"""
    SELECT nextval('fencing_tokens'), number, created_at, {LIVES.format("holder.worker")}, fence, {RUN_COLUMNS}
    FROM (SELECT * FROM runs WHERE run_id = %s FOR NO KEY UPDATE OFFSET 0) holder""".encode()
_LOCK_RUN = b"SELECT FROM runs WHERE run_id = %s FOR NO KEY UPDATE"
_LEASE_RUN = b"UPDATE runs SET fence = %s, worker = %s WHERE run_id = %s"
_LEASE_PLANNED = b"UPDATE runs SET fence = %s, worker = %s, body = %s, manifest_hash = %s WHERE run_id = %s"
_OPEN_ATTEMPT = b"SELECT attempt FROM step_leases WHERE run_id = %s AND step_key = %s"
_OPEN_STEP = b"""
    INSERT INTO step_leases (run_id, step_key, attempt, token) VALUES (%s, %s, %s, nextval('fencing_tokens'))
    RETURNING token"""
_REVOKE_STEP = b"""
    DELETE FROM step_leases WHERE run_id = %s AND step_key = %s AND attempt = %s AND token = %s RETURNING token"""
_ACQUIRE = b"""
    INSERT INTO leases (name, holder, token, expires_at)
    VALUES (%s, %s, nextval('fencing_tokens'), now() + make_interval(secs => %s))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, expires_at = excluded.expires_at
    WHERE leases.expires_at <= now() RETURNING token"""
_RENEW = b"""
    UPDATE leases SET expires_at = now() + make_interval(secs => %s) WHERE name = %s AND token = %s RETURNING token"""
_RELEASE = b"DELETE FROM leases WHERE name = %s AND token = %s RETURNING token"
LEASES = "SELECT name, holder, token, expires_at > now() FROM leases ORDER BY name"


class Holder(NamedTuple):
    """Who has a run, as the server is about to answer, with a token for who takes it."""

    run_id: str
    found: Cursor[Row]


def find_holder(connection: Connection, run_id: str) -> Holder:
    """Asks who has a run, and keeps others from it until the transaction ends; to be sent before the lock on claims."""
    return Holder(run_id, connection.execute(_HOLDER, [run_id], binary=True))


def lease_run(
    connection: Connection,
    holder: Holder,
    worker: str | None,
    events: Sequence[Event],
    planned: PlannedRun | None = None,
) -> int:
    """Gives a new lease of a run, and writes events under it.

    Args:
        connection: of the transaction.
        holder: who has it.
        worker: who executes it from now on; None where the run goes on naming who had it.
        events: what is to be recorded with it.
        planned: what it has come to make, where it was recorded without a plan.

    Returns:
        The token.

    Raises:
        RunNotFoundError, InvariantViolationError, LeaseLostError: see `require_free`, `append_slowly`, `plan_run`.
    """
    run_id, row = holder.run_id, holder.found.fetchone()
    token, number, created_at, lives, fence, *columns = row or (0, None, 0.0, False, None)
    _, _, status, before, *times = columns or [None] * 4
    is_own = fence is None and before == worker  # who records a run in order to execute it names itself
    known = supervised.lives(before)
    lives = lives if known is None else known
    require_free(run_id, status, before, lives and not is_own and not is_given_up(before, run_id))
    worker = worker or before
    if planned is None:
        connection.execute(_LEASE_RUN, [token, worker, run_id])
    else:
        require_not_begun(run_id, status, before, fence)
        assert number is not None  # required above
        run = plan_run(connection, number, run_from_row(tuple(columns)), planned)
        connection.execute(_LEASE_PLANNED, [token, worker, run_body(run), run.manifest_hash, run_id])
    if fence is not None:  # else nobody could open a step
        connection.execute(END_STEPS, [run_id])
    standing = Standing((status, worker, *times), token, created_at)
    append_slowly(connection, events, Fence(run_id, token), {run_id: standing})
    return token


def open_step(connection: Connection, fence: Fence, step_key: str, attempt: int, events: Sequence[Event]) -> Fence:
    """Leases an attempt of a step, and writes events under the lease of the run.

    Raises:
        LeaseLostError: the run is another's.
        InvariantViolationError: an attempt of the step is open.
    """
    require_text(step_key)
    append_slowly(connection, events, fence)  # has the run to itself from here on
    row = connection.execute(_OPEN_ATTEMPT, [fence.run_id, step_key]).fetchone()
    if row is not None:
        raise still_open(fence.run_id, step_key, row[0])
    token: int = connection.execute(_OPEN_STEP, [fence.run_id, step_key, attempt]).fetchall()[0][0]
    return Fence(fence.run_id, token, step_key, attempt)


def revoke_step(connection: Connection, fence: Fence) -> bool:
    """Ends the lease of an attempt; says whether it was open."""
    place = [fence.run_id, fence.step_key, fence.attempt, fence.token]
    # Behind the lock of the run: a batch of the attempt that is under way either was written, or is refused.
    connection.execute(_LOCK_RUN, [fence.run_id])
    return connection.execute(_REVOKE_STEP, place).fetchone() is not None


def acquire(connection: Connection, name: str, worker: str, seconds: float) -> int | None:
    """Takes a lease by name that nobody has; gives its token."""
    require_text(name)
    row = connection.execute(_ACQUIRE, [name, worker, seconds]).fetchone()
    return None if row is None else row[0]


def renew(connection: Connection, name: str, token: int, seconds: float) -> bool:
    """Has a lease by name hold for so long from now; says whether it was still there."""
    return connection.execute(_RENEW, [seconds, name, token]).fetchone() is not None


def release(connection: Connection, name: str, token: int) -> bool:
    """Gives a lease by name back; says whether it was still there."""
    return connection.execute(_RELEASE, [name, token]).fetchone() is not None
