"""Single materializations reported from outside, one after the other; both libraries commit each without waiting for the disk."""

from __future__ import annotations

from library import load, report, size, stored_instance, survive_crashes_of_the_process_only

dg = load()
survive_crashes_of_the_process_only()


def run(first: int, count: int) -> None:
    for number in range(first, first + count):
        event = dg.AssetMaterialization("orders", metadata={"rows": number})
        instance.report_runless_asset_event(event)


with stored_instance("home") as instance:
    run(0, 5)
    count = size(1_000)
    report(count, lambda: run(5, count))
    last = instance.get_latest_materialization_event(dg.AssetKey("orders"))
    assert last.asset_materialization.metadata["rows"].value == count + 4
