"""A control plane for tests: real stores, a code location in this process, and rounds at times that the test says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import segue as sg
from segue.daemon.launches import Launches
from segue.daemon.loop import Turn
from segue.daemon.queue import Queue
from segue.daemon.schedules import Schedules
from segue.daemon.sensors import Sensors
from segue.model.control_stores import LoopLease
from segue.model.event import (
    Event,
    RunCanceledData,
    RunFailureData,
    RunStartData,
    RunSuccessData,
    StepMaterializationData,
)
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorStatus
from segue.model.queueing import QueueLimits
from segue.model.run import FailureReason, Run
from segue.model.run_records import RunsFilter
from segue.model.tick import CatchUp
from segue.model.tick_record import Tick, TickStatus
from segue.storage.sqlite import SqliteStore
from segue.storage.sqlite.control import control_of
from segue.testing.locations import InProcessLocation

# A moment on the hour, so that tests read like a clock; what user code sees of the time is not compared with it.
NOON = 1_900_000_800.0 - 1_900_000_800.0 % 3600


class Plane:
    """Stores, one location and the loops over them.

    Args:
        definitions: what the location declares.
    """

    def __init__(self, definitions: sg.Definitions, *, catch_up: CatchUp = CatchUp.ALL, timeout: float = 30.0) -> None:
        self.instance = sg.Instance.ephemeral()
        store = self.instance.store
        assert isinstance(store, SqliteStore)
        self.store = store
        self.control = control_of(store)
        self.location = InProcessLocation(definitions, self.instance, self.control)
        self.locations = {"main": self.location}
        token = store.acquire_lease("loop/test", 60.0)
        assert token is not None
        self.lease = LoopLease("loop/test", token)
        self.up_since = 0.0
        self.now = NOON
        self.timeout = timeout
        self.schedules = Schedules(self.control, self.locations, catch_up, timeout, self.clock)
        self.sensors = self.new_sensors()

    def clock(self) -> float:
        """The time of the last round."""
        return self.now

    def new_sensors(self) -> Sensors:
        """A loop over sensors that remembers nothing, as after a restart."""
        return Sensors(self.store, self.control, self.locations, self.timeout, self.clock)

    def turn(self, now: float) -> Turn:
        """A round at a time."""
        self.now = now
        return Turn(now, self.lease, self.up_since)

    def run_schedules(self, now: float) -> float | None:
        """Rounds over schedules until nothing is due any more at a time; gives when the next one is."""
        return self._until_still(self.schedules.round, lambda: len(self.ticks_of_all()), now)

    def ask_sensors(self, now: float) -> float | None:
        """One round over sensors, and one more that writes what they answered."""
        self.sensors.round(self.turn(now))
        self.location.settle()
        return self.sensors.round(self.turn(now))

    def _until_still(
        self, action: Callable[[Turn], float | None], count: Callable[[], int], now: float
    ) -> float | None:
        before = -1
        while True:
            following = action(self.turn(now))
            self.location.settle()
            if before == (before := count()) and (following is None or following > now):
                return following

    def ticks_of_all(self) -> list[Tick]:
        """All ticks."""
        return [tick for which in self.control.instigator_states() for tick in self.ticks(which.name, which.kind)]

    def ticks(self, name: str, kind: InstigatorKind = InstigatorKind.SCHEDULE) -> list[Tick]:
        """The ticks of a schedule or sensor, oldest first."""
        entries = self.control.ticks(InstigatorId("main", kind, name), 10_000)
        return [entry.tick for entry in reversed(entries)]

    def sensor_ticks(self, name: str) -> list[Tick]:
        """The ticks of a sensor, oldest first."""
        return self.ticks(name, InstigatorKind.SENSOR)

    def statuses(self, name: str) -> list[TickStatus]:
        """How the ticks of a sensor ended."""
        return [tick.status for tick in self.sensor_ticks(name)]

    def switch(
        self, name: str, status: InstigatorStatus, now: float, kind: InstigatorKind = InstigatorKind.SCHEDULE
    ) -> None:
        """Switches a schedule or sensor."""
        self.control.set_instigator(InstigatorId("main", kind, name), status, now)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return list(reversed(self.store.list_runs(RunsFilter(), None, None)))

    def queue(self, limits: QueueLimits | None = None, steady: Callable[[], float] | None = None) -> Queue:
        """The loop over the queue; its steady clock shows the time of the last round unless another is given."""
        launches = Launches(self.store, self.locations, self.clock, steady or self.clock)
        return Queue(self.store, self.control, self.locations, limits or QueueLimits(), launches)

    def start(self, run_ids: Sequence[str] | None = None) -> list[str]:
        """Has launched runs begin, as their processes would say; all that were launched by default."""
        started = list(self.location.launched) if run_ids is None else list(run_ids)
        self.location.launched.clear()
        self.store.append([Event(time.time(), RunStartData(), run_id=each) for each in started])
        return started

    def end(self, run_ids: Sequence[str], *, fails: Callable[[Run], bool] = lambda run: False) -> None:
        """Has runs that began end, having made what they were for, or having failed before they made anything."""
        for run_id in run_ids:
            run = self.store.get_run(run_id)
            assert run is not None
            if fails(run):
                self.store.append([Event(time.time(), RunFailureData(FailureReason.STEP_FAILURE, ""), run_id=run_id)])
                continue
            made = [
                Event(
                    time.time(),
                    StepMaterializationData(sg.AssetMaterialization(key, partition=partition)),
                    run_id=run_id,
                )
                for key in sorted(run.asset_selection)
                for partition in self.partitions_of(run, key)
            ]
            self.store.append([*made, Event(time.time(), RunSuccessData(), run_id=run_id)])

    def cancel(self, run_id: str) -> None:
        """Has the process of a run that was asked to stop do so."""
        self.store.append([Event(time.time(), RunCanceledData(""), run_id=run_id)])

    def partitions_of(self, run: Run, key: sg.AssetKey) -> list[str | None]:
        """Which partitions of an asset a run makes."""
        graph = self.location.graph
        assert graph is not None
        definition = graph.node(key).partitions
        if definition is None or run.partition_start is None or run.partition_end is None:
            return [None]
        if run.partition_start == run.partition_end:  # also where only user code could list them
            return [run.partition_start]
        keys = definition.get_partition_keys(dynamic_partitions_store=self.instance)
        return list(keys[keys.index(run.partition_start) : keys.index(run.partition_end) + 1])
