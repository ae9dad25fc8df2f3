"""Opening a store: in a home folder, or in a database that a URL names. What a database needs is loaded with it alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Protocol

from segue.errors import InvariantViolationError, LoadError
from segue.model.control_stores import ControlStore
from segue.model.stored_content import ArtifactSettings
from segue.model.stores import Store
from segue.storage.artifacts import artifacts_in
from segue.storage.sqlite import SqliteStore, open_sqlite
from segue.storage.sqlite.control import control_of as sqlite_control_of
from segue.storage.sqlite.database import LISTENERS_FOLDER
from segue.storage.sqlite.push import SocketListener


def open_store(
    home: Path,
    database: str | None = None,
    artifacts: ArtifactSettings | None = None,
    supervisor: str | None = None,
    *,
    is_full: bool = True,
) -> Store:
    """The store that keeps what is recorded; it opens on first use.

    Args:
        home: the folder of the database where no URL names one.
        database: the URL of a Postgres database.
        artifacts: what is kept apart from the log, and where.
        supervisor: what `LeaseStore.supervise` gave to the process that has started this one; None where none has.
        is_full: whether ticks and payloads survive a loss of power.

    Raises:
        LoadError: the extra `segue[postgres]` is not installed.
        StorageUnavailableError: the URL cannot be read.
    """
    if database is None:
        return open_sqlite(home, artifacts, is_full=is_full)
    opening = postgres_module("segue.storage.postgres")
    return opening.open_postgres(database, artifacts_in(home, artifacts), supervisor, is_full=is_full)


def postgres_module(module: str) -> ModuleType:
    """A module that needs psycopg.

    Raises:
        LoadError: the extra `segue[postgres]` is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:  # without a name: psycopg is there, and the library that it needs is not
        if (error.name or "psycopg").partition(".")[0] != "psycopg":
            raise
        raise LoadError(
            "The database is Postgres, but the package psycopg is not installed (or libpq was not found): pip "
            "install 'segue[postgres]'."
        ) from error


class Listener(Protocol):
    """Hears that something was written, by whichever process."""

    def wait(self, seconds: float) -> bool:
        """Returns when something was, at the latest after so many seconds; says whether something may have been."""
        ...

    def close(self) -> None:
        """Listens no more."""
        ...


def open_listener(home: Path, database: str | None = None) -> Listener:
    """What hears of writes to the store that `open_store` gives for the same arguments.

    Raises:
        LoadError: the extra `segue[postgres]` is not installed.
        OSError: the system has no such sockets, or none can be made in the home: then only looking helps.
    """
    if database is None:
        return SocketListener(home.resolve() / LISTENERS_FOLDER)
    return postgres_module("segue.storage.postgres.push").NotificationListener(database)


def open_control(store: Store) -> ControlStore:
    """What the control plane keeps, in the database of a store that `open_store` gave.

    Raises:
        InvariantViolationError: the store is another.
    """
    if isinstance(store, SqliteStore):
        return sqlite_control_of(store)
    if type(store).__module__.startswith("segue.storage.postgres."):
        return postgres_module("segue.storage.postgres.control").control_of(store)
    raise InvariantViolationError(f"A {type(store).__name__} stores runs, but not the state of a control plane.")
