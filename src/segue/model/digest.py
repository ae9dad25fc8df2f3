"""A short name for texts: the same texts have the same name everywhere and for ever."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID, uuid5  # loads a hash function with the first name, which `hashlib` does when it is imported

_NAMESPACE = UUID("5e90e000-0000-4000-8000-000000000000")


@lru_cache(maxsize=1 << 14)  # the nodes of a condition are named anew with each evaluation of each target
def digest(*texts: str) -> str:
    """32 hexadecimal digits (RFC 9562, version 5: SHA-1 in a namespace of Segue's) of texts that are kept apart."""
    return uuid5(_NAMESPACE, "\x1f".join(texts)).hex
