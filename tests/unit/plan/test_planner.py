"""From a selection to a plan: which steps, in which order, taking and giving what."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.model.partitions.subset import PartitionSubset
from segue.plan.plan import Plan, PlanStep, StepInput, StepOutput, decode_plan, encode_plan
from segue.plan.planner import EPHEMERAL_JOB_NAME, plan_run

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
DAILY = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-03-01")
MONTHLY = sg.MonthlyPartitionsDefinition("2024-01-01", end_date="2024-03-01")
COLORS = sg.StaticPartitionsDefinition(["red", "green", "blue"])


def plan_of(
    definitions: sg.Definitions,
    assets: Collection[str] | None = None,
    checks: Collection[sg.AssetCheckKey] | None = None,
    partition: str | None = None,
    last: str | None = None,
    now: datetime = NOW,
) -> Plan:
    """The plan of a selection; of everything where none is given."""
    graph = definitions.asset_graph
    return plan_run(
        graph,
        set(graph.materializable_keys) if assets is None else {sg.AssetKey.from_user_string(each) for each in assets},
        set(graph.checks if checks is None and assets is None else checks or ()),
        now=now,
        partitions=None if partition is None else (partition, last or partition),
    )


def keys(plan: Plan) -> list[str]:
    return [step.key for step in plan.steps]


def step_of(plan: Plan, key: str) -> PlanStep:
    return next(step for step in plan.steps if step.key == key)


@sg.asset(retry_policy=sg.RetryPolicy(max_retries=3))
def raw() -> int:
    return 1


@sg.asset(key_prefix="mart", io_manager_key="warehouse", deps=["elsewhere"])
def table(raw: int) -> int:
    return raw


@sg.asset(deps=[sg.AssetKey(["mart", "table"])])
def report() -> None: ...


@sg.asset_check(asset=sg.AssetKey(["mart", "table"]), blocking=True, additional_deps=["raw"])
def good(table: int) -> bool:
    return True


@sg.asset_check(asset=sg.AssetKey(["mart", "table"]))
def fresh() -> bool:
    return True


CHAIN = sg.Definitions(
    [report, table, raw, sg.AssetSpec("elsewhere")],
    asset_checks=[good, fresh],
    resources={"warehouse": sg.InMemoryIOManager()},
)
GOOD = sg.AssetCheckKey(sg.AssetKey(["mart", "table"]), "good")
FRESH = sg.AssetCheckKey(sg.AssetKey(["mart", "table"]), "fresh")


def test_steps_come_after_what_they_depend_on_and_say_what_they_take_and_give() -> None:
    plan = plan_of(CHAIN)
    assert plan.job_name == EPHEMERAL_JOB_NAME
    assert keys(plan) == ["raw", "mart__table", "mart__table_fresh", "mart__table_good", "report"]
    assert step_of(plan, "raw") == PlanStep(
        "raw",
        "raw",
        outputs=(StepOutput("result", "io_manager", sg.AssetKey("raw")),),
        retry_policy=sg.RetryPolicy(max_retries=3),
    )
    assert step_of(plan, "mart__table") == PlanStep(
        "mart__table",
        "mart__table",
        inputs=(StepInput("raw", sg.AssetKey("raw"), "io_manager", "raw", "result"),),
        outputs=(StepOutput("result", "warehouse", sg.AssetKey(["mart", "table"])),),
        depends_on=("raw",),
        needs=(("raw", "result"),),
    )


def test_a_blocking_check_stands_between_an_asset_and_what_is_made_from_it() -> None:
    plan = plan_of(CHAIN)
    assert step_of(plan, "report").depends_on == ("mart__table", "mart__table_good")
    assert step_of(plan, "report").needs == (("mart__table", "result"),)
    assert step_of(plan, "mart__table_good").depends_on == ("mart__table", "raw")
    assert step_of(plan, "mart__table_good").outputs[0].blocking
    assert step_of(plan, "mart__table_fresh").depends_on == ("mart__table",)
    without = plan_of(CHAIN, ["mart/table", "report"], [FRESH])
    assert step_of(without, "report").depends_on == ("mart__table",)


def test_what_is_not_selected_is_loaded_from_where_it_was_stored() -> None:
    plan = plan_of(CHAIN, ["mart/table"])
    assert keys(plan) == ["mart__table"]
    assert plan.steps[0].inputs == (StepInput("raw", sg.AssetKey("raw"), "io_manager"),)
    assert (plan.steps[0].depends_on, plan.steps[0].needs) == ((), ())


def test_checks_alone_make_a_plan() -> None:
    plan = plan_of(CHAIN, [], [GOOD])
    assert keys(plan) == ["mart__table_good"]
    assert plan.asset_keys == ()
    assert plan.check_keys == ((GOOD.asset_key, "good"),)
    assert plan.steps[0].inputs == (StepInput("table", GOOD.asset_key, "warehouse"),)
    assert plan.steps[0].depends_on == ()


@pytest.mark.parametrize(
    ("assets", "checks", "words"),
    [
        (["elsewhere"], [], "'elsewhere' is external"),
        (["unheard"], [], "Asset 'unheard' not found"),
        ([], [sg.AssetCheckKey(sg.AssetKey("raw"), "none")], "check 'raw:none' was not found"),
    ],
)
def test_what_cannot_be_made_here_is_refused(assets: list[str], checks: list[sg.AssetCheckKey], words: str) -> None:
    with pytest.raises(sg.InvalidSubsetError, match=re.escape(words)):
        plan_of(CHAIN, assets, checks)


def several(can_subset: bool) -> sg.Definitions:
    @sg.multi_asset(
        outs={"one": sg.AssetOut(is_required=not can_subset), "two": sg.AssetOut(is_required=not can_subset)},
        can_subset=can_subset,
        check_specs=[sg.AssetCheckSpec("ok", asset="one"), sg.AssetCheckSpec("ok", asset="two")],
    )
    def both() -> Iterator[Any]:
        yield from ()

    return sg.Definitions([both])


def check(asset: str) -> sg.AssetCheckKey:
    return sg.AssetCheckKey(sg.AssetKey(asset), "ok")


@pytest.mark.parametrize(
    ("assets", "checks", "outputs"),
    [
        (["one", "two"], ["one", "two"], ["one", "two", "one_ok", "two_ok"]),
        (["one"], ["one"], ["one", "one_ok"]),
        (["two"], [], ["two"]),
        ([], ["two"], ["two_ok"]),
    ],
)
def test_a_function_that_can_gives_only_what_is_selected(
    assets: list[str], checks: list[str], outputs: list[str]
) -> None:
    plan = plan_of(several(can_subset=True), assets, [check(each) for each in checks])
    assert [output.name for output in plan.steps[0].outputs] == outputs


def test_a_function_that_cannot_gives_everything_or_nothing() -> None:
    definitions = several(can_subset=False)
    plan = plan_of(definitions, ["one", "two"], [])
    assert [output.name for output in plan.steps[0].outputs] == ["one", "two", "one_ok", "two_ok"]
    with pytest.raises(sg.InvalidSubsetError, match=r"'both'.*leaves out two.*can_subset=True"):
        plan_of(definitions, ["one"])


@sg.asset(partitions_def=DAILY)
def day() -> int:
    return 1


@sg.asset(partitions_def=DAILY)
def same_day(day: int) -> int:
    return day


@sg.asset(partitions_def=MONTHLY)
def month(day: dict[str, int]) -> int:
    return len(day)


@sg.asset(
    partitions_def=DAILY,
    ins={"yesterday": sg.AssetIn("running", partition_mapping=sg.TimeWindowPartitionMapping(-1, -1))},
)
def running(yesterday: int | None, day: int) -> int:
    return day + (yesterday or 0)


@sg.asset(partitions_def=MONTHLY, ins={"day": sg.AssetIn(partition_mapping=sg.LastPartitionMapping())})
def latest(day: int) -> int:
    return day


@sg.asset(partitions_def=MONTHLY, ins={"day": sg.AssetIn(partition_mapping=sg.AllPartitionMapping())})
def with_all(day: dict[str, int]) -> int:
    return len(day)


@sg.asset
def total(day: dict[str, int]) -> int:
    return len(day)


@sg.asset(partitions_def=COLORS)
def color() -> str:
    return ""


@sg.asset_check(asset=day)
def day_ok(day: int) -> bool:
    return True


TIMES = sg.Definitions([day, same_day, month, running, latest, with_all, total, color], asset_checks=[day_ok])


def subset(first: str, last: str | None = None) -> PartitionSubset:
    return PartitionSubset(((first, last or first),))


@pytest.mark.parametrize(
    ("asset", "partition", "last", "name", "expected"),
    [
        ("same_day", "2024-01-05", None, "day", subset("2024-01-05")),
        ("same_day", "2024-01-05", "2024-01-09", "day", subset("2024-01-05", "2024-01-09")),
        ("month", "2024-02-01", None, "day", subset("2024-02-01", "2024-02-29")),
        ("month", "2024-01-01", "2024-02-01", "day", subset("2024-01-01", "2024-02-29")),
        ("latest", "2024-01-01", None, "day", subset("2024-02-29")),
        ("with_all", "2024-01-01", None, "day", subset("2024-01-01", "2024-02-29")),
        ("total", None, None, "day", subset("2024-01-01", "2024-02-29")),
        ("running", "2024-01-02", None, "yesterday", subset("2024-01-01")),
        ("running", "2024-01-01", None, "yesterday", PartitionSubset(())),
    ],
)
def test_a_step_takes_the_upstream_partitions_that_its_mapping_says(
    asset: str, partition: str | None, last: str | None, name: str, expected: PartitionSubset
) -> None:
    plan = plan_of(TIMES, [asset], partition=partition, last=last)
    assert next(each for each in plan.steps[0].inputs if each.name == name).partitions == expected
    assert (plan.partition_start, plan.partition_end) == (partition, last or partition)
    assert plan.steps[0].outputs[0].is_partitioned is (partition is not None)


def test_an_unpartitioned_asset_takes_all_partitions_there_are_now() -> None:
    plan = plan_of(TIMES, ["total"], now=datetime(2024, 1, 3, 12, tzinfo=UTC))
    assert plan.steps[0].inputs[0].partitions == subset("2024-01-01", "2024-01-02")


def test_an_asset_made_from_its_own_last_partition_does_not_wait_for_itself() -> None:
    plan = plan_of(TIMES, ["day", "running"], partition="2024-01-02")
    step = step_of(plan, "running")
    assert step.depends_on == ("day",)
    assert [(each.name, each.upstream_step) for each in step.inputs] == [("yesterday", None), ("day", "day")]


def test_a_partitioned_asset_and_one_without_partitions_run_together() -> None:
    plan = plan_of(TIMES, ["day", "total"], partition="2024-01-05")
    assert [step.outputs[0].is_partitioned for step in plan.steps] == [True, False]
    assert step_of(plan, "total").inputs[0].partitions == subset("2024-01-01", "2024-02-29")


def test_a_check_looks_at_the_partitions_of_its_run_or_at_all() -> None:
    key = sg.AssetCheckKey(sg.AssetKey("day"), "day_ok")
    with_day = step_of(plan_of(TIMES, ["day"], [key], "2024-01-05"), "day_day_ok")
    assert with_day.inputs[0].partitions == subset("2024-01-05")
    assert not with_day.outputs[0].is_partitioned
    alone = plan_of(TIMES, [], [key]).steps[0]
    assert alone.inputs[0].partitions == subset("2024-01-01", "2024-02-29")
    assert not alone.outputs[0].is_partitioned


def test_a_check_of_each_partition_is_asked_about_one() -> None:
    @sg.asset_check(asset=day, partitions_def=DAILY)
    def each_ok(day: int) -> bool:
        return day > 0

    definitions = sg.Definitions([day], asset_checks=[each_ok])
    step = plan_of(definitions, [], [each_ok.check_key], "2024-01-05").steps[0]
    assert step.inputs[0].partitions == subset("2024-01-05")
    assert step.outputs[0].is_partitioned
    with pytest.raises(sg.InvalidSubsetError, match=r"'day_each_ok' is partitioned, .* 'day': specify a partition key"):
        plan_of(definitions, [], [each_ok.check_key])


@pytest.mark.parametrize(
    ("assets", "partition", "last", "error", "words"),
    [
        (["month"], None, None, sg.InvalidSubsetError, "'month' is partitioned, and so is its upstream asset 'day'"),
        (["total"], "2024-01-01", None, sg.InvalidSubsetError, "nothing selected is partitioned"),
        (["day", "month"], "2024-01-01", None, sg.InvalidSubsetError, "different partitions definitions"),
        (["day"], "2024-03-01", None, sg.UnknownPartitionError, "from '2024-01-01' to '2024-02-29'"),
        (["day"], "2024-01-01", "nonsense", sg.UnknownPartitionError, "'nonsense' not found in"),
        (["day"], "2024-01-05", "2024-01-01", sg.UnknownPartitionError, "is empty"),
        (["color"], "pink", None, sg.UnknownPartitionError, "from 'red' to 'blue'"),
    ],
)
def test_partitions_that_do_not_fit_are_refused(
    assets: list[str], partition: str | None, last: str | None, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        plan_of(TIMES, assets, partition=partition, last=last)


def test_a_definition_without_partitions_yet_says_so() -> None:
    with pytest.raises(sg.UnknownPartitionError, match="no partitions yet"):
        plan_of(TIMES, ["day"], partition="2024-01-01", now=datetime(2023, 1, 1, tzinfo=UTC))


@given(st.data())
def test_the_same_selection_gives_the_same_plan_and_it_survives_json(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    above = [sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=3))) if n else [] for n in range(count)]
    selected = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    order = data.draw(st.permutations(range(count)))
    specs = [sg.asset(name=f"a{n}", deps=[f"a{m}" for m in above[n]])(_no_function()) for n in range(count)]
    plan = plan_of(sg.Definitions(specs), [f"a{n}" for n in selected])
    assert plan == plan_of(sg.Definitions([specs[n] for n in order]), [f"a{n}" for n in selected])
    assert decode_plan(encode_plan(plan)) == plan
    assert sorted(keys(plan)) == sorted(f"a{n}" for n in selected)
    for position, step in enumerate(plan.steps):
        wanted = {f"a{m}" for m in above[int(step.key[1:])] if m in selected}
        assert set(step.depends_on) == wanted <= set(keys(plan)[:position])


def _no_function() -> Any:
    def function() -> None: ...

    return function


def test_a_step_names_the_pool_whose_slots_it_takes() -> None:
    @sg.asset(pool="warehouse")
    def stock() -> None: ...

    @sg.op(pool="api")
    def fetch() -> int:
        return 1

    @sg.graph_asset
    def fetched() -> Any:
        return fetch()

    @sg.asset_check(asset=stock, pool="warehouse")
    def full() -> bool:
        return True

    plan = plan_of(sg.Definitions(assets=[stock, fetched], asset_checks=[full]))

    assert {step.key: step.pool for step in plan.steps} == {
        "stock": "warehouse",
        "fetched.fetch": "api",
        "stock_full": "warehouse",
    }
