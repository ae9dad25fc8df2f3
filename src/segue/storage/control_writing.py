"""The writes of the control plane, the same for every database that speaks SQL; each inside a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from segue.errors import InvalidInvocationError, InvariantViolationError, LeaseLostError
from segue.model import codec
from segue.model.backfill import Backfill
from segue.model.concurrency import run_priority
from segue.model.content_hash import content_hash
from segue.model.control_stores import LoopLease
from segue.model.event import Event, RunStartingData
from segue.model.instigator import InstigatorId, InstigatorState, InstigatorStatus
from segue.model.payload import MOST_WAITING, Payload
from segue.model.run import Run, RunStatus
from segue.model.tick_record import CommittedTick, TickCommit, TickStatus, WantedRun
from segue.storage.columns import Row, require_text
from segue.storage.control_queries import INSTIGATOR, instigator_from_row
from segue.storage.statements import Query


class Result(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Row | None:
        """The first row that it found."""
        ...


class Writes(Protocol):
    """A transaction on one database: its statements, and what the database writes in its own way."""

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Result:
        """Carries out a statement that is written with `?` for each parameter."""
        ...

    def send(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """The same for a statement of which nobody needs to know what it came to."""
        ...

    def create_run(self, run: Run, events: Sequence[Event], priority: int) -> None:
        """Writes a new run without a plan, with its first events and its priority in the queue; at the end at last."""
        ...

    def add_tick(self, row: Row) -> None:
        """Writes a tick (instigator, status, scheduled_at, ended_at, body); at the end at last."""
        ...

    def move_on(self, row: Row) -> None:
        """Writes where an instigator stands (cursor, last_tick_at, last_run_key, failures, number); at the end at last."""
        ...

    def append_events(self, events: Sequence[Event]) -> int:
        """Writes events and the states that follow from them."""
        ...

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """Adds keys to a dynamic partitions definition, then removes keys."""
        ...


_LEASE = "SELECT token FROM leases WHERE name = ?"
_KEEP_MANIFEST = "INSERT INTO manifests (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"
_ADD_INSTIGATOR = """
    INSERT INTO instigators (location, kind, name, status) VALUES (?, ?, ?, ?) ON CONFLICT (location, kind, name) DO NOTHING"""
_SWITCH = "UPDATE instigators SET status = ?, started_at = ?, failures = 0 WHERE number = ?"
_START = """
    UPDATE instigators SET started_at = ? WHERE location = ? AND kind = ? AND name = ? AND started_at IS NULL"""
_SET_CURSOR = "UPDATE instigators SET cursor = ? WHERE number = ?"
_RUN_OF_KEY = "SELECT run_id FROM run_keys WHERE instigator = ? AND run_key = ?"
_KEEP_RUN_KEY = "INSERT INTO run_keys (instigator, run_key, run_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ADD_RUN_KEY = "INSERT INTO run_keys (instigator, run_key, run_id) VALUES (?, ?, ?)"
_ADD_EVALUATION = """
    INSERT INTO condition_evaluations (entity_key, timestamp, requested, body) VALUES (?, ?, ?, ?)"""
_PAYLOADS_WAITING = "SELECT COUNT(*) FROM payloads WHERE instigator = ?"
_ADD_PAYLOAD = "INSERT INTO payloads (instigator, sent_at, body) VALUES (?, ?, ?) RETURNING number"
_TAKE_PAYLOAD = "DELETE FROM payloads WHERE instigator = ? AND number = ?"
_DISCARD_PAYLOADS = "DELETE FROM payloads WHERE instigator = ?"
_PUT_CONDITION_CURSOR = """
    INSERT INTO condition_cursors (instigator, entity_key, body) VALUES (?, ?, ?)
    ON CONFLICT (instigator, entity_key) DO UPDATE SET body = excluded.body"""
_REMOVE_CONDITION_CURSOR = "DELETE FROM condition_cursors WHERE instigator = ? AND entity_key = ?"
_DELETE_TICKS = """
    DELETE FROM ticks WHERE number IN (SELECT number FROM ticks WHERE status = ? AND ended_at < ? ORDER BY ended_at LIMIT ?)"""
_STILL_QUEUED = "SELECT run_id FROM runs WHERE status = ? AND run_id IN ({})"
_ADD_BACKFILL = """
    INSERT INTO backfills (backfill_id, status, body) VALUES (?, ?, ?) ON CONFLICT (backfill_id) DO NOTHING"""
_UPDATE_BACKFILL = "UPDATE backfills SET status = ?, body = ? WHERE backfill_id = ? AND body = ?"


def require_lease(writes: Writes, lease: LoopLease | None) -> None:
    """Makes sure that a loop still has its lease.

    Raises:
        LeaseLostError: another process has it.
    """
    if lease is None:
        return
    row: Row | None = writes.execute(_LEASE, (lease.name,)).fetchone()
    if row is None or row[0] != lease.token:
        raise LeaseLostError(
            f"The lease {lease.name!r} was taken over by another process; nothing was recorded.",
            lease.name,
        )


def keep_manifest(writes: Writes, manifest_hash: str | None, manifest: bytes) -> None:
    """Writes a manifest under its content hash, once."""
    writes.execute(_KEEP_MANIFEST, (manifest_hash or content_hash(manifest), manifest))


def set_instigator(writes: Writes, which: InstigatorId, status: InstigatorStatus, timestamp: float) -> None:
    """Switches a schedule or sensor; one that is switched on goes on from the timestamp."""
    number, state = _instigator(writes, which)
    is_switched_on = status is InstigatorStatus.RUNNING and state.status is not InstigatorStatus.RUNNING
    started_at = timestamp if is_switched_on else state.started_at
    writes.execute(_SWITCH, (status.value, started_at, number))


def start_instigators(writes: Writes, which: Sequence[InstigatorId], timestamp: float) -> None:
    """Writes that schedules and sensors run since a time, where they did not before."""
    for each in which:
        require_text(each.location, each.name)
        place = (each.location, each.kind.value, each.name)
        writes.send(_ADD_INSTIGATOR, (*place, InstigatorStatus.DECLARED.value))
        writes.send(_START, (timestamp, *place))


def set_cursor(writes: Writes, which: InstigatorId, cursor: str | None) -> None:
    """Sets from where a sensor goes on."""
    require_text(cursor)
    number, _ = _instigator(writes, which)
    writes.execute(_SET_CURSOR, (cursor, number))


def add_run_keys(writes: Writes, which: InstigatorId, runs: Mapping[str, str]) -> int:
    """Has a sensor know what it asked for elsewhere; gives back how many keys were new."""
    number, _ = _instigator(writes, which)
    added = 0
    for key, run_id in runs.items():
        require_text(key)
        added += writes.execute(_KEEP_RUN_KEY, (number, key, run_id)).rowcount
    return added


def send_payload(writes: Writes, which: InstigatorId, text: str, timestamp: float) -> Payload:
    """Keeps a payload for a sensor.

    Raises:
        InvalidInvocationError: as many wait for it as may.
    """
    instigator, _ = _instigator(writes, which)
    waiting: Row | None = writes.execute(_PAYLOADS_WAITING, (instigator,)).fetchone()
    if waiting is not None and waiting[0] >= MOST_WAITING:
        raise InvalidInvocationError(
            f"{MOST_WAITING:,} payloads are waiting for the {which}, which does not take any: start it, look at its "
            "last ticks, or discard them."
        )
    row: Row | None = writes.execute(_ADD_PAYLOAD, (instigator, timestamp, text.encode())).fetchone()
    assert row is not None
    return Payload(row[0], timestamp, text)


def discard_payloads(writes: Writes, which: InstigatorId, numbers: Sequence[int] | None) -> int:
    """Removes what waits for a sensor, all of it or that with these numbers; gives back how many that was."""
    instigator, _ = _instigator(writes, which)
    if numbers is None:
        return writes.execute(_DISCARD_PAYLOADS, (instigator,)).rowcount
    return sum(writes.execute(_TAKE_PAYLOAD, (instigator, number)).rowcount for number in numbers)


Standing = dict[InstigatorId, tuple[int, InstigatorState]]
"""Schedules and sensors with their numbers, as they stand in a transaction."""


def standing(writes: Writes, names: Query) -> Standing:
    """How schedules and sensors stand that are on record.

    Args:
        writes: the transaction.
        names: the query for them (`segue.storage.control_queries.instigators_named`).
    """
    found: Standing = {}
    result = writes.execute(*names)
    while (row := result.fetchone()) is not None:
        state = instigator_from_row(row[1:])
        found[state.id] = (row[0], state)
    return found


def commit_tick(writes: Writes, commit: TickCommit, stands: Standing) -> CommittedTick:
    """Writes one tick with all it asks for; nothing where a schedule's tick for that time, or a later one, was decided.

    Args:
        writes: the transaction.
        commit: the tick.
        stands: how schedules and sensors stand; it is kept up to date.
    """
    tick = commit.tick
    number, state = stands.get(tick.instigator) or _instigator(writes, tick.instigator)
    if tick.scheduled_at is not None and state.last_tick_at is not None and tick.scheduled_at <= state.last_tick_at:
        return CommittedTick(is_repeated=True)
    for change in commit.partition_changes:
        add, delete = ((), change.keys) if change.is_removal else (change.keys, ())
        writes.change_dynamic_partitions(change.name, add, delete, tick.ended_at)
    created, known = _create_runs(writes, number, commit.runs)
    if commit.events:
        writes.append_events(commit.events)
    for backfill in commit.backfills:
        create_backfill(writes, msgspec.structs.replace(backfill, cursor=writes.append_events(())))
    for payload in tick.payloads:
        writes.send(_TAKE_PAYLOAD, (number, payload))
    for record in commit.evaluations:
        row = (record.key, record.timestamp, record.requested, codec.encode(record))
        writes.send(_ADD_EVALUATION, row)
    for each in commit.condition_cursors:
        if each.body is None:
            writes.send(_REMOVE_CONDITION_CURSOR, (number, each.key))
        else:
            writes.send(_PUT_CONDITION_CURSOR, (number, each.key, each.body))
    recorded = msgspec.structs.replace(tick, run_ids=(*created, *known))
    row = (number, tick.status.value, tick.scheduled_at, tick.ended_at, codec.encode(recorded))
    writes.add_tick(row)
    cursor, last_tick_at, last_run_key, failures = _moved_on(state, commit)
    writes.move_on((cursor, last_tick_at, last_run_key, failures, number))
    moved = msgspec.structs.replace(
        state, cursor=cursor, last_tick_at=last_tick_at, last_run_key=last_run_key, failures=failures
    )
    stands[tick.instigator] = (number, moved)
    return CommittedTick(tuple(created), tuple(known))


def _moved_on(state: InstigatorState, commit: TickCommit) -> Row:
    """What an instigator stands at after a tick: cursor, last_tick_at, last_run_key, failures."""
    tick = commit.tick
    keys = [each.run_key for each in commit.runs if each.run_key is not None]
    at = tick.ended_at if tick.scheduled_at is None else tick.scheduled_at
    if tick.status is TickStatus.FAILURE:
        return state.cursor, at, state.last_run_key, state.failures + 1
    is_set_by_hand = commit.asked_with is not msgspec.UNSET and commit.asked_with != state.cursor
    cursor = state.cursor if tick.cursor is None or is_set_by_hand else tick.cursor
    return cursor, at, keys[-1] if keys else state.last_run_key, 0


def _create_runs(writes: Writes, instigator: int, runs: Iterable[WantedRun]) -> tuple[list[str], list[str]]:
    """Records the runs whose keys are new; gives back their ids, and those of the runs that bear the other keys."""
    created: list[str] = []
    known: list[str] = []
    for wanted in runs:
        if wanted.run_key is not None:
            require_text(wanted.run_key)
            row: Row | None = writes.execute(_RUN_OF_KEY, (instigator, wanted.run_key)).fetchone()
            if row is not None:
                known.append(row[0])
                continue
            writes.send(_ADD_RUN_KEY, (instigator, wanted.run_key, wanted.run.run_id))
        create_run(writes, wanted)
        created.append(wanted.run.run_id)
    return created, known


def create_run(writes: Writes, wanted: WantedRun) -> None:
    """Records a run that waits in the queue.

    Raises:
        InvariantViolationError: a run with this id exists.
        InvalidInvocationError: its priority is no whole number.
    """
    writes.create_run(wanted.run, wanted.events, run_priority(wanted.run.tags))


def delete_ticks(writes: Writes, ended_before: float, statuses: Sequence[TickStatus], limit: int) -> int:
    """Removes old ticks, the oldest first."""
    deleted = 0
    for status in statuses:
        deleted += writes.execute(_DELETE_TICKS, (status.value, ended_before, limit - deleted)).rowcount
    return deleted


def dequeue(writes: Writes, run_ids: Sequence[str], timestamp: float) -> list[str]:
    """Makes queued runs STARTING; those that are not queued any more are passed over."""
    if not run_ids:
        return []
    found = writes.execute(_STILL_QUEUED.format(", ".join("?" * len(run_ids))), (RunStatus.QUEUED.value, *run_ids))
    queued: set[str] = set()
    while (row := found.fetchone()) is not None:
        queued.add(row[0])
    taken = [run_id for run_id in run_ids if run_id in queued]
    writes.append_events([Event(timestamp, RunStartingData(), run_id=run_id) for run_id in taken])
    return taken


def create_backfill(writes: Writes, backfill: Backfill) -> None:
    """Records a new backfill.

    Raises:
        InvariantViolationError: one with this id exists.
    """
    row = (backfill.backfill_id, backfill.status.value, codec.encode(backfill))
    if writes.execute(_ADD_BACKFILL, row).rowcount == 0:
        raise InvariantViolationError(f"A backfill {backfill.backfill_id!r} is already recorded. Use a new id.")


def update_backfill(writes: Writes, backfill: Backfill, was: Backfill, runs: Sequence[WantedRun]) -> bool:
    """Writes how a backfill stands and its new runs, if it still stands as `was`."""
    row = (backfill.status.value, codec.encode(backfill), was.backfill_id, codec.encode(was))
    if writes.execute(_UPDATE_BACKFILL, row).rowcount == 0:
        return False
    for wanted in runs:
        create_run(writes, wanted)
    return True


def _instigator(writes: Writes, which: InstigatorId) -> tuple[int, InstigatorState]:
    """The number and the state of a schedule or sensor; it is put on record where it is not yet."""
    place = (which.location, which.kind.value, which.name)
    row: Row | None = writes.execute(INSTIGATOR, place).fetchone()
    if row is None:
        require_text(which.location, which.name)
        writes.execute(_ADD_INSTIGATOR, (*place, InstigatorStatus.DECLARED.value))
        row = writes.execute(INSTIGATOR, place).fetchone()
    assert row is not None
    return row[0], instigator_from_row(row[1:])
