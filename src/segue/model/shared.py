"""Empty values that most definitions have many of, kept once.

A frozen set of no names takes 216 bytes, and the garbage collector looks at each one in each of its rounds: with a hundred
thousand assets that takes as long as declaring them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

NO_ENTRIES: Final[Mapping[Any, Any]] = MappingProxyType({})


def name_set(names: Iterable[str]) -> frozenset[str]:
    """The names as a set; the same object for the same names in the same order."""
    return _name_set(tuple(names))


@lru_cache(maxsize=1024)
def _name_set(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)
