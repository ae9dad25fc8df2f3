from __future__ import annotations

from collections.abc import Callable

import pytest

from segue.model.stores import Store
from segue.storage.postgres import PostgresStore, control
from segue.storage.sqlite import SqliteStore
from segue.storage.sqlite.control import control_of
from segue.testing.control_contract import CONTROL_CONTRACT, Stores


@pytest.mark.parametrize("rule", CONTROL_CONTRACT, ids=lambda rule: rule.__name__)
def test_control_contract(rule: Callable[[Stores], None], store: Store) -> None:
    if isinstance(store, PostgresStore):
        rule(Stores(store, control.control_of(store)))
    else:
        assert isinstance(store, SqliteStore)
        rule(Stores(store, control_of(store)))
