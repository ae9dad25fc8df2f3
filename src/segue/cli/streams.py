"""Standard output and error as they really are: encodings that lack characters, pipes nobody reads any more."""

from __future__ import annotations

import os
from typing import IO


def never_fail_on_unprintable_text(*streams: IO[str]) -> None:
    """Lets streams write characters their encoding lacks as escapes, so that no output breaks a command."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def detach(stream: IO[str]) -> None:
    """Points a stream nowhere, so that neither later lines nor Python's own flush at exit meet the closed pipe."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):  # a stream without a descriptor has nothing to flush into a pipe
        return


def write(stream: IO[str], text: str) -> None:
    """Writes at once; when nobody reads any more, the text and all that follows go nowhere."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        detach(stream)
