"""Where in the code something is declared."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class LocalFileCodeReference(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="local_file"):
    """A place in a file on this machine; `source` reads `path:line`."""

    file_path: str
    line_number: int | None = None
    label: str | None = None

    @property
    def source(self) -> str:
        """Where it is, as text."""
        return self.file_path if self.line_number is None else f"{self.file_path}:{self.line_number}"


class UrlCodeReference(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="url"):
    """A place in a repository on the web."""

    url: str
    label: str | None = None

    @property
    def source(self) -> str:
        """Where it is, as text."""
        return self.url


CodeReference: TypeAlias = LocalFileCodeReference | UrlCodeReference
