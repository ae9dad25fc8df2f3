"""pgbouncer in front of the Postgres server of the tests, handing out its connections by the transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from postgres_server import Server

PROGRAM = "pgbouncer"
_PORT = 6432
_DATABASE = "pooled"
_SETTINGS = """
[databases]
{database} = host={folder} user=postgres

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 3
log_connections = 0
log_disconnections = 0
log_pooler_errors = 0
log_stats = 0
"""


def find_pooler() -> str | None:
    """Where the program is; None where it is not installed."""
    return shutil.which(PROGRAM, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


class Pooler:
    """A running pooler, with a database of its own behind it.

    Args:
        server: the server behind it.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def empty(self) -> str:
        """Empties the database; the URL that leads to it through the pooler."""
        with psycopg.connect(self._server.url(_DATABASE), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return f"postgresql://postgres@:{_PORT}/{_DATABASE}?host={quote(str(self._server.folder), safe='')}"


@contextmanager
def pooler(server: Server, program: str) -> Generator[Pooler]:
    """A pooler in front of a server, for as long as the block lasts."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DATABASE}".encode())
    settings = server.folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(database=_DATABASE, folder=server.folder, port=_PORT))
    run_as: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to be run by root
        owner = server.folder.stat()
        run_as = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    process = subprocess.Popen([program, settings], stderr=subprocess.PIPE, text=True, cwd=server.folder, **run_as)
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if "process up" in line:
                break
        else:
            raise RuntimeError("\n".join(["pgbouncer did not start:", *said]))
        yield Pooler(server)
    finally:
        process.kill()
        process.communicate()
