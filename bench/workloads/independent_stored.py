"""Many assets that do not depend on each other, in one process; event log in SQLite, values in files."""

from __future__ import annotations

from typing import Any

from library import folder, load, report, size, stored_instance

dg = load()


def single(position: int) -> Any:
    @dg.asset(name=f"single_{position}")
    def made() -> int:
        return position

    return made


def run(count: int, instance: Any, values: str) -> None:
    assets = [single(position) for position in range(count)]
    manager = dg.FilesystemIOManager(base_dir=values)
    assert dg.materialize(assets, instance=instance, resources={"io_manager": manager}).success


with stored_instance("home") as instance:
    values = folder("values")
    run(5, instance, values)
    count = size(1_000)
    report(count, lambda: run(count, instance, values))
