"""Brings a database to the newest schema with Alembic. For tools and the control side; needs the extra `server`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy
import sqlalchemy.event
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from segue.storage.sqlite.database import DATABASE_NAME


def upgrade(target: Path | str, revision: str = "head") -> None:
    """Runs the migrations that a database has not seen yet, all in one transaction.

    Args:
        target: a home folder (made if need be), or the URL of a database as SQLAlchemy writes it.
        revision: the one to stop at.
    """
    engine = _home_engine(target) if isinstance(target, Path) else sqlalchemy.create_engine(target)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def newest_revision() -> str | None:
    """The revision that `upgrade` leads to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    # Alembic reads its options through configparser, to which a percent sign in a path is special.
    location = str(Path(__file__).with_name("migrations")).replace("%", "%%")
    config.set_main_option("script_location", location)
    return config


def _home_engine(home: Path) -> sqlalchemy.Engine:
    home.mkdir(parents=True, exist_ok=True)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(home / DATABASE_NAME, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    engine = sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=sqlalchemy.NullPool)

    # The driver, left alone, would commit before each CREATE: a broken migration would stay half done.
    @sqlalchemy.event.listens_for(engine, "begin")
    def begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
