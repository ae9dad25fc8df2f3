"""Automation conditions, from an event to the run, and why."""

from __future__ import annotations

import msgspec
import pytest
from plane import NOON, Plane

import segue as sg
from segue.daemon.backfills import Backfills
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.instigator import InstigatorKind, InstigatorStatus
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import RunStatus
from segue.model.tick_record import TickStatus

EAGER = sg.AutomationCondition.eager()
DAYS = sg.StaticPartitionsDefinition(["a", "b", "c"])
DEFAULT = "default_automation_condition_sensor"


@sg.asset
def source() -> None: ...


@sg.asset(deps=[source], automation_condition=EAGER)
def table() -> None: ...


@sg.asset(deps=[table], automation_condition=EAGER)
def report() -> None: ...


@sg.asset(partitions_def=DAYS)
def parts() -> None: ...


@sg.asset(partitions_def=DAYS, deps=[parts], automation_condition=EAGER)
def copied() -> None: ...


ASSETS = [source, table, report, parts, copied]


def plane(*sensors: sg.SensorDefinition) -> Plane:
    made = Plane(sg.Definitions(assets=ASSETS, sensors=sensors))
    made.switch(sensors[0].name if sensors else DEFAULT, InstigatorStatus.RUNNING, NOON, InstigatorKind.SENSOR)
    return made


def report_made(made: Plane, key: str, *partitions: str) -> None:
    for partition in partitions or (None,):
        made.instance.report_runless_asset_event(sg.AssetMaterialization(key, partition=partition))


def names(made: Plane) -> list[list[str]]:
    return [sorted(key.to_user_string() for key in run.asset_selection) for run in made.runs()]


def test_a_finished_upstream_starts_its_downstream_at_once_and_only_once() -> None:
    made = plane()
    made.ask_sensors(NOON)
    assert made.runs() == []
    report_made(made, "source")
    made.ask_sensors(NOON)
    assert names(made) == [["report", "table"]]
    (run,) = made.runs()
    assert run.status is RunStatus.QUEUED
    assert run.tags["dagster/from_automation_condition"] == "true"
    assert run.tags["dagster/sensor_name"] == DEFAULT
    made.ask_sensors(NOON + 60)
    assert len(made.runs()) == 1
    made.start([run.run_id])
    made.end([run.run_id])
    made.ask_sensors(NOON + 60)
    assert len(made.runs()) == 1


def test_one_partition_is_a_run_and_several_are_a_backfill() -> None:
    made = plane()
    made.ask_sensors(NOON)
    report_made(made, "parts", "b")
    made.ask_sensors(NOON)
    (run,) = made.runs()
    assert (run.partition_start, run.partition_end, names(made)) == ("b", "b", [["copied"]])
    report_made(made, "parts", "a", "c")
    made.ask_sensors(NOON)
    assert len(made.runs()) == 1
    (backfill,) = made.control.backfills(None, 10)
    assert backfill.status is BackfillStatus.REQUESTED
    assert [(each.key, each.partitions and each.partitions.ranges) for each in backfill.targets] == [
        (copied.key, (("a", "a"), ("c", "c")))
    ]
    assert made.sensor_ticks(DEFAULT)[-1].backfill_ids == (backfill.backfill_id,)
    assert backfill.cursor > 0


def test_what_a_backfill_will_make_is_waited_for_and_followed_at_once() -> None:
    made = plane()
    made.ask_sensors(NOON)
    backfills, queue = Backfills(made.store, made.control, made.locations), made.queue()
    wanted = BackfillTarget(parts.key, PartitionSubset((("a", "c"),)))
    made.control.create_backfill(Backfill(backfill_id="b", location="main", targets=(wanted,), max_concurrent=1))

    def asked() -> list[str | None]:
        """The partitions that were asked for downstream, after another evaluation."""
        made.ask_sensors(NOON)
        return [run.partition_start for run in made.runs() if copied.key in run.asset_selection]

    def launch() -> list[str]:
        """The runs of the backfill that begin now."""
        backfills.round(made.turn(NOON))
        queue.round(made.turn(NOON))
        queue.settle()
        return made.start()

    (first,) = launch()
    report_made(made, "parts", "b")
    assert asked() == []  # it is about to be made again
    made.end([first])
    assert asked() == ["a"]
    launched = launch()
    assert [run.partition_start for run in made.runs() if run.run_id in launched] == ["a", "b"]  # copied, and parts
    assert asked() == ["a"]
    made.end(launched)
    assert asked() == ["a", "b"]
    before = made.control.get_backfill("b")
    assert before is not None
    report_made(made, "parts", "c")
    assert asked() == ["a", "b"]
    assert made.control.update_backfill(msgspec.structs.replace(before, status=BackfillStatus.CANCELED), before)
    made.ask_sensors(NOON + 60)
    assert asked() == ["a", "b", "c"]


def test_a_sensor_of_its_own_says_which_and_how() -> None:
    own = sg.AutomationConditionSensorDefinition(
        "own", target=[copied], run_tags={"team": "a"}, emit_backfills=False, use_user_code_server=True
    )
    made = plane(own)
    made.ask_sensors(NOON)
    report_made(made, "source")
    report_made(made, "parts", "a", "b")
    made.ask_sensors(NOON)
    assert sorted(str(run.partition_start) for run in made.runs()) == ["a", "b"]
    assert {run.tags["team"] for run in made.runs()} == {"a"}
    graph = made.location.graph
    assert graph is not None
    assert {node.name: node.asset_selection for node in graph.manifest.sensors}[DEFAULT] == (report.key, table.key)


def test_why_is_on_record_where_it_is_news() -> None:
    made = plane()
    made.ask_sensors(NOON)
    (first,) = made.control.condition_evaluations("table", 10)
    assert first.record.requested == 0
    report_made(made, "source")
    made.ask_sensors(NOON)
    newest, _ = made.control.condition_evaluations("table", 10)
    assert newest.record.requested == 1
    assert "is true for table" in newest.record.evaluation.explain()
    for second in range(3):
        made.ask_sensors(NOON + 60 * second)
    assert len(made.control.condition_evaluations("table", 10)) <= 4
    before = len(made.control.condition_evaluations("table", 100))
    for minute in range(10, 15):
        made.ask_sensors(NOON + 60 * minute)
    assert len(made.control.condition_evaluations("table", 100)) == before  # nothing happened, nothing is new


def test_a_condition_of_ones_own_that_raises_is_named_and_tried_again() -> None:
    class Broken(sg.AutomationCondition[sg.AssetKey]):
        def evaluate(self, context: sg.AutomationContext[sg.AssetKey]) -> sg.AutomationResult[sg.AssetKey]:
            raise RuntimeError("no luck")

    @sg.asset(automation_condition=Broken())
    def broken() -> None: ...

    made = Plane(sg.Definitions(assets=[broken]))
    made.switch(DEFAULT, InstigatorStatus.RUNNING, NOON, InstigatorKind.SENSOR)
    made.ask_sensors(NOON)
    (tick,) = made.sensor_ticks(DEFAULT)
    assert tick.status is TickStatus.FAILURE
    assert tick.error is not None
    assert "no luck" in tick.error.message


@pytest.mark.parametrize("with_checks", [True])
def test_checks_with_conditions_are_asked_for_alone(with_checks: bool) -> None:
    @sg.asset_check(asset=source, automation_condition=EAGER)
    def good() -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=with_checks)

    made = Plane(sg.Definitions(assets=[source], asset_checks=[good]))
    made.switch(DEFAULT, InstigatorStatus.RUNNING, NOON, InstigatorKind.SENSOR)
    made.ask_sensors(NOON)
    report_made(made, "source")
    made.ask_sensors(NOON)
    (run,) = made.runs()
    assert run.asset_selection == frozenset()
    assert [key.name for key in run.asset_check_selection] == ["good"]


def test_where_nothing_happened_no_condition_is_evaluated_again() -> None:
    names_of = sg.DynamicPartitionsDefinition(name="names")

    @sg.asset(partitions_def=names_of, automation_condition=sg.AutomationCondition.on_missing())
    def named() -> None: ...

    made = Plane(sg.Definitions(assets=[*ASSETS, named]))
    made.switch(DEFAULT, InstigatorStatus.RUNNING, NOON, InstigatorKind.SENSOR)

    def evaluated(now: float) -> bool:
        made.ask_sensors(now)
        return "Nothing has changed" not in (made.sensor_ticks(DEFAULT)[-1].skip_reason or "")

    assert evaluated(NOON)
    assert [evaluated(NOON + 60 * minute) for minute in range(1, 6)][-3:] == [False, False, False]
    report_made(made, "source")
    assert evaluated(NOON + 600)
    assert names(made) == [["report", "table"]]
    for minute in range(11, 20):
        evaluated(NOON + 60 * minute)
    assert not evaluated(NOON + 60 * 20)
    made.instance.add_dynamic_partitions("names", ["x"])
    assert evaluated(NOON + 60 * 21)
    made.location.load(sg.Definitions(assets=[source, table, named]))
    assert evaluated(NOON + 60 * 22)
    assert made.sensor_ticks(DEFAULT)[-1].cursor is not None


def test_conditions_that_look_at_the_time_are_evaluated_each_time() -> None:
    @sg.asset(automation_condition=sg.AutomationCondition.on_cron("* * * * *"))
    def each_minute() -> None: ...

    made = Plane(sg.Definitions(assets=[each_minute]))
    made.switch(DEFAULT, InstigatorStatus.RUNNING, NOON, InstigatorKind.SENSOR)
    for minute in range(4):
        made.ask_sensors(NOON + 60 * minute)
    assert all(tick.cursor is not None for tick in made.sensor_ticks(DEFAULT))


def test_conditions_of_the_users_own_are_evaluated_each_time_in_one_question_to_their_code() -> None:
    evaluated: list[str] = []

    class Looks(sg.AutomationCondition[sg.AssetKey]):
        def evaluate(self, context: sg.AutomationContext) -> sg.AutomationResult:
            evaluated.append(context.key.to_user_string())
            return sg.AutomationResult(context, context.get_empty_subset())

    def made_here(name: str) -> sg.AssetsDefinition:
        @sg.asset(name=name, automation_condition=Looks())
        def function() -> None: ...

        return function

    several = [made_here(f"own_{number}") for number in range(5)]
    made = Plane(sg.Definitions(assets=[*several, *ASSETS]))
    made.switch(DEFAULT, InstigatorStatus.RUNNING, NOON, InstigatorKind.SENSOR)
    for turn in range(3):
        made.ask_sensors(NOON + 30 * turn)
        assert len(made.location.asked) == turn + 1
        assert sorted(evaluated) == [f"own_{number}" for number in range(5)]
        evaluated.clear()
