"""Assets with conditions, and a store in which things happen to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

import segue as sg
from segue.host.automations import Automations
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.event import Event, RunFailureData, RunStartData, RunSuccessData, StepMaterializationData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import FailureReason, Run
from segue.model.tags import BACKFILL_TAG
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.model.tick_task import TickAnswer, TickTask
from segue.storage.sqlite import SqliteStore
from segue.storage.sqlite.control import control_of

Condition = sg.AutomationCondition[sg.AssetOrCheckKey]
START = datetime(2024, 1, 5, 1, tzinfo=UTC)
SENSOR = "default_automation_condition_sensor"
NAMES = ["a", "b", "c", "d", "e", *(f"more_{place}" for place in range(30))]
PARTITIONS: list[tuple[sg.PartitionsDefinition | None, list[str]]] = [
    (None, []),
    (sg.StaticPartitionsDefinition(["x", "y", "z"]), ["x", "y", "z"]),
    (sg.DailyPartitionsDefinition("2024-01-01"), ["2024-01-02", "2024-01-04", "2024-01-05", "2024-01-06"]),
    (sg.DailyPartitionsDefinition("2024-01-03"), ["2024-01-04", "2024-01-05"]),
    (sg.DynamicPartitionsDefinition(name="kinds"), ["k", "l"]),
]


class Declared(NamedTuple):
    """One asset: what it is made from (how far before it), how it is cut, its condition, its check, whether it is external."""

    deps: list[int]
    partitions: int
    condition: Condition | None
    check: Condition | bool
    is_external: bool


class Step(NamedTuple):
    """What happens to which asset (or for how long nothing does), and in which of its partitions."""

    what: str
    asset: int
    number: int


def definitions_of(declared: list[Declared]) -> sg.Definitions:
    """The definitions."""
    assets: list[sg.AssetsDefinition | sg.AssetSpec] = []  # an asset depends on some before it
    checks: list[sg.AssetChecksDefinition] = []
    for place, each in enumerate(declared):
        partitions = PARTITIONS[each.partitions][0]
        freshness = sg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=40)) if place % 2 else None
        if each.is_external and place < 2:
            assets.append(sg.AssetSpec(NAMES[place], partitions_def=partitions))
            continue

        @sg.asset(
            name=NAMES[place],
            deps=[_dep(declared, place, place - back) for back in each.deps if back <= place],
            partitions_def=partitions,
            automation_condition=each.condition,
            freshness_policy=freshness,
        )
        def made() -> None: ...

        assets.append(made)
        if each.check is not False:

            @sg.asset_check(
                name=f"checks_{NAMES[place]}",
                asset=NAMES[place],
                blocking=True,
                automation_condition=None if each.check is True else each.check,
            )
            def passes() -> sg.AssetCheckResult:
                return sg.AssetCheckResult(passed=True)

            checks.append(passes)
    return sg.Definitions(assets=assets, asset_checks=checks)


def _dep(declared: list[Declared], place: int, dep: int) -> sg.AssetDep:
    """A dependency, with a mapping where none goes without saying."""
    one, other = (declared[each].partitions for each in (dep, place))
    goes_without = one == other or 0 in (one, other) or {one, other} == {2, 3}
    return sg.AssetDep(NAMES[dep], partition_mapping=None if goes_without else sg.AllPartitionMapping())


def subset(*partitions: str | None) -> PartitionSubset:
    """Some partitions."""
    return PartitionSubset(tuple((each, each) for each in partitions if each is not None))


class World:
    """A store in which things happen, and two automations over it: one that remembers, one that begins anew each time."""

    def __init__(self, declared: list[Declared]) -> None:
        self.declared = declared
        self.definitions = definitions_of(declared)
        self.instance = sg.Instance.ephemeral()
        store = self.instance.store
        assert isinstance(store, SqliteStore)
        self.store = store
        self.control = control_of(store)
        self.now = START
        self.open: list[Run] = []
        self.backfills = 0
        self.remembering = Automations()
        self.cursors: dict[str, str | None] = {"remembers": None, "forgets": None}

    def happen(self, step: Step) -> None:
        """Carries out a step."""
        each = self.declared[step.asset % len(self.declared)]
        key = sg.AssetKey(NAMES[step.asset % len(self.declared)])
        names = PARTITIONS[each.partitions][1]
        partition = names[step.number % len(names)] if names else None
        seconds = self.now.timestamp()
        match step.what:
            case "made":
                run = self.open[-1] if self.open and step.number % 2 else None
                version = {"dagster/data_version": "1"} if step.number == 0 else {}
                fact = sg.AssetMaterialization(key, partition=partition, tags=version)
                run_id = None if run is None else run.run_id
                self.store.append([Event(seconds, StepMaterializationData(fact), run_id=run_id)])
            case "observed":
                self.instance.report_runless_asset_event(
                    sg.AssetObservation(key, partition=partition, tags={"dagster/data_version": str(step.number)})
                )
            case "checked":
                self.instance.report_runless_asset_event(
                    sg.AssetCheckEvaluation(
                        asset_key=key, check_name=f"checks_{key.path[-1]}", passed=step.number % 2 == 0, metadata={}
                    )
                )
            case "wiped":
                self.store.wipe(key, None if partition is None or step.number > 1 else [partition], seconds)
            case "began":
                run = Run(
                    run_id=f"run-{len(self.open)}-{seconds}-{step.asset}-{step.number}",
                    job_name="j",
                    asset_selection=frozenset({key}),
                    partition_start=partition,
                    partition_end=partition,
                    tags={"t": "1"} if step.number % 2 else {},
                    created_at=seconds,
                )
                if self.store.get_run(run.run_id) is None:
                    self.store.create_run(run, b"", b"", [Event(seconds, RunStartData(), run_id=run.run_id)])
                    self.open.append(run)
            case "ended" | "failed" if self.open:
                run = self.open.pop()
                payload = RunSuccessData() if step.what == "ended" else RunFailureData(FailureReason.STEP_FAILURE, "")
                self.store.append([Event(seconds, payload, run_id=run.run_id)])
            case "backfill wanted":
                self.want(BackfillTarget(key, subset(*names[: 1 + step.number]) if names else None))
            case "backfill went on" | "backfill gave up":
                self.go_on(step.what == "backfill gave up", step.number, seconds)
            case "added":
                self.instance.add_dynamic_partitions("kinds", ["k", "l"][: 1 + step.number % 2])
            case "removed":
                self.instance.delete_dynamic_partition("kinds", "k")
            case "waits":
                self.now += [timedelta(0), timedelta(minutes=35), timedelta(hours=5), timedelta(days=1)][step.number]
            case _:
                pass

    def want(self, target: BackfillTarget) -> None:
        """Records a backfill."""
        self.control.create_backfill(Backfill(backfill_id=f"{self.backfills}", location="main", targets=(target,)))
        self.backfills += 1

    def go_on(self, gives_up: bool, number: int, seconds: float) -> None:
        """Takes the backfill that was wanted last further: it asks for a run, has failed, or is paused or over."""
        newest = self.control.backfills([BackfillStatus.REQUESTED, BackfillStatus.PAUSED], 1)
        for before in newest:
            (target,) = before.targets
            ends = [None] if target.partitions is None else [first for first, _ in target.partitions.ranges]
            part = BackfillTarget(target.key, None if ends == [None] else subset(*ends[:1]))
            if gives_up:
                changes = [
                    {"failed": (part,)},
                    {"status": BackfillStatus.PAUSED},
                    {"status": BackfillStatus.CANCELING},
                    {"status": BackfillStatus.COMPLETED_SUCCESS},
                ]
                self.control.update_backfill(msgspec.structs.replace(before, **changes[number]), before)
                continue
            run = Run(
                run_id=f"{before.backfill_id}-{before.runs}",
                job_name="j",
                asset_selection=frozenset({target.key}),
                partition_start=ends[0],
                partition_end=ends[0],
                tags={BACKFILL_TAG: before.backfill_id},
                created_at=seconds,
            )
            after = msgspec.structs.replace(before, requested=(part,), runs=before.runs + 1)
            self.control.update_backfill(after, before)
            self.store.create_run(run, b"", b"", [Event(seconds, RunStartData(), run_id=run.run_id)])
            self.open.append(run)

    def ask(self, location: str, automations: Automations) -> TickAnswer:
        """One evaluation, put on record; the runs that it asks for are left out."""
        which = InstigatorId(location, InstigatorKind.SENSOR, SENSOR)
        task = TickTask(kind=which.kind, name=SENSOR, location=location, cursor=self.cursors[location])
        answer = automations.answer(self.definitions, self.instance, task, self.now.timestamp())
        tick = Tick(instigator=which, status=TickStatus.SKIPPED, started_at=0.0, ended_at=0.0, cursor=answer.cursor)
        self.control.commit_ticks([TickCommit(tick=tick, condition_cursors=answer.condition_cursors)])
        self.cursors[location] = answer.cursor
        return answer
