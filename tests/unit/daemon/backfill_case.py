"""A backfill for tests: over real stores and a code location in this process, taken on round by round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from plane import NOON, Plane

import segue as sg
from segue.daemon.backfills import Backfills
from segue.model.backfill import Backfill, BackfillTarget
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import Run

DAYS = sg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-11")
KEYS = [f"2026-01-{day:02}" for day in range(1, 11)]
NAMES = sg.DynamicPartitionsDefinition(name="names")


@sg.asset(partitions_def=DAYS)
def raw() -> None: ...


@sg.asset(partitions_def=DAYS, deps=[raw])
def clean() -> None: ...


@sg.asset(deps=[clean])
def report() -> None: ...


@sg.asset(partitions_def=DAYS, backfill_policy=sg.BackfillPolicy.single_run())
def ranged() -> None: ...


@sg.asset(partitions_def=NAMES)
def named() -> None: ...


@sg.asset(
    partitions_def=DAYS,
    deps=[sg.AssetDep("chain", partition_mapping=sg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))],
)
def chain() -> None: ...


@sg.op
def step() -> None: ...


@sg.job(partitions_def=DAYS, tags={"team": "ops"})
def op_job() -> None:
    step()


ASSETS = [raw, clean, report, ranged, named, chain]


class Case:
    """A plane with a backfill that goes on, round by round."""

    def __init__(self, **fields: Any) -> None:
        self.plane = Plane(sg.Definitions(assets=ASSETS, jobs=[op_job]))
        self.loop = Backfills(self.plane.store, self.plane.control, self.plane.locations)
        self.queue = self.plane.queue()
        given = {"backfill_id": "b", "location": "main", "created_at": NOON, **fields}
        given.setdefault("manifest_hash", self.plane.location.state.manifest_hash)
        self.plane.control.create_backfill(Backfill(**given))
        self.now = NOON

    @property
    def backfill(self) -> Backfill:
        found = self.plane.control.get_backfill("b")
        assert found is not None
        return found

    def change(self, **fields: Any) -> None:
        """What a person does to it."""
        before = self.backfill
        assert self.plane.control.update_backfill(msgspec.structs.replace(before, **fields), before)

    def step(self) -> list[Run]:
        """One round, and the runs that the queue starts after it."""
        self.loop.round(self.plane.turn(self.now))
        self.queue.round(self.plane.turn(self.now))
        self.queue.settle()
        started = self.plane.start()
        return [run for run in self.plane.runs() if run.run_id in started]

    def go_on(self, fails: Callable[[Run], bool] = lambda run: False) -> list[list[Run]]:
        """Rounds until it has ended, all runs of a round ending before the next."""
        found: list[list[Run]] = []
        for _ in range(100):
            runs = self.step()
            self.plane.end([run.run_id for run in runs], fails=fails)
            if runs:
                found.append(runs)
            if self.backfill.status.has_ended:
                return found
        raise AssertionError(f"It never ends: {self.backfill}")


def days(*ranges: tuple[int, int]) -> PartitionSubset:
    return PartitionSubset(tuple([(KEYS[first], KEYS[last]) for first, last in ranges]))


def targets(amounts: Mapping[sg.AssetsDefinition, PartitionSubset | None]) -> tuple[BackfillTarget, ...]:
    return tuple([BackfillTarget(asset.key, part) for asset, part in amounts.items()])


def shown(run: Run) -> tuple[list[str], str | None, str | None]:
    return sorted(key.to_user_string() for key in run.asset_selection), run.partition_start, run.partition_end
