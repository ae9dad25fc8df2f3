"""The log of events: how its numbers are given out, how events are inserted, and up to where nothing is missing.

A transaction that inserts events draws numbers in blocks and may commit after one that drew later. Whoever follows the
log by number would miss what commits late. So each transaction, before it draws, takes a shared lock that says which
number comes next, and keeps it until it has ended; no event below the smallest number in these locks can still appear.
The ids of transactions would not do: the order in which they begin is not that in which they draw, and the oldest one
may belong to another program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from segue.model.event import SCHEMA_VERSION, Event
from segue.model.lease import Fence
from segue.model.run import FINISHED_STATUSES
from segue.storage.columns import Row
from segue.storage.postgres.database import Connection
from segue.storage.postgres.dialect import MONTH_OF_RUN

BLOCK = 100
"""How many numbers one draw gives; also in the migration that makes the sequence."""

DRAWN = "currval('events_id_seq')"
"""The first number of the block that this transaction drew last."""

FINISHED = sorted(status.value for status in FINISHED_STATUSES)
"""How the status of a run that has ended stands in its row."""

_CLASS = "hashtext('segue.events.' || current_schema())"
_WIPES = "hashtext('segue.wipes.' || current_schema()), 0"
_KEYS = 2**32  # so many values has a key of a lock; as a signed number
_NEXT = f"CASE WHEN is_called THEN last_value + {BLOCK} ELSE last_value END"
_STAND = f"pg_advisory_xact_lock_shared({_CLASS}, (((({_NEXT}) & {_KEYS - 1}) # {_KEYS // 2}) - {_KEYS // 2})::integer)"
# Writers of state share the first lock, and a wipe has it alone: what has a smaller number has then been written.
_ENTER = f"SELECT pg_advisory_xact_lock_shared({_WIPES}), {_STAND} FROM events_id_seq".encode()
_ENTER_ALONE = f"SELECT pg_advisory_xact_lock({_WIPES}), {_STAND} FROM events_id_seq".encode()
_SHARE_RUNS = b"SELECT FROM runs WHERE run_id = ANY(%s) ORDER BY run_id FOR SHARE"
_DRAW = b"SELECT nextval('events_id_seq') FROM generate_series(1, %s)"
# Rows of VALUES are planned in half the time of a list for each column, and that is what a process pays that writes a few times.
_INSERT = """
    INSERT INTO events (id, month, run_id, timestamp, type, topic, step_key, asset_key, partition, version, body) VALUES """
_ROW = f"({{number}}, {{month}}, %s, %s, %s, %s, %s, %s, %s, {SCHEMA_VERSION}, %s)"
_DRAW_FIRST = "nextval('events_id_seq')"
_WITHOUT_RUN = "0"
_MONTH_WHERE_ALLOWED = f"(SELECT {MONTH_OF_RUN} FROM runs WHERE run_id = %s{{may}})"
_MAY_REPORT = " AND (fence IS NULL OR status = ANY(%s))"
_HOLDS_RUN = " AND fence = %s AND status <> ALL(%s)"
_HOLDS_STEP = """ AND status <> ALL(%s) AND EXISTS (
    SELECT FROM step_leases l WHERE l.run_id = runs.run_id AND l.step_key = %s AND l.attempt = %s AND l.token = %s)"""
_NEWEST = b"SELECT coalesce(max(id), 0) FROM events"
_NEXT_NUMBER = f"SELECT {_NEXT} FROM events_id_seq"
_STANDING = f"""
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
    AND classid = ({_CLASS}::bigint & {_KEYS - 1})::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""

Place = Callable[[], int]
"""Says, when the transaction has ended, which number its last event has."""


def enter(connection: Connection, wipes: bool) -> None:
    """Begins to write events: to be sent before a number is drawn.

    Args:
        connection: of the transaction.
        wipes: whether state is to be removed.
    """
    connection.execute(_ENTER_ALONE if wipes else _ENTER)


def settled_before(read: Callable[[str], list[Row]]) -> int:
    """The number below which no event can appear any more in what is read from now on.

    Args:
        read: reads the rows of a SELECT, each time as they then are.
    """
    # In this order: who enters after the numbers were looked at draws higher ones.
    following = read(_NEXT_NUMBER)[0][0]
    return min([following, *(following - (following - key) % _KEYS for (key,) in read(_STANDING))])


def insert_where_allowed(
    connection: Connection, rows: Sequence[Row], events: Sequence[Event], fence: Fence | None
) -> Place:
    """Inserts a few events under the numbers from DRAWN on, without waiting for an answer.

    Where an event may not be written the server refuses a NULL in the column `month`: its run is not there, or the
    fence does not hold. Who has to say which looks at the rows.

    Args:
        connection: of the transaction, after `enter`.
        rows: the events as `event_rows` gives them.
        events: the same events.
        fence: the lease under which they happened.
    """
    run_ids = sorted({row[0] for row in rows if row[0] is not None})
    if run_ids:
        connection.execute(_SHARE_RUNS, [run_ids])
    may, shown = _permission(events, fence)
    allowed = _MONTH_WHERE_ALLOWED.format(may=may)
    months = [(_WITHOUT_RUN, ()) if row[0] is None else (allowed, (row[0], *shown)) for row in rows]
    return _insert(connection, rows, months)


def insert(
    connection: Connection, rows: Sequence[Row], created_at: Mapping[str, float]
) -> tuple[Sequence[int], str, Place]:
    """Inserts events of runs that are there.

    Args:
        connection: of the transaction, after `enter`.
        rows: the events as `event_rows` gives them.
        created_at: when each of their runs was created.

    Returns:
        The number of each event, less what the SQL says that comes next; and the place.
    """
    months = [(_WITHOUT_RUN if row[0] is None else str(month_of(created_at[row[0]])), ()) for row in rows]
    if len(rows) <= BLOCK:
        return range_of(rows), DRAWN, _insert(connection, rows, months)
    blocks = [row[0] for row in connection.execute(_DRAW, [-(-len(rows) // BLOCK)]).fetchall()]
    for place, first in enumerate(blocks):
        part = slice(place * BLOCK, (place + 1) * BLOCK)
        _insert(connection, rows[part], months[part], first)
    ids = [blocks[index // BLOCK] + index % BLOCK for index in range(len(rows))]
    return ids, "0", lambda: ids[-1]


def month_of(created_at: float) -> int:
    """What MONTH_OF_RUN says of a run that was created then."""
    created = datetime.fromtimestamp(created_at, UTC)
    return created.year * 100 + created.month


def newest(connection: Connection) -> Place:
    """The number of the last event there is; 0 where there is none."""
    cursor = connection.execute(_NEWEST)
    return lambda: _only(cursor.fetchone())


def _insert(
    connection: Connection,
    rows: Sequence[Row],
    months: Sequence[tuple[str, Sequence[object]]],
    first: int | None = None,
) -> Place:
    """Inserts rows, each in the month that an SQL text with parameters says.

    Args:
        connection: of the transaction.
        rows: at most BLOCK events.
        months: of each of them.
        first: the number of the first one; None to draw a block behind the locks on the runs, so that the events of a run are in
            the order in which they were written.
    """
    texts: list[str] = []
    parameters: list[object] = []
    for index, (row, (month, shown)) in enumerate(zip(rows, months, strict=True)):
        run_id, timestamp, kind, topic, step_key, asset_key, partition, body = row
        number = str(first + index) if first is not None else f"{DRAWN} + {index}" if index else _DRAW_FIRST
        texts.append(_ROW.format(number=number, month=month))
        parameters += shown
        parameters += (run_id, timestamp, kind, topic or None, step_key, asset_key or None, partition or None, body)
    cursor = connection.execute(f"{_INSERT}{', '.join(texts)} RETURNING id".encode(), parameters)
    return lambda: cursor.fetchall()[-1][0]


def columns(rows: Sequence[Row]) -> list[list[object]]:
    """Rows as one list for each column, which `unnest` makes rows again."""
    return [list(column) for column in zip(*rows, strict=True)]


def range_of(rows: Sequence[Row]) -> list[int]:
    """The places of rows among themselves."""
    return list(range(len(rows)))


def _permission(events: Sequence[Event], fence: Fence | None) -> tuple[str, list[object]]:
    if fence is None:
        return (_MAY_REPORT, [FINISHED]) if any(event.step_key is not None for event in events) else ("", [])
    if fence.step_key is None:
        return _HOLDS_RUN, [fence.token, FINISHED]
    return _HOLDS_STEP, [FINISHED, fence.step_key, fence.attempt, fence.token]


def _only(row: Row | None) -> int:
    assert row is not None
    return row[0]
