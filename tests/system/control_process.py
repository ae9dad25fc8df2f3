"""A control plane in a process of its own, for tests that kill it.

    control_process.py step PLACE BEGIN END POINT     rounds at the times from BEGIN to END, an hour apart; dies at POINT
    control_process.py loops PLACE                    the loops in their threads, until killed

PLACE is a home folder or the URL of a Postgres database. POINT is `none`, or `WRITE:WHERE`: at the first write of a tick of the
schedule, sensor or loop of that name, of the queue (`dequeue`) or of a backfill (`backfill`), `before` its transaction, after
its first statement (`inside`), after its last one (`at the end`), or once it is committed (`after`). What is launched is
executed at once, by a lease of the run that it is given once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import segue as sg
from segue.daemon.backfills import Backfills
from segue.daemon.launches import Launches
from segue.daemon.loop import Loop, Turn
from segue.daemon.queue import Queue
from segue.daemon.retries import Retries
from segue.daemon.schedules import Schedules
from segue.daemon.sensors import Sensors
from segue.errors import InvariantViolationError, LeaseLostError
from segue.model.backfill import Backfill, BackfillTarget
from segue.model.control_stores import LoopLease
from segue.model.event import Event, RunFailureData, RunStartData, RunSuccessData, StepMaterializationData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.lease import Fence
from segue.model.partitions.subset import PartitionSubset
from segue.model.queueing import QueueLimits, RunRetries
from segue.model.run import FailureReason
from segue.model.stores import Store
from segue.model.tick import CatchUp
from segue.storage.control_store import SqlControlStore
from segue.storage.control_writing import Result
from segue.testing.locations import InProcessLocation

HOUR = 3600.0
ON = sg.DefaultScheduleStatus.RUNNING
PUSHED = InstigatorId("main", InstigatorKind.SENSOR, "pushed")


PARTS = sg.StaticPartitionsDefinition(["a", "b", "c", "d"])
NUMBERS = sg.DynamicPartitionsDefinition(name="numbers")


@sg.asset
def table() -> None: ...


@sg.asset
def source() -> None: ...


@sg.asset(deps=[source], automation_condition=sg.AutomationCondition.eager())
def follower() -> None: ...


@sg.asset(partitions_def=PARTS)
def parts() -> None: ...


job = sg.define_asset_job("job", [table])
make_source = sg.define_asset_job("make_source", [source])
flaky = sg.define_asset_job("flaky", [table], tags={"dagster/max_retries": "1"})


@sg.schedule(job=job, cron_schedule="0 * * * *", default_status=ON)
def asked(context: sg.ScheduleEvaluationContext) -> sg.RunRequest:
    return sg.RunRequest(tags={"at": str(context.scheduled_execution_time.timestamp())})


@sg.sensor(job=flaky, minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def counting(context: sg.SensorEvaluationContext) -> sg.SensorResult:
    number = str(int(context.cursor or "0") + 1)
    return sg.SensorResult(
        [sg.RunRequest(run_key=number, tags={"number": number})],
        cursor=number,
        dynamic_partitions_requests=[NUMBERS.build_add_request([number])],
    )


@sg.sensor(job=job, minimum_interval_seconds=86_400, default_status=sg.DefaultSensorStatus.RUNNING)
def pushed(context: sg.SensorEvaluationContext) -> Iterator[sg.RunRequest]:
    for payload in context.payloads:
        yield sg.RunRequest(tags={"payload": str(payload)})


conditions = sg.AutomationConditionSensorDefinition(
    "conditions", target=[follower], default_status=sg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=1
)


def definitions(line: str) -> sg.Definitions:
    static = sg.ScheduleDefinition(name="static", job=make_source, cron_schedule=line, default_status=ON)
    return sg.Definitions(
        assets=[table, source, follower, parts],
        jobs=[job, make_source, flaky],
        schedules=[static, asked],
        sensors=[counting, pushed, conditions],
    )


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(SqlControlStore):
    """A control store whose process dies at a point."""

    def __init__(self, real: SqlControlStore, point: str) -> None:
        super().__init__(self, real._dialect)  # it stands between itself and the database
        self._real = real._database
        self._write, _, self._where = point.partition(":")
        self._is_now = False

    def read(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        return self._real.read(statement, parameters)

    @contextmanager
    def control_writes(
        self, is_news: bool = False, is_durable: bool = False, is_decision: bool = True
    ) -> Generator[Any]:
        with self._real.control_writes(is_news=is_news, is_durable=is_durable, is_decision=is_decision) as writes:
            if self._is_now and self._where == "inside":
                real = writes.execute

                def execute(statement: str, parameters: Sequence[object] = ()) -> Result:
                    real(statement, parameters)
                    die()
                    raise AssertionError

                writes.execute = execute
            yield writes
            if self._is_now and self._where == "at the end":
                die()

    def _at(self, writes: Collection[str], action: Callable[[], Any]) -> Any:
        self._is_now = self._write in writes
        if self._is_now and self._where == "before":
            die()
        done = action()
        if self._is_now and self._where == "after":
            die()
        return done

    def commit_ticks(self, commits: Any, lease: Any = None) -> Any:
        names = {commit.tick.instigator.name for commit in commits}
        return self._at(names, lambda: super(Dying, self).commit_ticks(commits, lease))

    def dequeue(self, run_ids: Any, timestamp: Any, lease: Any = None) -> Any:
        return self._at(("dequeue",), lambda: super(Dying, self).dequeue(run_ids, timestamp, lease))

    def update_backfill(self, backfill: Any, was: Any, runs: Any = (), lease: Any = None) -> Any:
        return self._at(("backfill",), lambda: super(Dying, self).update_backfill(backfill, was, runs, lease))


class Location(InProcessLocation):
    """Executes what it launches: a run that was not tried before fails where its job has retries."""

    store: Store

    def launch(self, run_id: str) -> None:
        run = self.store.get_run(run_id)
        if run is None:
            return
        try:
            token = self.store.start_run(run_id, [Event(time.time(), RunStartData(), run_id=run_id)])
        except (LeaseLostError, InvariantViolationError):
            return  # another process has it, or it has ended
        partition = run.partition_start
        for key in run.asset_selection:
            made = StepMaterializationData(sg.AssetMaterialization(key, partition=partition))
            self.store.append([Event(time.time(), made, run_id=run_id)], Fence(run_id, token))
        fails = run.job_name == "flaky" and run.parent_run_id is None
        end = RunFailureData(FailureReason.STEP_FAILURE, "") if fails else RunSuccessData()
        self.store.append([Event(time.time(), end, run_id=run_id)], Fence(run_id, token))


def open_place(place: str) -> tuple[Store, SqlControlStore]:
    """The stores at a place."""
    if place.startswith("postgresql:"):
        from segue.storage.postgres import control, open_postgres

        postgres = open_postgres(place)
        return postgres, control.control_of(postgres)
    from segue.storage.sqlite import control as sqlite_control
    from segue.storage.sqlite import open_sqlite

    sqlite = open_sqlite(Path(place))
    return sqlite, sqlite_control.control_of(sqlite)


def made(place: str, point: str, line: str) -> tuple[Store, Dying, Location]:
    store, real = open_place(place)
    control = Dying(real, point)
    instance = sg.Instance(store, Path("unused"))
    location = Location(definitions(line), instance, control)
    location.store = store
    return store, control, location


def step(place: str, begin: float, end: float, point: str) -> None:
    """Rounds at times an hour apart."""
    store, control, location = made(place, point, "0 * * * *")
    while (token := store.acquire_lease("loop/all", 1.0)) is None:
        store.wait_for_exit(0.2)
    lease, locations, now = LoopLease("loop/all", token), {"main": location}, begin

    def clock() -> float:
        return now

    if control.get_backfill("backfill") is None:
        keys = PartitionSubset((("a", "d"),))
        control.create_backfill(
            Backfill(
                backfill_id="backfill",
                location="main",
                created_at=begin,
                targets=(BackfillTarget(parts.key, keys),),
                max_concurrent=1,
            )
        )
    schedules = Schedules(control, locations, CatchUp.ALL, clock=clock)
    sensors = Sensors(store, control, locations, clock=clock)
    retries = Retries(store, control, locations, RunRetries())
    backfills = Backfills(store, control, locations)
    queue = Queue(store, control, locations, QueueLimits(), Launches(store, locations, clock, clock))
    for hour in range(int((end - begin) // HOUR) + 1):
        now = begin + hour * HOUR
        control.send_payload(PUSHED, f'"{begin:.0f}/{hour}"', now)
        store.renew_lease("loop/all", token, 1.0)
        count = -1
        while count != (count := store.append(()) + len(location.asked)):  # until nothing happens any more
            for action in (schedules.round, sensors.round, retries.round, backfills.round, queue.round):
                action(Turn(now, lease, 0.0))
                location.settle()
                queue.settle()
    store.close()


def loops(place: str) -> None:
    """The loops in threads, until killed."""
    store, control, location = made(place, "none", "* * * * * *")
    locations = {"main": location}
    schedules, sensors = Schedules(control, locations, CatchUp.ALL), Sensors(store, control, locations)
    retries = Retries(store, control, locations, RunRetries())
    queue = Queue(store, control, locations, QueueLimits())

    def everything(turn: Turn) -> float | None:
        due = [action(turn) for action in (schedules.round, sensors.round, retries.round, queue.round)]
        return min((each for each in due if each is not None), default=None)

    loop = Loop("all", store, control, everything, longest_pause=0.2)
    schedules.wake = sensors.wake = loop.wake
    print(store.worker(), flush=True)
    loop.start()
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "step":
        step(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
    else:
        loops(sys.argv[2])
