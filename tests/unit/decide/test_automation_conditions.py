"""What each condition is true for, after each of some steps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from automation_scenarios import DAYS, LETTERS, C, Step, asset, check, checked, evaluate, made, requested

import segue as dg

NONE: set[str | None] = set()
IT: set[str | None] = {None}
DAY_1, DAY_2, DAY_3, DAY_4, DAY_5 = (f"2024-01-0{day}" for day in range(1, 6))
ALL_DAYS: set[str | None] = {DAY_1, DAY_2, DAY_3, DAY_4}
A_DAY = timedelta(days=1)
OFFSET = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)


def wipe(key: str) -> Step:
    return lambda instance: instance.wipe_assets([dg.AssetKey(key)])


OWN: list[tuple[str, dg.AutomationCondition[dg.AssetOrCheckKey], list[Step], list[set[str | None]]]] = [
    ("missing until made", C.missing(), [None, made("x")], [IT, NONE]),
    ("missing again after a wipe", C.missing(), [made("x"), wipe("x")], [NONE, IT]),
    ("newly missing once", C.newly_missing(), [None, None, made("x"), wipe("x"), None], [IT, NONE, NONE, IT, NONE]),
    ("newly updated, not in the first evaluation", C.newly_updated(), [made("x"), None, made("x")], [NONE, NONE, IT]),
    ("initial evaluation once", C.initial_evaluation(), [None, None], [IT, NONE]),
    ("newly requested after a request", C.newly_requested() | C.initial_evaluation(), [None, None], [IT, IT]),
    ("not", ~C.missing(), [None, made("x")], [NONE, IT]),
    ("and", C.missing() & C.initial_evaluation(), [None, None], [IT, NONE]),
    ("since keeps until the reset", C.missing().since(C.newly_updated()), [None, None, made("x")], [IT, IT, NONE]),
    ("a reset wins over its trigger", C.missing().since(C.missing()), [None], [NONE]),
    ("a tick of cron passed", C.cron_tick_passed("0 * * * *"), [None, None, timedelta(hours=1)], [NONE, NONE, IT]),
    (
        "ticks in another zone",
        C.cron_tick_passed("33 6 * * *", "Asia/Kolkata"),
        [None, timedelta(minutes=3)],
        [NONE, IT],
    ),
    ("no time windows: always the latest", C.in_latest_time_window(), [None], [IT]),
    ("another asset", C.asset_matches("up", C.missing()), [None, made("up")], [IT, NONE]),
    ("any dependency", C.any_deps_match(C.missing()), [None, made("up")], [IT, NONE]),
    ("nothing runs", C.in_progress() | C.execution_failed(), [None, made("x")], [NONE, NONE]),
    ("data versions", C.data_version_changed(), [None, made("x"), made("x")], [NONE, IT, NONE]),
    ("run tags without runs", C.executed_with_tags(tag_keys={"k"}), [made("x")], [NONE]),
]


@pytest.mark.parametrize(("condition", "steps", "expected"), [row[1:] for row in OWN], ids=[row[0] for row in OWN])
def test_of_an_asset_without_partitions(
    condition: dg.AutomationCondition[dg.AssetOrCheckKey], steps: list[Step], expected: list[set[str | None]]
) -> None:
    assert requested([asset("up"), asset("x", condition, ["up"])], "x", *steps) == expected


PARTS: list[tuple[str, dg.AutomationCondition[dg.AssetOrCheckKey], list[Step], list[set[str | None]]]] = [
    ("missing days", C.missing(), [None, made("x", DAY_2)], [ALL_DAYS, ALL_DAYS - {DAY_2}]),
    ("the latest window moves", C.in_latest_time_window(), [None, A_DAY], [{DAY_4}, {DAY_5}]),
    ("windows of two days", C.in_latest_time_window(timedelta(days=2)), [None], [{DAY_3, DAY_4}]),
    ("a lookback that is no window long", C.in_latest_time_window(timedelta(hours=5)), [None], [NONE]),
    ("a new day is newly missing", C.newly_missing(), [None, A_DAY], [ALL_DAYS, {DAY_5}]),
    ("new days come with no first evaluation", C.initial_evaluation(), [None, A_DAY], [ALL_DAYS, NONE]),
    (
        "since is kept beyond the candidates",
        C.in_latest_time_window() & C.any_deps_updated().since(C.newly_updated()),
        [None, made("up", DAY_2), made("up", DAY_4)],
        [NONE, NONE, {DAY_4}],
    ),
    ("days of the dependency", C.any_deps_updated(), [None, made("up", DAY_2)], [NONE, {DAY_2}]),
]


@pytest.mark.parametrize(("condition", "steps", "expected"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS])
def test_of_an_asset_with_days(
    condition: dg.AutomationCondition[dg.AssetOrCheckKey], steps: list[Step], expected: list[set[str | None]]
) -> None:
    assert requested([asset("up", partitions=DAYS), asset("x", condition, ["up"], DAYS)], "x", *steps) == expected


def test_eager_goes_down_a_chain_in_one_evaluation_and_waits_for_what_is_missing() -> None:
    chain = [asset("a"), asset("b", C.eager(), ["a"]), asset("c", C.eager(), ["b"])]
    steps: list[Step] = [None, made("a"), None, made("b"), made("c"), made("b")]
    totals = [each.total_requested for each in evaluate(chain, *steps)]
    assert totals == [0, 2, 0, 1, 0, 1]


def test_eager_asks_for_a_new_day_when_its_dependency_has_it() -> None:
    assets = [asset("up", partitions=DAYS), asset("x", C.eager(), ["up"], DAYS)]
    steps: list[Step] = [None, made("up", DAY_4), A_DAY, made("up", DAY_5)]
    assert requested(assets, "x", *steps) == [NONE, {DAY_4}, NONE, {DAY_5}]


def test_an_asset_that_needs_its_own_yesterday_is_asked_for_day_after_day() -> None:
    assets = [asset("x", C.eager(), [dg.AssetDep("x", partition_mapping=OFFSET)], DAYS)]
    assert requested(assets, "x", None, A_DAY, made("x", DAY_4), None) == [NONE, NONE, {DAY_5}, NONE]


def test_on_cron_waits_for_the_dependencies_after_the_tick() -> None:
    assets = [asset("up"), asset("x", C.on_cron("0 * * * *"), ["up"])]
    hour = timedelta(hours=1)
    assert requested(assets, "x", None, hour, made("up"), None, hour) == [NONE, NONE, IT, NONE, NONE]


def test_on_missing_leaves_what_was_missing_from_the_start() -> None:
    assets = [asset("up", partitions=DAYS), asset("x", C.on_missing(), ["up"], DAYS)]
    assert requested(assets, "x", None, A_DAY, made("up", DAY_5), None) == [NONE, NONE, {DAY_5}, NONE]


def test_every_dependency_must_match_somewhere() -> None:
    condition = C.all_deps_match(~C.missing())
    assets = [
        asset("up", partitions=DAYS),
        asset("other"),
        asset("x", condition, ["up", "other"]),
        asset("y", condition),
    ]
    results = evaluate(assets, None, made("up", DAY_1), made("other"))
    assert [each.get_num_requested(dg.AssetKey("x")) for each in results] == [0, 0, 1]
    assert results[0].get_num_requested(dg.AssetKey("y")) == 1  # no dependencies: none that does not match


def test_conditions_look_at_the_dependencies_they_are_allowed_to() -> None:
    base, first = C.any_deps_match(C.missing()), dg.AssetSelection.assets("one")
    assets = [
        asset("one"),
        asset("two"),
        asset("allowed", (base | C.newly_updated()).allow(first), ["one", "two"]),
        asset("ignored", base.ignore(first), ["one", "two"]),
    ]
    results = evaluate(assets, None, made("one"), made("two"))
    assert [[each.get_num_requested(dg.AssetKey(name)) for name in ("allowed", "ignored")] for each in results] == [
        [1, 1],
        [0, 1],
        [0, 0],
    ]


def test_what_one_run_cannot_make_together_does_not_wait_for_a_request() -> None:
    below = C.any_deps_match(C.will_be_requested())
    assets = [asset("up", C.missing()), asset("same", below, ["up"]), asset("days", below, ["up"], DAYS)]
    [result] = evaluate(assets, None)
    assert [result.get_num_requested(dg.AssetKey(name)) for name in ("up", "same", "days")] == [1, 1, 0]


def test_an_asset_upstream_takes_over_the_conditions_downstream() -> None:
    assets = [
        asset("top", C.any_downstream_conditions()),
        asset("middle", C.any_downstream_conditions(), ["top"]),
        asset("unconditional", None, ["middle"]),
        asset("bottom", C.missing(), ["unconditional"]),
        asset("bottom_too", C.missing(), ["unconditional"]),
    ]
    [first, second] = evaluate(assets, None, made("top"))
    assert [first.get_num_requested(dg.AssetKey(name)) for name in ("top", "middle", "bottom")] == [1, 1, 1]
    assert [second.get_num_requested(dg.AssetKey(name)) for name in ("top", "middle", "bottom")] == [0, 1, 1]
    top = next(each for each in first.results if each.key == dg.AssetKey("top"))
    assert [child.condition.name for child in top.child_results] == ["bottom, bottom_too"]


def test_assets_made_together_are_asked_for_together() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("one", automation_condition=C.missing()), dg.AssetSpec("two")])
    def both() -> None: ...

    below = C.any_deps_match(C.will_be_requested())
    [result] = evaluate([both, asset("x", below, ["two"])], None)
    assert result.get_num_requested(dg.AssetKey("x")) == 1


def test_partitions_that_do_not_exist_upstream_are_left_out() -> None:
    late = dg.DailyPartitionsDefinition("2024-01-03")
    others = dg.StaticPartitionsDefinition(["b", "c", "d"])
    assets = [
        asset("late", partitions=late),
        asset("letters", partitions=LETTERS),
        asset("days", C.any_deps_missing(), ["late"], DAYS),
        asset("other_letters", C.any_deps_missing(), ["letters"], others),
    ]
    [result] = evaluate(assets, None)
    assert result.get_requested_partitions(dg.AssetKey("days")) == {DAY_3, DAY_4}
    assert result.get_requested_partitions(dg.AssetKey("other_letters")) == {"b", "c"}


def test_conditions_of_checks_and_on_checks() -> None:
    defs = dg.Definitions(
        assets=[
            asset("x", C.any_checks_match(C.check_failed())),
            asset("y", C.all_checks_match(C.check_passed()), ["x"]),
            asset("z", C.all_deps_blocking_checks_passed(), ["x"]),
        ],
        asset_checks=[check("plain", "x", C.any_deps_updated()), check("hard", "x", C.missing(), blocking=True)],
    )
    results = evaluate(defs, None, made("x"), checked("x", "plain", False), checked("x", "hard", True))
    keys = [dg.AssetKey("x"), dg.AssetKey("y"), dg.AssetKey("z")]
    assert [[each.get_num_requested(key) for key in keys] for each in results] == [
        [0, 1, 1],  # the blocking check is missing, and asked for
        [0, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
    ]
    names = [dg.AssetCheckKey(dg.AssetKey("x"), name) for name in ("plain", "hard")]
    assert [[each.get_num_requested(key) for key in names] for each in results] == [[0, 1], [1, 1], [1, 1], [1, 0]]


def test_checks_are_allowed_and_ignored_by_a_selection_of_checks() -> None:
    one = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("x"), "one"))
    failed = C.any_checks_match(C.check_failed())
    defs = dg.Definitions(
        assets=[
            asset("x"),
            asset("only_one", C.any_deps_match(failed.allow(one)), ["x"]),
            asset("not_one", C.any_deps_match(failed.ignore(one)), ["x"]),
            asset("none", C.any_deps_match(failed.ignore(dg.AssetSelection.checks_for_assets("x"))), ["x"]),
        ],
        asset_checks=[check("one", "x"), check("two", "x")],
    )
    results = evaluate(defs, None, checked("x", "two", False), checked("x", "one", False))
    keys = [dg.AssetKey(name) for name in ("only_one", "not_one", "none")]
    assert [[each.get_num_requested(key) for key in keys] for each in results] == [[0, 0, 0], [0, 1, 0], [1, 1, 0]]


def test_a_check_that_failed_holds_up_what_lies_downstream() -> None:
    defs = dg.Definitions(
        assets=[asset("x"), asset("z", C.all_deps_blocking_checks_passed(), ["x"])],
        asset_checks=[check("hard", "x", blocking=True)],
    )
    assert requested(defs, "z", None, checked("x", "hard", False), checked("x", "hard", True)) == [NONE, NONE, IT]


def test_conditions_of_jobs_ask_the_assets_at_their_roots() -> None:
    defs = dg.Definitions(
        assets=[asset("one"), asset("two"), asset("x", None, ["one", "two"])],
        jobs=[
            dg.define_asset_job("any", automation_condition=C.any_job_root_assets_match(C.newly_updated())),
            dg.define_asset_job("all", automation_condition=C.all_job_root_assets_match(~C.missing())),
        ],
    )
    results = evaluate(defs, None, made("one"), made("two"), made("x"))
    keys = [dg.AssetJobKey("any"), dg.AssetJobKey("all")]
    assert [[each.get_num_requested(key) for key in keys] for each in results] == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_a_changed_code_version_is_noticed_once() -> None:
    versions = [
        dg.Definitions([asset("x", C.code_version_changed(), code_version=version)]) for version in ("1", "2", "2")
    ]
    totals: list[int] = []
    with dg.Instance.ephemeral() as instance:
        cursor = None
        for defs in versions:
            result = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
            cursor = result.cursor
            totals.append(result.total_requested)
    assert totals == [0, 1, 0]
