"""Brings a Postgres database to the newest schema. For tools and the control side; needs the extras `server`, `postgres`."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy

from segue.storage import migrate
from segue.storage.postgres.database import connection_options
from segue.storage.postgres.schema import LOCK


def upgrade(url: str, revision: str = "head") -> None:
    """Runs the migrations that a database has not seen yet, all in one transaction.

    Args:
        url: the database, as libpq reads it.
        revision: the one to stop at.
    """
    options: dict[str, Any] = {**connection_options(url), "autocommit": False}
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(**options), poolclass=sqlalchemy.NullPool
    )
    # Two upgrades, or one and a first use, come one after the other.
    migrate.run(engine, revision, LOCK)
