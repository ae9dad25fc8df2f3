"""Locks between processes: the queue of the writers, and the proof that a worker lives.

Both are locks of the operating system, so that they fall when their holder dies, however it dies.
"""

from __future__ import annotations

import errno
import os
import signal
import struct
import sys
import threading
from pathlib import Path

from segue.storage import stalls

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class WriteLock:
    """A place in the queue of those who write to one database.

    SQLite alone lets writers sleep and try again, so that under load some wait for seconds; here they wait in the
    kernel, in order. On Windows, SQLite's own way has to do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Waits for the turn. Raises OSError where the file cannot be opened for writing."""
        if sys.platform == "win32":
            return
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Lets the next one write; does nothing where the lock is not held."""
        if sys.platform != "win32" and self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Gives the file back; the lock opens it again when needed."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


# The workers that this process is: folder -> name, and the descriptors that hold their locks. A record lock falls as
# soon as its process closes ANY descriptor of the file, so these files must never be opened again in this process.
_guard = threading.Lock()
_names: dict[Path, str] = {}
_descriptors: list[int] = []


def become_worker(folder: Path) -> str:
    """The name of this process as a worker in this folder; holds `<name>.lock` there until the process ends.

    Raises:
        OSError: the folder cannot be written.
    """
    with _guard:
        name = _names.get(folder)
        if name is None:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_dead(folder)
            name = _claim_name(folder)
            _names[folder] = name
        return name


def pid_of(name: str) -> int:
    """The process that a worker is, by its name; 0 for a name that is none."""
    pid = name.partition("-")[0]
    return int(pid) if pid.isdecimal() else 0


def is_alive(folder: Path, name: str) -> bool:
    """Whether the worker of that name still lives. The file of a dead one is removed.

    Raises:
        OSError: its lock cannot be looked at.
    """
    with _guard:
        return _names.get(folder) == name or _is_locked(folder / f"{name}.lock")


def is_stalled(folder: Path, name: str, seconds: float) -> bool:
    """Whether a worker that lives has stood still for so long (see `stalls`).

    Raises:
        OSError: its lock cannot be looked at.
    """
    pid = _holder(folder / f"{name}.lock")
    return pid is not None and pid != os.getpid() and stalls.is_stalled(pid, seconds)


def signal_worker(folder: Path, name: str, number: int) -> bool:
    """Sends a signal to a worker, if its lock proves that the process is that worker.

    Returns:
        Whether it was sent: not to one that is gone, or that belongs to another user.

    Raises:
        OSError: its lock cannot be looked at.
    """
    pid = pid_of(name)
    if pid <= 1:
        return False
    try:
        if sys.platform != "linux":
            if is_alive(folder, name):
                os.kill(pid, number)
                return True
            return False
        # What is opened stays the same process, whoever gets its number later; the lock, looked at afterwards, shows
        # that this process is the one that holds it.
        descriptor = os.pidfd_open(pid)
        try:
            if _holder(folder / f"{name}.lock") != pid:
                return False
            signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _claim_name(folder: Path) -> str:
    while True:
        name = f"{os.getpid()}-{os.urandom(4).hex()}"
        path = folder / f"{name}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        # Whoever removes dead workers may have come between: then the lock is theirs, or on a file that is gone.
        if _try_lock(descriptor) and path.exists():
            _descriptors.append(descriptor)
            return name
        os.close(descriptor)


def _remove_dead(folder: Path) -> None:
    for path in folder.glob("*.lock"):
        _is_locked(path)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if not _try_lock(descriptor, shared=True):
            return True
        _remove(path)
        return False
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        # Nothing depends on the removal: another process was first, or only the owner of the folder may.
        if error.errno not in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise


if sys.platform == "win32":

    def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
        del shared  # there is one kind of lock
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
        # A record lock, not flock: a forked child does not inherit it, so it falls with the worker alone. The shared
        # form needs no right to write.
        try:
            fcntl.lockf(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True


def _holder(path: Path) -> int | None:
    """The process that holds the record lock of a file, as Linux numbers it here; None where none does."""
    if sys.platform != "linux":
        return None
    with _guard:
        if path.stem in _names.values():
            return os.getpid()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
            return None if kind == fcntl.F_UNLCK else pid
        finally:
            os.close(descriptor)


_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, pid


def _forget_parent() -> None:
    global _guard
    _guard = threading.Lock()
    _names.clear()
    for descriptor in _descriptors:
        os.close(descriptor)
    _descriptors.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
