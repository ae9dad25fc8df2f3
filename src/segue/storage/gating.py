"""Gates inside a transaction that the caller holds, with these gates locked: what is kept of them is read, and asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.model import codec
from segue.model.gates import GateEntry, GatePass, GateState, GateStates, enter_gates, report_to_gate
from segue.storage.claiming import Transaction
from segue.storage.columns import Row
from segue.storage.statements import Dialect

GATES = "SELECT name, body FROM gates"
_PUT_GATE = "INSERT INTO gates (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body"
_decode = codec.decoder(GateState).decode


def gates_of(dialect: Dialect, names: Sequence[str]) -> tuple[str, list[object]]:
    """The SELECT of some gates."""
    condition, *parameters = dialect.within("name", names)
    return f"{GATES} WHERE {condition}", list(parameters)


def as_states(now: float, rows: Iterable[Row]) -> GateStates:
    """What `GATES` or `gates_of` found."""
    return GateStates(now, {name: _decode(body) for name, body in sorted(rows)})


def enter(connection: Transaction, dialect: Dialect, passes: Sequence[GatePass], now: float) -> GateEntry:
    """Answers who wants to pass gates: see `GateStore.enter_gates`."""
    states = _states(connection, dialect, passes)
    changed, entry = enter_gates(states, passes, now)
    connection.executemany(_PUT_GATE, [(name, codec.encode(state)) for name, state in changed.items()])
    return entry


def report(
    connection: Transaction, dialect: Dialect, passes: Sequence[GatePass], failed: bool | None, now: float
) -> None:
    """Tells breakers how a call ended: see `GateStore.report_to_gates`."""
    states = _states(connection, dialect, passes)
    for each in passes:
        if each.breaker is not None:
            before = states.get(each.name, GateState())
            after = report_to_gate(before, each.breaker, failed, now)
            if after != before:
                connection.execute(_PUT_GATE, (each.name, codec.encode(after)))


def changes_nothing(states: GateStates, failed: bool | None) -> bool:
    """Whether a report says nothing new to any of these gates, which is so for most calls."""
    return not failed and all(state.breaker.is_quiet for state in states.by_name.values())


def _states(connection: Transaction, dialect: Dialect, passes: Sequence[GatePass]) -> dict[str, GateState]:
    query, parameters = gates_of(dialect, [each.name for each in passes])
    return {name: _decode(body) for name, body in connection.execute(query, parameters)}
