"""What stands for a type or a default that nobody names, and what tells that there is no value."""

from __future__ import annotations

from typing import Final

from segue.defs.types.base import SegueType, TypeKind


class Mark:
    """Stands for what nobody names, as apart from None. Each is the only one of its name, also after pickle and copy.

    Args:
        name: of the constant in this module.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name


NO_TYPE: Final = Mark("NO_TYPE")
NO_DEFAULT: Final = Mark("NO_DEFAULT")


def is_nothing(kind: object) -> bool:
    """Whether a type stands for no value at all."""
    return kind is type(None) or (isinstance(kind, SegueType) and kind.kind is TypeKind.NOTHING)
