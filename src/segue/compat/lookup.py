"""What one of Dagster's names means here."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import segue
from segue.compat.component_names import COMPONENT_NAMES
from segue.compat.names import DAGSTER_VERSION, PRIVATE_MODULES, PRIVATE_NAMES, RENAMED, SUPERSEDED

_OF_COMPONENTS = ("dagster.components", "dagster_shared.serdes.objects.models.defs_state_info")
_OWN: frozenset[str] = frozenset(vars(segue)["__all__"])  # vars: type checkers do not see it


def public_name(name: str) -> Any:
    """What `dagster.<name>` is here.

    Raises:
        AttributeError: the name is unknown.
    """
    if name == "__version__":
        return DAGSTER_VERSION
    if name in SUPERSEDED:
        return _at(SUPERSEDED[name])
    own = RENAMED.get(name, name)
    if own in _OWN:
        return getattr(segue, own)
    raise AttributeError(missing(name), name=name)


def private_name(module: str, name: str) -> Any:
    """What `from <module> import <name>` is here, for a module below the top of Dagster: by rule, its public namesake.

    Raises:
        AttributeError: the name is unknown.
    """
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
    if f"{module}.{name}" in PRIVATE_NAMES:
        return _at(PRIVATE_NAMES[f"{module}.{name}"])
    if name in COMPONENT_NAMES and module.startswith(_OF_COMPONENTS):
        return _at(COMPONENT_NAMES[name])
    if module in PRIVATE_MODULES:
        return getattr(importlib.import_module(PRIVATE_MODULES[module]), name)
    return public_name(name)


def public_names() -> list[str]:
    """Every public name of Dagster that resolves here, sorted."""
    renamed = [old for old, new in RENAMED.items() if new in _OWN]
    return sorted({*_OWN, *renamed, *SUPERSEDED})


def _at(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def missing(name: str) -> str:
    """The error for an unknown name."""
    message = f"Segue has no equivalent of Dagster's {name!r}."
    if name.startswith("_"):
        return message
    near = difflib.get_close_matches(name, public_names(), n=2)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"{message}{hint} docs/migration.md lists what is not supported, and the alternatives."
