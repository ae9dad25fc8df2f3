"""Opening the home folder ends runs that nobody works on any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.cli.home import open_store
from segue.model.event import Event, RunStartData, RunSuccessData
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.stores import Store
from segue.monitor import end_interrupted
from segue.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(tmp_path, {"SEGUE_HOME": "state"})


def start_run(store: Store, worker: str) -> None:
    store.create_run(Run(run_id="r", job_name="j", created_at=1.0), b"{}", b"{}", [])
    store.append([Event(2.0, RunStartData(worker), run_id="r")])


def test_the_store_is_in_the_home_that_the_settings_name(tmp_path: Path, settings: Settings) -> None:
    with open_store(settings) as store:
        assert store.asset_states(None) == {}
    assert (tmp_path / "state" / "segue.db").is_file()


def test_a_run_without_worker_is_interrupted(settings: Settings) -> None:
    with open_store(settings) as store:
        start_run(store, "1-gone")
    with open_store(settings) as store:
        run = store.get_run("r")
    assert run is not None
    assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.INTERRUPTED)


def test_a_run_with_a_living_worker_goes_on(settings: Settings) -> None:
    with open_store(settings) as store:
        start_run(store, store.worker())
        assert end_interrupted(store, store.unfinished_runs(), 5.0) == []
        run = store.get_run("r")
    assert run is not None
    assert run.status is RunStatus.STARTED


@pytest.mark.parametrize("ended_by_itself", [True, False])
def test_a_run_that_ended_meanwhile_keeps_its_own_end(settings: Settings, ended_by_itself: bool) -> None:
    with open_store(settings) as store:
        start_run(store, "1-gone")
        unfinished = store.unfinished_runs()
        if ended_by_itself:
            store.append([Event(3.0, RunSuccessData(), run_id="r")])
        else:
            assert [run.run_id for run in end_interrupted(store, unfinished, 4.0)] == ["r"]
        before = store.get_run("r")
        assert end_interrupted(store, unfinished, 5.0) == []
        assert store.get_run("r") == before


def test_a_run_that_was_deleted_meanwhile_is_passed_over(settings: Settings) -> None:
    with open_store(settings) as store:
        start_run(store, "1-gone")
        unfinished = store.unfinished_runs()
        store.delete_run("r")
        assert end_interrupted(store, unfinished, 5.0) == []
