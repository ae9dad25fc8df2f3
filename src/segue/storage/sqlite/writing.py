"""The writes, each inside a transaction that the caller holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from segue.errors import InvariantViolationError, RunNotFoundError
from segue.model.content_hash import content_hash
from segue.model.event import SCHEMA_VERSION, Event
from segue.model.lease import Fence
from segue.model.run import PlannedRun, Run
from segue.storage.claiming import release, release_steps
from segue.storage.columns import Row, require_text, run_body, run_from_row, state_columns, state_of
from segue.storage.fencing import deleted_run, require_held, require_no_steps, require_not_begun, require_own_step
from segue.storage.fold import STEP_ENDS, Changes, Prepared, changes_of, ended_steps, event_rows
from segue.storage.run_queries import RUN_COLUMNS

# One statement for several rows costs a third less than one per row. Each size is a text of its own, to be prepared
# once and kept, so there must not be too many of them.
_ROWS_PER_STATEMENT = 32
_EVENT_COLUMNS = "run_id, timestamp, type, topic, step_key, asset_key, partition, body, version"
_EVENT_VALUES = f"(?, ?, ?, NULLIF(?, ''), ?, NULLIF(?, ''), NULLIF(?, ''), ?, {SCHEMA_VERSION})"
_INSERT_EVENTS = [
    f"INSERT INTO events ({_EVENT_COLUMNS}) VALUES " + ", ".join([_EVENT_VALUES] * count)
    for count in range(_ROWS_PER_STATEMENT + 1)
]
_LAST_EVENT = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
# The state, the token, and whether steps of the run hold claims: where none does, the end of a step costs no statement.
_HOLDS = "EXISTS (SELECT 1 FROM claims WHERE claims.run_id = r.run_id AND claims.step_key > '')"
_RUN_STATE = f"""
    SELECT status, worker, started_at, ended_at, failure_reason, updated_at, fence, {_HOLDS} FROM runs r WHERE run_id = ?"""
# The same, with the token of one attempt of a step.
_STEP_STATE = f"""
    SELECT status, worker, started_at, ended_at, failure_reason, updated_at,
    (SELECT token FROM step_leases l WHERE l.run_id = r.run_id AND l.step_key = ? AND l.attempt = ?), {_HOLDS}
    FROM runs r WHERE run_id = ?"""
_END_STEP = "DELETE FROM step_leases WHERE run_id = ? AND step_key = ? AND attempt = ?"
_END_STEPS = "DELETE FROM step_leases WHERE run_id = ?"
_UPDATE_RUN = """
    UPDATE runs SET status = ?, worker = ?, started_at = ?, ended_at = ?, failure_reason = ?, updated_at = ?
    WHERE run_id = ?"""
_INSERT_RUN = """
    INSERT INTO runs (run_id, job_name, body, manifest_hash, created_at, status, worker, started_at, ended_at,
    failure_reason, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_RUN = f"SELECT number, {RUN_COLUMNS} FROM runs WHERE run_id = ?"
_UPDATE_BODY = "UPDATE runs SET body = ?, updated_at = max(updated_at, ?) WHERE number = ?"
_RUN_TO_PLAN = f"SELECT number, fence, {RUN_COLUMNS} FROM runs WHERE run_id = ?"
_PLAN_RUN = "UPDATE runs SET body = ?, manifest_hash = ? WHERE number = ?"
_DELETE_TAG = "DELETE FROM run_tags WHERE key = ? AND value = ? AND run_number = ?"
_DELETE_EVENTS = "DELETE FROM events WHERE run_id = ?"
_DELETE_RUN = "DELETE FROM runs WHERE number = ?"
_INSERT_TAG = "INSERT INTO run_tags (key, value, run_number) VALUES (?, ?, ?)"
_PUT_ASSET, _PUT_OBSERVATION = (
    f"""
    INSERT INTO {table} (asset_key, storage_id, run_id, timestamp, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (asset_key) DO UPDATE SET storage_id = excluded.storage_id, run_id = excluded.run_id,
    timestamp = excluded.timestamp, body = excluded.body"""
    for table in ("assets", "asset_observations")
)
_PUT_PARTITION = """
    INSERT INTO asset_partitions (asset_key, partition, storage_id, run_id, timestamp, data_version)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (asset_key, partition) DO UPDATE SET storage_id = excluded.storage_id, run_id = excluded.run_id,
    timestamp = excluded.timestamp, data_version = excluded.data_version"""
_PUT_CHECK = """
    INSERT INTO asset_checks (asset_key, check_name, storage_id, run_id, timestamp, body) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (asset_key, check_name) DO UPDATE SET storage_id = excluded.storage_id, run_id = excluded.run_id,
    timestamp = excluded.timestamp, body = excluded.body"""
_WIPE_ASSET = (
    "DELETE FROM assets WHERE asset_key = ?",
    "DELETE FROM asset_observations WHERE asset_key = ?",
    "DELETE FROM asset_partitions WHERE asset_key = ?",
    "DELETE FROM asset_checks WHERE asset_key = ?",
)
_ADD_DYNAMIC = """
    INSERT INTO dynamic_partitions (name, partition, added_at) VALUES (?, ?, ?) ON CONFLICT (name, partition) DO NOTHING"""
_DELETE_DYNAMIC = "DELETE FROM dynamic_partitions WHERE name = ? AND partition = ?"
_WIPE_PARTITION = "DELETE FROM asset_partitions WHERE asset_key = ? AND partition = ?"


class _ContentTable(NamedTuple):
    what: str
    find: str
    insert: str


_PLANS = _ContentTable("the plan", "SELECT 1 FROM plans WHERE hash = ?", "INSERT INTO plans (hash, body) VALUES (?, ?)")
_MANIFESTS = _ContentTable(
    "the manifest", "SELECT 1 FROM manifests WHERE hash = ?", "INSERT INTO manifests (hash, body) VALUES (?, ?)"
)


def create_run(connection: sqlite3.Connection, run: Run, plan: bytes, manifest: bytes, events: Sequence[Event]) -> None:
    """Writes a new run with its tags, its plan, its manifest and its first events.

    Raises:
        InvariantViolationError: there is a run with this id; a hash is not that of the content; see `append_events`.
    """
    require_text(run.run_id, run.job_name, *run.tags, *run.tags.values())
    plan_hash = _keep_content(connection, _PLANS, run.plan_hash, plan)
    manifest_hash = _keep_content(connection, _MANIFESTS, run.manifest_hash, manifest)
    run = msgspec.structs.replace(run, plan_hash=plan_hash, manifest_hash=manifest_hash)
    row = (run.run_id, run.job_name, run_body(run), manifest_hash, run.created_at, *state_columns(state_of(run)))
    try:
        number = connection.execute(_INSERT_RUN, row).lastrowid
    except sqlite3.IntegrityError as error:
        raise InvariantViolationError(
            f"A run with the id {run.run_id!r} is already recorded; run ids are unique. Use a new one."
        ) from error
    if run.tags:
        connection.executemany(_INSERT_TAG, [(key, value, number) for key, value in run.tags.items()])
    append_events(connection, events)


def plan_run(connection: sqlite3.Connection, planned: PlannedRun) -> None:
    """Gives a recorded run its plan.

    Raises:
        RunNotFoundError, LeaseLostError, InvariantViolationError: see `RunStore.start_run`.
    """
    run = planned.run
    require_text(*run.tags, *run.tags.values())
    row: Row | None = connection.execute(_RUN_TO_PLAN, (run.run_id,)).fetchone()
    number, fence, *columns = row or (None, None)
    recorded = run_from_row(tuple(columns)) if columns else None
    status, worker = (None, None) if recorded is None else (recorded.status.value, recorded.worker)
    require_not_begun(run.run_id, status, worker, fence)
    assert recorded is not None  # required above
    plan_hash = _keep_content(connection, _PLANS, run.plan_hash, planned.plan)
    manifest_hash = _keep_content(connection, _MANIFESTS, run.manifest_hash, planned.manifest)
    run = msgspec.structs.replace(run, plan_hash=plan_hash, manifest_hash=manifest_hash)
    connection.execute(_PLAN_RUN, (run_body(run), manifest_hash, number))
    gone, new = recorded.tags.items() - run.tags.items(), run.tags.items() - recorded.tags.items()
    connection.executemany(_DELETE_TAG, [(key, value, number) for key, value in gone])
    connection.executemany(_INSERT_TAG, [(key, value, number) for key, value in new])


def add_tags(connection: sqlite3.Connection, run_id: str, tags: Mapping[str, str], timestamp: float) -> None:
    """Gives a run more tags; one that it has gets the new value.

    Raises:
        RunNotFoundError: there is no such run.
    """
    require_text(*tags, *tags.values())
    row: Row | None = connection.execute(_RUN, (run_id,)).fetchone()
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id!r} to give tags to.", run_id)
    number, run = row[0], run_from_row(row[1:])
    changed = [(key, value) for key, value in tags.items() if run.tags.get(key) != value]
    replaced = [(key, run.tags[key], number) for key, _ in changed if key in run.tags]
    connection.executemany(_DELETE_TAG, replaced)
    connection.executemany(_INSERT_TAG, [(key, value, number) for key, value in changed])
    body = run_body(run.with_tags({**run.tags, **tags}))
    connection.execute(_UPDATE_BODY, (body, timestamp, number))


def delete_run(connection: sqlite3.Connection, run_id: str) -> None:
    """Removes a run with its tags and its events; nothing where there is none."""
    row: Row | None = connection.execute(_RUN, (run_id,)).fetchone()
    if row is not None:
        number, run = row[0], run_from_row(row[1:])
        connection.executemany(_DELETE_TAG, [(key, value, number) for key, value in run.tags.items()])
        connection.execute(_DELETE_EVENTS, (run_id,))
        connection.execute(_END_STEPS, (run_id,))
        release(connection, run_id, None)
        connection.execute(_DELETE_RUN, (number,))


def _keep_content(connection: sqlite3.Connection, table: _ContentTable, name: str | None, content: bytes) -> str | None:
    if name is None and not content:
        return None
    # Only content that is new is hashed: a caller who passes the hash of what is stored is taken at their word, since
    # a manifest is large and rarely changes from one run to the next.
    if name is not None and connection.execute(table.find, (name,)).fetchone() is not None:
        return name
    actual = content_hash(content)
    if name is None:
        if connection.execute(table.find, (actual,)).fetchone() is not None:
            return actual
    elif name != actual:
        raise InvariantViolationError(
            f"The run names {table.what} {name!r}, but the content that came with it has the hash {actual!r}; nothing "
            "was recorded. Pass the hash of the content, or None to have it computed."
        )
    connection.execute(table.insert, (actual, content))
    return actual


def append_events(
    connection: sqlite3.Connection,
    events: Sequence[Event],
    fence: Fence | None = None,
    prepared: Prepared | None = None,
) -> int:
    """Writes events and the states that follow from them.

    Args:
        connection: of the transaction.
        events: what happened.
        fence: the lease under which it happened; None without.
        prepared: the events as rows, where they are that already.

    Returns:
        The storage id that the last of them got; that of the newest event there is, where `events` is empty.

    Raises:
        LeaseLostError: see `RunStore.append`.
        InvariantViolationError: an event of a run that does not exist, or that would take its run where it may not go.
    """
    if fence is not None and fence.step_key is not None:
        require_own_step(fence, events)
    runs, holding = _run_states(connection, events, fence)
    if not events:
        row = connection.execute(_LAST_EVENT).fetchone()
        return 0 if row is None else row[0]
    rows, changing = prepared or event_rows(events)
    last_id = _insert_events(connection, rows)
    if changing:
        # Nobody else writes meanwhile, so the ids of a batch follow one another.
        changes = changes_of(changing, range(last_id - len(rows) + 1, last_id + 1), runs)
        _write_changes(connection, changes)
        for run_id in changes.left_runs:
            release(connection, run_id, None)
    if holding:
        release_steps(connection, ended_steps(events))
    if fence is not None and fence.step_key is not None and any(type(event.payload) in STEP_ENDS for event in events):
        connection.execute(_END_STEP, (fence.run_id, fence.step_key, fence.attempt))
    return last_id


def fence_state(fence: Fence) -> tuple[str, tuple[object, ...]]:
    """The SELECT of the state of a run as `append_events` reads it, with the token that the fence has to show."""
    if fence.step_key is None:
        return _RUN_STATE, (fence.run_id,)
    return _STEP_STATE, (fence.step_key, fence.attempt, fence.run_id)


def _run_states(
    connection: sqlite3.Connection, events: Sequence[Event], fence: Fence | None
) -> tuple[dict[str, Row], bool]:
    """The state of each run before the batch, and whether steps of any hold claims; whether a run may be written is seen
    from the same row."""
    holding = False
    states: dict[str, Row] = {}
    run_ids = {event.run_id for event in events}
    if fence is not None:
        run_ids.add(fence.run_id)
    for run_id in run_ids:
        if run_id is None:
            continue
        shown = fence if fence is not None and run_id == fence.run_id else None
        query = (_RUN_STATE, (run_id,)) if shown is None else fence_state(shown)
        row: Row | None = connection.execute(*query).fetchone()
        if row is None:
            if shown is not None:
                raise deleted_run(shown)
            raise InvariantViolationError(
                f"No run with the id {run_id!r} is recorded, so its events cannot be; nothing was recorded. "
                "Create the run first."
            )
        status, worker, token, holds = row[0], row[1], row[-2], row[-1]
        if shown is not None:
            require_held(shown, token, status, worker)
        elif token is not None:
            require_no_steps(run_id, events, status, worker)
        states[run_id] = row[:-2]
        holding = holding or bool(holds)
    return states, holding


def _insert_events(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    last_id: int | None = None
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        part = rows[start : start + _ROWS_PER_STATEMENT]
        last_id = connection.execute(_INSERT_EVENTS[len(part)], tuple(chain.from_iterable(part))).lastrowid
    assert last_id is not None
    return last_id


def _write_changes(connection: sqlite3.Connection, changes: Changes) -> None:
    for key in changes.wiped_assets:
        for statement in _WIPE_ASSET:
            connection.execute(statement, (key,))
    if changes.wiped_partitions:
        connection.executemany(_WIPE_PARTITION, changes.wiped_partitions)
    for run_id, state in changes.runs.items():
        connection.execute(_UPDATE_RUN, (*state_columns(state), run_id))
        if state.ended_at is not None:
            connection.execute(_END_STEPS, (run_id,))
    if changes.assets:
        connection.executemany(_PUT_ASSET, changes.assets.values())
    if changes.observations:
        connection.executemany(_PUT_OBSERVATION, changes.observations.values())
    if changes.partitions:
        connection.executemany(_PUT_PARTITION, changes.partitions.values())
    if changes.checks:
        connection.executemany(_PUT_CHECK, changes.checks.values())


def change_dynamic_partitions(
    connection: sqlite3.Connection, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float
) -> None:
    """Adds keys to a dynamic partitions definition, then removes keys."""
    require_text(name, *add, *delete)
    connection.executemany(_ADD_DYNAMIC, [(name, key, timestamp) for key in add])
    connection.executemany(_DELETE_DYNAMIC, [(name, key) for key in delete])
