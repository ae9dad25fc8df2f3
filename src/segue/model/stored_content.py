"""A reference to content that was too large for the event log, and who fetches it. Pure: whoever opens stores says how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from segue.errors import InvariantViolationError

ENTRY_LIMIT = 64 * 1024
EVENT_LIMIT = 1024 * 1024


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
            raise InvariantViolationError("No store was opened in this process: it knows where such content is kept.")
        return _fetch[-1](self)


_fetch: list[Callable[[ContentReference], Any]] = []


def fetch_with(fetch: Callable[[ContentReference], Any]) -> None:
    """Says how content is fetched, in this process."""
    _fetch[:] = [fetch]
