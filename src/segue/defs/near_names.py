"""Names and keys that are not found: what the error says, and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from segue.model.keys import AssetKey

_SHOWN = 5
_ALIKE = 0.8  # of 1; one or two letters in a short name


def not_found(kind: str, name: str, known: Iterable[str], place: str = "these definitions") -> str:
    """The error for a name that nothing of a kind has, such as a job or a schedule."""
    return (
        f"{kind.capitalize()} {name!r} not found in {place}; available {kind}s: {', '.join(sorted(known)) or 'none'}."
    )


def not_found_for(user: str, kind: str, name: str, known: Iterable[str], place: str = "these definitions") -> str:
    """The error for a name that something refers to and nothing of the kind has."""
    shown = ", ".join(sorted(known)) or "none"
    return f"{user} requires the {kind} {name!r}, which was not found in {place}; available {kind}s: {shown}."


def near_keys(key: AssetKey, known: Iterable[AssetKey]) -> list[AssetKey]:
    """The known keys that differ from a key by a few letters in one part, by one part of the prefix, by the prefix as a
    whole, or by slashes in a part; the nearest first, at most five.
    """
    parts = [each for part in key.parts for each in part.split("/")]
    scores: dict[AssetKey, float] = {}
    for each in known:
        if each != key:
            score = _likeness(parts, list(each.parts))
            if score:
                scores[each] = score
    return sorted(scores, key=lambda each: (-scores[each], each))[:_SHOWN]


def _likeness(parts: list[str], other: list[str]) -> float:
    """How much two keys are alike: from 0, which is not enough for a hint, to 1."""
    if parts == other:
        return 1
    if len(parts) == len(other):
        different = [(one, two) for one, two in zip(parts, other, strict=True) if one != two]
        near = _alike(*different[0]) if len(different) == 1 else 0
        if near:
            return near
    if parts[-1] != other[-1]:
        return 0
    longer, shorter = (parts, other) if len(parts) > len(other) else (other, parts)
    one_more = len(longer) == len(shorter) + 1 and any(
        longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer))
    )
    return 0.9 if one_more else 0.5


def _alike(one: str, other: str) -> float:
    matcher = difflib.SequenceMatcher(None, one, other)
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0
    ratio = matcher.ratio()
    return ratio if ratio >= _ALIKE else 0
