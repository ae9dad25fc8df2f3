"""Modules of the standard library that declaring assets does not take: each is loaded when it is first asked for.

To write a key as JSON, to name a time zone, to guess what a misspelled name meant: few who import Segue ever do, and loading what
they stand on takes as long as all partitions do.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import difflib
    import json
    import zoneinfo

__all__ = ["difflib", "json", "zoneinfo"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=None)
    module = import_module(name)
    globals()[name] = module
    return module
