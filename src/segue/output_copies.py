"""Copies of what steps wrote, at a URL: made while a run goes on, read by machines without its files, removed when old.

The file of a stream is copied whole when it has grown, because object stores cannot append. So a copy is always the beginning of
its file, and who reads on from a place reads what follows.
"""

from __future__ import annotations

import contextlib
import importlib
import shutil
import threading
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from segue.errors import NotSupportedError, StorageUnavailableError
from segue.model.database_url import masked

_STREAM_ENDINGS = (".out", ".err")
_EVERY_SECONDS = 2.0
_BYTES_A_SECOND = 256 * 1024  # of one file: what has grown large is copied less often
_AFTER_FAILURE_SECONDS = 20.0
_END_SECONDS = 10.0  # for which the end of a run waits for its last copies

UrlPath: TypeAlias = Any
"""A `UPath` of universal-pathlib, which is an optional package."""


def url_path(url: str) -> UrlPath:
    """The place that a URL names; nothing is asked of it yet.

    Raises:
        NotSupportedError: what speaks to such places is not installed.
    """
    try:
        path = importlib.import_module("upath").UPath(url)
        importlib.import_module("fsspec").get_filesystem_class(path.protocol)
    except (ImportError, ValueError) as error:
        raise NotSupportedError(
            f"The setting `logs` (SEGUE_LOGS) is {masked(url)!r}, which cannot be used: {error}. Install "
            "universal-pathlib (pip install 'segue[paths]') and the library for such URLs, or set a folder."
        ) from error
    return path


class OutputCopier:
    """Copies the output of one run in a thread of its own, while the `with` block lasts and once more at its end.

    Steps never wait for it. What cannot be copied stays where it is, and is tried again until the run ends.

    Args:
        folder: that of the run, with a file for each stream of each attempt.
        url: where to; a place for this run alone.
        warn: told once, in any thread, what is in the way.

    Raises:
        NotSupportedError: what speaks to such places is not installed.
    """

    def __init__(self, folder: Path, url: str, warn: Callable[[str], object]) -> None:
        self._folder, self._url, self._warn = folder, masked(url), warn
        self._target = url_path(url)
        self._copied: dict[str, int] = {}  # file name -> its size then
        self._due: dict[str, float] = {}
        self._has_warned = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="segue output copies", daemon=True)

    def __enter__(self) -> OutputCopier:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(_END_SECONDS)
        if self._thread.is_alive():
            self._tell(f"no answer within {_END_SECONDS:g} seconds")

    def _work(self) -> None:
        """In the thread: goes round until the run has ended, and then once more."""
        pause, is_last = _EVERY_SECONDS, False
        while not is_last:
            is_last = self._ending.wait(pause)
            try:
                self._copy_grown(time.monotonic(), is_last=is_last)
                pause = _EVERY_SECONDS
            except Exception as error:  # noqa: BLE001 reason: each library has errors of its own, and none may end the copying
                pause = _AFTER_FAILURE_SECONDS
                self._tell(f"{error!r}")

    def _copy_grown(self, now: float, *, is_last: bool) -> None:
        for file in output_files(self._folder):
            size = file.stat().st_size
            if self._copied.get(file.name) == size or (not is_last and now < self._due.get(file.name, now)):
                continue
            try:
                _copy(file, self._target / file.name)
            except FileNotFoundError:  # file systems want the folder first; object stores have none
                self._target.mkdir(parents=True, exist_ok=True)
                _copy(file, self._target / file.name)
            self._copied[file.name] = size
            self._due[file.name] = now + size / _BYTES_A_SECOND

    def _tell(self, why: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._warn(
                f"The output of steps could not be copied to {self._url}: {why}. It is kept in {self._folder}, and "
                "copying is retried until the run ends."
            )


class OutputFile(msgspec.Struct, frozen=True):
    """A file with what an attempt wrote to one stream.

    Attributes:
        path: a path of this machine, or a `UPath`.
        size: in bytes.
        modified: seconds since 1970, UTC; 0 where the place does not say.
    """

    path: Any
    size: int
    modified: float


def output_files(folder: Path) -> Sequence[Path]:
    """The files in the folder of a run on this machine."""
    return [each for each in folder.glob("*") if is_output(each.name)] if folder.is_dir() else []


def is_output(name: str) -> bool:
    """Whether a file of this name holds what an attempt wrote to one stream."""
    return name.endswith(_STREAM_ENDINGS)


class OutputCopies:
    """The copies of one run, as who reads sees them; looked up anew after some seconds.

    Args:
        url: where they are.

    Raises:
        NotSupportedError: what speaks to such places is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = masked(url)
        self._place = url_path(url)
        self._files: Sequence[OutputFile] = ()
        self._looked_at: float | None = None

    def files(self, *, is_last: bool) -> Sequence[OutputFile]:
        """What is there.

        Args:
            is_last: whether this is the last look, which takes nothing for known.

        Raises:
            StorageUnavailableError: the place cannot be read.
        """
        now = time.monotonic()
        if not is_last and self._looked_at is not None and now - self._looked_at < _EVERY_SECONDS:
            return self._files
        self._looked_at = now
        with _asking(self._url):
            self._files = [
                OutputFile(each, each.stat().st_size, _modified(each) or 0.0)
                for each in _entries(self._place)
                if is_output(each.name)
            ]
        return self._files


class CopiesOfRuns:
    """All copies at a URL, as retention sees them: one folder for each run.

    Args:
        url: where they are.

    Raises:
        NotSupportedError: what speaks to such places is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = masked(url)
        self._place = url_path(url)

    def runs(self) -> Sequence[str]:
        """The ids of the runs of which there are some.

        Raises:
            StorageUnavailableError: the place cannot be read.
        """
        with _asking(self._url):
            return [each.name for each in _entries(self._place) if each.is_dir()]

    def is_untouched(self, run_id: str, before: float) -> bool:
        """Whether there are copies, to which nothing was copied since, and nothing that others have put there; raises as `runs`.

        False where the place does not say when something was copied.
        """
        with _asking(self._url):
            entries = _entries(self._place / run_id)
            times = [_modified(each) if is_output(each.name) and each.is_file() else None for each in entries]
            return bool(times) and all(each is not None and each < before for each in times)

    def remove(self, run_id: str) -> None:
        """Removes all copies of a run; raises as `runs`."""
        folder = self._place / run_id
        with _asking(self._url), contextlib.suppress(FileNotFoundError):  # another process was first
            folder.fs.rm(folder.path, recursive=True)


def _copy(file: Path, to: UrlPath) -> None:
    with file.open("rb") as source, to.open("wb") as copy:
        shutil.copyfileobj(source, copy)


def _entries(folder: UrlPath) -> list[UrlPath]:
    folder.fs.invalidate_cache()  # else it would list what it has listed before
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):  # nothing was copied there
        return []


def _modified(path: UrlPath) -> float | None:
    """When it was written, in seconds since 1970, UTC; None where the place does not say."""
    try:
        return path.fs.modified(path.path).timestamp()
    except NotImplementedError:
        return None


@contextlib.contextmanager
def _asking(url: str) -> Generator[None]:
    """A `with` block that asks something of a place: each library has errors of its own, and all become one.

    Raises:
        StorageUnavailableError: the place cannot be read or changed.
    """
    try:
        yield
    except Exception as error:
        raise StorageUnavailableError(
            f"The output of steps is copied to {url}, which cannot be read or changed: {error!r}. Make sure that it "
            "is reachable from here, or set `logs` to another place."
        ) from error
