from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.model.stores import Store
from segue.storage.sqlite import open_memory, open_sqlite

pytest.register_assert_rewrite("segue.testing.storage_contract")

# One line for each implementation: from an empty folder to an empty store.
IMPLEMENTATIONS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: open_memory(),
    "sqlite": open_sqlite,
}


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = IMPLEMENTATIONS[request.param](tmp_path / "home")
    yield store
    store.close()
