"""What errors say of names that are not found."""

from __future__ import annotations

from collections.abc import Iterable


def not_found(kind: str, name: str, known: Iterable[str], place: str = "these definitions") -> str:
    """The error for a name that nothing of a kind has, such as a job or a schedule."""
    return (
        f"{kind.capitalize()} {name!r} not found in {place}; available {kind}s: {', '.join(sorted(known)) or 'none'}."
    )


def not_found_for(user: str, kind: str, name: str, known: Iterable[str], place: str = "these definitions") -> str:
    """The error for a name that something refers to and nothing of the kind has."""
    shown = ", ".join(sorted(known)) or "none"
    return f"{user} requires the {kind} {name!r}, which was not found in {place}; available {kind}s: {shown}."
