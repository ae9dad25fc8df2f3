"""Code that is reloaded when its files change."""

from __future__ import annotations

import contextlib
import glob
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import watchfiles

from segue.location.client import ProcessLocation

_LATENCY_MILLISECONDS = 20
_TO_BE_WATCHING = 1.0  # seconds by which folders are watched
_CLOCK_STEP = 0.05  # seconds; times of files may lag behind the clock by as much
_SUFFIXES = (".py", ".yaml", ".yml", ".toml", ".sql", ".json")


class FileWatcher:
    """Has each code location loaded anew when a file in its folder changes.

    Args:
        locations: the code locations, by name. Those on other machines are reloaded on request only.
        loading_since: when they began to load, in seconds since 1970. What changed between then and the start of watching counts.
    """

    def __init__(self, locations: Mapping[str, ProcessLocation], loading_since: float) -> None:
        self._locations = locations
        self._loading_since = loading_since
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=what, args=(each,), name=f"segue-files-{name}", daemon=True)
            for name, each in locations.items()
            if each.target.remote is None
            for what in (self._watch, self._look_back)
        ]

    def start(self) -> None:
        """Begins to watch."""
        for location in self._locations.values():
            location.expect_reloads()
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """Ends."""
        self._stopped.set()

    def _watch(self, location: ProcessLocation) -> None:
        folders = _folders(location)
        changes = watchfiles.watch(
            *folders,
            watch_filter=_Code(),
            debounce=_LATENCY_MILLISECONDS * 10,
            step=_LATENCY_MILLISECONDS,
            stop_event=self._stopped,
            raise_interrupt=False,
            yield_on_timeout=False,
        )
        for found in changes:
            _reload(location, [path for _, path in found])

    def _look_back(self, location: ProcessLocation) -> None:
        """Reloads once for what was written after the code began to load and before its folders were watched."""
        if not self._stopped.wait(_TO_BE_WATCHING):
            missed = _written_since(_folders(location), self._loading_since - _CLOCK_STEP)
            if missed:
                _reload(location, missed)


def _reload(location: ProcessLocation, paths: list[str]) -> None:
    for path in paths:
        if path.endswith(".py"):
            _forget_bytecode(Path(path))
    location.reload()


class _Code(watchfiles.DefaultFilter):
    """Files that code is made of, outside of folders that tools keep."""

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        """Whether a changed file counts."""
        return path.endswith(_SUFFIXES) and super().__call__(change, path)


def _written_since(folders: list[Path], since: float) -> list[str]:
    """The files that count and were written at or after a time, in seconds since 1970."""
    counts = _Code()
    found: list[str] = []
    for folder in folders:
        for place, below, names in os.walk(folder):
            below[:] = [name for name in below if name not in counts.ignore_dirs]
            for path in (os.path.join(place, name) for name in names):
                with contextlib.suppress(FileNotFoundError):  # removed since: the watcher sees that
                    if counts(watchfiles.Change.modified, path) and os.stat(path).st_mtime >= since:
                        found.append(path)
    return found


def _forget_bytecode(source: Path) -> None:
    """Removes what Python has compiled of a file. It would take it for that of the new text where both have the same length and
    were written in the same second.
    """
    for each in (source.parent / "__pycache__").glob(f"{glob.escape(source.stem)}.*.pyc"):
        with contextlib.suppress(PermissionError):  # written by somebody else: at worst it is used
            each.unlink(missing_ok=True)


def _folders(location: ProcessLocation) -> list[Path]:
    """What is watched: the folder of the file, and the one from which it imports."""
    target = location.target
    folders = {Path(target.working_directory).resolve()}
    if target.file is not None:
        folders.add(Path(target.working_directory, target.file).resolve().parent)
    return [each for each in folders if each.is_dir()]
