"""One connection to one SQLite database: opened on first use, shared by threads, never by processes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeGuard
from urllib.parse import quote

from segue.errors import StorageUnavailableError
from segue.storage import forks
from segue.storage.columns import Row
from segue.storage.revision import require_known
from segue.storage.sqlite import schema
from segue.storage.sqlite.failures import is_unavailable, primary_code, unavailable
from segue.storage.sqlite.locks import WriteLock
from segue.storage.sqlite.push import Poker

DATABASE_NAME = "segue.db"
LISTENERS_FOLDER = "listeners"
WRITE_LOCK_NAME = "write.lock"
_MEMORY = Path(":memory:")

DURABLE, LOGGED = "FULL", "NORMAL"
"""How SQLite waits for the disk at the end of a transaction: of one that is to be durable, and of all others."""

# Segue's own writers queue before they come to SQLite; this is for the sqlite3 shell and the like.
_BUSY_SECONDS = 30.0
# Statements are prepared once and kept; more than there are constant ones, with room for those built from filters.
_KEPT_STATEMENTS = 256


class Database:
    """The connection, its lock and its rules.

    Every use goes through `read` or `write`. After an error of the file or the disk the connection is given up and the
    next use opens a new one, so that the store works again as soon as the cause is gone.

    A home that cannot be written is read all the same where SQLite can: beside a living writer, or, where nobody has
    the database open and the log of the last writer is closed, as an unchanging file. The latter is opened anew for
    each read, since a writer with more rights may come.

    Args:
        home: the folder; None for a database in memory.
        is_full: whether what is to be durable waits for the disk.
    """

    def __init__(self, home: Path | None, *, is_full: bool = True) -> None:
        self.path = _MEMORY if home is None else home / DATABASE_NAME
        self._home = home
        self._is_full = is_full and home is not None
        self._lock = threading.RLock()
        self._write_lock = None if home is None else WriteLock(home / WRITE_LOCK_NAME)
        self._poker = Poker(None if home is None else home / LISTENERS_FOLDER)
        self._connection: sqlite3.Connection | None = None
        self._is_immutable = False
        self._is_inherited = False
        forks.watch(self)

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of one SELECT: one statement, so one consistent view.

        Raises:
            StorageUnavailableError: the database cannot be read.
            StorageVersionError: its schema is not the one we know.
        """
        with self._lock:
            try:
                return self._open().execute(statement, parameters).fetchall()
            except (sqlite3.Error, OSError) as error:
                if self._is_unavailable(error):
                    raise unavailable(error, self.path) from error
                raise
            finally:
                if self._is_immutable:
                    self._drop()

    @contextmanager
    def write(self, *, is_news: bool = False, is_durable: bool = False) -> Generator[sqlite3.Connection, None, None]:
        """A transaction: committed at the end, rolled back by any exception.

        Args:
            is_news: whether other processes are told that something was written.
            is_durable: whether it survives a loss of power once it is committed, with all that was committed before; else
                only the end of any process.

        Raises:
            StorageUnavailableError: the database cannot be written; nothing was.
            StorageVersionError: its schema is not the one we know.
        """
        with self._lock:
            try:
                connection = self._open()
                if self._write_lock is not None:
                    self._write_lock.acquire()
                if is_durable and self._is_full:
                    connection.execute(f"PRAGMA synchronous={DURABLE}")
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if self._is_unavailable(error):
                    raise unavailable(error, self.path) from error
                raise
            finally:
                if is_durable and self._is_full and self._connection is not None:
                    self._connection.execute(f"PRAGMA synchronous={LOGGED}")
                if self._write_lock is not None:
                    self._write_lock.release()
        if is_news:
            self._poker.poke()

    def close(self) -> None:
        """Gives connection and files back; the next use opens them again (and finds a memory database empty)."""
        with self._lock:
            self._drop()

    def _open(self) -> sqlite3.Connection:
        if self._is_inherited:
            raise StorageUnavailableError(
                f"The database {self.path} was opened by the parent process and cannot be used in a forked child. "
                "Use a store with a home folder, or open the store in the child."
            )
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        if self._home is None:
            connection = _connect(":memory:")
            connection.deserialize(_empty_image())
            return connection
        if not self._home.is_dir():
            self._home.mkdir(parents=True, exist_ok=True)
        try:
            connection = self._connect_file()
        except sqlite3.OperationalError as error:
            if primary_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            connection = self._connect_immutable()
            if connection is None:
                raise
            self._is_immutable = True
        return connection

    def _connect_file(self) -> sqlite3.Connection:
        connection = _connect(str(self.path))
        try:
            connection.execute(f"PRAGMA synchronous={LOGGED}")
            revision = schema.read_revision(connection, self.path)
            if revision is None:
                revision = self._make(connection)
            require_known(revision, str(self.path))
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: sqlite3.Connection) -> str | None:
        assert self._write_lock is not None
        self._write_lock.acquire()
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("BEGIN IMMEDIATE")
            # Another process may have been first.
            if schema.read_revision(connection, self.path) is None:
                schema.create(connection)
            connection.execute("COMMIT")
        finally:
            self._write_lock.release()
        return schema.read_revision(connection, self.path)

    def _connect_immutable(self) -> sqlite3.Connection | None:
        log = self.path.with_name(DATABASE_NAME + "-wal")
        if not self.path.is_file() or (log.exists() and log.stat().st_size > 0):
            return None
        connection = _connect(f"file:{quote(str(self.path))}?mode=ro&immutable=1")
        try:
            require_known(schema.read_revision(connection, self.path), str(self.path))
        except BaseException:
            connection.close()
            raise
        return connection

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                # SQLite has rolled back by itself, or the connection is beyond use: closing it ends the transaction.
                self._drop()

    def _is_unavailable(self, error: BaseException) -> TypeGuard[sqlite3.Error | OSError]:
        if not is_unavailable(error):
            return False
        # In memory there is nothing to open again, and everything to lose.
        if self._home is not None:
            self._drop()
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._is_immutable = False
        if connection is not None:
            connection.close()
        if self._write_lock is not None:
            self._write_lock.close()

    # No connection may cross a fork: SQLite would take the parent's locks for the child's. So it is closed before, and
    # both sides open their own when needed.

    def before_fork(self) -> None:
        """Gives the connection up and keeps the lock until the fork is done."""
        self._lock.acquire()
        if self._home is not None:
            self._drop()

    def after_fork(self) -> None:
        """Gives the lock back, in the parent and in the child."""
        self._lock.release()

    def in_child(self) -> None:
        """Marks a connection that came along (a memory database): what a child writes there nobody would see."""
        self._is_inherited = self._connection is not None


@cache
def _empty_image() -> bytes:
    """An empty database as bytes: copying it takes a twentieth of the time in which its tables are made."""
    connection = _connect(":memory:")
    try:
        connection.execute("BEGIN")
        schema.create(connection)
        connection.execute("COMMIT")
        return connection.serialize()
    finally:
        connection.close()


def _connect(target: str) -> sqlite3.Connection:
    return sqlite3.connect(
        target,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_KEPT_STATEMENTS,
        uri=target.startswith("file:"),
    )
