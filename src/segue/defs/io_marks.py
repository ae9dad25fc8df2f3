"""What stands for a type or a default that nobody names, and what tells that there is no value."""

from __future__ import annotations

from typing import Final

from segue.defs.types.base import SegueType, TypeKind


class NoType:
    """Marks an input or output whose type nobody names, as apart from one of type None."""

    def __repr__(self) -> str:
        return "NO_TYPE"


NO_TYPE: Final = NoType()
NO_DEFAULT: Final = NoType()


def is_nothing(kind: object) -> bool:
    """Whether a type stands for no value at all."""
    return kind is type(None) or (isinstance(kind, SegueType) and kind.kind is TypeKind.NOTHING)
