"""Import the library and touch what stands on pydantic."""

from __future__ import annotations

from library import load, report


def work() -> None:
    library = load()
    for name in ("Definitions", "asset", "AssetExecutionContext", "Config", "ConfigurableResource"):
        getattr(library, name)


report(1, work)
