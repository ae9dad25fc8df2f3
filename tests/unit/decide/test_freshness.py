"""How old assets may get: what policies are, and how assets stand against them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import segue as sg
from segue.decide.freshness import freshness_state
from segue.model.manifest import decode_manifest, encode_manifest

C = sg.AutomationCondition
NINE = datetime(2024, 5, 14, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DAY = sg.FreshnessPolicy.time_window(timedelta(hours=24), timedelta(hours=12))
MORNING = sg.FreshnessPolicy.cron("0 9 * * *", timedelta(hours=1))
BERLIN_MORNING = sg.FreshnessPolicy.cron("0 4 * * *", timedelta(hours=3), "Europe/Berlin")


@pytest.mark.parametrize(
    ("policy", "made", "now", "state"),
    [
        (None, NINE, NINE, "NOT_APPLICABLE"),
        (DAY, None, NINE, "UNKNOWN"),
        (DAY, NINE, NINE, "PASS"),
        (DAY, NINE, NINE + timedelta(hours=12), "PASS"),
        (DAY, NINE, NINE + timedelta(hours=12, seconds=1), "WARN"),
        (DAY, NINE, NINE + timedelta(hours=24), "WARN"),
        (DAY, NINE, NINE + timedelta(hours=24, seconds=1), "FAIL"),
        (sg.FreshnessPolicy.time_window(timedelta(hours=24)), NINE, NINE + timedelta(hours=23), "PASS"),
        (MORNING, None, NINE, "UNKNOWN"),
        (MORNING, NINE - timedelta(hours=1), NINE, "PASS"),
        (MORNING, NINE - timedelta(hours=1, seconds=1), NINE, "FAIL"),
        (MORNING, NINE - timedelta(hours=1, seconds=1), NINE - timedelta(seconds=1), "PASS"),
        (MORNING, NINE + timedelta(minutes=5), NINE + timedelta(minutes=6), "PASS"),
        (MORNING, NINE, NINE + timedelta(hours=23, minutes=59), "PASS"),
        (MORNING, NINE, NINE + timedelta(hours=24), "FAIL"),
        # the night in which clocks skip 2:00 to 3:00: three hours before 4:00 is midnight, not one o'clock
        (
            BERLIN_MORNING,
            datetime(2024, 3, 31, 0, 0, tzinfo=BERLIN),
            datetime(2024, 3, 31, 5, 0, tzinfo=BERLIN),
            "PASS",
        ),
        (
            BERLIN_MORNING,
            datetime(2024, 3, 30, 23, 59, tzinfo=BERLIN),
            datetime(2024, 3, 31, 5, 0, tzinfo=BERLIN),
            "FAIL",
        ),
    ],
)
def test_state_at_a_moment(policy: Any, made: datetime | None, now: datetime, state: str) -> None:
    assert freshness_state(policy, None if made is None else made.timestamp(), now) is sg.FreshnessState(state)


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda: sg.FreshnessPolicy.time_window(timedelta(seconds=59)), "fail_window .* 1 minute"),
        (lambda: sg.FreshnessPolicy.time_window(timedelta(hours=1), timedelta(seconds=3)), "warn_window .* 1 minute"),
        (lambda: sg.FreshnessPolicy.time_window(timedelta(hours=1), timedelta(hours=1)), "shorter than fail_window"),
        (lambda: sg.FreshnessPolicy.time_window(30), "must be a timedelta, got 30"),
        (lambda: sg.FreshnessPolicy.cron("0 9 * * * *", timedelta(hours=1)), "Invalid cron string"),
        (lambda: sg.FreshnessPolicy.cron("0 9 * * *", timedelta(hours=1), "Mars/Base"), "Invalid IANA timezone"),
        (lambda: sg.FreshnessPolicy.cron("0 9 * * *", timedelta()), "1 minute"),
        (lambda: sg.FreshnessPolicy.cron("0 9 * * *", timedelta(hours=25)), "not be longer than the shortest interval"),
        (
            lambda: sg.FreshnessPolicy.cron("0 9 * * 1-5", timedelta(hours=30)),
            "not be longer than the shortest interval",
        ),
        (
            lambda: sg.FreshnessPolicy.cron("0 9 1,15 * *", timedelta(days=15)),
            "not be longer than the shortest interval",
        ),
        (lambda: sg.AssetSpec("a", freshness_policy=timedelta(hours=1)), "'a': freshness_policy must be"),
        (lambda: sg.apply_freshness_policy(sg.AssetSpec("a"), None), "must be a FreshnessPolicy, got None"),
    ],
)
def test_what_is_no_policy(declare: Any, says: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=says):
        declare()


@pytest.mark.parametrize("line", ["0 9 1 * *", "0 9 29 2 *", "0 9 * * 1"])
def test_long_spans_where_deadlines_are_far_apart(line: str) -> None:
    assert sg.FreshnessPolicy.cron(line, timedelta(days=7)).lower_bound_delta == timedelta(days=7)


def test_policies_of_assets_are_kept_in_the_manifest() -> None:
    @sg.asset(freshness_policy=DAY)
    def orders() -> None: ...

    @sg.multi_asset(outs={"daily": sg.AssetOut(freshness_policy=MORNING)})
    def reports() -> None: ...

    defs = sg.Definitions(assets=[orders, reports, sg.AssetSpec("users", freshness_policy=DAY), sg.AssetSpec("plain")])
    nodes = {node.key.to_user_string(): node for node in decode_manifest(encode_manifest(defs.manifest)).assets}
    assert {name: node.freshness_policy for name, node in nodes.items()} == {
        "orders": DAY,
        "daily": MORNING,
        "users": DAY,
        "plain": None,
    }


def test_a_policy_is_applied_where_there_is_none_or_it_may_be_replaced() -> None:
    plain, dated = sg.AssetSpec("a"), sg.AssetSpec("a", freshness_policy=MORNING)
    assert sg.apply_freshness_policy(plain, DAY, overwrite_existing=False).freshness_policy == DAY
    assert sg.apply_freshness_policy(dated, DAY, overwrite_existing=False).freshness_policy == MORNING
    assert sg.apply_freshness_policy(dated, DAY).freshness_policy == DAY


@pytest.mark.parametrize(
    ("age", "asked"),
    [
        (timedelta(minutes=1), {"passed"}),
        (timedelta(hours=13), {"warned"}),
        (timedelta(hours=25), {"failed"}),
    ],
)
def test_conditions_ask_for_what_is_fresh_or_not(age: timedelta, asked: set[str]) -> None:
    orders = sg.AssetSpec("orders", freshness_policy=DAY)

    def watcher(name: str, condition: Any) -> sg.AssetsDefinition:
        @sg.asset(name=name, deps=[orders], automation_condition=C.any_deps_match(condition))
        def watch() -> None: ...

        return watch

    defs = sg.Definitions(
        assets=[
            orders,
            watcher("passed", C.freshness_passed()),
            watcher("warned", C.freshness_warned()),
            watcher("failed", C.freshness_failed()),
        ]
    )
    with sg.Instance.ephemeral() as instance:
        assert sg.evaluate_automation_conditions(defs, instance).total_requested == 0
        instance.report_runless_asset_event(sg.AssetMaterialization("orders"))
        result = sg.evaluate_automation_conditions(defs, instance, evaluation_time=datetime.now(UTC) + age)
    assert {each.key.to_user_string() for each in result.results if not each.true_subset.is_empty} == asked
