"""Code that is reloaded when its files change."""

from __future__ import annotations

import contextlib
import glob
import threading
from collections.abc import Mapping
from pathlib import Path

import watchfiles

from segue.location.client import ProcessLocation

_LATENCY_MILLISECONDS = 20
_SUFFIXES = (".py", ".yaml", ".yml", ".toml", ".sql", ".json")


class FileWatcher:
    """Has each code location loaded anew when a file in its folder changes.

    Args:
        locations: the code locations, by name. Those on other machines are loaded anew when somebody asks for that.
    """

    def __init__(self, locations: Mapping[str, ProcessLocation]) -> None:
        self._locations = locations
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(each,), name=f"segue-files-{name}", daemon=True)
            for name, each in locations.items()
            if each.target.remote is None
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
            for _, path in found:
                if path.endswith(".py"):
                    _forget_bytecode(Path(path))
            location.reload()


class _Code(watchfiles.DefaultFilter):
    """Files that code is made of, outside of folders that tools keep."""

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        """Whether a changed file counts."""
        return path.endswith(_SUFFIXES) and super().__call__(change, path)


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
