"""What happened between two evaluations is told apart by time, and what an evaluation asks for by who can be made with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from automation_scenarios import DAYS, LETTERS, C, asset, check, checked, evaluate, made, requested

import segue as dg

HOUR = timedelta(hours=1)
TICK = C.cron_tick_passed("0 * * * *")
GRID = dg.MultiPartitionsDefinition({"letter": dg.StaticPartitionsDefinition(["a", "b"]), "day": DAYS})


@pytest.mark.parametrize(
    "condition",
    [
        C.on_cron("0 * * * *"),
        C.all_deps_updated_since_cron("0 * * * *"),
        C.any_deps_match(C.newly_updated().since(TICK.with_label("tick"))),
    ],
)
@pytest.mark.parametrize("counts", [True, False])
def test_an_update_counts_if_it_came_after_the_tick_that_resets_it(
    condition: dg.AutomationCondition[dg.AssetKey], counts: bool
) -> None:
    defs = dg.Definitions(assets=[asset("up"), asset("x", condition, ["up"])])
    with dg.Instance.ephemeral() as instance:
        now = datetime.now(UTC)
        first = dg.evaluate_automation_conditions(defs, instance, evaluation_time=now - 3 * HOUR)
        made("up")(instance)
        hour = now.replace(minute=0, second=0, microsecond=0)
        then = hour + (
            HOUR - timedelta(microseconds=1) if counts else 5 * HOUR
        )  # before the next tick, or long after it
        second = dg.evaluate_automation_conditions(defs, instance, evaluation_time=then, cursor=first.cursor)
    assert (first.total_requested, second.total_requested) == (0, int(counts))


def test_a_tick_after_a_request_is_not_reset_by_it() -> None:
    condition = TICK.since(C.newly_requested())
    assert requested([asset("x", condition)], "x", None, HOUR, HOUR, None) == [set(), {None}, {None}, set()]


def test_a_trigger_and_a_reset_of_unknown_order_are_reset() -> None:
    condition = (TICK | C.execution_failed()).since(C.newly_requested())
    assert requested([asset("x", condition)], "x", None, HOUR, HOUR) == [set(), {None}, set()]


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        (C.in_latest_time_window(), ["2024-01-04"]),
        (C.in_latest_time_window(2 * 24 * HOUR), ["2024-01-03", "2024-01-04"]),
    ],
)
def test_the_latest_time_window_of_several_dimensions(
    condition: dg.AutomationCondition[dg.AssetKey], days: list[str]
) -> None:
    expected = {f"{day}|{letter}" for day in days for letter in "ab"}
    assert requested([asset("x", condition, partitions=GRID)], "x", None) == [expected]


def test_a_check_without_partitions_is_not_executed_with_the_partitions_of_its_asset() -> None:
    assets = [
        asset("up", C.missing(), partitions=LETTERS),
        asset("x", C.all_deps_blocking_checks_passed(), ["up"], partitions=LETTERS),
    ]
    defs = dg.Definitions(assets=assets, asset_checks=[check("fits", "up", C.any_deps_updated(), blocking=True)])
    results = evaluate(defs, None, checked("up", "fits", True))
    assert [result.get_num_requested(dg.AssetKey("x")) for result in results] == [0, 3]
    assert [result.get_num_requested(dg.AssetCheckKey(dg.AssetKey("up"), "fits")) for result in results] == [0, 0]


def test_a_check_is_evaluated_after_all_that_it_reads() -> None:
    @dg.asset_check(asset="a", additional_deps=["b"], automation_condition=C.asset_matches("b", C.will_be_requested()))
    def reads() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    defs = dg.Definitions(assets=[asset("a"), asset("b", C.missing())], asset_checks=[reads])
    assert evaluate(defs, None)[0].get_num_requested(dg.AssetCheckKey(dg.AssetKey("a"), "reads")) == 1


def test_a_check_is_missing_as_soon_as_its_asset_is_made_anew() -> None:
    defs = dg.Definitions(assets=[asset("up")], asset_checks=[check("fits", "up", C.missing())])
    results = evaluate(defs, None, made("up"), checked("up", "fits", True), None, made("up"))
    key = dg.AssetCheckKey(dg.AssetKey("up"), "fits")
    assert [result.get_num_requested(key) for result in results] == [1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("offsets", "asked"),
    [((0, 0), {"2024-01-04"}), ((-1, 0), {"2024-01-04"}), ((-2, -1), set()), ((0, 1), {"2024-01-03", "2024-01-04"})],
)
def test_windows_that_include_the_partition_itself_are_requested_together(
    offsets: tuple[int, int], asked: set[str]
) -> None:
    mapping = dg.TimeWindowPartitionMapping(*offsets, allow_nonexistent_upstream_partitions=True)
    assets = [
        asset("up", C.in_latest_time_window(), partitions=DAYS),
        asset("x", C.any_deps_match(C.will_be_requested()), [dg.AssetDep("up", partition_mapping=mapping)], DAYS),
    ]
    assert requested(assets, "x", None) == [asked]
