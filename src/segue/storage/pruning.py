"""Removing what is old, the same for every database that speaks SQL: each removal is one short transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from segue.model.backfill import BackfillStatus
from segue.model.event import EventType
from segue.model.retention import Examined, LogPart
from segue.model.run import FINISHED_STATUSES, RunStatus
from segue.model.tick_record import TickStatus
from segue.storage.columns import Row
from segue.storage.statements import LAST, Dialect

_FINISHED = ", ".join(sorted(f"'{status.value}'" for status in FINISHED_STATUSES))
_UNFINISHED = ", ".join(f"'{status.value}'" for status in RunStatus if status not in FINISHED_STATUSES)
_ENDED = "COALESCE({0}.ended_at, {0}.updated_at)"
_IS_OLD = f"""
    CASE WHEN e.run_id IS NULL THEN e.timestamp < ?
    ELSE r.number IS NULL OR (r.status IN ({_FINISHED}) AND {_ENDED.format("r")} < ?) END"""
# Why a run failed, which lists of runs show; and the last of its kind about an asset or a partition, both by an index.
IS_KEPT = f"""
    (e.type IN ('{EventType.RUN_FAILURE.value}', '{EventType.ASSET_WIPED.value}') OR (e.asset_key IS NOT NULL AND (
        (e.partition IS NULL AND NOT EXISTS (
            SELECT 1 FROM events n WHERE n.asset_key = e.asset_key AND n.type = e.type AND n.id > e.id))
        OR (e.partition IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM events n WHERE n.asset_key = e.asset_key AND n.partition = e.partition AND n.type = e.type
            AND n.id > e.id))
        OR EXISTS (SELECT 1 FROM asset_checks c WHERE c.asset_key = e.asset_key AND c.storage_id = e.id)
    )))"""
EXAMINE = f"""
    SELECT e.id, {_IS_OLD}, CASE WHEN {_IS_OLD} THEN NOT {IS_KEPT} ELSE FALSE END
    FROM {{}} e LEFT JOIN runs r ON r.run_id = e.run_id WHERE e.id > ? AND e.id <= ? ORDER BY e.id LIMIT ?"""
_NEWEST_RUN = "SELECT COALESCE(max(number), 0) FROM runs"
_CONTENT = "SELECT hash FROM {}"
# What may still be run, retried or looked into. The runs are found by their index of status or of the last update.
_REFERENCES = f"""
    SELECT {{plan_hash}}, manifest_hash FROM runs WHERE status IN ({_UNFINISHED})
    UNION SELECT {{plan_hash}}, manifest_hash FROM runs WHERE updated_at >= ? AND status IN ({_FINISHED})"""
_NEW_REFERENCES = "SELECT {plan_hash}, manifest_hash FROM runs WHERE number > ?"
_HOLDERS = (
    "SELECT body FROM locations",
    "SELECT body FROM backfills WHERE status IN ({})".format(
        ", ".join(f"'{status.value}'" for status in BackfillStatus if not status.has_ended)
    ),
)
# The states go on when the events of their run were deleted.
REFERRING_EVENTS = "SELECT id, body FROM events WHERE {} AND id > ? ORDER BY id LIMIT ?"
_REFERRING_STATES = "SELECT body FROM {} WHERE {}"
_STATES = ("assets", "asset_observations", "asset_checks")
_HASH = re.compile(rb'"hash":"([0-9a-f]{32})"')
_EVENTS_AT_ONCE = 500
_OLD_TICKS = "FROM ticks WHERE status = ? AND ended_at < ? ORDER BY ended_at LIMIT ?"
_OLD_EVALUATIONS = "FROM condition_evaluations WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
_UNKNOWN_OR_ENDED = f"""
    SELECT v.value FROM {{texts}} LEFT JOIN runs r ON r.run_id = v.value
    WHERE r.number IS NULL OR (r.status IN ({_FINISHED}) AND {_ENDED.format("r")} < ?)"""
IN_USE = f"""
    SELECT EXISTS (SELECT 1 FROM runs r WHERE r.created_at >= ? AND r.created_at < ?
    AND NOT (r.status IN ({_FINISHED}) AND {_ENDED.format("r")} < ?))"""


class _Holder(msgspec.Struct):
    manifest_hash: str | None = None


class Found(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchall(self) -> list[Row]:
        """The rows that it found."""
        ...


class Executes(Protocol):
    """A transaction."""

    def execute(self, statement: str, parameters: tuple[object, ...] = (), /) -> Found:
        """Carries out a statement that is written with `?` for each parameter."""
        ...


class PrunableDatabase(Protocol):
    """A database, as far as it is pruned."""

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of one SELECT."""
        ...

    def transaction(self) -> AbstractContextManager[Executes]:
        """A transaction: committed at the end, rolled back by any exception."""
        ...

    def content_transaction(self) -> AbstractContextManager[Executes]:
        """The same, with no run being created beside it."""
        ...


class Pruning:
    """`segue.model.retention.RetentionStore`, apart from the parts of the log.

    Args:
        database: the database.
        dialect: how it wants to be asked.
        plan_hash: how it finds the hash of the plan in the body of a run.
    """

    def __init__(self, database: PrunableDatabase, dialect: Dialect, plan_hash: str) -> None:
        self._database = database
        self._dialect = dialect
        self._plan_hash = plan_hash

    def examine(self, part: LogPart, after: int, limit: int, before: float, until: int | None) -> Examined:
        """See `RetentionStore.examine`."""
        parameters = (before, before, before, before, after, LAST if until is None else until, limit)
        rows = self._database.read(EXAMINE.format(part.table), parameters)
        old = tuple(row[0] for row in rows if row[2])
        is_young = bool(rows) and not any(row[1] for row in rows)
        return Examined(len(rows), rows[-1][0] if rows else after, old, is_young)

    def delete_events(self, part: LogPart, ids: Sequence[int]) -> int:
        """See `RetentionStore.delete_events`."""
        condition, parameter = self._dialect.within("id", ids)
        with self._database.transaction() as writes:
            return writes.execute(f"DELETE FROM {part.table} WHERE {condition}", (parameter,)).rowcount

    def delete_content(self, before: float, limit: int, is_trial: bool) -> int:
        """See `RetentionStore.delete_content`.

        Which content is in use is read without holding up anybody. A run that was recorded since is looked for in the
        transaction that removes, beside which none is recorded.
        """
        with self._database.content_transaction() as writes:
            newest = writes.execute(_NEWEST_RUN).fetchall()[0][0]
        used = _REFERENCES.format(plan_hash=self._plan_hash)
        plans, manifests = _columns(self._database.read(used, (before,)))
        manifests |= self._held()
        return self._delete("plans", plans, 0, newest, limit, is_trial) + self._delete(
            "manifests", manifests, 1, newest, limit, is_trial
        )

    def _delete(self, table: str, used: set[str], column: int, newest: int, limit: int, is_trial: bool) -> int:
        unused = [key for (key,) in self._database.read(_CONTENT.format(table)) if key not in used]
        if is_trial:
            return len(unused)
        new = _NEW_REFERENCES.format(plan_hash=self._plan_hash)
        deleted = 0
        for start in range(0, len(unused), limit):
            with self._database.content_transaction() as writes:
                since = _columns(writes.execute(new, (newest,)).fetchall())[column] | self._held(writes)
                batch = [key for key in unused[start : start + limit] if key not in since]
                condition, parameter = self._dialect.within("hash", batch)
                deleted += writes.execute(f"DELETE FROM {table} WHERE {condition}", (parameter,)).rowcount
        return deleted

    def _held(self, writes: Executes | None = None) -> set[str]:
        """The manifests that code locations serve and that open backfills began with."""
        found: set[str] = set()
        for holders in _HOLDERS:
            rows = self._database.read(holders) if writes is None else writes.execute(holders).fetchall()
            hashes = (msgspec.json.decode(body, type=_Holder).manifest_hash for (body,) in rows)
            found.update(each for each in hashes if each is not None)
        return found

    def artifact_hashes(self) -> set[str]:
        """See `RetentionStore.artifact_hashes`."""
        condition = self._dialect.has_artifact
        found: set[str] = set()
        place = 0
        while rows := self._database.read(REFERRING_EVENTS.format(condition), (place, _EVENTS_AT_ONCE)):
            found.update(*[_hashes(body) for _, body in rows])
            place = rows[-1][0]
        for table in _STATES:
            found.update(
                *[_hashes(body) for (body,) in self._database.read(_REFERRING_STATES.format(table, condition))]
            )
        return found

    def delete_evaluations(self, before: float, limit: int, is_trial: bool) -> int:
        """See `RetentionStore.delete_evaluations`."""
        return self._delete_oldest("condition_evaluations", _OLD_EVALUATIONS, (before,), limit, is_trial)

    def delete_ticks(self, before: float, statuses: Sequence[TickStatus], limit: int, is_trial: bool) -> int:
        """See `RetentionStore.delete_ticks`."""
        deleted = 0
        for status in statuses:
            which = (status.value, before)
            deleted += self._delete_oldest("ticks", _OLD_TICKS, which, limit - deleted, is_trial)
        return deleted

    def _delete_oldest(self, table: str, which: str, parameters: tuple[object, ...], limit: int, is_trial: bool) -> int:
        if is_trial:
            rows = self._database.read(f"SELECT count(*) FROM (SELECT number {which}) AS old", (*parameters, limit))
            return rows[0][0]
        with self._database.transaction() as writes:
            statement = f"DELETE FROM {table} WHERE number IN (SELECT number {which})"
            return writes.execute(statement, (*parameters, limit)).rowcount

    def ended_before(self, run_ids: Sequence[str], before: float) -> Sequence[str]:
        """See `RetentionStore.ended_before`."""
        statement = _UNKNOWN_OR_ENDED.format(texts=self._dialect.texts.format("v"))
        return [value for (value,) in self._database.read(statement, (self._dialect.as_list(run_ids), before))]


def _hashes(body: bytes) -> list[str]:
    return [each.decode() for each in _HASH.findall(body)]


def _columns(rows: Sequence[Row]) -> tuple[set[str], set[str]]:
    return {row[0] for row in rows if row[0]}, {row[1] for row in rows if row[1]}
