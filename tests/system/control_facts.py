"""What must hold of everything that control planes decided, whoever was killed meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import segue as sg
from segue.model.control_stores import ControlStore
from segue.model.event import EventType
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.storage.postgres import control as postgres_control
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import control as sqlite_control
from segue.storage.sqlite import open_sqlite

HOUR = 3600.0
PUSHED = InstigatorId("main", InstigatorKind.SENSOR, "pushed")


@contextmanager
def opened(place: str) -> Iterator[tuple[Store, ControlStore]]:
    """The stores at a place, as `control_process.py` has it."""
    if place.startswith("postgresql:"):
        postgres = open_postgres(place)
        yield postgres, postgres_control.control_of(postgres)
        postgres.close()
    else:
        sqlite = open_sqlite(Path(place))
        yield sqlite, sqlite_control.control_of(sqlite)
        sqlite.close()


def times_of(control: ControlStore, name: str) -> list[float]:
    """The times of a schedule that were decided, in order."""
    which = InstigatorId("main", InstigatorKind.SCHEDULE, name)
    return [entry.tick.scheduled_at or 0.0 for entry in reversed(control.ticks(which, 100_000))]


def require_nothing_lost_or_doubled(store: Store, control: ControlStore, interval: float) -> None:
    """That each time, run key, run, retry and partition was decided once, and nothing goes before what it belongs to.

    Args:
        store, control: what is recorded.
        interval: seconds between two times of the schedule `static`.
    """
    runs = store.list_runs(RunsFilter(), None, None)
    first_tries = [run for run in runs if run.parent_run_id is None]
    of_schedule = Counter(run.tags.get("dagster/schedule_name") for run in first_tries)
    for name, distance in (("static", interval), ("asked", HOUR)):
        times = times_of(control, name)
        assert times == [times[0] + index * distance for index in range(len(times))]
        assert of_schedule[name] == len(times)
    numbers = sorted(int(run.tags["number"]) for run in first_tries if "number" in run.tags)
    assert numbers == list(range(1, len(numbers) + 1))
    cursor = control.instigator_state(InstigatorId("main", InstigatorKind.SENSOR, "counting")).cursor
    assert cursor == (str(len(numbers)) if numbers else None)
    assert sorted(map(int, store.dynamic_partitions("numbers"))) == numbers
    sent = payloads_of(runs)
    assert len(sent) == len(set(sent))
    started = Counter(each.run_id for each in store.events(EventFilter(types=(EventType.RUN_START,)), None))
    assert set(started.values()) <= {1}
    retried = Counter(run.parent_run_id for run in runs if run.parent_run_id is not None)
    assert set(retried.values()) <= {1}


def payloads_of(runs: Sequence[Run]) -> list[str]:
    """The payloads that became runs."""
    return [run.tags["payload"] for run in runs if "payload" in run.tags]


def require_ended(store: Store, control: ControlStore) -> None:
    """That everything that was begun has come to its end."""
    runs = store.list_runs(RunsFilter(), None, None)
    assert [run for run in runs if not run.is_finished] == []
    retried = {run.parent_run_id for run in runs}
    assert [run for run in runs if run.is_failure and run.parent_run_id is None and run.run_id not in retried] == []
    assert control.payloads(PUSHED, 1) == []
    require_backfilled(control, runs)
    require_followed(store)


def require_backfilled(control: ControlStore, runs: Sequence[Run]) -> None:
    """That the backfill has made each partition, once."""
    backfill = control.get_backfill("backfill")
    assert backfill is not None
    assert backfill.status.name == "COMPLETED_SUCCESS"
    assert sorted(str(run.partition_start) for run in runs if "dagster/backfill" in run.tags) == ["a", "b", "c", "d"]


def require_followed(store: Store) -> None:
    """That what follows an asset was made after its last change, and never twice for one."""
    kinds = (EventType.ASSET_MATERIALIZATION,)
    made = [
        (record.storage_id, key)
        for key in ("source", "follower")
        for record in store.events(EventFilter(types=kinds, asset_key=sg.AssetKey(key)), None)
    ]
    order = [key for _, key in sorted(made)]
    assert order[-1] == "follower"
    assert ("follower", "follower") not in pairwise(order)
