"""Claims inside a transaction that the caller holds: the facts are read, `decide_claims` is asked, its answer is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from segue.model import codec
from segue.model.claims import (
    CLAIM_PATIENCE,
    GRANTED,
    Claim,
    ClaimAnswer,
    Claimant,
    ClaimFilter,
    ClaimRecord,
    ClaimRequest,
    HeldClaim,
    decide_claims,
)
from segue.storage.columns import Row, require_text
from segue.storage.statements import Dialect

# All or nothing in one statement, for a run with nobody in its way: no limits, no line, nothing held. With the table of
# what is asked for, three times.
_TAKE_FREE = """
    INSERT INTO claims (run_id, step_key, resource, weight, priority, worker, since)
    SELECT ?, '', value, 1, ?, ?, ? FROM {0}
    WHERE NOT EXISTS (SELECT 1 FROM claim_requests)
    AND NOT EXISTS (SELECT 1 FROM {0} {1} claims ON claims.resource = wanted.value)
    AND NOT EXISTS (SELECT 1 FROM {0} {1} claim_limits l ON l.resource = wanted.value)"""
_PUT_CLAIM = """
    INSERT INTO claims (run_id, step_key, resource, weight, priority, worker, since) VALUES (?, ?, ?, ?, ?, ?, ?)"""
_PUT_REQUEST = """
    INSERT INTO claim_requests (run_id, step_key, priority, worker, since, asked_at, claims) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id, step_key) DO UPDATE SET priority = excluded.priority, worker = excluded.worker,
    asked_at = excluded.asked_at, claims = excluded.claims"""
_TAKE_OVER = "UPDATE claims SET worker = ? WHERE run_id = ? AND step_key = ? AND worker <> ?"
_HELD_OF_RUN = "SELECT step_key, resource FROM claims WHERE run_id = ?"
_HELD = "SELECT run_id, step_key, priority, worker, resource, weight, since FROM claims"
_HELD_OF = f"{_HELD} WHERE {{}} ORDER BY since, run_id, step_key"
LINE = "SELECT run_id, step_key, priority, worker, claims, since, asked_at FROM claim_requests ORDER BY number"
_LIMITS_OF = "SELECT resource, capacity FROM claim_limits WHERE {}"
_RELEASES = tuple(
    (f"DELETE FROM {table} WHERE run_id = ?", f"DELETE FROM {table} WHERE run_id = ? AND step_key = ?")
    for table in ("claims", "claim_requests")
)
_RELEASE_WORKERS = tuple(f"DELETE FROM {table} WHERE {{}}" for table in ("claims", "claim_requests"))
_decode_claims = codec.decoder(tuple[Claim, ...]).decode

LIMITS = "SELECT resource, capacity FROM claim_limits WHERE substr(resource, 1, ?) = ? ORDER BY resource"
PUT_LIMIT = """
    INSERT INTO claim_limits (resource, capacity) VALUES (?, ?)
    ON CONFLICT (resource) DO UPDATE SET capacity = excluded.capacity"""
DELETE_LIMIT = "DELETE FROM claim_limits WHERE resource = ?"

IsAlive = Callable[[str], bool]


class Answered(Protocol):
    """What a statement found or did."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> list[Row]: ...

    def __iter__(self) -> Iterator[Row]: ...


class Transaction(Protocol):
    """A connection inside a transaction, with `?` for a parameter."""

    def execute(self, statement: str, parameters: Sequence[object] = (), /) -> Answered: ...

    def executemany(self, statement: str, parameters: Iterable[Sequence[object]], /) -> object: ...


class Moment(NamedTuple):
    """Now, twice: `timestamp` for people, in seconds since 1970, UTC; `clock` by what decides, in seconds since whenever."""

    timestamp: float
    clock: float


def claim(
    connection: Transaction, dialect: Dialect, requests: Sequence[ClaimRequest], now: Moment, is_alive: IsAlive
) -> list[ClaimAnswer]:
    """Answers requests: see `ClaimStore.claim`."""
    for request in requests:
        _require_names(request)
    if len(requests) == 1 and take_free(connection, dialect, requests[0], now.timestamp):
        return [GRANTED]
    missing = _not_held(connection, requests)
    _keep_in_line(connection, missing, now)
    answers = _decide(connection, dialect, missing, now)
    if any(answer.blocks for answer in answers) and _release_dead(connection, dialect, answers, is_alive):
        answers = _decide(connection, dialect, missing, now)
    granted = [request for request, answer in zip(missing, answers, strict=True) if answer.is_granted]
    connection.executemany(
        _PUT_CLAIM, [_held_row(request.claimant, each, now) for request in granted for each in request.claims]
    )
    connection.executemany(
        _RELEASES[1][1], [(request.claimant.run_id, request.claimant.step_key or "") for request in granted]
    )
    return answers


def take_free(connection: Transaction, dialect: Dialect, request: ClaimRequest, timestamp: float) -> bool:
    """Gives a run what it asks for where nobody holds or wants any of it; says whether it did."""
    _require_names(request)
    claimant, claims = request.claimant, request.claims
    if claimant.step_key is not None or not claims:
        return False
    if any(each.weight != 1 or (each.capacity is not None and each.capacity < 1) for each in claims):
        return False
    resources = dialect.as_list([each.resource for each in claims])
    parameters = (claimant.run_id, claimant.priority, claimant.worker, timestamp, resources, resources, resources)
    statement = _TAKE_FREE.format(dialect.texts.format("wanted"), dialect.join)
    return connection.execute(statement, parameters).rowcount > 0


def release(connection: Transaction, run_id: str, step_key: str | None) -> int:
    """Takes back what a step holds and waits for; without a step, what a run and all its steps do."""
    parameters = (run_id,) if step_key is None else (run_id, step_key)
    counts = [connection.execute(texts[len(parameters) - 1], parameters).rowcount for texts in _RELEASES]
    return counts[0]


def release_steps(connection: Transaction, steps: Iterable[tuple[str, str]]) -> None:
    """Takes back what these steps hold, each with its run."""
    connection.executemany(_RELEASES[0][1], steps)


def records(held: Iterable[Row], line: Iterable[Row], which: ClaimFilter, is_alive: IsAlive) -> list[ClaimRecord]:
    """What `held_query` and `LINE` found, as records of the living."""
    found = [ClaimRecord(_claimant(row), row[4], row[5], True, row[6]) for row in held]
    for row in line:
        for each in _decode_claims(row[4]):
            found.append(ClaimRecord(_claimant(row), each.resource, each.weight, False, row[5]))
    alive = {worker: is_alive(worker) for worker in {record.claimant.worker for record in found}}
    return [record for record in found if alive[record.claimant.worker] and _matches(which, record)]


def held_query(which: ClaimFilter) -> tuple[str, list[object]]:
    """The held claims that a filter may ask for."""
    conditions: list[str] = []
    parameters: list[object] = []
    for column, value in (("run_id", which.run_id), ("step_key", which.step_key), ("resource", which.resource)):
        if value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    if which.prefix is not None:
        conditions.append("substr(resource, 1, ?) = ?")
        parameters += [len(which.prefix), which.prefix]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{_HELD}{where} ORDER BY since, run_id, step_key, resource", parameters


def _require_names(request: ClaimRequest) -> None:
    require_text(request.claimant.run_id, request.claimant.step_key, *[each.resource for each in request.claims])


def _not_held(connection: Transaction, requests: Sequence[ClaimRequest]) -> list[ClaimRequest]:
    """The requests without what their claimants hold already; that goes over to the worker that asks."""
    held: set[tuple[str, str, str]] = set()
    for run_id in {request.claimant.run_id for request in requests}:
        held.update([(run_id, *row) for row in connection.execute(_HELD_OF_RUN, (run_id,))])
    missing: list[ClaimRequest] = []
    for request in requests:
        run_id, step_key, worker = request.claimant.run_id, request.claimant.step_key or "", request.claimant.worker
        left = tuple([each for each in request.claims if (run_id, step_key, each.resource) not in held])
        if len(left) < len(request.claims):
            connection.execute(_TAKE_OVER, (worker, run_id, step_key, worker))
        missing.append(msgspec.structs.replace(request, claims=left))
    return missing


def _keep_in_line(connection: Transaction, requests: Sequence[ClaimRequest], now: Moment) -> None:
    rows = [
        (*_names(each.claimant), each.claimant.priority, each.claimant.worker, *now, codec.encode(each.claims))
        for each in requests
        if each.waits and each.claims
    ]
    connection.executemany(_PUT_REQUEST, rows)


def _decide(
    connection: Transaction, dialect: Dialect, requests: Sequence[ClaimRequest], now: Moment
) -> list[ClaimAnswer]:
    """What becomes of these requests, with all others in the line that still ask."""
    line = [
        ClaimRequest(_claimant(row), _decode_claims(row[4]))
        for row in connection.execute(LINE)
        if 0.0 <= now.clock - row[6] <= CLAIM_PATIENCE
    ]
    places = {_names(each.claimant): index for index, each in enumerate(line)}
    for each in requests:
        if _names(each.claimant) not in places:
            places[_names(each.claimant)] = len(line)
            line.append(each)
    among, resources = dialect.within("resource", sorted({claim.resource for each in line for claim in each.claims}))
    held = [
        HeldClaim(_claimant(row), row[4], row[5]) for row in connection.execute(_HELD_OF.format(among), (resources,))
    ]
    limits: Mapping[str, int] = dict(connection.execute(_LIMITS_OF.format(among), (resources,)).fetchall())
    answers = decide_claims(limits, held, line)
    return [answers[places[_names(each.claimant)]] for each in requests]


def _release_dead(connection: Transaction, dialect: Dialect, answers: Iterable[ClaimAnswer], is_alive: IsAlive) -> bool:
    """Takes back what workers hold and wait for that live no more; says whether there were any."""
    workers = {holder.worker for answer in answers for block in answer.blocks for holder in block.holders}
    workers |= {row[3] for row in connection.execute(LINE)}
    among, dead = dialect.within("worker", sorted(worker for worker in workers if not is_alive(worker)))
    return sum(connection.execute(text.format(among), (dead,)).rowcount for text in _RELEASE_WORKERS) > 0


def _claimant(row: Row) -> Claimant:
    run_id, step_key, priority, worker = row[:4]
    return Claimant(run_id, step_key or None, worker, priority)


def _names(claimant: Claimant) -> tuple[str, str]:
    return claimant.run_id, claimant.step_key or ""


def _held_row(claimant: Claimant, claim: Claim, now: Moment) -> Row:
    return (*_names(claimant), claim.resource, claim.weight, claimant.priority, claimant.worker, now.timestamp)


def _matches(which: ClaimFilter, record: ClaimRecord) -> bool:
    claimant = record.claimant
    return (
        (which.resource is None or record.resource == which.resource)
        and (which.prefix is None or record.resource.startswith(which.prefix))
        and (which.run_id is None or claimant.run_id == which.run_id)
        and (which.step_key is None or claimant.step_key == which.step_key)
    )
