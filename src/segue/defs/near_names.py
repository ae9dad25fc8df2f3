"""Keys that may have been meant by one that is not found: for the hint in an error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from segue.model.keys import AssetKey

_SHOWN = 5
_ALIKE = 0.8  # of 1; one or two letters in a short name


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
