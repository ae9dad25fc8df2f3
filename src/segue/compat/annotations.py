"""The marks of `dagster._annotations`, by which a library says how settled its names are. They warn of nothing here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Marked = TypeVar("Marked")
_PUBLIC = "_is_public"


def public(obj: Marked) -> Marked:
    """Marks a class, function or property as public."""
    setattr(_function(obj), _PUBLIC, True)
    return obj


def is_public(obj: object) -> bool:
    """Whether something was marked as public."""
    return getattr(_function(obj), _PUBLIC, False)


def _function(obj: object) -> Any:
    """What can bear an attribute: of a property and a method of the class, the function in it."""
    if isinstance(obj, property):
        return obj.fget
    return getattr(obj, "__func__", obj)


def _mark(obj: Any = None, **said: object) -> Any:
    """A mark that is written with or without arguments; it leaves what it marks as it is."""
    del said
    return _same if obj is None else obj


def _same(marked: Marked) -> Marked:
    return marked


beta: Callable[..., Any] = _mark
preview: Callable[..., Any] = _mark
experimental: Callable[..., Any] = _mark
