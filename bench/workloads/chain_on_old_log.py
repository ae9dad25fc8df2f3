"""The stored chain on a home that has been in use for long, which BENCH_HOME names, and in turns with it on an empty one."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from library import folder, load, size

dg = load()
RUNS = 20


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


def run(instance: Any, length: int) -> float:
    """How many seconds a step takes in a run of so many."""
    began = time.perf_counter()
    assets = [link(position) for position in range(length)]
    manager = dg.FilesystemIOManager(base_dir=values)
    result = dg.materialize(assets, instance=instance, resources={"io_manager": manager})
    assert result.output_for_node(f"link_{length - 1}") == length - 1
    return (time.perf_counter() - began) / length


values = folder("values")
with dg.Instance.local_temp(os.environ["BENCH_HOME"]) as old, dg.Instance.local_temp(folder("home")) as empty:
    for each in (old, empty):  # the first run of each finds nothing in memory
        run(each, 100)
    pairs = [(run(old, 100), run(empty, 100)) for _ in range(size(RUNS))]
print(json.dumps({"library": "segue", "pairs": pairs}))
