"""Where in the user's files something is declared."""

from __future__ import annotations

import msgspec


class SourceLocation(msgspec.Struct, frozen=True, gc=False):
    """Where in the user's files something is declared."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
