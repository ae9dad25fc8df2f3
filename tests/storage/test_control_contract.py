from __future__ import annotations

from collections.abc import Callable

import pytest

from segue.errors import InvariantViolationError
from segue.model.run import Run, RunStatus
from segue.model.stores import Store
from segue.model.tick_record import WantedRun
from segue.storage.postgres import PostgresStore, control, open_postgres
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


def test_what_the_database_refuses_is_not_logged_besides(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    store = open_postgres(postgres_url)
    queue = control.control_of(store)
    run = WantedRun(Run(run_id="a", job_name="daily", status=RunStatus.QUEUED))
    queue.enqueue(run)
    with pytest.raises(InvariantViolationError):
        queue.enqueue(run)
    assert caplog.records == []
    store.close()
