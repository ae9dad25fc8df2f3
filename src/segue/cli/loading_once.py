"""Loading a code location once, as the control plane would, and stopping it again."""

from __future__ import annotations

import threading
from functools import partial

import msgspec

from segue.deployment import fingerprint_of, records_of
from segue.location.client import ProcessLocation
from segue.model.location import LocationState, LocationTarget
from segue.settings import Settings


class LoadedOnce(msgspec.Struct, frozen=True):
    """What came of it: how the location stands, and what it declares (None where it does not load)."""

    state: LocationState
    manifest: bytes | None


def load_once(settings: Settings, target: LocationTarget) -> LoadedOnce:
    """Loads a code location in a process of its own, in its own environment, and ends that process.

    Args:
        settings: in force.
        target: the code location.
    """
    listener = _First()
    loading = ProcessLocation(target, records_of(settings), listener, database=partial(fingerprint_of, settings))
    loading.start()
    listener.is_told.wait()
    loaded = LoadedOnce(loading.state, listener.manifest)
    loading.stop()
    return loaded


class _First:
    """Waits for the first that is heard of a code location."""

    def __init__(self) -> None:
        self.is_told = threading.Event()
        self.manifest: bytes | None = None

    def record(self, state: LocationState, manifest: bytes | None) -> None:
        """See `LocationListener.record`."""
        del state  # the location is asked
        self.manifest = manifest

    def changed(self, state: LocationState) -> None:
        """See `LocationListener.changed`."""
        del state  # the location is asked
        self.is_told.set()

    def supervisor(self) -> str | None:
        """See `LocationListener.supervisor`; no run is started here."""

    def run_ended(self, run_id: str, how: str) -> None:
        """See `LocationListener.run_ended`; no run is started here."""
