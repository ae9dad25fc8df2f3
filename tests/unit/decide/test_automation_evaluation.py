"""What an evaluation hands out and takes back: cursors, explanations, contexts of conditions of the user's own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from automation_scenarios import DAYS, LETTERS, START, C, Step, asset, evaluate, made, requested
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as dg
from segue.model import codec
from segue.model.condition.facts import AutomationCursor


class Evens(dg.AutomationCondition[dg.AssetKey]):
    """True in every other evaluation: counts in its cursor."""

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        number = int(context.cursor or "0") + 1
        true = context.candidate_subset if number % 2 == 0 else context.get_empty_subset()
        return dg.AutomationResult(context, true_subset=true, cursor=str(number))


class Asks(dg.AutomationCondition[dg.AssetKey]):
    """Asks another condition, as an `async def`."""

    def __init__(self, inner: dg.AutomationCondition[dg.AssetOrCheckKey]) -> None:
        self.inner = inner

    @property
    def children(self) -> list[dg.AutomationCondition[dg.AssetOrCheckKey]]:
        return [self.inner]

    async def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:  # pyright: ignore[reportIncompatibleMethodOverride] reason: as the compatible API allows
        child = context.for_child_condition(self.inner, [0], context.candidate_subset)
        result = await child.evaluate_async()
        return dg.AutomationResult(context, result.true_subset, child_results=[result])


def test_a_condition_of_the_users_own_keeps_a_cursor() -> None:
    assert requested([asset("x", Evens())], "x", None, None, None, None) == [set(), {None}, set(), {None}]


def test_a_condition_of_the_users_own_asks_others() -> None:
    assets = [asset("up"), asset("x", C.in_latest_time_window() & Asks(C.any_deps_match(C.missing())), ["up"])]
    assert requested(assets, "x", None, made("up")) == [{None}, set()]


def test_what_a_context_tells() -> None:
    seen: list[tuple[object, ...]] = []

    class Looks(dg.AutomationCondition[dg.AssetKey]):
        def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
            before = context.previous_true_subset
            seen.append(
                (
                    context.key,
                    context.evaluation_id,
                    context.evaluation_time,
                    context.previous_evaluation_time,
                    context.max_storage_id,
                    context.previous_max_storage_id,
                    None if before is None else before.expensively_compute_partition_keys(),
                    context.partitions_def,
                    context.root_context.condition.name,
                )
            )
            part = context.candidate_subset.compute_intersection_with_partition_keys({"a", "zzz"})
            return dg.AutomationResult(context, part, metadata={"looked": True})

    evaluate([asset("x", Looks() & C.missing(), partitions=LETTERS)], None, made("x", "b"))
    key, minute = dg.AssetKey("x"), timedelta(minutes=1)
    assert seen == [
        (key, 0, START, None, None, None, None, LETTERS, "AND"),
        (key, 1, START + minute, START, 1, None, {"a"}, LETTERS, "AND"),
    ]


class Wrong(dg.AutomationCondition[dg.AssetKey]):
    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        return context.candidate_subset  # pyright: ignore[reportReturnType] reason: what users do


class Fails(dg.AutomationCondition[dg.AssetKey]):
    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        raise KeyError("user error")


def test_errors_name_the_asset() -> None:
    with pytest.raises(dg.InvalidInvocationError, match=r"Wrong.evaluate must return an AutomationResult"):
        evaluate([asset("x", Wrong())], None)
    with pytest.raises(KeyError, match="user error") as caught:
        evaluate([asset("some_asset", Fails())], None)
    assert "some_asset" in caught.value.__notes__[0]
    with pytest.raises(dg.InvalidSubsetError, match="nowhere"):
        evaluate([asset("x", C.asset_matches("nowhere", C.missing()))], None)


def test_a_stored_condition_of_the_users_own_is_not_evaluated() -> None:
    from_store = codec.decoder(dg.AutomationCondition).decode(codec.encode(C.missing() & Evens()))
    with pytest.raises(dg.NotSupportedError, match="Evens is a custom automation condition"):
        evaluate([asset("x", from_store)], None)


def test_each_node_is_explained() -> None:
    assets = [asset("up"), asset("x", C.eager(), ["up"])]
    before, after = [each.results[0].serializable_evaluation for each in evaluate(assets, None, made("up"))]
    assert before.explain() == "eager is false for x, because SINCE is false for x"
    assert after.explain() == "eager is true for x"
    assert [child.condition_snapshot.name for child in after.child_evaluations][:2] == [
        "in_latest_time_window",
        "SINCE",
    ]
    since = after.child_evaluations[1]
    assert since.metadata["trigger_evaluation_id"].value == 1
    assert since.metadata["reset_evaluation_id"].value == 0
    assert codec.decoder(type(after)).decode(codec.encode(after)) == after


def test_a_selection_evaluates_some_and_keeps_what_others_remember() -> None:
    defs = dg.Definitions([asset("x", C.newly_missing()), asset("y", C.newly_missing())])
    with dg.Instance.ephemeral() as instance:
        one = dg.evaluate_automation_conditions(defs, instance, dg.AssetSelection.assets("x"))
        two = dg.evaluate_automation_conditions(defs, instance, dg.AssetSelection.assets("y"), cursor=one.cursor)
        both = dg.evaluate_automation_conditions(defs, instance, cursor=two.cursor)
    assert [[str(each.key.path[0]) for each in result.results] for result in (one, two, both)] == [
        ["x"],
        ["y"],
        ["x", "y"],
    ]
    assert [each.total_requested for each in (one, two, both)] == [1, 1, 0]


def test_what_no_longer_fits_is_forgotten() -> None:
    parts = ["a", "b", "c"]
    cursor = None
    totals: list[int] = []
    with dg.Instance.ephemeral() as instance:
        for partitions in (dg.StaticPartitionsDefinition(parts), dg.StaticPartitionsDefinition(parts[1:]), None):
            defs = dg.Definitions([asset("x", C.newly_missing(), partitions=partitions)])
            result = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
            cursor = result.cursor
            totals.append(result.total_requested)
    assert totals == [3, 0, 1]


def test_a_first_evaluation_is_the_first_of_the_target_whatever_its_condition() -> None:
    totals: list[int] = []
    cursor = None
    with dg.Instance.ephemeral() as instance:
        for condition in (C.initial_evaluation(), C.initial_evaluation(), ~C.in_progress() & C.initial_evaluation()):
            result = dg.evaluate_automation_conditions([asset("x", condition)], instance, cursor=cursor)
            cursor = result.cursor
            totals.append(result.total_requested)
    assert totals == [1, 0, 0]


def test_a_time_without_a_zone_is_one_in_utc() -> None:
    daily = dg.DailyPartitionsDefinition("2024-01-01")
    target = asset("x", C.in_latest_time_window(), partitions=daily)
    with dg.Instance.ephemeral() as instance:
        result = dg.evaluate_automation_conditions([target], instance, evaluation_time=datetime(2024, 1, 3))
    assert result.get_requested_partitions(dg.AssetKey("x")) == {"2024-01-02"}


def test_a_condition_that_was_gone_and_a_target_that_is_cut_anew_start_over() -> None:
    totals: list[int] = []
    cursor = None
    initial, parts = C.initial_evaluation(), dg.StaticPartitionsDefinition(["a", "b"])
    with dg.Instance.ephemeral() as instance:
        for condition, partitions in (
            (initial, None),
            (None, None),
            (initial, None),
            (initial, parts),
            (initial, None),
        ):
            target = asset("x", condition, partitions=partitions)
            result = dg.evaluate_automation_conditions([target], instance, cursor=cursor)
            cursor = result.cursor
            totals.append(result.total_requested)
    assert totals == [1, 0, 1, 2, 1]


def test_a_blocking_check_of_the_same_step_will_run_with_its_asset() -> None:
    condition = C.eager() & C.all_deps_blocking_checks_passed()

    @dg.asset(
        deps=["root"], automation_condition=condition, check_specs=[dg.AssetCheckSpec("c", asset="a", blocking=True)]
    )
    def a() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    b = asset("b", condition, ["a"])
    with dg.Instance.ephemeral() as instance:
        first = dg.evaluate_automation_conditions([a, b], instance)
        instance.report_runless_asset_event(dg.AssetMaterialization("root"))
        result = dg.evaluate_automation_conditions([a, b], instance, cursor=first.cursor)
        assert [result.get_num_requested(dg.AssetKey(name)) for name in ("a", "b")] == [1, 1]
        assert result.total_requested == 2


def test_a_job_is_cut_as_its_assets() -> None:
    parts = dg.StaticPartitionsDefinition(["p", "q"])
    assets = [asset("cut", partitions=parts), asset("whole")]
    condition = C.all_job_root_assets_match(C.missing())
    job = dg.define_asset_job("both", selection=["cut", "whole"], automation_condition=condition)
    defs = dg.Definitions(assets, jobs=[job])
    with dg.Instance.ephemeral() as instance:
        assert dg.evaluate_automation_conditions(defs, instance).total_requested == 2
        instance.report_runless_asset_event(dg.AssetMaterialization("whole"))
        assert dg.evaluate_automation_conditions(defs, instance).total_requested == 0


def test_a_job_does_not_run_with_what_is_requested_outside_of_it() -> None:
    up = asset("up", C.missing())
    down = asset("down", deps=["up"])
    job = dg.define_asset_job(
        "j", selection=["down"], automation_condition=C.any_job_root_assets_match(C.any_deps_updated())
    )
    with dg.Instance.ephemeral() as instance:
        result = dg.evaluate_automation_conditions(dg.Definitions([up, down], jobs=[job]), instance)
    assert (result.total_requested, result.get_num_requested(dg.AssetKey("up"))) == (1, 1)


def test_a_decision_is_explained_in_a_line_and_drawn_as_a_tree() -> None:
    parts = dg.StaticPartitionsDefinition(["a", "b", "c"])
    waits = asset("waits", C.missing() & ~C.any_deps_missing().with_label("parents are there"), ["up"])
    cut = asset("cut", C.missing().with_label("not made yet"), partitions=parts)
    with dg.Instance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("cut", partition="c"))
        result = dg.evaluate_automation_conditions([asset("up"), waits, cut], instance)
    assert result.explain(dg.AssetKey("waits")).startswith(
        "AND is false for waits, because NOT is false for waits, because parents are there is true for waits"
    )
    [tree] = [each.pprint() for each in result.results if each.key == dg.AssetKey("cut")]
    assert tree == "not made yet on cut: a...b"
    lines = next(each.pprint() for each in result.results if each.key == dg.AssetKey("waits")).splitlines()
    assert lines[0] == "AND on waits: no"
    assert lines[1] == "  missing on waits: yes"
    with pytest.raises(dg.InvalidInvocationError, match="'up' was not evaluated"):
        result.explain(dg.AssetKey("up"))


@pytest.mark.parametrize("partitions", [None, dg.StaticPartitionsDefinition(["p", "q"])])
@pytest.mark.parametrize("passed", [True, False])
def test_a_result_no_longer_holds_once_the_asset_is_made_again(
    passed: bool, partitions: dg.PartitionsDefinition | None
) -> None:
    up = asset("up", partitions=partitions)
    partition = None if partitions is None else "p"

    @dg.asset_check(
        asset=up, automation_condition=C.check_passed() if passed else C.check_failed(), partitions_def=partitions
    )
    def looked() -> bool:
        return passed

    defs = dg.Definitions([up], asset_checks=[looked])
    only = dg.AssetSelection.checks(looked)

    def asked() -> int:
        return dg.evaluate_automation_conditions(defs, instance).total_requested

    with dg.Instance.ephemeral() as instance:
        assert asked() == 0
        dg.materialize([up, looked], partition_key=partition, instance=instance)
        assert asked() == 1
        instance.report_runless_asset_event(dg.AssetMaterialization("up", partition=partition))
        assert asked() == 0
        dg.materialize([up, looked], selection=only, partition_key=partition, instance=instance)
        assert asked() == 1


STEPS: list[Step] = [
    None,
    timedelta(hours=7),
    timedelta(days=1),
    made("up", "2024-01-04"),
    made("x", "2024-01-04"),
    made("up", "2024-01-05"),
    made("free"),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=6))
def test_a_cursor_survives_json(steps: list[Step]) -> None:
    """An evaluation given the cursor from JSON asks for the same as one given the cursor itself."""
    defs = dg.Definitions(
        [
            asset("up", partitions=DAYS),
            asset("free", C.on_cron("0 6 * * *")),
            asset("x", C.eager(), ["up"], DAYS),
            asset("y", C.on_missing() | C.newly_updated().since_last_handled(), ["x"], DAYS),
            asset("z", Evens() | C.any_deps_match(C.newly_missing()), ["y", "free"]),
        ]
    )
    now = START
    kept = stored = None
    with dg.Instance.ephemeral() as instance:
        for step in steps:
            if isinstance(step, timedelta):
                now += step
            elif step is not None:
                step(instance)
            one = dg.evaluate_automation_conditions(defs, instance, evaluation_time=now, cursor=kept)
            two = dg.evaluate_automation_conditions(defs, instance, evaluation_time=now, cursor=stored)
            assert [each.value_hash for each in one.results] == [each.value_hash for each in two.results]
            kept = one.cursor
            stored = codec.decoder(AutomationCursor).decode(codec.encode(two.cursor))
            assert kept == stored
            now += timedelta(minutes=1)


def test_what_is_asked_about_nothing_looks_no_further_unless_it_remembers() -> None:
    forgets = C.any_deps_match(C.missing())
    remembers = C.any_deps_match(C.newly_updated().newly_true())
    condition = C.missing() & forgets & remembers
    first, second = evaluate([asset("up"), asset("x", condition, ["up"])], None, made("x"))
    of_x = [each for result in (first, second) for each in result.results if each.key == dg.AssetKey("x")]
    _, asked, also_asked = of_x[0].child_results
    assert asked.child_results
    assert also_asked.child_results
    _, left_alone, asked = of_x[1].child_results
    assert (left_alone.true_subset.is_empty, len(left_alone.child_results)) == (True, 0)
    assert asked.child_results


def test_sets_that_meet_again_come_to_the_same_as_the_first_time() -> None:
    halves = dg.StaticPartitionsDefinition(["a", "b"])
    condition = C.missing() & ~C.any_deps_match(C.missing())
    steps: list[Step] = [None, made("up", "a"), made("x", "a"), made("other", "b")]
    assets = [asset("up", partitions=LETTERS), asset("other", partitions=halves)]
    assets += [asset("x", condition, ["up"], LETTERS), asset("y", condition, ["up"], LETTERS)]
    assets += [asset("z", condition, ["other"], halves)]
    found = evaluate(assets, *steps)
    keys = [dg.AssetKey(name) for name in "xyz"]
    assert [[result.get_requested_partitions(key) for key in keys] for result in found] == [
        [set(), set(), set()],
        [{"a"}, {"a"}, set()],
        [set(), {"a"}, set()],
        [set(), {"a"}, {"b"}],
    ]
