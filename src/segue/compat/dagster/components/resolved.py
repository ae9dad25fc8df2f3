"""Dagster's names in `dagster.components.resolved`."""

from __future__ import annotations

from typing import Any

from segue.compat.lookup import private_name


def __getattr__(name: str) -> Any:
    return private_name("dagster.components.resolved", name)
