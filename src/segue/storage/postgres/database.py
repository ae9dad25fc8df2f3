"""One connection to one Postgres database: opened on first use, shared by threads, never by processes."""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from typing import Any, Self, TypeAlias, TypeVar, cast

import psycopg
from psycopg.abc import Params
from psycopg.adapt import PyFormat, Transformer
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo, TransactionStatus

from segue.errors import StorageUnavailableError
from segue.model.database_url import masked
from segue.storage import forks
from segue.storage.columns import Row
from segue.storage.postgres import schema
from segue.storage.postgres.failures import is_unavailable, unavailable
from segue.storage.postgres.notifying import NOTIFY

Connection: TypeAlias = psycopg.Connection[Row]
Value = TypeVar("Value")

# Said with each transaction, since a server may have other defaults.
_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_CONNECT_SECONDS = 10

# psycopg compiles what it needs for lists when it writes the first: here, so that a process that is forked finds it.
Transformer().dump_sequence([[""]], [PyFormat.AUTO])


class _MarkedCursor(psycopg.RawCursor[Row]):
    """Carries out statements with `%s` for each parameter, and no percent sign besides. To find the marks with regular
    expressions, as psycopg does, takes a third of the time that a short-lived process spends on a statement.
    """

    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """See `psycopg.Cursor.execute`."""
        return super().execute(query if params is None else _numbered(query), params, prepare=prepare, binary=binary)

    def executemany(self, query: Any, params_seq: Iterable[Params], *, returning: bool = False) -> None:
        """See `psycopg.Cursor.executemany`."""
        super().executemany(_numbered(query), params_seq, returning=returning)


def _numbered(statement: Any) -> Any:
    return _with_numbers(statement) if isinstance(statement, bytes) else statement


@lru_cache(maxsize=1024)
def _with_numbers(statement: bytes) -> bytes:
    first, *others = statement.split(b"%s")
    return first + b"".join([b"$%d%s" % (number, part) for number, part in enumerate(others, start=1)])


class Database:
    """The connection, its lock and its rules.

    Every use goes through `read` or `write`. A pooler that hands out servers by the transaction may stand between:
    nothing is prepared, set or locked for longer than a transaction. A connection that was lost is opened anew by the
    next use.

    Args:
        url: `postgresql://...`, as libpq reads it; what it leaves out comes from the environment, as libpq does it.

    Attributes:
        options: what psycopg connects with.
    """

    def __init__(self, url: str) -> None:
        self.options = connection_options(url)
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        forks.watch(self)

    @cached_property
    def name(self) -> str:
        """Database and host, for messages."""
        return name_of(self.options)

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of one SELECT, written with `?` for a parameter: one statement, so one consistent view.

        Raises:
            StorageUnavailableError: the database cannot be reached or read.
            StorageVersionError: its schema is not the one we know.
        """
        with self._lock:
            try:
                readable = [_readable(parameter) for parameter in parameters]
                return self._open().execute(marked(statement), readable, binary=True).fetchall()
            except BaseException as error:
                self._give_up(error)
                raise

    @contextmanager
    def write(self, *, is_news: bool = False) -> Generator[Connection, None, None]:
        """A transaction: committed at the end, rolled back by any exception.

        Args:
            is_news: whether other processes are told that something was written; by a transaction of its own behind this one,
                since those that tell wait for each other.

        What is executed inside is sent without waiting for answers, so that all of it is one way to the server and
        back, or as many as there are answers fetched inside. A refusal of the server shows at the next fetch, or at
        the end. The lines of a cursor may be fetched after the end.

        Raises:
            StorageUnavailableError: the database cannot be reached or written; nothing was, unless the connection was
                lost on the way, when nobody can know.
            StorageVersionError: its schema is not the one we know.
        """
        with self._lock:
            try:
                connection = self._open()
                with answered(connection):
                    connection.execute(_BEGIN)
                    yield connection
                    connection.execute(b"COMMIT")
                    if is_news:
                        connection.execute(NOTIFY)
            except BaseException as error:
                self._give_up(error)
                raise

    def change_schema(self, change: Callable[[Connection], Value]) -> Value:
        """Has the tables changed, in a transaction that `change` opens itself and in which it waits for each answer.

        Raises:
            StorageUnavailableError: the database cannot be reached or written.
        """
        with self._lock:
            try:
                return change(self._open())
            except BaseException as error:
                self._give_up(error)
                raise

    def close(self) -> None:
        """Gives the connection back; the next use opens another."""
        with self._lock:
            self._drop()

    def _open(self) -> Connection:
        # What is read inside a transaction goes the way that is open, whatever waits there to be read.
        if self._connection is not None and _is_idle(self._connection) and _is_stale(self._connection):
            self._drop()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        connection = psycopg.connect(**self.options, cursor_factory=_MarkedCursor)
        try:
            if not schema.is_ready(connection):
                schema.prepare(connection, self.name)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_up(self, error: BaseException) -> None:
        """Ends what an error left open, and raises it anew where the server is at fault."""
        connection = self._connection
        if connection is not None and not connection.closed:
            try:
                if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                    connection.execute(b"ROLLBACK")
            except psycopg.Error:
                # Beyond use: closing it ends the transaction.
                self._drop()
            else:
                if connection.info.transaction_status is not TransactionStatus.IDLE:
                    self._drop()  # an interrupt left a statement under way
        if is_unavailable(error):
            raise unavailable(error, self.name) from error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def before_fork(self) -> None:
        """Waits for the transaction of another thread."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Gives the lock back, in the parent and in the child."""
        self._lock.release()

    def in_child(self) -> None:
        """Parts with the connection, which stays the parent's."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.closed:
            # Closing says good-bye to the server, which would end the parent's session: it must not be heard.
            nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(nowhere, connection.fileno(), inheritable=False)
            os.close(nowhere)
            connection.close()


@contextmanager
def answered(connection: Connection) -> Generator[None]:
    """Sends what is executed inside without waiting, and waits for all answers at the end."""
    failed: BaseException | None = None
    with connection.pipeline() as pipeline:
        try:
            yield
        # Left to the end of the block, psycopg would log what else the server refuses after that.
        except BaseException as error:  # noqa: BLE001 reason: it is raised again behind the block
            failed = error
            with suppress(psycopg.Error):
                pipeline.sync()
    if failed is not None:
        raise failed


@lru_cache(maxsize=1024)
def marked(statement: str) -> bytes:
    """A statement with the marks that psycopg wants."""
    return statement.replace("?", "%s").encode()


def _readable(parameter: object) -> object:
    # No column holds a NUL character (`require_text`), and none can be sent: what is to be equal to it is nothing.
    if isinstance(parameter, str):
        return None if "\0" in parameter else parameter
    if isinstance(parameter, list):
        values = cast("list[object]", parameter)
        return [value for value in values if not (isinstance(value, str) and "\0" in value)]
    return parameter


def _is_idle(connection: Connection) -> bool:
    return connection.closed or connection.info.transaction_status is TransactionStatus.IDLE


def _is_stale(connection: Connection) -> bool:
    """Whether a connection that waits for work was closed by the other side (or has anything else to say)."""
    if connection.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))


@lru_cache(maxsize=16)
def connection_options(url: str) -> Mapping[str, Any]:
    """What psycopg connects with. Nothing is prepared on the server: a pooler may hand out another the next time.

    Raises:
        StorageUnavailableError: this is no URL of a Postgres database.
    """
    options: dict[str, Any]
    try:
        options = dict(conninfo_to_dict(url))
    except psycopg.Error:
        # What libpq says of it may quote the password.
        raise StorageUnavailableError(
            f"{masked(url)} cannot be read as the URL of a Postgres database. Write it as "
            "postgresql://user@host:5432/name, and a character that means something else as %40 (that is an @)."
        ) from None
    options.setdefault("connect_timeout", _CONNECT_SECONDS)
    options.setdefault("fallback_application_name", "segue")
    options.update(client_encoding="UTF8", prepare_threshold=None, autocommit=True)
    return options


def name_of(options: Mapping[str, Any]) -> str:
    """Database and host of `connection_options`, for messages."""
    known = {option.keyword.decode(): option.val.decode() for option in Conninfo.get_defaults() if option.val}
    known |= {key: str(value) for key, value in options.items()}
    database = known.get("dbname") or known.get("user", "")
    host = known.get("host") or known.get("hostaddr")
    return f"{database!r} on {host}:{known.get('port', '5432')}" if host else f"{database!r} on this machine"
