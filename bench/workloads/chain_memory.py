"""A chain of assets, each made from the one before, in process, values and events in memory."""

from __future__ import annotations

from typing import Any

from library import load, report, size

dg = load()


def link(position: int) -> Any:
    if position == 0:

        @dg.asset(name="link_0")
        def first() -> int:
            return 0

        return first

    @dg.asset(name=f"link_{position}", ins={"before": dg.AssetIn(f"link_{position - 1}")})
    def later(before: int) -> int:
        return before + 1

    return later


def run(length: int) -> None:
    result = dg.materialize_to_memory([link(position) for position in range(length)])
    assert result.output_for_node(f"link_{length - 1}") == length - 1


run(5)
length = size(100)
report(length, lambda: run(length))
