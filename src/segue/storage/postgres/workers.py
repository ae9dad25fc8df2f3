"""Workers: the processes that execute runs, each with a lease under its name that it renews while it lives.

Only the clock of the database says whether a lease has run out. A worker whose process died, or that cannot reach the
database for so long, is given up, and its runs with it; should it come back, its fencing tokens are refused. That of a
worker whose process ends while its machine goes on is given back at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import sys
import threading

from segue.errors import StorageError
from segue.storage.postgres import keeper, supervised
from segue.storage.postgres.database import Connection, Database

LEASE_SECONDS = 15
RENEWAL_SECONDS = 5

LIVES = f"EXISTS (SELECT FROM workers w WHERE w.name = {supervised.LEASED} AND w.expires_at > now())"
"""Whether a worker lives, with `{}` for the column with its name."""

LIVING = "SELECT name FROM workers WHERE expires_at > now()"
"""Those that have a lease which holds: `supervised.leased` says which of them counts for a worker."""

NEXT_END = "SELECT min(extract(epoch FROM expires_at - now()))::float8 FROM workers WHERE expires_at > now()"
"""In how many seconds the lease of a worker runs out if that worker does not renew it."""

END_STALLED = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = 'segue'
    AND state <> 'idle' AND wait_event = 'ClientRead' AND left(query, 5) <> 'COPY '
    AND state_change <= now() - make_interval(secs => ?)"""
"""Ends the transactions of processes of Segue that have said nothing for so long, and keep what they have locked. One that
restores a dump says no new statement as long as it sends rows."""

_RENEW = b"""
    INSERT INTO workers (name, expires_at) VALUES (%s, now() + make_interval(secs => %s))
    ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at"""
_REMOVE_DEAD = b"DELETE FROM workers WHERE expires_at < now() - interval '1 day'"
_END = b"DELETE FROM workers WHERE name = %s"

_logger = logging.getLogger(__name__)


class Worker:
    """This process as a worker, from the first call of `name` until `end`.

    Args:
        database: where its lease is kept.
        supervisor: the worker that has started this process, which ends with it; None for one with a lease of its own.
    """

    def __init__(self, database: Database, supervisor: str | None = None) -> None:
        self._database = database
        self._supervisor = supervisor
        self._guard = threading.Lock()
        self._process = os.getpid()
        self._name: str | None = None
        self._stop = threading.Event()
        self._keeper: int | None = None

    def name(self) -> str:
        """The name; the first call takes the lease, and has it renewed from then on."""
        if self._process != os.getpid():  # a forked child is a worker of its own
            self._guard, self._process, self._name, self._keeper = threading.Lock(), os.getpid(), None, None
        with self._guard:
            if self._supervisor is not None:
                self._name = self._name or supervised.name_under(self._supervisor)
            elif self._name is None:
                name = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
                with self._database.write() as connection:
                    _renew(connection, name)
                    connection.execute(_REMOVE_DEAD)
                self._name, self._stop = name, threading.Event()
                threading.Thread(
                    target=_keep, args=(self._database, name, self._stop), name="segue-lease", daemon=True
                ).start()
            return self._name

    def keep(self) -> str:
        """The name of a worker that is about to execute code of users, which must not keep the lease from being renewed: a
        process beside it does that from now on (see `keeper`), where the system has a cheap way to start one.
        """
        name = self.name()
        with self._guard:
            if self._keeper is None and self._supervisor is None:
                self._keeper = _start_keeper(self._database, name)
        return name

    def end(self) -> None:
        """Gives the lease back, where this process has one and the database can be reached."""
        if self._process != os.getpid():
            return
        with self._guard:
            name, self._name = self._name, None
            if name is None or self._supervisor is not None:
                return
            self._stop.set()
            supervised.end(name)
            if self._keeper is not None:
                _end_keeper(self._keeper)
                self._keeper = None
            try:
                with self._database.write() as connection:
                    connection.execute(_END, [name])
            except StorageError as error:
                _logger.debug("The lease of the worker %s was not given back, and runs out by itself: %s", name, error)


def _keep(database: Database, name: str, stop: threading.Event) -> None:
    while not stop.wait(RENEWAL_SECONDS):
        try:
            with database.write() as connection:
                _renew(connection, name)
        except StorageError as error:
            _logger.warning(
                "The lease of this worker could not be renewed; without it, its runs are given up: %s", error
            )


def _start_keeper(database: Database, name: str) -> int | None:
    """Starts the process that renews the lease; None where it cannot be, and the thread has to do."""
    if sys.platform == "win32" or not sys.executable:
        return None
    task = keeper.Task(
        worker=os.getpid(),
        options=dict(database.options),
        renew=_RENEW.decode(),
        renew_with=[name, LEASE_SECONDS],
        end=_END.decode(),
        end_with=[name],
        seconds=RENEWAL_SECONDS,
    )
    # In a session of its own, so that Ctrl-C in a terminal ends the worker and not what tells of its end.
    reading, writing = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, reading, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        command = [sys.executable, "-P", keeper.__file__]
        started = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions, setsid=True)
        os.write(writing, json.dumps(task).encode() + b"\n")
    except (OSError, NotImplementedError) as error:
        _logger.warning(
            "The lease of this worker is renewed by a thread alone, which long calls may keep back: %s", error
        )
        return None
    finally:
        os.close(reading)
        os.close(writing)
    return started


def _end_keeper(process: int) -> None:
    with contextlib.suppress(ChildProcessError):  # user code waited for whatever child there was, and had this one
        if os.waitpid(process, os.WNOHANG) == (0, 0):
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _renew(connection: Connection, name: str) -> None:
    connection.execute(_RENEW, [name, LEASE_SECONDS])
