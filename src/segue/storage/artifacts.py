"""Where metadata is kept that is too large for the event log: a folder or a URL, one file for each content, by its hash."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segue.errors import StorageUnavailableError
from segue.model import codec
from segue.model.content_hash import content_hash
from segue.model.event import Event
from segue.model.metadata import AnyMetadataValue
from segue.model.metadata_values import StoredMetadataValue
from segue.model.offloading import offloaded
from segue.model.stored_content import ArtifactSettings, ContentReference, fetch_with
from segue.storage.fold import Prepared, event_rows

_PREVIEW = 200
_UNFINISHED, _ASIDE = ".part", ".removed"
_NAME = re.compile("[0-9a-f]{32}")
_LEFT_OVER = re.compile(rf"[0-9a-f]{{32}}(\.\d+{re.escape(_UNFINISHED)}|{re.escape(_ASIDE)})")
_decode = codec.decoder(AnyMetadataValue)
# A home may be moved: content is looked for under its name where stores of this process keep theirs, too.
_locations: list[str] = []


class Artifacts:
    """Keeps content that is too large for the log.

    Args:
        settings: what is too large.
        location: a folder, or a URL.
    """

    def __init__(self, settings: ArtifactSettings, location: str) -> None:
        self._settings = settings
        self._location = location
        if location not in _locations:
            _locations.append(location)
        fetch_with(fetch)

    def prepare(self, events: Sequence[Event]) -> tuple[Sequence[Event], Prepared]:
        """Events as rows, and the events that these are of: with references in the place of what is too large.

        Raises:
            StorageUnavailableError: the location cannot be written.
        """
        rows = event_rows(events)
        limit = self._settings.entry_limit
        large = {index for index, row in enumerate(rows[0]) if len(row[-1]) > limit}
        if not large:
            return events, rows
        smaller: list[Event] = []
        told: set[tuple[str | None, object]] = set()  # an output and its materialization have the same metadata
        for index, event in enumerate(events):
            *notes, fitting = offloaded(event, self._settings, self._keep) if index in large else (event,)
            for note in notes:
                if (note.step_key, note.payload) not in told:
                    told.add((note.step_key, note.payload))
                    smaller.append(note)
            smaller.append(fitting)
        return smaller, event_rows(smaller)

    def _keep(self, value: AnyMetadataValue, data: bytes) -> StoredMetadataValue:
        name = content_hash(data)
        path = _join(self._location, name)
        try:
            if not _touch(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                unfinished = path.with_name(f"{name}.{os.getpid()}{_UNFINISHED}")
                unfinished.write_bytes(data)
                unfinished.rename(path)
        except OSError as error:
            raise StorageUnavailableError(
                f"Metadata of {len(data):,} bytes cannot be stored in {path}: {error.strerror or error}. Make the "
                "folder writable, or set `artifacts` to another one."
            ) from error
        text = value.value if isinstance(value.value, str) else data.decode()
        return StoredMetadataValue(str(path), len(data), name, str(type(value).__struct_config__.tag), text[:_PREVIEW])


class ArtifactFolder:
    """`segue.model.retention.KeptArtifacts` in a folder.

    A writer gives a file that it finds a new time, which fails where the file is gone, and refers to it within the hour. So a
    file is first taken out of the way of writers; one that got a new time before that is put back, and is whole all the while.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def untouched(self, before: float) -> Sequence[str]:
        """See `KeptArtifacts.untouched`."""
        if not self._folder.is_dir():
            return []
        names: list[str] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.stat().st_mtime >= before:
                    continue
                if _LEFT_OVER.fullmatch(entry.name):
                    with contextlib.suppress(FileNotFoundError):  # another process was first
                        os.unlink(entry.path)
                elif _NAME.fullmatch(entry.name):  # what others have put there is not ours to remove
                    names.append(entry.name)
        return sorted(names)

    def remove(self, name: str, before: float) -> bool:
        """See `KeptArtifacts.remove`."""
        path, aside = self._folder / name, self._folder / f"{name}{_ASIDE}"
        try:
            path.rename(aside)
            if aside.stat().st_mtime >= before:
                aside.rename(path)
                return False
            aside.unlink()
        except FileNotFoundError:  # another process was first
            return False
        return True


def artifact_folder(home: Path, settings: ArtifactSettings) -> ArtifactFolder | None:
    """The content of the store of a home folder, where it is in a folder; None where a URL says where it is."""
    if settings.location is not None and "://" in settings.location:
        return None
    return ArtifactFolder(Path(settings.location or home / "artifacts"))


def artifacts_in(home: Path, settings: ArtifactSettings | None) -> Artifacts:
    """Where the store of a home folder keeps such content: in the folder `artifacts`, unless the settings say where."""
    chosen = settings or ArtifactSettings()
    return Artifacts(chosen, chosen.location or str(home / "artifacts"))


def fetch(reference: ContentReference) -> Any:
    """The metadata value that a reference stands for.

    Raises:
        StorageUnavailableError: it is nowhere.
    """
    first: OSError | None = None
    for path in (_path(reference.path), *(_join(location, reference.hash) for location in _locations)):
        try:
            return _decode.decode(path.read_bytes())
        except OSError as error:
            first = first or error
    assert first is not None
    raise StorageUnavailableError(
        f"The metadata stored in {reference.path} ({reference.size:,} bytes) cannot be read: "
        f"{first.strerror or first}. Put the file back, or set `artifacts` to its new folder."
    ) from first


def _touch(path: Any) -> bool:
    """Whether a file is there; it gets the time of now, so that nobody takes it for one that is not referred to any more."""
    if not isinstance(path, Path):  # an object store, in which nothing is removed
        return path.exists()
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _join(location: str, name: str) -> Any:
    return _path(location) / name


def _path(text: str) -> Any:
    if "://" not in text:
        return Path(text)
    return importlib.import_module("upath").UPath(text)
