"""Opening the store ends runs that nobody works on any more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from segue.deployment import open_store, sweep_interrupted
from segue.errors import InvariantViolationError
from segue.model.event import Event
from segue.model.run import Run, RunStatus
from segue.settings import read_settings


class Runs:
    """The part of a run store that sweeping needs: one run without a worker, and how it answers."""

    def __init__(self, status: RunStatus, *, refuses: bool) -> None:
        self.run = Run(run_id="r", job_name="j", status=RunStatus.STARTED)
        self.now = msgspec.structs.replace(self.run, status=status)
        self.refuses = refuses
        self.appended: list[Event] = []

    def unfinished_runs(self) -> Sequence[tuple[Run, bool]]:
        return [(self.run, False)]

    def append(self, events: Sequence[Event]) -> int:
        if self.refuses:
            raise InvariantViolationError("The run has ended.")
        self.appended.extend(events)
        return 1

    def get_run(self, run_id: str) -> Run | None:
        return self.now if run_id == "r" else None


def test_a_run_without_worker_is_ended() -> None:
    store = Runs(RunStatus.STARTED, refuses=False)
    assert [run.run_id for run in sweep_interrupted(store, 5.0)] == ["r"]  # type: ignore[arg-type]
    assert [(event.timestamp, event.run_id) for event in store.appended] == [(5.0, "r")]


@pytest.mark.parametrize("status", [RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED])
def test_a_run_that_ended_meanwhile_keeps_its_own_end(status: RunStatus) -> None:
    assert sweep_interrupted(Runs(status, refuses=True), 5.0) == []  # type: ignore[arg-type]


def test_a_refusal_without_an_end_is_no_secret() -> None:
    with pytest.raises(InvariantViolationError):
        sweep_interrupted(Runs(RunStatus.STARTED, refuses=True), 5.0)  # type: ignore[arg-type]


def test_the_store_is_in_the_home_that_the_settings_name(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {"SEGUE_HOME": "state"})
    with open_store(settings) as store:
        assert store.asset_states(None) == {}
    assert (tmp_path / "state" / "segue.db").is_file()
