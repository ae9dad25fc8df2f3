"""Partition keys that somebody may have meant by one that there is not: for the hint in an error. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

LOOKED_AT = 2000  # keys; a hint is no reason to go through millions
_SHOWN = 3


def near_key_hint(key: str, keys: Iterable[str]) -> str:
    """The hint that names the keys that differ from this one by a letter or two; empty where there are none."""
    if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        return ""
    scores = {each: _distance(key.lower(), each.lower()) for each in islice(keys, LOOKED_AT)}
    most = 1 if len(key) < 4 else 2
    near = sorted([each for each, score in scores.items() if score <= most], key=lambda each: scores[each])[:_SHOWN]
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out or changed to make one text of the other; 3 for three and more."""
    if abs(len(one) - len(other)) > 2:
        return 3
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, start=1):
        before, row[0] = row[0], index
        for place, each in enumerate(other, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != each))
        if min(row) > 2:
            return 3
    return min(row[-1], 3)
