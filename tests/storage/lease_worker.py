"""A process that does to a store what it is told, for tests of leases: it may be killed and stopped at any time."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from segue.errors import SegueError
from segue.storage.sqlite import open_sqlite

# A fork of a process without threads: fast, and as clean as a new interpreter.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["lease_worker", "segue.testing.storage_contract.builders"])


def _serve(connection: Connection, home: Path) -> None:
    store = open_sqlite(home)
    connection.send((None, store.worker()))
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = (None, getattr(store, method)(*arguments))
        except SegueError as error:
            answer = (type(error).__name__, None)
        connection.send(answer)


class Worker:
    """One such process.

    Attributes:
        name: as the store names it.
    """

    def __init__(self, home: Path) -> None:
        self._connection, theirs = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(theirs, home), daemon=True)
        self._process.start()
        theirs.close()
        self.name: str = self._connection.recv()[1]

    def do(self, method: str, *arguments: object) -> Any:
        """Calls a method of its store; gives what it returns, or the name of the class of what it raises as 'raised ...'."""
        self._connection.send((method, arguments))
        raised, value = self._connection.recv()
        return value if raised is None else f"raised {raised}"

    def kill(self) -> None:
        """Ends it as the operating system does when memory is short."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def stop(self) -> None:
        """Has it stand still; it lives on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it go on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)
