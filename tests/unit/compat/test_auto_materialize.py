"""Superseded policies of automation and freshness: what they mean as conditions, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import segue as sg
import segue.compat.dagster as dg
from segue.compat import check
from segue.compat.auto_materialize import AutoMaterializePolicyType

Rule = dg.AutoMaterializeRule
Policy = dg.AutoMaterializePolicy
C = sg.AutomationCondition


def asset(name: str, policy: Any = None, deps: Any = ()) -> sg.AssetsDefinition:
    condition = None if policy is None else policy.to_automation_condition()

    @sg.asset(name=name, deps=list(deps), automation_condition=condition)
    def made() -> None: ...

    return made


def requests(policy: Any, *reports: str | timedelta | None) -> list[int]:
    """How often `x`, made from `up`, is asked for: after each report, or after time has passed."""
    assets = [asset("top"), asset("up", deps=["top"]), asset("x", policy, ["up"])]
    now, cursor, found = datetime(2024, 5, 14, 9, 30, tzinfo=UTC), None, list[int]()
    with sg.Instance.ephemeral() as instance:
        for report in reports:
            if isinstance(report, timedelta):
                now += report
            elif report is not None:
                instance.report_runless_asset_event(sg.AssetMaterialization(report))
            result = sg.evaluate_automation_conditions(assets, instance, evaluation_time=now, cursor=cursor)
            cursor = result.cursor
            found.append(result.total_requested)
    return found


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("policy", "reports", "asked"),
    [
        (Policy.eager(), [None, "up", None, "x", "up"], [0, 1, 0, 0, 1]),
        (Policy.eager(), ["top", "up", "x", "top", "up"], [0, 1, 0, 0, 1]),
        (Policy.lazy(), [None, "up"], [0, 0]),
        (Policy({Rule.materialize_on_missing()}), [None, "x"], [1, 0]),
        (Policy({Rule.materialize_on_missing(), Rule.skip_on_parent_missing()}), [None, "up"], [0, 1]),
        (Policy({Rule.materialize_on_cron("0 * * * *")}), [None, HOUR, None, HOUR], [0, 1, 0, 1]),
        (
            Policy(
                {Rule.materialize_on_cron("0 * * * *"), Rule.skip_on_not_all_parents_updated_since_cron("0 * * * *")}
            ),
            [None, HOUR, "up"],
            [0, 0, 1],
        ),
        (Policy({Rule.materialize_on_parent_updated()}), [None, "up", "top"], [0, 1, 0]),
        (Policy({Rule.skip_on_parent_missing()}), [None, "up"], [0, 0]),
        (Policy(asset_condition=C.missing()), [None, "x"], [1, 0]),
    ],
)
def test_rules_ask_as_conditions_do(policy: Any, reports: list[Any], asked: list[int]) -> None:
    assert requests(policy, *reports) == asked


@pytest.mark.parametrize("tag", ["right", "wrong"])
def test_updates_by_other_runs_do_not_count(tag: str) -> None:
    only = dg.AutoMaterializeAssetPartitionsFilter(latest_run_required_tags={"by": "right"})
    policy = Policy({Rule.materialize_on_parent_updated(updated_parent_filter=only)})
    up, x = asset("up"), asset("x", policy, ["up"])
    with sg.Instance.ephemeral() as instance:
        first = sg.evaluate_automation_conditions([up, x], instance)
        sg.materialize([up], instance=instance, tags={"by": tag})
        result = sg.evaluate_automation_conditions([up, x], instance, cursor=first.cursor)
    assert result.total_requested == int(tag == "right")


def test_rules_are_added_and_removed() -> None:
    missing, parents = Rule.materialize_on_missing(), Rule.materialize_on_parent_updated()
    eager = Policy.eager()
    assert (eager.policy_type, Policy.lazy().policy_type) == (
        AutoMaterializePolicyType.EAGER,
        AutoMaterializePolicyType.LAZY,
    )
    assert eager.without_rules(missing).with_rules(missing) == eager
    assert eager.without_rules(missing) != eager
    assert missing in eager.materialize_rules
    assert eager.skip_rules == Policy.lazy().skip_rules
    all_of_it = Rule.skip_on_backfill_in_progress(all_partitions=True)
    one = Policy({parents, Rule.skip_on_backfill_in_progress()}).with_rules(all_of_it)
    assert one.rules == {parents, all_of_it}
    with pytest.raises(sg.InvalidDefinitionError, match=r"no rule MaterializeOnMissingRule\(\)"):
        Policy({parents}).without_rules(missing)
    with pytest.raises(sg.InvalidDefinitionError, match="either rules or asset_condition"):
        Policy({parents}, asset_condition=C.eager())
    with pytest.raises(sg.NotSupportedError, match="on_cron"):
        Rule.skip_on_not_all_parents_updated()


def test_a_condition_is_a_policy() -> None:
    condition = C.eager()
    assert condition.as_auto_materialize_policy().to_automation_condition() == condition
    assert Policy.from_automation_condition(condition).to_automation_condition() == condition


LA = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("policy", "data", "now", "overdue", "lag"),
    [
        ({"maximum_lag_minutes": 30}, None, datetime(2024, 1, 1, tzinfo=UTC), None, None),
        ({"maximum_lag_minutes": 30}, datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 1, tzinfo=UTC), 30, 60),
        (
            {"maximum_lag_minutes": 15, "cron_schedule": "@daily"},
            datetime(2024, 1, 1, 0, 30, tzinfo=UTC),
            datetime(2024, 1, 1, 1, tzinfo=UTC),
            0,
            0,
        ),
        (
            {"maximum_lag_minutes": 60, "cron_schedule": "0 3 * * *", "cron_schedule_timezone": "America/Los_Angeles"},
            datetime(2024, 1, 1, 1, tzinfo=LA),
            datetime(2024, 1, 1, 3, 15, tzinfo=LA),
            60,
            120,
        ),
    ],
)
def test_minutes_that_data_lags_behind(
    policy: dict[str, Any], data: datetime | None, now: datetime, overdue: float | None, lag: float | None
) -> None:
    found = dg.LegacyFreshnessPolicy(**policy).minutes_overdue(data, now)
    assert (getattr(found, "overdue_minutes", None), getattr(found, "lag_minutes", None)) == (overdue, lag)


@pytest.mark.parametrize(
    ("arguments", "policy"),
    [
        ({"maximum_lag_minutes": 90}, sg.FreshnessPolicy.time_window(timedelta(minutes=90))),
        (
            {"maximum_lag_minutes": 90, "cron_schedule": "@daily"},
            sg.FreshnessPolicy.cron("@daily", timedelta(minutes=90)),
        ),
    ],
)
def test_the_policy_that_comes_nearest(arguments: dict[str, Any], policy: sg.FreshnessPolicy) -> None:
    legacy = dg.LegacyFreshnessPolicy(**arguments)
    assert legacy.to_freshness_policy() == policy
    assert legacy == dg.LegacyFreshnessPolicy(**arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"cron_schedule": "sometimes"}, "is not a valid cron schedule"),
        ({"cron_schedule": "@daily", "cron_schedule_timezone": "Mars/Base"}, "Unknown time zone"),
        ({"cron_schedule_timezone": "UTC"}, "requires cron_schedule"),
    ],
)
def test_what_is_no_legacy_policy(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=says):
        dg.LegacyFreshnessPolicy(maximum_lag_minutes=1, **arguments)


def test_assets_take_superseded_policies() -> None:
    legacy = dg.LegacyFreshnessPolicy(maximum_lag_minutes=90)

    @sg.asset(auto_materialize_policy=Policy.eager(), legacy_freshness_policy=legacy)
    def by_policy() -> None: ...

    @sg.asset(auto_materialize_policy=C.eager().as_auto_materialize_policy())
    def by_condition() -> None: ...

    @sg.graph_asset(auto_materialize_policy=Policy.eager(), legacy_freshness_policy=legacy)
    def of_graph() -> object:
        return sg.op(name="one")(lambda: 1)()

    assert of_graph.get_asset_spec().automation_condition == Policy.eager().to_automation_condition()
    assert of_graph.get_asset_spec().freshness_policy == legacy.to_freshness_policy()

    spec = sg.AssetSpec("spec", auto_materialize_policy=Policy.lazy(), legacy_freshness_policy=legacy)
    assert by_policy.get_asset_spec().automation_condition == Policy.eager().to_automation_condition()
    assert by_policy.get_asset_spec().freshness_policy == legacy.to_freshness_policy() == spec.freshness_policy
    assert by_condition.get_asset_spec().automation_condition == C.eager()
    assert spec.automation_condition == Policy.lazy().to_automation_condition()
    with pytest.raises(sg.InvalidDefinitionError, match="and auto_materialize_policy were both provided"):
        sg.AssetSpec("x", automation_condition=C.eager(), auto_materialize_policy=Policy.eager())
    with pytest.raises(sg.InvalidDefinitionError, match="both freshness_policy and legacy_freshness_policy"):
        sg.AssetSpec("x", freshness_policy=legacy.to_freshness_policy(), legacy_freshness_policy=legacy)
    with pytest.raises(sg.InvalidDefinitionError, match="auto_materialize_policy: expected an AutomationCondition"):
        sg.AssetSpec("x", auto_materialize_policy="eager")


def test_a_superseded_policy_is_equal_to_the_condition_that_it_becomes() -> None:
    policy = dg.AutoMaterializePolicy.eager()
    spec = dg.AssetSpec("a", auto_materialize_policy=policy)
    assert spec.automation_condition == policy
    assert policy == spec.automation_condition
    assert hash(policy) == hash(spec.automation_condition)
    assert policy != dg.AutoMaterializePolicy.lazy()
    assert spec.automation_condition != dg.AutoMaterializePolicy.lazy()
    old = dg.LegacyFreshnessPolicy(maximum_lag_minutes=30)
    assert dg.AssetSpec("a", legacy_freshness_policy=old).freshness_policy == old


def test_the_condition_that_an_asset_has_of_its_policy_counts_as_one() -> None:
    given = dg.AssetSpec("a", auto_materialize_policy=dg.AutoMaterializePolicy.eager())
    declared = dg.AssetSpec("b", automation_condition=C.eager())
    assert isinstance(given.auto_materialize_policy, dg.AutoMaterializePolicy)
    assert isinstance(declared.auto_materialize_policy, dg.AutoMaterializePolicy)
    assert isinstance(dg.AutoMaterializePolicy.lazy(), dg.AutoMaterializePolicy)
    assert not isinstance(dg.AssetSpec("c").auto_materialize_policy, dg.AutoMaterializePolicy)


def test_each_rule_means_a_condition_and_a_policy_shows_its_rules() -> None:
    assert Rule.skip_on_run_in_progress().to_asset_condition() == C.run_in_progress()
    assert Rule.materialize_on_missing().to_asset_condition() is not None
    running = Policy.eager().with_rules(Rule.skip_on_run_in_progress())
    assert "SkipOnRunInProgressRule()" in repr(running)
    assert "SkipOnRunInProgressRule()" not in repr(Policy.eager())
    assert "team" in dg.AutoMaterializeAssetPartitionsFilter({"team": "blue"}).description


def test_a_rule_of_ones_own_must_say_what_it_means() -> None:
    with pytest.raises((TypeError, NotImplementedError)):
        Rule().to_asset_condition()


@pytest.mark.parametrize(
    ("makes", "says"),
    [
        (lambda: Policy.eager(max_materializations_per_minute=0), "at least 1"),
        (lambda: Rule.materialize_on_cron("daily"), "not a valid cron schedule"),
        (lambda: Policy.eager().without_rules(Rule.materialize_on_cron("@daily")), "no rule"),
        (lambda: C.cron_tick_passed("daily"), "not a valid cron schedule"),
        (lambda: C.eager().without(C.check_failed()), "not an operand"),
        (lambda: sg.FreshnessPolicy.cron("daily", timedelta(hours=1)), "Invalid cron string"),
        (lambda: sg.FreshnessPolicy.cron("0 * * * *", timedelta(hours=1), "Mars/X"), "timezone"),
        (lambda: sg.FreshnessPolicy.cron("0 * * * *", timedelta(hours=2)), "shortest interval"),
    ],
)
def test_what_fails_a_check_in_dagster_fails_one_here(makes: Callable[[], object], says: str) -> None:
    with pytest.raises(check.CheckError, match=says):
        makes()
    with pytest.raises(sg.InvalidDefinitionError, match=says):
        makes()
