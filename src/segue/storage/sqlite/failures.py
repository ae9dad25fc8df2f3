"""Errors of SQLite and of the file system, said in the words of whoever has to mend them."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from segue.errors import StorageUnavailableError

_ELSEWHERE = "set SEGUE_HOME to a folder on another disk"
_WRITABLE = "Make the folder and the files in it writable, or set SEGUE_HOME to a writable folder"
_CURES = {
    sqlite3.SQLITE_BUSY: "Another program holds the database locked: close it and try again",
    sqlite3.SQLITE_CANTOPEN: _WRITABLE,
    sqlite3.SQLITE_CORRUPT: "Restore the file from a backup, or move it away to start with an empty one",
    sqlite3.SQLITE_FULL: f"Free space on that disk, or {_ELSEWHERE}",
    sqlite3.SQLITE_IOERR: f"Check the disk (free space, quota, file size limit, errors), or {_ELSEWHERE}",
    sqlite3.SQLITE_NOTADB: "Move the file away to start with an empty one, or set SEGUE_HOME to another folder",
    sqlite3.SQLITE_PERM: _WRITABLE,
    sqlite3.SQLITE_PROTOCOL: "Another program holds the database locked: close it and try again",
    sqlite3.SQLITE_READONLY: _WRITABLE,
}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without the extension; 0 for an error of the driver itself."""
    # The attribute is missing, not None, where the driver raised on its own account.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_unavailable(error: BaseException) -> bool:
    """Whether the file or the disk is at fault; any other error of SQLite is a bug of ours."""
    return isinstance(error, OSError) or (isinstance(error, sqlite3.Error) and primary_code(error) in _CURES)


def unavailable(error: sqlite3.Error | OSError, path: Path) -> StorageUnavailableError:
    """The error to raise for one of SQLite's or the system's: the path, the cause, the cure."""
    if isinstance(error, OSError):
        is_file = isinstance(error, (FileExistsError, NotADirectoryError))
        cause = "its folder is a file" if is_file else error.strerror or str(error)
        cure = f"Free space on that disk, or {_ELSEWHERE}" if error.errno in (errno.ENOSPC, errno.EDQUOT) else _WRITABLE
    else:
        cause, cure = str(error), _CURES[primary_code(error)]
    return StorageUnavailableError(f"Segue's database {path} cannot be used: {cause}. {cure}.")
