"""What holds of every store holds behind a pooler that hands out another connection for each transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from pooler import Pooler, find_pooler, pooler
from postgres_server import Server

from segue.model.stores import Store
from segue.storage.postgres import PostgresStore, control, open_postgres
from segue.testing.control_contract import CONTROL_CONTRACT, Stores
from segue.testing.storage_contract import CONTRACT


@pytest.fixture(scope="module")
def running(postgres_server: Server) -> Iterator[Pooler]:
    program = find_pooler()
    if program is None:
        pytest.skip("left out, as pgbouncer is not installed")
    with pooler(postgres_server, program) as running:
        yield running


@pytest.fixture
def store(running: Pooler) -> Iterator[PostgresStore]:
    store = open_postgres(running.empty())
    yield store
    store.close()


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_contract(rule: Callable[[Store], None], store: Store) -> None:
    rule(store)


@pytest.mark.parametrize("rule", CONTROL_CONTRACT, ids=lambda rule: rule.__name__)
def test_control_contract(rule: Callable[[Stores], None], store: PostgresStore) -> None:
    rule(Stores(store, control.control_of(store)))


def test_connections_are_handed_out_by_the_transaction(running: Pooler) -> None:
    url = running.empty()
    with psycopg.connect(url, prepare_threshold=None) as one, psycopg.connect(url, prepare_threshold=None) as other:
        backend = one.execute("SELECT pg_backend_pid()").fetchone()
        one.commit()
        assert other.execute("SELECT pg_backend_pid()").fetchone() == backend
