"""A home that cannot serve: the error says path, cause and cure, nothing is half written, and it works again after."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from segue.errors import StorageUnavailableError
from segue.model.stores import EventFilter
from segue.storage.sqlite import SqliteStore, database, open_sqlite
from segue.storage.sqlite.database import DATABASE_NAME
from segue.testing.storage_contract.builders import add_run, started, step_events

ROOT_MAY_DO_ALL = hasattr(os, "geteuid") and os.geteuid() == 0
NOBODY = 65534


def _assert_says(error: BaseException, *parts: str | Path) -> None:
    text = str(error)
    assert "\n" not in text
    for part in parts:
        assert str(part) in text, text


def _used(home: Path) -> SqliteStore:
    store = open_sqlite(home)
    add_run(store, "r1")
    store.append(step_events("r1", "s", "a"))
    return store


def _count(store: SqliteStore) -> int:
    return len(store.events(EventFilter(), None))


@pytest.mark.parametrize("name", ["with space", "größe-ä", "表", "100%", "a?b#c", "it's", "file:x", "semi;colon"])
def test_any_folder_name_works(tmp_path: Path, name: str) -> None:
    store = _used(tmp_path / name / "home")
    store.close()
    assert _count(store) == 8
    assert (tmp_path / name / "home" / DATABASE_NAME).is_file()
    store.close()


def test_a_relative_home_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_sqlite(Path("home"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    add_run(store, "r1")
    store.close()
    assert (tmp_path / "home" / DATABASE_NAME).is_file()


def test_opening_touches_nothing(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "home").close()
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    store = open_sqlite(home)
    for use in (lambda: store.get_run("r1"), lambda: add_run(store, "r1"), lambda: store.worker()):
        with pytest.raises(StorageUnavailableError) as caught:
            use()
        _assert_says(caught.value, home / DATABASE_NAME, "is a file", "SEGUE_HOME")
    home.unlink()
    assert store.get_run("r1") is None
    store.close()


def test_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    path.write_bytes(b"these are not the pages you are looking for" * 100)
    store = open_sqlite(tmp_path)
    for use in (lambda: store.get_run("r1"), lambda: add_run(store, "r1")):
        with pytest.raises(StorageUnavailableError) as caught:
            use()
        _assert_says(caught.value, path, "file is not a database", "Move the file away")
    path.unlink()
    assert store.get_run("r1") is None
    store.close()


def test_a_damaged_database(tmp_path: Path) -> None:
    store = _used(tmp_path)
    for number in range(100):
        store.append(step_events("r1", f"s{number}", "a"))
    store.close()
    path = tmp_path / DATABASE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StorageUnavailableError) as caught:
        store.events(EventFilter(), None)
    _assert_says(caught.value, path, "malformed", "backup")
    path.write_bytes(whole)
    assert _count(store) == 808
    store.close()


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from segue.errors import StorageUnavailableError
from segue.model.stores import EventFilter
from segue.storage.sqlite import open_sqlite
from segue.testing.storage_contract.builders import add_run, step_events

home, path = Path(sys.argv[1]), Path(sys.argv[1]) / "segue.db"
if os.geteuid() == 0:
    os.seteuid(65534)
store = open_sqlite(home)

def is_refused(use, *parts):
    try:
        use()
    except StorageUnavailableError as error:
        for part in (str(path), "SEGUE_HOME", *parts):
            assert part in str(error), (part, str(error))
        assert "\\n" not in str(error)
        return True
    return False
"""


@pytest.fixture
def guarded_home() -> Iterator[Path]:
    """A home below a folder that everybody may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        home = Path(folder) / "home"
        home.mkdir()
        yield home
        os.chmod(home, 0o755)


def _as_nobody(home: Path, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNPRIVILEGED + code + "\nprint('done')", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_home_that_may_not_be_written_is_read(guarded_home: Path) -> None:
    _used(guarded_home).close()
    os.chmod(guarded_home, 0o555)
    _as_nobody(
        guarded_home,
        """
assert store.get_run("r1") is not None
assert len(store.events(EventFilter(), None)) == 8
assert is_refused(lambda: store.append(step_events("r1", "s", "a")), "writable")
assert is_refused(lambda: add_run(store, "r2"), "writable")
assert is_refused(store.worker, "writable")
assert len(store.events(EventFilter(), None)) == 8
""",
    )


def test_a_home_that_may_not_be_written_is_read_beside_a_writer(guarded_home: Path) -> None:
    writer = _used(guarded_home)
    for path in guarded_home.iterdir():
        os.chmod(path, 0o444)
    os.chmod(guarded_home, 0o555)
    _as_nobody(
        guarded_home,
        """
assert len(store.events(EventFilter(), None)) == 8
assert is_refused(lambda: store.append(step_events("r1", "s", "a")), "writable")
assert len(store.events(EventFilter(), None)) == 8
""",
    )
    for path in guarded_home.iterdir():
        os.chmod(path, 0o644)
    writer.close()


def test_a_log_that_cannot_be_read_is_not_left_out(guarded_home: Path) -> None:
    # A writer died: what it committed stands in the log, which cannot be read without writing beside it.
    code = "import os; from pathlib import Path; from segue.storage.sqlite import open_sqlite\n"
    code += "from segue.testing.storage_contract.builders import add_run\n"
    code += f"add_run(open_sqlite(Path({str(guarded_home)!r})), 'r1'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code], check=True)
    (guarded_home / f"{DATABASE_NAME}-shm").unlink()
    for path in guarded_home.iterdir():
        os.chmod(path, 0o444)
    os.chmod(guarded_home, 0o555)
    _as_nobody(guarded_home, 'assert is_refused(lambda: store.get_run("r1"), "writable")')


def test_a_fresh_home_that_may_not_be_written(guarded_home: Path) -> None:
    os.chmod(guarded_home, 0o555)
    _as_nobody(guarded_home, 'assert is_refused(lambda: store.get_run("r1"), "unable to open", "writable")')


def test_a_home_that_may_not_be_entered(guarded_home: Path) -> None:
    _used(guarded_home).close()
    os.chmod(guarded_home, 0o000)
    if ROOT_MAY_DO_ALL:
        os.chown(guarded_home, NOBODY, -1)
    _as_nobody(guarded_home, 'assert is_refused(lambda: store.get_run("r1"), "writable")')


def test_a_home_that_becomes_writable_is_written(guarded_home: Path) -> None:
    _used(guarded_home).close()
    if ROOT_MAY_DO_ALL:
        for path in (guarded_home, *guarded_home.iterdir()):
            os.chown(path, NOBODY, -1)
    os.chmod(guarded_home, 0o555)
    _as_nobody(
        guarded_home,
        """
assert len(store.events(EventFilter(), None)) == 8
assert is_refused(lambda: store.append(step_events("r1", "s", "a")), "writable")
os.chmod(home, 0o755)
store.append(step_events("r1", "s", "a"))
assert len(store.events(EventFilter(), None)) == 16
store.close()
""",
    )


FILL = """
import os, sys
from pathlib import Path
from segue.errors import StorageUnavailableError
from segue.model.stores import EventFilter
from segue.storage.sqlite import open_sqlite
from segue.testing.storage_contract.builders import add_run, logged, events_of, step_events

home = Path(sys.argv[1])
store = open_sqlite(home)
add_run(store, "r1")

def fill(*parts):
    written = 0
    while True:
        try:
            store.append([*step_events("r1", "s", f"asset_{written}"), *events_of("r1", [logged("x" * 20_000)])])
        except StorageUnavailableError as error:
            for part in (str(home / "segue.db"), "SEGUE_HOME", *parts):
                assert part in str(error), (part, str(error))
            assert "\\n" not in str(error)
            return written
        written += 1
        assert written < 1000, "the disk was never full"

def check(written):
    assert len(store.events(EventFilter(), None)) == 9 * written
    assert len(store.asset_states(None)) == written
"""


def _fill(home: Path, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FILL + code + "\nprint('done')", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not permitted here; the limit on file size stands in for it")
    try:
        _fill(
            disk,
            """
ballast = home / "ballast"
ballast.write_bytes(b"x" * 1_000_000)
written = fill("full", "Free space")
check(written)
ballast.unlink()
more = fill("full", "Free space")
assert more > 5
assert len(store.events(EventFilter(), None)) == 9 * (written + more)
""",
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits on file size")
def test_a_limit_on_file_size(tmp_path: Path) -> None:
    _fill(
        tmp_path,
        """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
written = fill("disk I/O error", "Check the disk")
assert written > 5
check(written)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
store.append([*step_events("r1", "s", f"asset_{written}"), *events_of("r1", [logged("x")])])
check(written + 1)
store.close()
check(written + 1)
""",
    )


def test_a_locked_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.0)
    store = open_sqlite(tmp_path)
    add_run(store, "r1", started())
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailableError) as caught:
            store.append(step_events("r1", "s", "a"))
        _assert_says(caught.value, tmp_path / DATABASE_NAME, "locked", "close it")
    store.append(step_events("r1", "s", "a"))
    assert _count(store) == 9
    store.close()
