"""Brings a database to the newest schema with Alembic. For tools and the control side; needs the extra `server`."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import sqlalchemy
import sqlalchemy.event
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from segue.storage.sqlite.database import DATABASE_NAME


def upgrade(home: Path, revision: str = "head") -> None:
    """Runs the migrations that the database in a home folder has not seen yet, all in one transaction.

    Args:
        home: a home folder; made if need be.
        revision: the one to stop at.
    """
    run(_home_engine(home), revision)


def run(engine: sqlalchemy.Engine, revision: str = "head", first: str | None = None) -> None:
    """The same for any database.

    Args:
        engine: the way to it; closed at the end.
        revision: the one to stop at.
        first: what to execute before anything else, in the same transaction.
    """
    try:
        with engine.begin() as connection:
            if first is not None:
                connection.exec_driver_sql(first)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def statements(dialect: str) -> str:
    """All migrations from nothing as SQL, for a database that need not be there.

    Args:
        dialect: `postgresql` or `sqlite`.
    """
    text = io.StringIO()
    config = _config()
    config.output_buffer = text
    config.attributes["dialect"] = dialect
    command.upgrade(config, "head", sql=True)
    return text.getvalue()


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
