"""The warning about a parameter, method or name whose place another has taken. It points at the line of the user."""

from __future__ import annotations

import os.path
import sys
import warnings
from typing import TypeVar

from segue.errors import InvalidDefinitionError

T = TypeVar("T")

_OWN_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def warn_superseded(what: str, instead: str, category: type[Warning] = DeprecationWarning) -> None:
    """Warns of something superseded, at the line that called into Segue.

    Args:
        what: the parameter, method or name.
        instead: what to do, as a sentence without its first capital letter and its full stop.
        category: `DeprecationWarning` for what will be gone with Dagster 2; `SupersessionWarning` for what stays.
    """
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] reason: warnings.warn counts frames, and how many are ours differs
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN_FOLDER):
        frame = frame.f_back
    warnings.warn_explicit(
        f"{what} is superseded: {instead}.",
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
        module_globals=frame.f_globals,
    )


def renamed(where: str, name: str, value: T | None, old_name: str, old_value: T | None) -> T | None:
    """What a parameter that has two names was given: the second name is superseded, and warns.

    Raises:
        InvalidDefinitionError: both were provided.
    """
    if old_value is None:
        return value
    if value is not None:
        raise InvalidDefinitionError(
            f"{where}: both {name} and {old_name}, which it supersedes, were provided; keep {name}."
        )
    warn_superseded(f"{old_name} of {where}", f"write {name}")
    return old_value
