"""The stored chain on a home that has been in use for long: BENCH_HOME names it, an empty one when it does not."""

from __future__ import annotations

import os
from typing import Any

from library import folder, load, report, size

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
    assets = [link(position) for position in range(length)]
    manager = dg.FilesystemIOManager(base_dir=values)
    result = dg.materialize(assets, instance=instance, resources={"io_manager": manager})
    assert result.output_for_node(f"link_{length - 1}") == length - 1


with dg.Instance.local_temp(os.environ.get("BENCH_HOME") or folder("home")) as instance:
    values = folder("values")
    run(100)
    length = size(100)
    report(length, lambda: run(length))
