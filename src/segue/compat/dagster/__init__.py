"""Every public name of Dagster that Segue has a counterpart for, in Dagster's spelling.

`from segue.compat.dagster import DagsterInstance` gives `segue.Instance`. Names are looked up when they are first used. From the
import on, error classes carry Dagster's names (`segue.compat.error_names`).
"""

from __future__ import annotations

import importlib
from typing import Any

from segue.compat.error_names import use_dagster_names
from segue.compat.lookup import public_name, public_names

_MODULES = frozenset({"components", "preview"})  # attributes without being imported first

use_dagster_names()


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return public_names()
    value = importlib.import_module(f"{__name__}.{name}") if name in _MODULES else public_name(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return public_names()
