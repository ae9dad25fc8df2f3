"""Asset checks: what they are declared with, what they look at, and what their results do to a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg
from segue.model.tags import PARTITION_RANGE_END_TAG, PARTITION_RANGE_START_TAG

COLORS = sg.StaticPartitionsDefinition(["red", "blue"])
ORDERS, USERS = sg.AssetKey("orders"), sg.AssetKey(["crm", "users"])


@sg.asset
def orders() -> int:
    return 4


@sg.asset(key=USERS)
def users() -> int:
    return 5


SPEC = sg.AssetCheckSpec("a", asset="x")


def nothing() -> None: ...


def found(result: sg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.asset_check_key.to_user_string(): each.passed for each in result.get_asset_check_evaluations()}


def both(can_subset: bool = False) -> sg.AssetChecksDefinition:
    @sg.multi_asset_check(
        specs=[sg.AssetCheckSpec("few", asset=orders), sg.AssetCheckSpec("many", asset=users)],
        can_subset=can_subset,
        ins={"customers": users.key},
    )
    def compare(context: sg.AssetCheckExecutionContext, orders: int, customers: int) -> Iterator[sg.AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            passed = orders == 4 if key.name == "few" else customers == 5
            yield sg.AssetCheckResult(passed=passed, asset_key=key.asset_key, check_name=key.name)

    return compare


def test_several_checks_of_one_function_take_values_by_name_and_by_ins() -> None:
    checks = both()
    assert checks.keys_by_input_name == {"orders": ORDERS, "customers": USERS}
    assert checks.get_spec_for_check_key(sg.AssetCheckKey(USERS, "many")).name == "many"
    assert found(sg.materialize([orders, users, checks])) == {"crm/users:many": True, "orders:few": True}


@pytest.mark.parametrize("can_subset", [True, False])
def test_one_of_several_checks_runs_alone_where_the_function_can(can_subset: bool) -> None:
    selection = sg.AssetSelection.checks(sg.AssetCheckKey(ORDERS, "few"))
    with sg.Instance.ephemeral() as instance:
        sg.materialize([orders, users], instance=instance)
        given: Any = {"assets": [orders, users, both(can_subset)], "selection": selection, "instance": instance}
        if can_subset:
            assert found(sg.materialize(**given)) == {"orders:few": True}
        else:
            with pytest.raises(
                sg.InvalidSubsetError, match=r"'compare' runs all of its checks at once.*crm/users:many"
            ):
                sg.materialize(**given)


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda: sg.multi_asset_check(specs=[], name="c")(nothing), "has no checks"),
        (lambda: sg.multi_asset_check(specs=["orders"], name="c")(nothing), "specs must be a list of AssetCheckSpecs"),
        (
            lambda: sg.multi_asset_check(specs=[SPEC, sg.AssetCheckSpec("a", asset="x")], name="c")(nothing),
            "duplicate asset check 'x:a'",
        ),
        (
            lambda: sg.multi_asset_check(specs=[SPEC], name="c")(lambda nonsense: None),
            "the parameter 'nonsense' matches none of the checked assets",
        ),
        (
            lambda: sg.multi_asset_check(specs=[SPEC], name="c", ins={"y": sg.AssetIn()})(lambda x: None),
            "ins has no matching parameter for 'y'",
        ),
        (
            lambda: sg.asset_check(asset="a", partitions_def="daily")(lambda: None),
            "partitions_def must be of type PartitionsDefinition",
        ),
        (lambda: sg.asset_check(asset="a", pool=3)(nothing), "pool must be of type str"),
        (
            lambda: both().get_spec_for_check_key(sg.AssetCheckKey(ORDERS, "none")),
            "has no check 'orders:none'",
        ),
    ],
)
def test_what_is_no_check(declare: Any, says: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=says):
        declare()


def test_an_op_runs_checks() -> None:
    @sg.op(out={"first": sg.Out(), "second": sg.Out()})
    def look(orders: int) -> Iterator[sg.AssetCheckResult]:
        yield sg.AssetCheckResult(passed=orders == 4, check_name="a")
        yield sg.AssetCheckResult(passed=orders == 5, check_name="b")

    specs = {"first": sg.AssetCheckSpec("a", asset=orders), "second": sg.AssetCheckSpec("b", asset=orders)}
    checks = sg.AssetChecksDefinition.create(
        keys_by_input_name={"orders": ORDERS}, node_def=look, check_specs_by_output_name=specs
    )
    assert found(sg.materialize([orders, checks])) == {"orders:a": True, "orders:b": False}
    with pytest.raises(sg.InvalidDefinitionError, match="'second' does not match the op"):
        sg.AssetChecksDefinition.create(
            keys_by_input_name={}, node_def=look, check_specs_by_output_name={"first": specs["first"]}
        )


def test_a_result_names_the_materialization_it_looked_at() -> None:
    @sg.asset(check_specs=[sg.AssetCheckSpec("inside", asset="sums")])
    def sums() -> sg.MaterializeResult[int]:
        return sg.MaterializeResult(value=1, check_results=[sg.AssetCheckResult(passed=True)])

    @sg.asset_check(asset=sums)
    def outside() -> bool:
        return True

    with sg.Instance.ephemeral() as instance:
        nothing = sg.materialize([sums, outside], selection=sg.AssetSelection.checks(outside), instance=instance)
        assert [each.target_materialization_data for each in nothing.get_asset_check_evaluations()] == [None]
        made = sg.materialize([sums, outside], instance=instance)
        (record,) = instance.fetch_materializations(sums.key, limit=1).records
        assert [each.target_materialization_data for each in made.get_asset_check_evaluations()] == [
            sg.AssetCheckEvaluationTargetMaterializationData(record.storage_id, made.run_id, record.timestamp)
        ] * 2
        again = sg.materialize([sums, outside], selection=sg.AssetSelection.checks(outside), instance=instance)
        [target] = [each.target_materialization_data for each in again.get_asset_check_evaluations()]
        assert target is not None
        assert target.run_id == made.run_id


@sg.asset(partitions_def=COLORS)
def color() -> int:
    return 3


@sg.asset_check(asset=color, partitions_def=COLORS)
def bright(color: int) -> bool:
    return color == 3


@sg.asset_check(asset=color)
def whole() -> bool:
    return True


def test_a_check_with_partitions_speaks_of_one_and_another_of_the_whole() -> None:
    with sg.Instance.ephemeral() as instance:
        made = sg.materialize([color, bright, whole], partition_key="red", instance=instance)
        assert {each.check_name: each.partition for each in made.get_asset_check_evaluations()} == {
            "bright": "red",
            "whole": None,
        }
        sg.materialize([color], partition_key="blue", instance=instance)
        only = sg.AssetSelection.checks(bright)
        again = sg.materialize([color, bright], partition_key="red", selection=only, instance=instance)
        [evaluation] = again.get_asset_check_evaluations()
        assert evaluation.partition == "red"
        assert evaluation.target_materialization_data is not None
        assert evaluation.target_materialization_data.run_id == made.run_id


def test_a_range_of_partitions_gives_a_result_for_each() -> None:
    @sg.asset(partitions_def=COLORS)
    def shade() -> None: ...

    @sg.asset_check(asset=shade, partitions_def=COLORS)
    def bright() -> bool:
        return True

    tags = {PARTITION_RANGE_START_TAG: "red", PARTITION_RANGE_END_TAG: "blue"}
    result = sg.materialize([shade, bright], tags=tags)
    partitions = [each.partition for each in result.get_asset_check_evaluations() if each.check_name == "bright"]
    assert sorted(map(str, partitions)) == ["blue", "red"]


def test_a_check_is_cut_as_its_asset_or_not_at_all() -> None:
    @sg.asset_check(asset=color, partitions_def=sg.StaticPartitionsDefinition(["a"]))
    def other() -> bool:
        return True

    sg.Definitions.validate_loadable(sg.Definitions([color], asset_checks=[whole, bright]))
    with pytest.raises(
        sg.InvalidDefinitionError,
        match=r"the check 'color:other', .* does not match that of its asset 'color'",
    ):
        sg.Definitions.validate_loadable(sg.Definitions([color], asset_checks=[other]))


def test_a_further_asset_is_read_by_its_partition_mapping() -> None:
    days = sg.StaticPartitionsDefinition(["mo", "tu", "we"])

    @sg.asset(partitions_def=days)
    def daily(context: sg.AssetExecutionContext) -> str:
        return context.partition_key

    @sg.asset
    def report() -> str:
        return "we"

    @sg.asset_check(asset=report, additional_ins={"daily": sg.AssetIn(partition_mapping=sg.LastPartitionMapping())})
    def is_last(report: str, daily: str) -> bool:
        return report == daily

    with sg.Instance.ephemeral() as instance:
        sg.materialize([daily], partition_key="we", instance=instance)
        assert found(sg.materialize([daily, report, is_last], selection=[report], instance=instance)) == {
            "report:is_last": True
        }


@pytest.mark.parametrize(("passed", "asked"), [(True, {"red"}), (False, set[str]())])
def test_conditions_see_the_result_of_each_partition(passed: bool, asked: set[str]) -> None:
    condition = sg.AutomationCondition.any_checks_match(sg.AutomationCondition.check_passed())

    @sg.asset(partitions_def=COLORS, automation_condition=condition)
    def shade() -> None: ...

    @sg.asset_check(asset=shade, partitions_def=COLORS)
    def fits() -> bool:
        return passed

    defs = sg.Definitions([shade], asset_checks=[fits])
    with sg.Instance.ephemeral() as instance:
        sg.materialize([shade, fits], partition_key="red", instance=instance)
        assert sg.evaluate_automation_conditions(defs, instance).get_requested_partitions(shade.key) == asked


def test_what_a_result_means_must_be_clear() -> None:
    known = {ORDERS: {"a", "b"}, USERS: {"a"}}
    assert sg.AssetCheckResult(passed=True, asset_key=USERS).resolve_target_check_key(known).name == "a"
    assert sg.AssetCheckResult(passed=True, check_name="b").resolve_target_check_key(known).asset_key == ORDERS
    with pytest.raises(sg.InvariantViolationError, match="exactly one of the checks: crm/users:a, orders:a, orders:b"):
        sg.AssetCheckResult(passed=True, check_name="a").resolve_target_check_key(known)


def test_evaluations_from_outside_take_plain_metadata() -> None:
    evaluation = sg.AssetCheckEvaluation(ORDERS, "seen", True, {"rows": 3})
    with sg.Instance.ephemeral() as instance:
        instance.report_runless_asset_event(evaluation)
        [state] = instance.get_latest_check_results().values()
    assert state.evaluation == evaluation.with_metadata({"rows": sg.MetadataValue.int(3)})


def test_the_error_of_a_blocking_check_names_it() -> None:
    @sg.asset_check(asset=orders, blocking=True)
    def never() -> bool:
        return False

    @sg.asset(deps=[orders])
    def report() -> None: ...

    result = sg.materialize([orders, never, report], raise_on_error=False)
    assert not result.success
    assert [each.asset_key for each in result.get_asset_materialization_events()] == [ORDERS]
    with pytest.raises(sg.AssetCheckFailedError, match="1 blocking check failed with severity ERROR:\norders: never"):
        sg.materialize([orders, never, report])


def test_an_op_reports_results_of_checks() -> None:
    @sg.op
    def report() -> Iterator[object]:
        yield sg.AssetCheckEvaluation(ORDERS, "seen", False)
        yield sg.Output(1)

    @sg.job
    def reporting() -> None:
        report()

    with sg.Instance.ephemeral() as instance:
        assert reporting.execute_in_process(instance=instance).success
        [state] = instance.get_latest_check_results().values()
    assert (state.key, state.evaluation.passed) == (sg.AssetCheckKey(ORDERS, "seen"), False)


@pytest.mark.parametrize("several", [False, True], ids=["asset_check", "multi_asset_check"])
def test_resources_come_along_with_a_check(several: bool) -> None:
    def judge(context: sg.AssetCheckExecutionContext) -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=context.resources.limit > 1)

    check = (
        sg.multi_asset_check(specs=[sg.AssetCheckSpec("low", asset="stock")], resource_defs={"limit": 2})(judge)
        if several
        else sg.asset_check(asset="stock", name="low", resource_defs={"limit": 2})(judge)
    )
    defs = sg.Definitions(assets=[sg.AssetSpec("stock")], asset_checks=[check])

    result = defs.get_implicit_global_asset_job_def().execute_in_process()

    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]


def test_a_check_loads_its_asset_where_that_is_made_elsewhere() -> None:
    class Stored(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None: ...

        def load_input(self, context: sg.InputContext) -> int:
            assert context.asset_key == sg.AssetKey("orders")
            return 7

    @sg.asset_check(asset="orders")
    def many(orders: int) -> bool:
        return orders > 5

    definitions = sg.Definitions(asset_checks=[many], resources={"io_manager": Stored()})
    sg.Definitions.validate_loadable(definitions)
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process()
    assert [evaluation.passed for evaluation in result.get_asset_check_evaluations()] == [True]


@pytest.mark.parametrize(
    "given",
    [
        sg.MaterializeResult(check_results=[sg.AssetCheckResult(passed=True, check_name="strange")]),
        sg.MaterializeResult(check_results=[sg.AssetCheckResult(passed=True)]),
        (sg.MaterializeResult(), sg.AssetCheckResult(passed=True, check_name="strange")),
    ],
)
def test_nothing_is_recorded_when_a_check_returned_beside_an_asset_is_unclear(given: object) -> None:
    @sg.multi_asset(
        specs=[sg.AssetSpec("stock")],
        check_specs=[sg.AssetCheckSpec("few", asset="stock"), sg.AssetCheckSpec("many", asset="stock")],
    )
    def counted() -> object:
        return given

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([counted], instance=instance, raise_on_error=False)
        assert not result.success
        assert result.get_asset_materialization_events() == []
        assert instance.get_latest_materialization_event(sg.AssetKey("stock")) is None
