"""Gives the error classes Dagster's names, in a process whose code speaks of them so.

Code compares `error.cls_name` and `type(error).__name__` with the names that it knows, so where those names are looked up
the classes carry them. `__qualname__` stays: by it classes are found again, so that an error that one process has pickled is
read by any other, whether it uses this package or not.
"""

from __future__ import annotations

from collections.abc import Iterator

import segue.errors
from segue.compat.names import PRIVATE_NAMES, RENAMED


def use_dagster_names() -> None:
    """Sets `__name__` of each error class that Dagster has under another name to that name."""
    for name, kind in _renamed():
        kind.__name__ = name


def use_own_names() -> None:
    """Sets `__name__` of each of these classes back."""
    for _, kind in _renamed():
        kind.__name__ = kind.__qualname__


def _renamed() -> Iterator[tuple[str, type[BaseException]]]:
    """Dagster's name and the class: of names that lead to the same class, the one that is ours with the prefix."""
    names = dict(RENAMED)
    for place, target in PRIVATE_NAMES.items():
        old, own = place.rpartition(".")[2], target.rpartition(":")[2]
        if old == f"Dagster{own}":
            names[old] = own
    for old, own in names.items():
        kind: object = getattr(segue.errors, own, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            yield old, kind
