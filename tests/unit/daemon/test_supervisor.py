"""What watches over everybody else goes on, whatever becomes of one look."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from segue.daemon.supervisor import Supervisor
from segue.model.run import Run
from segue.settings import read_settings
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.control import control_of


def test_a_bug_in_one_look_at_the_workers_is_shown_and_the_next_look_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_sqlite(tmp_path / "home")
    looks, again = store.unfinished_runs, threading.Event()
    number = 0

    def look() -> Sequence[tuple[Run, bool]]:
        nonlocal number
        number += 1
        if number == 1:
            raise ZeroDivisionError("a bug")
        again.set()
        return looks()

    store.unfinished_runs = look
    made = Supervisor(store, control_of(store), None, {}, read_settings(tmp_path, {}))
    made.start()
    assert again.wait(30)
    made.stop()
    store.close()
    assert "ZeroDivisionError: a bug" in capsys.readouterr().err
