"""What code locations tell is put on record, also where the store is away for a while."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from segue.daemon.listening import Listening
from segue.errors import StorageUnavailableError
from segue.model.location import LocationState, LocationStatus
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.control import control_of


def state(name: str, status: LocationStatus, manifest_hash: str | None = None) -> LocationState:
    return LocationState(name=name, status=status, manifest_hash=manifest_hash)


def test_what_was_told_while_the_store_was_away_is_recorded_when_it_is_back(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "home")
    control = control_of(store)
    control.put_location(state("gone", LocationStatus.READY))
    put, told = control.put_location, list[str]()
    is_back, done = threading.Event(), threading.Event()

    def away(*arguments: Any, **named: Any) -> None:
        if not is_back.is_set():
            raise StorageUnavailableError("The database is away.")
        put(*arguments, **named)
        done.set()

    control.put_location = away
    listening = Listening(store, control)
    listening.tell = told.append
    listening.record(state("main", LocationStatus.READY, "hash"), b"manifest")
    listening.record(state("main", LocationStatus.BROKEN, "hash"), None)
    listening.forget_others({"main"})
    is_back.set()
    assert done.wait(30)
    listening.record(state("other", LocationStatus.READY), None)  # behind the lock of what was tried again
    assert [(each.name, each.status) for each in control.location_states()] == [
        ("main", LocationStatus.BROKEN),
        ("other", LocationStatus.READY),
    ]
    assert control.get_manifest("hash") == b"manifest"
    assert told[0] == "The database is away."
    store.close()
