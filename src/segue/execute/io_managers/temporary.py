"""Files that are written beside a value and then take its place: one name for each value, so that a process that was killed
leaves one at most, and the next that stores the value takes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Generator
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def replacing(path: str, make_folder: Callable[[str], object]) -> Generator[BinaryIO]:
    """An empty file that takes the place of the value when the block ends well, and goes away when it does not.

    Its name follows from the path, unless another process is writing the same value; a lock on the open file tells that from
    a file that was left behind.

    Args:
        path: of the value.
        make_folder: called with the folder where that is not there.

    Raises:
        OSError: the folder cannot be written, or the value cannot be replaced.
    """
    try:
        file, temporary = _open(path)
    except (FileNotFoundError, NotADirectoryError):
        make_folder(os.path.dirname(path))
        file, temporary = _open(path)
    try:
        yield file
        _finish(file)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            _give_up(file, temporary)
        raise
    finally:
        file.close()


if sys.platform == "win32":

    def _open(path: str) -> tuple[BinaryIO, str]:
        return _of_its_own(os.path.dirname(path))

    def _finish(file: BinaryIO) -> None:
        file.close()  # what is open can be neither moved nor removed

    def _give_up(file: BinaryIO, temporary: str) -> None:
        file.close()
        os.unlink(temporary)

else:

    def _open(path: str) -> tuple[BinaryIO, str]:
        folder, name = os.path.split(path)
        temporary = os.path.join(folder, f".{hashlib.blake2s(name.encode(), digest_size=8).hexdigest()}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except PermissionError:  # another user left it; or the folder cannot be written at all, which is said next
            return _of_its_own(folder)
        if _is_free(descriptor, temporary):
            return os.fdopen(descriptor, "wb"), temporary
        os.close(descriptor)
        return _of_its_own(folder)

    def _is_free(descriptor: int, temporary: str) -> bool:
        """Whether the open file is nobody else's; then it is locked, and empty."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody writes it, or the file system knows no locks
            return False
        # What has nothing in it is new. Anything else was left behind, or it was moved into its place or removed between
        # the opening and the lock: whoever does that sees to it that something is in it.
        if os.lseek(descriptor, 0, os.SEEK_END) == 0:
            return True
        try:
            if not os.path.samestat(os.fstat(descriptor), os.stat(temporary)):
                return False
        except FileNotFoundError:
            return False
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True

    def _finish(file: BinaryIO) -> None:
        file.flush()

    def _give_up(file: BinaryIO, temporary: str) -> None:
        # While it is locked: once it is not, another process may take it. Something has to be in it, see `_is_free`.
        with contextlib.suppress(OSError):  # a full disk, most likely: then something is in it
            os.pwrite(file.fileno(), b"x", 0)
        os.unlink(temporary)


def _of_its_own(folder: str) -> tuple[BinaryIO, str]:
    temporary = os.path.join(folder, f".{os.urandom(8).hex()}.tmp")
    return os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb"), temporary
