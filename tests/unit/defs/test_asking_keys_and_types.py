"""Small answers: keys as identifiers, inputs and outputs as keys, types asked directly, copies of ops."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import segue as sg

KEY = sg.AssetKey(["shop", "raw-orders"])


def test_keys_are_written_as_python_names() -> None:
    assert KEY.to_python_identifier() == "shop__raw_orders"
    assert KEY.to_python_identifier("rows") == "shop__raw_orders__rows"
    assert sg.AssetCheckSpec("full", asset=KEY).get_python_identifier() == "shop__raw_orders_full"
    assert sg.AssetCheckKey(KEY, "full").to_python_identifier() == "shop__raw_orders_full"


def test_keys_are_told_apart_by_their_prefix() -> None:
    assert KEY.has_prefix(["shop"])
    assert not KEY.has_prefix(["raw-orders"])
    assert KEY.with_prefix("eu").path == KEY.with_prefix(["eu"]).path == ["eu", "shop", "raw-orders"]
    other = sg.AssetCheckKey(sg.AssetKey("b"), "d")
    assert sg.AssetCheckSpec("c", asset="a", blocking=True).replace_key(other) == sg.AssetCheckSpec(
        "d", asset="b", blocking=True
    )


def test_inputs_and_outputs_know_which_asset_they_are() -> None:
    assert sg.AssetIn().is_implicit
    assert not sg.AssetIn(key_prefix="shop").is_implicit
    assert sg.AssetIn(key_prefix="shop").resolve_key("orders") == sg.AssetKey(["shop", "orders"])
    assert sg.AssetIn("x").resolve_key("orders") == sg.AssetKey("x")
    assert sg.AssetOut(key_prefix=["shop"]).resolve_key("orders") == sg.AssetKey(["shop", "orders"])
    assert sg.AssetOut(key=KEY).resolve_key("orders") == KEY
    assert sg.AssetOut(key=KEY, group_name="g").to_spec(sg.AssetKey("x"), deps=[]) == sg.AssetSpec("x", group_name="g")


def test_parts_are_lists_also_where_there_are_none() -> None:
    assert sg.AssetIn().key_prefix == sg.AssetOut().key_prefix == []
    assert sg.AssetIn(key_prefix="shop").key_prefix == ["shop"]
    assert sg.AssetIn(key="a", key_prefix=[]).key == sg.AssetOut(key="a", key_prefix=[]).key == sg.AssetKey("a")
    assert sg.AssetCheckSpec("c", asset="a").additional_deps == []
    assert sg.AssetCheckSpec("c", asset="a", additional_deps=["b"]).additional_deps == [sg.AssetDep("b")]


def test_dependencies_know_whether_they_are_of_several() -> None:
    one = sg.DependencyDefinition("a")
    assert not one.is_fan_in()
    assert sg.MultiDependencyDefinition([one]).is_fan_in()
    assert sg.EnvVar("HOME_FOR_TEST").env_var_name == "HOME_FOR_TEST"


def test_a_type_checks_values_and_knows_what_it_takes() -> None:
    small = sg.SegueType(lambda _context, value: value < 10, name="Small")
    assert small.type_check(None, 3).success
    assert not small.type_check(None, 30).success
    number = sg.PythonObjectType(int)
    assert number.type_check(None, 3).success
    said = number.type_check(None, "3")
    assert not said.success
    assert "str" in (said.description or "")
    assert not small.is_any
    assert sg.In().dagster_type is not small


def test_only_lists_take_several_outputs_for_one_input() -> None:
    small = sg.SegueType(lambda _context, value: value < 10, name="Small")
    several = sg.List[small]
    assert several.supports_fan_in
    assert several.get_inner_type_for_fan_in() is small
    assert not small.supports_fan_in
    with pytest.raises(sg.InvariantViolationError, match="Small"):
        small.get_inner_type_for_fan_in()


def test_the_check_of_a_type_that_raises_is_told_as_such() -> None:
    broken = sg.SegueType(lambda _context, value: value.missing, name="Broken")

    @sg.op(out=sg.Out(broken))
    def gives() -> int:
        return 3

    @sg.job
    def checks() -> None:
        gives()

    (event,) = checks.execute_in_process(raise_on_error=False).get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    assert error.cls_name == sg.TypeCheckError.__name__
    assert "Broken" in error.message
    assert error.cause is not None
    assert error.cause.cls_name == "AttributeError"


def test_a_copy_of_an_op_has_another_name_and_the_rest() -> None:
    @sg.op(config_schema={"n": int}, tags={"team": "blue"}, ins={"a": sg.In(int)}, out=sg.Out(int))
    def first(context: sg.OpExecutionContext, a: int) -> int:
        return a + context.op_config["n"]

    second = first.with_replaced_properties(name="second", description="again")
    assert (second.name, second.description, dict(second.tags)) == ("second", "again", {"team": "blue"})
    assert second.has_config
    assert second(sg.build_op_context(op_config={"n": 2}), 3) == first(sg.build_op_context(op_config={"n": 2}), 3) == 5

    @sg.op
    def free() -> None: ...

    assert not free.has_config


def test_a_job_with_other_loggers_and_resources_is_a_copy() -> None:
    logged: list[str] = []

    @sg.logger
    def keeping(_context: sg.InitLoggerContext) -> Any:
        class Kept(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                logged.append(record.getMessage())

        made = logging.Logger("kept", logging.INFO)
        made.addHandler(Kept())
        return made

    @sg.op
    def says(context: sg.OpExecutionContext) -> None:
        context.log.info("hello")

    @sg.job
    def plain() -> None:
        says()

    changed = plain.with_logger_defs({"keeping": keeping}).with_top_level_resources(
        {"extra": sg.ResourceDefinition.hardcoded_resource(1)}
    )
    assert set(changed.loggers) == {"keeping"}
    assert "extra" in changed.resource_defs
    assert "extra" not in plain.resource_defs
    assert changed.execute_in_process(run_config={"loggers": {"keeping": {}}}).success
    assert any("hello" in each for each in logged)


def test_the_dimensions_of_a_grid_keep_their_names_and_definitions() -> None:
    one, two = sg.StaticPartitionsDefinition(["x"]), sg.StaticPartitionsDefinition(["y"])
    grid = sg.MultiPartitionsDefinition({"b": two, "a": one})
    assert [(each.name, each.partitions_def) for each in grid.partitions_defs] == [("a", one), ("b", two)]


def test_what_an_executor_may_need_and_what_a_config_may_lack_have_names() -> None:
    need, lack = sg.ExecutorRequirement, sg.ConfigErrorReason
    assert need.RECONSTRUCTABLE_JOB.value == need.RECONSTRUCTABLE_PIPELINE.value == "RECONSTRUCTABLE_PIPELINE"
    assert need.NON_EPHEMERAL_INSTANCE.value == "NON_EPHEMERAL_INSTANCE"
    assert len({lack.FIELDS_NOT_DEFINED, lack.MISSING_REQUIRED_FIELDS, lack.SELECTOR_FIELD_ERROR}) == 3


def test_metadata_values_are_also_known_by_other_names() -> None:
    lineage = sg.TableColumnLineage({"a": [sg.TableColumnDep(sg.AssetKey("u"), "b")]})
    assert sg.PoolMetadataValue(pool="db").name == "db"
    assert sg.TableColumnLineageMetadataValue(lineage).lineage == lineage
