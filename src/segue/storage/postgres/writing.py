"""The writes, each inside a transaction that the caller holds. Locks are taken in one order: runs, then states by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from segue.errors import InvariantViolationError, RunNotFoundError
from segue.model.content_hash import content_hash
from segue.model.event import AssetWipedData, Event
from segue.model.lease import Fence
from segue.model.run import PlannedRun, Run
from segue.storage.columns import Row, require_text, run_body, run_from_row, state_columns
from segue.storage.fencing import deleted_run, require_held, require_no_steps, require_own_step
from segue.storage.fold import RUN_PAYLOADS, STEP_ENDS, Changes, Prepared, changes_of, ended_steps, event_rows
from segue.storage.postgres import log
from segue.storage.postgres.database import Connection
from segue.storage.postgres.dialect import MONTH_OF_RUN
from segue.storage.run_queries import RUN_COLUMNS

_STATES = b"""
    SELECT run_id, status, worker, started_at, ended_at, failure_reason, updated_at, fence, created_at FROM runs
    WHERE run_id = ANY(%s) ORDER BY run_id FOR NO KEY UPDATE"""
_STEP_TOKEN = b"SELECT token FROM step_leases WHERE run_id = %s AND step_key = %s AND attempt = %s"
_END_STEP = b"DELETE FROM step_leases WHERE run_id = %s AND step_key = %s AND attempt = %s"
END_STEPS = b"DELETE FROM step_leases WHERE run_id = %s"
_UPDATE_RUN = b"""
    UPDATE runs SET status = %s, worker = %s, started_at = %s, ended_at = %s, failure_reason = %s, updated_at = %s
    WHERE run_id = %s"""
_RUN = f"SELECT number, {RUN_COLUMNS} FROM runs WHERE run_id = %s FOR NO KEY UPDATE".encode()
_RUN_TO_DELETE = f"SELECT number, {MONTH_OF_RUN}, {RUN_COLUMNS} FROM runs WHERE run_id = %s FOR UPDATE".encode()
_UPDATE_BODY = b"UPDATE runs SET body = %s, updated_at = greatest(updated_at, %s) WHERE number = %s"
_DELETE_TAGS = b"""
    DELETE FROM run_tags WHERE run_number = %s AND (key, value) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"""
_ADD_TAGS = b"""
    INSERT INTO run_tags (key, value, run_number)
    SELECT key, value, %s FROM unnest(%s::text[], %s::text[]) AS t(key, value)"""
_DELETE_RUN = b"DELETE FROM runs WHERE number = %s"
_DELETE_EVENTS = b"DELETE FROM events WHERE month IN (0, %s) AND run_id = %s"
_WIPE_ASSETS = tuple(
    f"DELETE FROM {table} WHERE asset_key = ANY(%s)".encode()
    for table in ("assets", "asset_observations", "asset_partitions", "asset_checks")
)
_WIPE_PARTITIONS = b"""
    DELETE FROM asset_partitions
    WHERE (asset_key, partition) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"""
_ADD_DYNAMIC = b"""
    INSERT INTO dynamic_partitions (name, partition, added_at)
    SELECT %s, key, %s FROM unnest(%s::text[]) WITH ORDINALITY AS k(key, place) ORDER BY place
    ON CONFLICT (name, partition) DO NOTHING"""
_DELETE_DYNAMIC = b"DELETE FROM dynamic_partitions WHERE name = %s AND partition = ANY(%s)"
_RELEASE_STEPS = b"""
    WITH ended (run_id, step_key) AS (SELECT * FROM unnest(%s::text[], %s::text[])), waiting AS (
        DELETE FROM claim_requests c USING ended e WHERE c.run_id = e.run_id AND c.step_key = e.step_key
    ) DELETE FROM claims c USING ended e WHERE c.run_id = e.run_id AND c.step_key = e.step_key"""
_LEAVE_RUNS = b"""
    WITH steps AS (DELETE FROM step_leases WHERE run_id = ANY(%s)),
    waiting AS (DELETE FROM claim_requests WHERE run_id = ANY(%s))
    DELETE FROM claims WHERE run_id = ANY(%s)"""
_LOCK_DYNAMIC = b"SELECT pg_advisory_xact_lock(hashtext('segue.dynamic.' || current_schema()), hashtext(%s))"
_HAS_PLAN = b"SELECT EXISTS (SELECT FROM plans WHERE hash = %s)"
_HAS_CONTENT = b"SELECT EXISTS (SELECT FROM plans WHERE hash = %s), EXISTS (SELECT FROM manifests WHERE hash = %s)"
# Whoever removes content waits for those who have just seen that it is there.
_KEEP_CONTENT = b"SELECT pg_advisory_xact_lock_shared(hashtext('segue.content.' || current_schema()))"
KEEP_CONTENT_ALONE = b"SELECT pg_advisory_xact_lock(hashtext('segue.content.' || current_schema()))"
"""Has no run be created beside this transaction."""
_FEW = 10
"""So many events are written without a look at their runs first; each looks by itself."""
_PUT_PLAN, _PUT_MANIFEST = (
    f"INSERT INTO {table} (hash, body) VALUES (%s, %s) ON CONFLICT (hash) DO NOTHING".encode()
    for table in ("plans", "manifests")
)


def _put(table: str, key: str, types: Mapping[str, str]) -> str:
    """Writes states: those that are newer than what is there. `{first}` is to be added to each storage id."""
    names = ", ".join(types)
    chosen = ", ".join(f"{{first}} + {name}" if name == "storage_id" else name for name in types)
    others = [name for name in types if name not in key.split(", ")]
    return (
        f"INSERT INTO {table} ({names}) SELECT {chosen} "
        f"FROM unnest({', '.join(f'%s::{kind}[]' for kind in types.values())}) AS k({names}) ORDER BY {key} "
        f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)} "
        f"WHERE excluded.storage_id > {table}.storage_id"
    )


_WHEN = {"storage_id": "bigint", "run_id": "text", "timestamp": "float8"}
_PUT_ASSETS, _PUT_OBSERVATIONS = (
    _put(table, "asset_key", {"asset_key": "text", **_WHEN, "body": "bytea"})
    for table in ("assets", "asset_observations")
)
_PUT_PARTITIONS = _put(
    "asset_partitions",
    "asset_key, partition",
    {"asset_key": "text", "partition": "text", **_WHEN, "data_version": "text"},
)
_PUT_CHECKS = _put(
    "asset_checks", "asset_key, check_name", {"asset_key": "text", "check_name": "text", **_WHEN, "body": "bytea"}
)


class Standing(NamedTuple):
    """A run as it stands in a transaction.

    Attributes:
        state: as `state_columns` writes it.
        token: of its lease; None where it had none yet.
        created_at: when it was created.
    """

    state: Row
    token: int | None
    created_at: float


def plan_run(connection: Connection, number: int, recorded: Run, planned: PlannedRun) -> Run:
    """Stores what a recorded run was planned with, and gives it its tags; gives back the run as it is to be written.

    Raises:
        InvariantViolationError: see `RunStore.start_run`.
    """
    run = planned.run
    require_text(*run.tags, *run.tags.values())
    if run.manifest_hash is not None and run.manifest_hash == recorded.manifest_hash:
        found: Row | None = (*(connection.execute(_HAS_PLAN, [run.plan_hash]).fetchone() or ()), True)
    else:
        found = connection.execute(_HAS_CONTENT, [run.plan_hash, run.manifest_hash]).fetchone()
    assert found is not None
    has_plan, has_manifest = found
    plan_hash = _keep_content(connection, "the plan", _PUT_PLAN, run.plan_hash, planned.plan, has_plan)
    put = (_PUT_MANIFEST, run.manifest_hash, planned.manifest)
    manifest_hash = _keep_content(connection, "the manifest", *put, has_manifest)
    gone, new = dict(recorded.tags.items() - run.tags.items()), dict(run.tags.items() - recorded.tags.items())
    if gone:
        connection.execute(_DELETE_TAGS, [number, list(gone), list(gone.values())])
    if new:
        connection.execute(_ADD_TAGS, [number, list(new), list(new.values())])
    return msgspec.structs.replace(run, plan_hash=plan_hash, manifest_hash=manifest_hash)


def keep_contents(connection: Connection, run: Run, plan: bytes, manifest: bytes) -> tuple[str | None, str | None]:
    """Stores the plan and the manifest of a new run where they are not stored, and keeps those who remove such things away.

    Returns:
        The hashes of both.

    Raises:
        InvariantViolationError: a hash that the run names is not that of the content.
    """
    connection.execute(_KEEP_CONTENT)
    found: Row | None = (False, False)
    if run.plan_hash is not None or run.manifest_hash is not None:
        found = connection.execute(_HAS_CONTENT, [run.plan_hash, run.manifest_hash]).fetchone()
        assert found is not None
    plan_hash = _keep_content(connection, "the plan", _PUT_PLAN, run.plan_hash, plan, found[0])
    return plan_hash, _keep_content(connection, "the manifest", _PUT_MANIFEST, run.manifest_hash, manifest, found[1])


def _keep_content(
    connection: Connection, what: str, statement: bytes, name: str | None, content: bytes, is_there: bool
) -> str | None:
    if is_there or (name is None and not content):
        return name
    actual = content_hash(content)
    if name is not None and name != actual:
        raise InvariantViolationError(
            f"The run names {what} {name!r}, but the content that came with it has the hash {actual!r}; nothing "
            "was recorded. Pass the hash of the content, or None to have it computed."
        )
    connection.execute(statement, [actual, content])
    return actual


def is_simple(events: Sequence[Event], fence: Fence | None) -> bool:
    """Whether `append_quickly` can take a batch: small, about no run's status, all under the fence if there is one."""
    return (
        0 < len(events) <= _FEW
        and not any(type(event.payload) in RUN_PAYLOADS for event in events)
        and (fence is None or all(event.run_id == fence.run_id for event in events))
    )


def append_quickly(
    connection: Connection, events: Sequence[Event], fence: Fence | None, prepared: Prepared | None = None
) -> log.Place:
    """Writes a simple batch and the states that follow from it, all sent at once; see `log.insert_where_allowed`."""
    if fence is not None and fence.step_key is not None:
        require_own_step(fence, events)
    rows, changing = prepared or event_rows(events)
    changes = changes_of(changing, log.range_of(rows), {})
    log.enter(connection, wipes=_wipes(events))
    place = log.insert_where_allowed(connection, rows, events, fence)
    _write_changes(connection, changes, log.DRAWN)
    _end_step(connection, events, fence)
    return place


def append_slowly(
    connection: Connection,
    events: Sequence[Event],
    fence: Fence | None,
    new: Mapping[str, Standing] | None = None,
    prepared: Prepared | None = None,
) -> log.Place:
    """Writes any batch and the states that follow from it, after a look at the runs.

    Args:
        connection: of the transaction.
        events: what happened.
        fence: the lease under which it happened; None without.
        new: the runs that this transaction has made or has locked.
        prepared: the events as rows, where they are that already.

    Raises:
        LeaseLostError: see `RunStore.append`.
        InvariantViolationError: an event of a run that does not exist, or that would take its run where it may not go.
    """
    if fence is not None and fence.step_key is not None:
        require_own_step(fence, events)
    rows, changing = prepared or event_rows(events)
    if not events:
        _standing(connection, events, fence, new or {})
        return log.newest(connection)
    log.enter(connection, wipes=_wipes(events))
    runs = _standing(connection, events, fence, new or {})
    ids, first, place = log.insert(connection, rows, {run_id: each.created_at for run_id, each in runs.items()})
    changes = changes_of(changing, ids, {run_id: each.state for run_id, each in runs.items()})
    _write_changes(connection, changes, first)
    _end_step(connection, events, fence, changes.left_runs)
    return place


def _wipes(events: Iterable[Event]) -> bool:
    return any(isinstance(event.payload, AssetWipedData) for event in events)


def _standing(
    connection: Connection, events: Sequence[Event], fence: Fence | None, new: Mapping[str, Standing]
) -> dict[str, Standing]:
    """Each run before the batch; whether it may be written is seen from the same row."""
    runs = dict(new)
    run_ids = {event.run_id for event in events if event.run_id is not None}
    if fence is not None:
        run_ids.add(fence.run_id)
    unknown = sorted(run_ids - runs.keys())
    if unknown:
        for run_id, *state, token, created_at in connection.execute(_STATES, [unknown]).fetchall():
            runs[run_id] = Standing(tuple(state), token, created_at)
    for run_id in run_ids:
        if run_id not in runs:
            if fence is not None and run_id == fence.run_id:
                raise deleted_run(fence)
            raise InvariantViolationError(
                f"No run with the id {run_id!r} is recorded, so its events cannot be; nothing was recorded. "
                "Create the run first."
            )
        (status, worker, *_), token, _ = runs[run_id]
        if fence is not None and run_id == fence.run_id:
            held = token if fence.step_key is None else _step_token(connection, fence)
            require_held(fence, held, status, worker)
        elif token is not None:
            require_no_steps(run_id, events, status, worker)
    return runs


def _step_token(connection: Connection, fence: Fence) -> int | None:
    row = connection.execute(_STEP_TOKEN, [fence.run_id, fence.step_key, fence.attempt]).fetchone()
    return None if row is None else row[0]


def _end_step(
    connection: Connection, events: Sequence[Event], fence: Fence | None, left_runs: Sequence[str] = ()
) -> None:
    """Takes back what the steps held that have ended; of runs that are left, all was taken back."""
    ended = [step for step in ended_steps(events) if step[0] not in left_runs]
    if ended:
        connection.execute(_RELEASE_STEPS, log.columns(ended))
    if fence is not None and fence.step_key is not None and any(type(event.payload) in STEP_ENDS for event in events):
        connection.execute(_END_STEP, [fence.run_id, fence.step_key, fence.attempt])


def _write_changes(connection: Connection, changes: Changes, first: str) -> None:
    if changes.wiped_assets:
        for statement in _WIPE_ASSETS:
            connection.execute(statement, [sorted(changes.wiped_assets)])
    if changes.wiped_partitions:
        connection.execute(_WIPE_PARTITIONS, log.columns(sorted(changes.wiped_partitions)))
    for run_id, state in changes.runs.items():
        connection.execute(_UPDATE_RUN, [*state_columns(state), run_id])
    if changes.left_runs:
        connection.execute(_LEAVE_RUNS, [changes.left_runs] * 3)
    for statement, rows in (
        (_PUT_ASSETS, changes.assets),
        (_PUT_OBSERVATIONS, changes.observations),
        (_PUT_PARTITIONS, changes.partitions),
        (_PUT_CHECKS, changes.checks),
    ):
        if rows:
            connection.execute(statement.format(first=first).encode(), log.columns([*rows.values()]))


def add_tags(connection: Connection, run_id: str, tags: Mapping[str, str], timestamp: float) -> None:
    """Gives a run more tags; one that it has gets the new value.

    Raises:
        RunNotFoundError: there is no such run.
    """
    require_text(*tags, *tags.values())
    row = connection.execute(_RUN, [run_id], binary=True).fetchone()
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id!r} to give tags to.", run_id)
    number, run = row[0], run_from_row(row[1:])
    changed = {key: value for key, value in tags.items() if run.tags.get(key) != value}
    replaced = {key: run.tags[key] for key in changed if key in run.tags}
    connection.execute(_DELETE_TAGS, [number, list(replaced), list(replaced.values())])
    connection.execute(_ADD_TAGS, [number, list(changed), list(changed.values())])
    connection.execute(_UPDATE_BODY, [run_body(run.with_tags({**run.tags, **tags})), timestamp, number])


def delete_run(connection: Connection, run_id: str) -> None:
    """Removes a run with its tags and its events; nothing where there is none."""
    row = connection.execute(_RUN_TO_DELETE, [run_id], binary=True).fetchone()
    if row is not None:
        number, month, run = row[0], row[1], run_from_row(row[2:])
        connection.execute(_DELETE_TAGS, [number, list(run.tags), list(run.tags.values())])
        connection.execute(_LEAVE_RUNS, [[run_id]] * 3)
        connection.execute(_DELETE_RUN, [number])
        connection.execute(_DELETE_EVENTS, [month, run_id])


def change_dynamic_partitions(
    connection: Connection, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float
) -> None:
    """Adds keys to a dynamic partitions definition, then removes keys."""
    require_text(name, *add, *delete)
    connection.execute(_LOCK_DYNAMIC, [name])
    if add:
        connection.execute(_ADD_DYNAMIC, [name, timestamp, list(add)])
    if delete:
        connection.execute(_DELETE_DYNAMIC, [name, list(delete)])
