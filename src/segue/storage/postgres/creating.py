"""New runs, any number of them in a few statements; each function works inside a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from psycopg import errors

from segue.errors import InvariantViolationError
from segue.model.event import Event
from segue.model.run import Run
from segue.storage.columns import Row, require_text, run_body, state_columns, state_of
from segue.storage.postgres import log, writing
from segue.storage.postgres.database import Connection

_INSERT_RUNS = b"""
    WITH tags (run_id, key, value) AS (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])), new AS (
        INSERT INTO runs (run_id, job_name, body, manifest_hash, created_at, priority, status, worker, started_at, ended_at,
        failure_reason, updated_at)
        SELECT run_id, job_name, body, manifest_hash, created_at, priority, status, worker, started_at, ended_at,
        failure_reason, updated_at FROM unnest(
            %s::text[], %s::text[], %s::bytea[], %s::text[], %s::float8[], %s::bigint[], %s::text[], %s::text[], %s::float8[],
            %s::float8[], %s::text[], %s::float8[]
        ) WITH ORDINALITY AS r(run_id, job_name, body, manifest_hash, created_at, priority, status, worker, started_at,
        ended_at, failure_reason, updated_at, place) ORDER BY place
        RETURNING run_id, number
    ) INSERT INTO run_tags (key, value, run_number) SELECT key, value, number FROM tags JOIN new USING (run_id)"""


class NewRun(NamedTuple):
    """A run that is to be written, with its first events and its priority in the queue."""

    run: Run
    events: Sequence[Event] = ()
    priority: int = 0


def create_run(connection: Connection, run: Run, plan: bytes, manifest: bytes, events: Sequence[Event]) -> None:
    """Writes a new run with its tags, its plan, its manifest and its first events.

    Args:
        connection: of the transaction.
        run: it.
        plan, manifest: what its hashes name; empty where that is stored already.
        events: its first events.

    Raises:
        InvariantViolationError: a hash is not that of the content; see `writing.append_events`.
    """
    _insert(connection, [NewRun(_with_content(connection, run, plan, manifest, set()), events)])


def create_runs(connection: Connection, new: Sequence[NewRun]) -> None:
    """Writes new runs with their tags and their first events, in this order; what their hashes name is stored already.

    Raises:
        InvariantViolationError: it is not.
    """
    kept: set[str] = set()
    _insert(connection, [each._replace(run=_with_content(connection, each.run, b"", b"", kept)) for each in new])


def _with_content(connection: Connection, run: Run, plan: bytes, manifest: bytes, kept: set[str]) -> Run:
    """The run with the hashes of what is stored now.

    Args:
        connection: of the transaction.
        run: it.
        plan, manifest: what its hashes name; empty where that is stored already.
        kept: the hashes of manifests that the transaction has found to be stored, so that they are looked for once.
    """
    require_text(run.run_id, run.job_name, *run.tags, *run.tags.values())
    if run.plan_hash is None and not plan and run.manifest_hash in kept:
        return run
    plan_hash, manifest_hash = writing.keep_contents(connection, run, plan, manifest)
    if manifest_hash is not None:
        kept.add(manifest_hash)
    return msgspec.structs.replace(run, plan_hash=plan_hash, manifest_hash=manifest_hash)


def _insert(connection: Connection, new: Sequence[NewRun]) -> None:
    states = {each.run.run_id: state_columns(state_of(each.run)) for each in new}
    rows: list[Row] = [
        (
            run.run_id,
            run.job_name,
            run_body(run),
            run.manifest_hash,
            run.created_at,
            priority,
            *states[run.run_id],
        )
        for run, _, priority in new
    ]
    tags = [(run.run_id, key, value) for run, _, _ in new for key, value in run.tags.items()]
    connection.execute(_INSERT_RUNS, [*(log.columns(tags) or ([], [], [])), *log.columns(rows)])
    events = [event for each in new for event in each.events]
    if events:
        runs = {each.run.run_id: each.run for each in new}
        standing = {key: writing.Standing(states[key], None, run.created_at) for key, run in runs.items()}
        writing.append_slowly(connection, events, None, standing)


@contextmanager
def refuse_known(run_id: str | None = None) -> Generator[None]:
    """Says what the server means that refuses a second run with an id; around `create_run` and a wait for the answer.

    Args:
        run_id: the id; None where several are created.

    Raises:
        InvariantViolationError: there is a run with this id.
    """
    try:
        yield
    except errors.UniqueViolation as error:
        if error.diag.constraint_name != "runs_run_id_key":
            raise
        which = f"the id {run_id!r}" if run_id is not None else f"such an id ({error.diag.message_detail})"
        raise InvariantViolationError(
            f"A run with {which} is already recorded; run ids are unique. Use a new one."
        ) from error
