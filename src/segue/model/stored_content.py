"""A reference to content that was too large for the event log, and who fetches it. Pure: whoever opens stores says how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from segue.errors import InvalidConfigError, InvariantViolationError

if TYPE_CHECKING:
    from pathlib import PurePath

ENTRY_LIMIT = 64 * 1024
EVENT_LIMIT = 1024 * 1024
_SMALLEST_LIMIT = 1024


class ArtifactSettings(msgspec.Struct, frozen=True):
    """What is kept apart from the event log, and where.

    Attributes:
        location: a folder, or a URL that universal-pathlib knows; `artifacts` in the home folder when None.
        entry_limit: how many bytes of JSON a metadata value may have in the log.
        event_limit: how many bytes an event may have; beyond, its largest metadata values are kept apart.
    """

    location: str | None = None
    entry_limit: int = ENTRY_LIMIT
    event_limit: int = EVENT_LIMIT


def artifact_settings(location: str | None, folder: PurePath, entry_limit: int, event_limit: int) -> ArtifactSettings:
    """The settings as they are written; a location that is no URL is a folder, seen from `folder`.

    Raises:
        InvalidConfigError: a limit below 1024 bytes.
    """
    for key, limit in (("metadata_entry_limit", entry_limit), ("metadata_event_limit", event_limit)):
        if limit < _SMALLEST_LIMIT:
            raise InvalidConfigError(f"The setting `{key}` must be at least {_SMALLEST_LIMIT} bytes, got {limit}.")
    if location is not None and "://" not in location:
        location = str(folder / location)
    return ArtifactSettings(location, entry_limit, event_limit)


class ContentReference(msgspec.Struct, frozen=True, tag_field="type"):
    """Content that is kept in a file.

    Attributes:
        path: the file, or its URL.
        size: of the content, in bytes.
        hash: the first 32 hex digits of its SHA-256.
        kind: what sort of metadata it is: `text`, `json`, `md` and so on.
        preview: its beginning.
    """

    path: str
    size: int
    hash: str
    kind: str
    preview: str

    def load(self) -> Any:
        """The metadata value itself, read from where it is kept.

        Raises:
            StorageUnavailableError: it is not there any more, or cannot be read.
        """
        if not _fetch:
            raise InvariantViolationError("The content cannot be read because no store was opened in this process.")
        return _fetch[-1](self)


_fetch: list[Callable[[ContentReference], Any]] = []


def fetch_with(fetch: Callable[[ContentReference], Any]) -> None:
    """Says how content is fetched, in this process."""
    _fetch[:] = [fetch]
