"""10,000 assets with 2,000 daily partitions each, all over `eager()`: evaluated after 100 were made, and after nothing was.

Segue alone. What is measured is what a tick process does for the sensor over conditions, which keeps what it knows from one
evaluation to the next; SQLite, and the answer written with its tick, as the control plane does.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from library import folder, size

import segue as sg
from segue.host.automations import Automations
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.model.tick_task import TickAnswer, TickTask
from segue.storage.sqlite.control import control_of
from segue.storage.sqlite.store import SqliteStore

SIZE = size(10_000)
PARTITIONS = 2_000
CHANGED = 100
WIDTH = 100  # assets of a layer; each is made from two of the layer above
MADE = 20  # how many of the latest partitions of each asset are there
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
DAYS = sg.DailyPartitionsDefinition(NOW - timedelta(days=PARTITIONS, hours=12))
LATEST = list(DAYS.get_partition_keys(NOW))[-1]
SENSOR = "default_automation_condition_sensor"


def declared() -> sg.Definitions:
    assets: list[sg.AssetsDefinition] = []
    for place in range(SIZE):
        above = place - WIDTH
        deps = [] if above < 0 else [f"a{above}", f"a{above - above % WIDTH + (above + 1) % WIDTH}"]

        @sg.asset(
            name=f"a{place}",
            deps=deps,
            partitions_def=DAYS,
            automation_condition=sg.AutomationCondition.eager() if deps else None,
        )
        def made() -> None: ...

        assets.append(made)
    return sg.Definitions(assets=assets)


class Plane:
    """Asks the sensor and writes what it answers."""

    def __init__(self, definitions: sg.Definitions, instance: sg.Instance) -> None:
        self.definitions = definitions
        self.instance = instance
        store = instance.store
        assert isinstance(store, SqliteStore)
        self.control = control_of(store)
        self.automations = Automations()
        self.which = InstigatorId("main", InstigatorKind.SENSOR, SENSOR)
        self.now = NOW

    def settle(self) -> None:
        for _ in range(3):
            self.ask()

    def ask(self) -> tuple[TickAnswer, tuple[float, float]]:
        self.now += timedelta(seconds=30)
        began = time.perf_counter(), time.process_time()
        cursor = self.control.instigator_state(self.which).cursor
        task = TickTask(kind=self.which.kind, name=SENSOR, location="main", cursor=cursor)
        answer = self.automations.answer(self.definitions, self.instance, task, self.now.timestamp())
        status = TickStatus.SUCCESS if answer.requests or answer.backfills else TickStatus.SKIPPED
        tick = Tick(instigator=self.which, status=status, started_at=0.0, ended_at=0.0, cursor=answer.cursor)
        commit = TickCommit(tick=tick, evaluations=answer.evaluations, condition_cursors=answer.condition_cursors)
        self.control.commit_ticks([commit])
        return answer, (time.perf_counter() - began[0], time.process_time() - began[1])


def make_all(instance: sg.Instance) -> None:
    """Puts the latest partitions of every asset on record; one event first, for the schema and the row that is copied."""
    names = list(DAYS.get_partition_keys(NOW))[-MADE:]
    instance.report_runless_asset_event(sg.AssetMaterialization("a0", partition=names[0]))
    instance.store.close()
    with closing(sqlite3.connect(Path(os.environ["BENCH_FOLDER"]) / "home" / "segue.db")) as database, database:
        (body,) = database.execute("SELECT body FROM assets").fetchone()
        keys = [(json.dumps([f"a{place}"], separators=(",", ":")),) for place in range(SIZE)]
        database.executemany(
            "INSERT OR REPLACE INTO assets VALUES (?, 1, NULL, 1.0, ?)", [(*key, body) for key in keys]
        )
        database.executemany(
            "INSERT OR REPLACE INTO asset_partitions VALUES (?, ?, 1, NULL, 1.0, NULL)",
            [(*key, name) for key in keys for name in names],
        )


def main() -> None:
    definitions = declared()
    with sg.Instance.local_temp(folder("home")) as instance:
        make_all(instance)
        plane = Plane(definitions, instance)
        _, first = plane.ask()
        plane.settle()
        nothing = max(plane.ask()[1] for _ in range(3))
        changed: list[tuple[float, float]] = []
        asked = 0
        for turn in range(3):
            made = [(SIZE // WIDTH - 2 - turn) * WIDTH + place for place in range(min(CHANGED, WIDTH))]
            for place in made:  # what is made from these asks for runs, and what is below waits for that
                instance.report_runless_asset_event(sg.AssetMaterialization(f"a{place}", partition=LATEST))
            answer, taken = plane.ask()
            changed.append(taken)
            asked += sum(len(run.asset_selection or ()) for run in answer.requests)
            plane.settle()
    assert asked >= 3 * min(CHANGED, WIDTH), f"only {asked} were asked for"
    nothing_seconds, nothing_cpu = nothing
    seconds, cpu = max(changed)
    found = {"seconds": seconds, "cpu": cpu, "nothing": nothing_seconds, "nothing_cpu": nothing_cpu, "first": first[1]}
    print(json.dumps({"library": "segue", "count": 1, "asked": asked, **found}))


if __name__ == "__main__":
    main()
