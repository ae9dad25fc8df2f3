"""One page of many results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from segue.errors import InvalidInvocationError

T = TypeVar("T")


class PaginatedResults(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some results, and where to go on.

    Attributes:
        results: those of this page.
        cursor: what to pass for the next page.
        has_more: whether there is one.
    """

    results: Sequence[T]
    cursor: str
    has_more: bool

    @classmethod
    def create_from_sequence(
        cls, seq: Sequence[T], limit: int, ascending: bool, cursor: str | None = None
    ) -> PaginatedResults[T]:
        """The page of a sequence that follows a cursor (how many were shown before)."""
        start, stop = page_bounds(len(seq), limit, ascending, 0 if cursor is None else _shown(cursor))
        page = seq[start:stop]
        shown = stop if ascending else len(seq) - start
        return PaginatedResults(
            results=page if ascending else page[::-1], cursor=str(shown), has_more=shown < len(seq) and bool(page)
        )


def page_bounds(count: int, limit: int, ascending: bool, shown: int) -> tuple[int, int]:
    """The positions [start, stop) of a page, after so many have been shown.

    Raises:
        InvalidInvocationError: a limit below 1.
    """
    if limit < 1:
        raise InvalidInvocationError(f"limit must be at least 1, got {limit}.")
    start, stop = min(shown, count), min(shown + limit, count)
    return (start, stop) if ascending else (count - stop, count - start)


def _shown(cursor: str) -> int:
    if not cursor.isdecimal():
        raise InvalidInvocationError(f"{cursor!r} is not a cursor that was returned with an earlier page.")
    return int(cursor)
