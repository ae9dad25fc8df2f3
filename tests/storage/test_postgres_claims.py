"""Runs that start at the same moment on one Postgres, each with what it claims."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest

from segue.errors import ResourceBusyError
from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest
from segue.storage.postgres import PostgresStore, open_postgres
from segue.testing.storage_contract.builders import add_run, events_of, started

RUNS = 4
# Whoever writes events shares this lock, behind what it claims.
HALT_WRITERS = b"SELECT pg_advisory_xact_lock(hashtext('segue.wipes.' || current_schema()), 0)"
HALTED = b"""
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND classid::bigint = (hashtext('segue.wipes.' || current_schema())::bigint & 4294967295)"""
WAITING = b"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def stores(postgres_url: str) -> Iterator[list[PostgresStore]]:
    """A store for each run, each with a connection of its own."""
    with ExitStack() as stack:
        found = [open_postgres(postgres_url) for _ in range(RUNS)]
        for number, store in enumerate(found):
            stack.callback(store.close)
            add_run(store, f"r{number}")
        yield found


def starts(store: PostgresStore, run_id: str, *resources: str) -> bool:
    """Whether a run starts with what it claims."""
    claims = tuple([Claim(each, capacity=1) for each in resources])
    try:
        request = ClaimRequest(Claimant(run_id, None, store.worker()), claims)
        store.start_run(run_id, events_of(run_id, [started(store.worker())]), request)
    except ResourceBusyError:
        return False
    return True


def count(connection: psycopg.Connection[tuple[int]], statement: bytes) -> int:
    return connection.execute(statement).fetchall()[0][0]


def started_together(
    postgres_url: str, stores: list[PostgresStore], resources: list[list[str]], inside: int
) -> list[bool]:
    """Whether each run starts where all of them stand in their transactions at once: so many behind their claims, and the
    others in front of them."""
    with psycopg.connect(postgres_url, autocommit=True) as watching, ThreadPoolExecutor(RUNS) as pool:
        with psycopg.connect(postgres_url) as halting:
            halting.execute(HALT_WRITERS)
            asked = zip(stores, resources, strict=True)
            answers = [pool.submit(starts, store, f"r{number}", *each) for number, (store, each) in enumerate(asked)]
            while count(watching, WAITING) < RUNS:
                assert not any(each.done() for each in answers)
            assert count(watching, HALTED) == inside
        return [each.result() for each in answers]


def test_runs_that_claim_other_things_start_beside_each_other(postgres_url: str, stores: list[PostgresStore]) -> None:
    resources = [[f"partition:a{number}|", f"partition:b{number}|"] for number in range(RUNS)]
    assert all(started_together(postgres_url, stores, resources, inside=RUNS))
    held = {(each.claimant.run_id, each.resource) for each in stores[0].claim_records(ClaimFilter())}
    assert held == {(f"r{number}", each) for number, names in enumerate(resources) for each in names}


def test_one_of_the_runs_that_claim_the_same_starts(postgres_url: str, stores: list[PostgresStore]) -> None:
    names = ["partition:a|", "partition:b|"]
    resources = [names if number % 2 else names[::-1] for number in range(RUNS)]
    answers = started_together(postgres_url, stores, resources, inside=1)
    assert sorted(answers) == [False] * (RUNS - 1) + [True]
    held = {(each.claimant.run_id, each.resource) for each in stores[0].claim_records(ClaimFilter())}
    assert held == {(f"r{answers.index(True)}", each) for each in names}


def test_a_run_that_shares_one_thing_does_not_start(postgres_url: str, stores: list[PostgresStore]) -> None:
    resources = [["partition:a|", f"partition:b{number}|"] for number in range(RUNS)]
    assert sum(started_together(postgres_url, stores, resources, inside=1)) == 1
