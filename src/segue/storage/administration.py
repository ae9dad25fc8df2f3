"""What administrators do with a database, of whatever kind."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from segue.errors import StorageError
from segue.storage.dump import Readable, Writable
from segue.storage.health import Health
from segue.storage.opening import postgres_module
from segue.storage.sqlite import administration as sqlite


class Administration(msgspec.Struct, frozen=True):
    """The functions of these names in `sqlite/administration.py` or `postgres/administration.py`, for one database."""

    revision: Callable[[], str | None]
    others: Callable[[], int]
    health: Callable[[], Health]
    reading: Callable[[], AbstractContextManager[Readable]]
    writing: Callable[[], AbstractContextManager[Writable]]


def fingerprint_of(database: str) -> str | None:
    """A name for a Postgres database that all share who reach it; None where it is away, or does not tell this user.

    Args:
        database: its URL.

    Raises:
        LoadError: the extra `segue[postgres]` is not installed.
    """
    module = postgres_module("segue.storage.postgres.administration")
    try:
        return module.fingerprint(database)
    except StorageError:
        return None


def administration_of(home: Path, database: str | None = None) -> Administration:
    """What administrators do with the database that `opening.open_store` opens.

    Raises:
        LoadError: the extra `segue[postgres]` is not installed.
    """
    module, place = sqlite, home
    if database is not None:
        module, place = postgres_module("segue.storage.postgres.administration"), database
    return Administration(
        *[functools.partial(getattr(module, name), place) for name in Administration.__struct_fields__]
    )
