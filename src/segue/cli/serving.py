"""A control plane in this process: code locations, loops and API, from start until a signal stops it."""

from __future__ import annotations

import gc
import socket
import sys
import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from segue.cli.foreground import Signals, listen, signals
from segue.cli.locations import targets_in_force
from segue.cli.streams import write
from segue.daemon.listening import Listening
from segue.deployment import (
    artifacts_of,
    control_of,
    fingerprint_of,
    listener_of,
    output_copies_of,
    records_of,
    store_of,
)
from segue.errors import InvalidConfigError, StorageError, StorageVersionError
from segue.location.client import ProcessLocation
from segue.model.control_stores import ControlStore
from segue.model.location import LocationState, LocationStatus
from segue.model.stores import Store
from segue.settings import Settings

if TYPE_CHECKING:
    from segue.daemon.retention import Retention

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DEVELOPMENT = "development"  # the lease of `segue dev`


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be served.

    Attributes:
        host, port: where the API listens; port 0 for any that is free.
        has_api, has_loops: which parts this process has.
        is_for_development: whether code is loaded anew when its files change, and runs are stopped with this process.
        workspace: a `workspace.yaml` with the code locations; None for those of the settings.
        drain: for how many seconds runs may go on when this process is to end; not for development.
    """

    host: str
    port: int
    has_api: bool = True
    has_loops: bool = True
    is_for_development: bool = False
    workspace: str | None = None
    drain: float = 0.0


def serve(settings: Settings, serving: Serving) -> None:
    """Serves until SIGINT or SIGTERM comes, lets runs go on for as long as they may, then ends all that it has started.

    While they do, nothing new is started here, and the loops are free for another control plane. A second signal ends that.

    Raises:
        InvalidConfigError: there is no code location, or the API would be open to other machines without a token.
        SegueError: the store cannot be used.
        click.ClickException: the port is taken.
    """
    targets = targets_in_force(settings, serving.workspace)
    if serving.has_api:
        _require_closed(settings, serving)
    gc.disable()  # what is loaded stays: to look through it again and again is a tenth of the start
    with signals() as ending:
        listening = listen(serving.host, serving.port, "The API") if serving.has_api else None
        store = store_of(settings)
        if serving.is_for_development and settings.database is None:
            _require_alone(store)
        _require_known_schema(store)
        control = control_of(store)
        listener = Listening(store, control)
        listener.tell = _say
        listener.location_changed = _LocationTeller()
        if serving.has_loops:
            listener.forget_others({each.name for each in targets})
        records = records_of(settings)
        locations = {
            each.name: ProcessLocation(each, records, listener, database=partial(fingerprint_of, settings))
            for each in targets
        }
        loading_since = time.time()
        for location in locations.values():
            location.start()
        try:
            _Parts(settings, serving, store, control, locations, listener, loading_since).run(listening, ending)
            listener.ended = ending.wake
            _drain([each for each in locations.values() if each.target.remote is None], serving.drain, ending)
        finally:
            for location in locations.values():
                location.stop(interrupt_runs=serving.is_for_development)
            store.close()


class _Parts:
    """What is loaded while the code locations are already at work."""

    def __init__(
        self,
        settings: Settings,
        serving: Serving,
        store: Store,
        control: ControlStore,
        locations: Mapping[str, ProcessLocation],
        listener: Listening,
        loading_since: float,
    ) -> None:
        self._loading_since = loading_since
        self._settings = settings
        self._serving = serving
        self._store = store
        self._control = control
        self._locations = locations
        self._listener = listener

    def run(self, listening: socket.socket | None, ending: Signals) -> None:
        from segue.daemon.supervisor import Supervisor

        wake = _nothing
        supervisor = None
        if self._serving.has_loops:
            try:
                listener = listener_of(self._settings)
            except OSError as error:
                listener = None
                _say(
                    f"Writes of other processes cannot be noticed at once: {error.strerror}. They are looked for "
                    "once a second."
                )
            supervisor = Supervisor(
                self._store, self._control, listener, self._locations, self._settings, self._retention()
            )
            wake = self._listener.wake = supervisor.wake
            supervisor.start()
        server = api_store = watcher = None
        if listening is not None:
            from segue.server.app import make_app
            from segue.server.serving import ApiServer
            from segue.server.state import ServerState

            host = self._serving.host
            api_store = store_of(self._settings)  # with a connection of its own, so that no request waits for a loop
            state = ServerState(
                store=api_store,
                control=control_of(api_store),
                locations=self._locations,
                token=self._settings.api_token,
                hosts=frozenset({*LOOPBACK, host}) if host in LOOPBACK else frozenset(),
                enqueued=wake,
            )
            server = ApiServer(make_app(state), listening)
            server.start()
            write(sys.stdout, f"Serving Segue at {_url(listening)} (Ctrl-C ends it)\n")
            sys.stdout.flush()
        if self._serving.is_for_development:
            from segue.cli.watching_files import FileWatcher

            watcher = FileWatcher(self._locations, self._loading_since)
            watcher.start()
        gc.enable()
        gc.freeze()
        try:
            while not ending.is_over:
                ending.wait()
        finally:
            if watcher is not None:
                watcher.stop()
            if server is not None and api_store is not None:
                server.stop()
                api_store.close()
            if supervisor is not None:
                supervisor.stop()

    def _retention(self) -> Retention:
        from segue.daemon.retention import Retention
        from segue.storage.for_control import retention_of

        return Retention(
            retention_of(self._store),
            self._control,
            self._settings.retention,
            Path(self._settings.steps.logs_of(self._settings.home)),
            artifacts_of(self._settings),
            output_copies_of(self._settings),
        )


def _nothing() -> None:
    """Nobody is to be woken."""


def _require_closed(settings: Settings, serving: Serving) -> None:
    """Refuses to be open to other machines without a token."""
    if serving.host not in LOOPBACK and settings.api_token is None:
        raise InvalidConfigError(
            f"--host {serving.host} opens the API to other machines, and whoever can reach it could run your code. "
            "Set a token (SEGUE_API_TOKEN, or `api_token` in segue.toml), which requests must send, or remove --host."
        )


def _require_known_schema(store: Store) -> None:
    """Refuses a database of another version; one that is away is waited for."""
    try:
        store.leases()
    except StorageVersionError:
        raise
    except StorageError as error:
        _say(str(error))


def _require_alone(store: Store) -> None:
    """Refuses to have two processes load the code that somebody is writing into one home."""
    if store.acquire_lease(_DEVELOPMENT, 0.0) is None:
        [holder] = [each.holder for each in store.leases() if each.name == _DEVELOPMENT]
        raise InvalidConfigError(
            f"Another segue dev (process {holder.partition('-')[0]}) is serving this home folder. Stop it, or "
            "pass another folder with --home."
        )


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(text: str) -> None:
    write(sys.stderr, f"{text}\n")


class _LocationTeller:
    """Tells a person how code locations stand. Code that does not load is tried again and again: the same error is shown once."""

    def __init__(self) -> None:
        self._told: dict[str, LocationState] = {}

    def __call__(self, state: LocationState) -> None:
        before = self._told.get(state.name)
        self._told[state.name] = state
        if state.status is LocationStatus.READY:
            _say(f"Code location {state.name} is loaded." + (f" {state.error}" if state.error else ""))
            return
        what = "does not load" if state.status is LocationStatus.BROKEN else "has no process"
        if before is not None and (before.status, before.error) == (state.status, state.error):
            _say(f"Code location {state.name} still {what}: the error is the same.")
            return
        kept = " Its last version is still served." if state.manifest_hash else ""
        _say(f"Code location {state.name} {what}.{kept}\n{state.error or ''}")


def _drain(locations: Collection[ProcessLocation], seconds: float, ending: Signals) -> None:
    """Waits until no run goes on here, for so many seconds at most, or until another signal comes."""
    deadline = time.monotonic() + seconds
    ending.is_waiting, ending.is_over = seconds > 0, False
    running = sum(each.running for each in locations)
    if running and seconds > 0:
        _say(f"Ending with its runs ({running}), in {seconds:g} seconds at the latest. Another signal ends them now.")
    while running and not ending.is_over and (left := deadline - time.monotonic()) > 0:
        ending.wait(left)
        running = sum(each.running for each in locations)
    ending.is_waiting = False
