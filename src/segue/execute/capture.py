"""What the steps of a run write to stdout and stderr, kept in files of a bounded size."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from segue.model.event import CapturedStream, LogsCapturedData
from segue.model.step_settings import LOG_LIMIT

_LONGEST_NAME = 200  # most file systems take 255 bytes


def file_name(step_key: str, attempt: int) -> str:
    """The name of an attempt's files, without their ending: unique in the run, and safe whatever the key is."""
    name = quote(step_key, safe="[]")
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}~{hashlib.blake2b(step_key.encode(), digest_size=8).hexdigest()}"
    return f"{name}-{attempt}"


def step_of_file(name: str) -> tuple[str, int]:
    """The step and the attempt of a file with this name, without its ending; a key that was too long stays cut short."""
    key, _, attempt = name.rpartition("-")
    return unquote(key), int(attempt) if attempt.isdecimal() else 1


class StreamCapture:
    """One stream, kept in a file that is made when the first byte comes.

    Args:
        path: the file.
        limit: how many bytes are kept; the rest is counted, and a line at the end of the file says how much it was.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._left = limit
        self._size = 0
        self._dropped = 0
        self._file: BinaryIO | None = None

    def take(self, data: bytes) -> None:
        """Takes more of the stream.

        Raises:
            OSError: the file cannot be written.
        """
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb", buffering=0)
        kept = data[: self._left]
        if kept:
            self._file.write(kept)
        self._left -= len(kept)
        self._size += len(data)
        self._dropped += len(data) - len(kept)

    def end(self) -> CapturedStream | None:
        """Closes the file; gives back what it holds, None where nothing came."""
        if self._file is None:
            return None
        with self._file:
            if self._dropped:
                self._file.write(f"\n({self._dropped} more bytes were written and are not kept)\n".encode())
        self._file = None
        return CapturedStream(str(self._path), self._size, self._dropped)


class StepCapture:
    """Both streams of one attempt.

    Args:
        folder: that of the run.
        step_key, attempt: which attempt.
        limit: how many bytes are kept of each stream.
    """

    def __init__(self, folder: Path, step_key: str, attempt: int, limit: int = LOG_LIMIT) -> None:
        name = file_name(step_key, attempt)
        self.out = StreamCapture(folder / f"{name}.out", limit)
        self.err = StreamCapture(folder / f"{name}.err", limit)
        self._attempt = attempt

    def end(self) -> LogsCapturedData | None:
        """The event that says what was kept; None where nothing was written."""
        out, err = self.out.end(), self.err.end()
        return None if out is None and err is None else LogsCapturedData(self._attempt, out, err)
