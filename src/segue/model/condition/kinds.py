"""The conditions that come with Segue by their wire tag: what stored data names, and the static methods build."""

from __future__ import annotations

from typing import Any

KINDS: dict[str, type[Any]] = {}


def build(tag: str, **fields: object) -> Any:  # Any: the caller's signature says which class the tag stands for
    """The condition of this kind."""
    return KINDS[tag](**fields)
