"""Pickle files that say whose value they hold, written whole or not at all.

A file is a pickle, as any reader of pickles takes it, and a last line with its owner, which such a reader never looks at. Two
values that would lie in one file are told apart by it. A file without the line, written by something else, has no known owner.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import Any

from segue.errors import InvariantViolationError, StepOutputNotFoundError
from segue.execute.io_managers.temporary import replacing

_MARK = b"\nsegue: "
_LONGEST_OWNER = 1 << 15  # bytes; a path has at most 4,096, and JSON escapes at most six for one


def write_pickle(
    path: str,
    value: object,
    what: str,
    owner: str | None = None,
    require_lease: Callable[[], None] | None = None,
) -> None:
    """Writes a value whole or not at all.

    Args:
        path: the file; folders above it are made.
        value: what to write.
        what: how errors name it.
        owner: whose value it is, in one line; None where only one may ever use the path.
        require_lease: called when the value is written and only has to be put in its place; what it raises leaves what was
            there before.

    Raises:
        InvariantViolationError: it cannot be pickled; or the file, or a folder of it, belongs to another value.
        OSError: the folder cannot be written.
    """
    if owner is not None:
        _require_own(path, owner_of(path), owner, what)
    try:
        with replacing(path, lambda folder: _make_folder(folder, what)) as file:
            pickle.dump(value, file, pickle.HIGHEST_PROTOCOL)
            if owner is not None:
                file.write(_MARK + owner.encode() + b"\n")
            if require_lease is not None:
                file.flush()
                require_lease()
    except BaseException as error:
        if isinstance(error, (pickle.PicklingError, TypeError, AttributeError, RecursionError)):
            raise InvariantViolationError(
                f"The value of {what} ({type(value).__name__}) cannot be pickled: {error}. Return a value that can "
                "be pickled, or choose another IO manager with io_manager_key."
            ) from error
        if isinstance(error, OSError) and os.path.isdir(path):
            raise InvariantViolationError(
                f"The value of {what} must be stored in the file {path}, but that is a folder{_inside(path)}. One of "
                "them needs another asset key or another folder; or move the folder away if its values are no longer "
                "needed."
            ) from error
        if isinstance(error, OSError) and error.filename is None:  # a full disk, say, names no file by itself
            error.add_note(f"While writing the value of {what} to {path}. Free space there, or choose another folder.")
        raise


def read_pickle(path: str, what: str, step_key: str, output: str = "result", owner: str | None = None) -> Any:
    """Reads a value.

    Args:
        path: the file.
        what: how errors name it.
        step_key, output: what makes the value.
        owner: whose value it must be; None takes any.

    Raises:
        StepOutputNotFoundError: the file does not exist.
        InvariantViolationError: it holds the value of another owner.
    """
    try:
        with open(path, "rb") as file:
            value = pickle.load(file)
            if owner is not None:
                _require_own(path, _owner_in(file.read()), owner, what)
            return value
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        if os.path.isfile(path):  # the file is there: it was the code of the value that looked for another one
            raise
        raise StepOutputNotFoundError(
            f"No value of {what} is stored ({path} does not exist). Materialize it first.",
            step_key,
            output,
        ) from None


def owner_of(path: str) -> str | None:
    """Whose value a file holds; None where there is no file, or nothing says so."""
    try:
        with open(path, "rb") as file:
            file.seek(-min(os.fstat(file.fileno()).st_size, _LONGEST_OWNER), os.SEEK_END)
            return _owner_in(file.read())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _owner_in(end: bytes) -> str | None:
    """The owner that the end of a file names: a pickle ends with a full stop, the line with a line feed."""
    if not end.endswith(b"\n"):
        return None
    start = end.rfind(b"\n", 0, -1)
    line = end[max(start, 0) : -1]
    return line[len(_MARK) :].decode() if line.startswith(_MARK) else None


def _require_own(path: str, found: str | None, owner: str, what: str) -> None:
    if found is not None and found != owner:
        raise InvariantViolationError(
            f"The value of {what} must be stored in {path}, which already contains the value of {found}. Give one of "
            "them another asset key, or another folder with io_manager_key. Remove the file if its value is no "
            "longer needed; if the asset was renamed on purpose, remove the last line of the file, which names its "
            "owner."
        )


def _make_folder(folder: str, what: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        above = folder
        while above and not os.path.lexists(above):
            above = os.path.dirname(above)
        raise InvariantViolationError(
            f"The value of {what} must be stored in the folder {folder}, but {above} is a file with the value of "
            f"{owner_of(above) or 'something that wrote no owner into it'}. One of them needs another asset key or "
            "another folder; or remove the file if its value is no longer needed."
        ) from error


def _inside(folder: str) -> str:
    """What is known of the values in a folder, for a message."""
    for above, _, names in os.walk(folder):
        for name in sorted(names):
            owner = owner_of(os.path.join(above, name))
            if owner is not None:
                return f", which contains the value of {owner}"
    return ""
