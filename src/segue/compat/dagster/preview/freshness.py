"""Dagster's names in `dagster.preview.freshness`."""

from __future__ import annotations

from typing import Any

from segue.compat.lookup import private_name


def __getattr__(name: str) -> Any:
    return private_name("dagster.preview.freshness", name)
