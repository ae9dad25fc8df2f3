"""Many assets: declare them, resolve what depends on what, plan a run of all. Nothing is run."""

from __future__ import annotations

from typing import Any

from library import load, plan, report, size

dg = load()
LAYERS = 20


def declared(position: int, width: int) -> Any:
    """An asset of a layer, made from up to three of the layer before."""
    layer, place = divmod(position, width)
    parents = [(layer - 1) * width + (place + step) % width for step in (0, 1, 7)] if layer else []

    @dg.asset(name=f"asset_{position}", deps=[f"asset_{parent}" for parent in sorted(set(parents))])
    def made() -> None: ...

    return made


def work(count: int) -> None:
    width = max(count // LAYERS, 1)
    definitions = dg.Definitions(assets=[declared(position, width) for position in range(count)])
    assert plan(definitions) == count


work(20)
count = size(10_000)
report(count, lambda: work(count))
