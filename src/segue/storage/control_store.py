"""The store of the control plane: its protocols in SQL, the same for every database that speaks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from segue.errors import BackfillNotFoundError
from segue.model import codec
from segue.model.backfill import Backfill, BackfillStatus
from segue.model.condition_record import ConditionEntry, ConditionRecord
from segue.model.control_stores import LoopLease
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus
from segue.model.location import LocationState, LoopState
from segue.model.payload import Payload
from segue.model.run import Run
from segue.model.tick_record import CommittedTick, Tick, TickCommit, TickEntry, TickStatus, WantedRun
from segue.storage import control_queries, control_writing
from segue.storage.columns import Row, decode_backfill, run_from_row
from segue.storage.control_writing import Writes
from segue.storage.statements import Dialect

_decode_tick = codec.decoder(Tick).decode
_decode_evaluation = codec.decoder(ConditionRecord).decode
_decode_location = codec.decoder(LocationState).decode
_decode_loop = codec.decoder(LoopState).decode
_PUT = "INSERT INTO {0} (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body"
_PUT_LOCATION, _PUT_LOOP = _PUT.format("locations"), _PUT.format("loops")
_REMOVE_LOCATION = "DELETE FROM locations WHERE name = ?"


class ControlDatabase(Protocol):
    """A database, as far as the control plane reads and writes it."""

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of one SELECT."""
        ...

    def control_writes(
        self, *, is_news: bool = False, is_durable: bool = False, is_decision: bool = True
    ) -> AbstractContextManager[Writes]:
        """A transaction: committed at the end, rolled back by any exception.

        Args:
            is_decision: whether it depends on what others decide: then no two of them run at once.
            is_news: whether others are told of it.
            is_durable: whether it survives a loss of power once it is committed; else only the end of any process.
        """
        ...


class SqlControlStore:
    """`segue.model.control_stores.ControlStore`; the same rules hold as for the `Store` on the same database.

    Args:
        database: the database.
        dialect: how it wants to be asked.
    """

    def __init__(self, database: ControlDatabase, dialect: Dialect) -> None:
        self._database = database
        self._dialect = dialect

    def instigator_states(self, location: str | None = None) -> Mapping[InstigatorId, InstigatorState]:
        """See `InstigatorStore.instigator_states`."""
        if location is None:
            rows = self._database.read(control_queries.INSTIGATORS)
        else:
            rows = self._database.read(control_queries.INSTIGATORS_OF, (location,))
        states = map(control_queries.instigator_from_row, rows)
        return {state.id: state for state in states}

    def instigator_state(self, which: InstigatorId) -> InstigatorState:
        """See `InstigatorStore.instigator_state`."""
        rows = self._database.read(control_queries.INSTIGATOR, (which.location, which.kind.value, which.name))
        return control_queries.instigator_from_row(rows[0][1:]) if rows else InstigatorState(id=which)

    def switches(self, kind: InstigatorKind) -> str:
        """See `InstigatorStore.switches`."""
        ((*counts,),) = self._database.read(control_queries.SWITCHES, (kind.value,))
        return str(counts)

    def set_instigator(self, which: InstigatorId, status: InstigatorStatus, timestamp: float) -> InstigatorState:
        """See `InstigatorStore.set_instigator`."""
        with self._database.control_writes(is_news=True) as writes:
            control_writing.set_instigator(writes, which, status, timestamp)
        return self.instigator_states(which.location)[which]

    def start_instigators(self, which: Sequence[InstigatorId], timestamp: float) -> None:
        """See `InstigatorStore.start_instigators`."""
        with self._database.control_writes() as writes:
            control_writing.start_instigators(writes, which, timestamp)

    def set_cursor(self, which: InstigatorId, cursor: str | None) -> None:
        """See `InstigatorStore.set_cursor`."""
        with self._database.control_writes(is_news=True) as writes:
            control_writing.set_cursor(writes, which, cursor)

    def add_run_keys(self, which: InstigatorId, runs: Mapping[str, str]) -> int:
        """See `InstigatorStore.add_run_keys`."""
        with self._database.control_writes() as writes:
            return control_writing.add_run_keys(writes, which, runs)

    def commit_ticks(self, commits: Sequence[TickCommit], lease: LoopLease | None = None) -> Sequence[CommittedTick]:
        """See `InstigatorStore.commit_ticks`."""
        with self._database.control_writes(is_news=True, is_durable=True) as writes:
            control_writing.require_lease(writes, lease)
            names = sorted({commit.tick.instigator.name for commit in commits})
            stands = control_writing.standing(writes, control_queries.instigators_named(self._dialect, names))
            return [control_writing.commit_tick(writes, commit, stands) for commit in commits]

    def ticks(
        self, which: InstigatorId, limit: int, before: int | None = None, statuses: Sequence[TickStatus] | None = None
    ) -> Sequence[TickEntry]:
        """See `InstigatorStore.ticks`."""
        place = (which.location, which.kind.value, which.name)
        found = self._database.read(control_queries.INSTIGATOR, place)
        if not found or (statuses is not None and not statuses):
            return []
        values = None if statuses is None else [status.value for status in statuses]
        rows = self._database.read(*control_queries.tick_query(self._dialect, found[0][0], limit, before, values))
        return [TickEntry(number, _decode_tick(body)) for number, body in rows]

    def delete_ticks(self, ended_before: float, statuses: Sequence[TickStatus], limit: int) -> int:
        """See `InstigatorStore.delete_ticks`."""
        with self._database.control_writes() as writes:
            return control_writing.delete_ticks(writes, ended_before, statuses, limit)

    def send_payload(self, which: InstigatorId, text: str, timestamp: float) -> Payload:
        """See `PayloadStore.send_payload`."""
        with self._database.control_writes(is_news=True, is_durable=True) as writes:
            return control_writing.send_payload(writes, which, text, timestamp)

    def payloads(self, which: InstigatorId, limit: int) -> Sequence[Payload]:
        """See `PayloadStore.payloads`."""
        place = (which.location, which.kind.value, which.name, limit)
        rows = self._database.read(control_queries.PAYLOADS, place)
        return [Payload(number, sent_at, bytes(body).decode()) for number, sent_at, body in rows]

    def sensors_with_payloads(self) -> Sequence[InstigatorId]:
        """See `PayloadStore.sensors_with_payloads`."""
        rows = self._database.read(control_queries.WITH_PAYLOADS)
        return [InstigatorId(location, InstigatorKind(kind), name) for location, kind, name in rows]

    def discard_payloads(self, which: InstigatorId, numbers: Sequence[int] | None = None) -> int:
        """See `PayloadStore.discard_payloads`."""
        with self._database.control_writes() as writes:
            return control_writing.discard_payloads(writes, which, numbers)

    def queued_runs(self, limit: int, after: tuple[int, int] | None = None) -> Sequence[tuple[int, int, Run]]:
        """See `QueueStore.queued_runs`."""
        rows = self._database.read(*control_queries.queue_query(self._dialect, limit, after))
        return [(row[0], row[1], run_from_row(row[2:])) for row in rows]

    def enqueue(self, wanted: WantedRun) -> None:
        """See `QueueStore.enqueue`."""
        with self._database.control_writes(is_news=True, is_decision=False) as writes:
            control_writing.create_run(writes, wanted)

    def dequeue(self, run_ids: Sequence[str], timestamp: float, lease: LoopLease | None = None) -> Sequence[str]:
        """See `QueueStore.dequeue`."""
        with self._database.control_writes() as writes:
            control_writing.require_lease(writes, lease)
            return control_writing.dequeue(writes, run_ids, timestamp)

    def create_backfill(self, backfill: Backfill) -> None:
        """See `BackfillStore.create_backfill`."""
        with self._database.control_writes(is_news=True) as writes:
            control_writing.create_backfill(writes, backfill)

    def get_backfill(self, backfill_id: str) -> Backfill | None:
        """See `BackfillStore.get_backfill`."""
        rows = self._database.read(control_queries.BACKFILL, (backfill_id,))
        return decode_backfill(rows[0][0]) if rows else None

    def backfills(
        self, statuses: Sequence[BackfillStatus] | None = None, limit: int = 100, before: str | None = None
    ) -> Sequence[Backfill]:
        """See `BackfillStore.backfills`.

        Raises:
            BackfillNotFoundError: there is no backfill `before`.
        """
        if statuses is not None and not statuses:
            return []
        place = None
        if before is not None:
            rows = self._database.read(control_queries.BACKFILL_NUMBER, (before,))
            if not rows:
                raise BackfillNotFoundError(f"There is no backfill {before!r} to list from.")
            place = rows[0][0]
        values = None if statuses is None else [status.value for status in statuses]
        found = self._database.read(*control_queries.backfill_query(self._dialect, values, limit, place))
        return [decode_backfill(body) for _, body in found]

    def update_backfill(
        self, backfill: Backfill, was: Backfill, runs: Sequence[WantedRun] = (), lease: LoopLease | None = None
    ) -> bool:
        """See `BackfillStore.update_backfill`."""
        with self._database.control_writes(is_news=True) as writes:
            control_writing.require_lease(writes, lease)
            return control_writing.update_backfill(writes, backfill, was, runs)

    def condition_evaluations(self, key: str, limit: int, before: int | None = None) -> Sequence[ConditionEntry]:
        """See `AutomationStore.condition_evaluations`."""
        rows = self._database.read(*control_queries.evaluation_query(self._dialect, key, limit, before))
        return [ConditionEntry(number, _decode_evaluation(body)) for number, body in rows]

    def location_states(self) -> Sequence[LocationState]:
        """See `DeploymentStore.location_states`."""
        return [_decode_location(body) for (body,) in self._database.read(control_queries.LOCATIONS)]

    def put_location(self, state: LocationState, manifest: bytes | None = None) -> None:
        """See `DeploymentStore.put_location`."""
        with self._database.control_writes() as writes:
            if manifest is not None:
                control_writing.keep_manifest(writes, state.manifest_hash, manifest)
            writes.execute(_PUT_LOCATION, (state.name, codec.encode(state)))

    def get_manifest(self, manifest_hash: str) -> bytes | None:
        """See `DeploymentStore.get_manifest`."""
        rows = self._database.read(control_queries.MANIFEST, (manifest_hash,))
        return bytes(rows[0][0]) if rows else None

    def remove_location(self, name: str) -> None:
        """See `DeploymentStore.remove_location`."""
        with self._database.control_writes() as writes:
            writes.execute(_REMOVE_LOCATION, (name,))

    def put_loop(self, state: LoopState) -> None:
        """See `DeploymentStore.put_loop`."""
        with self._database.control_writes(is_decision=False) as writes:
            writes.execute(_PUT_LOOP, (state.name, codec.encode(state)))

    def loop_states(self) -> Sequence[LoopState]:
        """See `DeploymentStore.loop_states`."""
        return [_decode_loop(body) for (body,) in self._database.read(control_queries.LOOPS)]
