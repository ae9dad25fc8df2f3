from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.model.stores import Store
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import open_memory, open_sqlite

pytest.register_assert_rewrite("segue.testing.storage_contract")

# One line for each implementation: from a way to get what it needs to an empty store.
IMPLEMENTATIONS: dict[str, Callable[[pytest.FixtureRequest], Store]] = {
    "memory": lambda request: open_memory(),
    "sqlite": lambda request: open_sqlite(_folder(request) / "home"),
    "postgres": lambda request: open_postgres(request.getfixturevalue("postgres_url")),
}


def _folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue("tmp_path")


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    store = IMPLEMENTATIONS[request.param](request)
    yield store
    store.close()
