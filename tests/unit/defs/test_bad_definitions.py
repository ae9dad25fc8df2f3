"""What cannot be declared: each error says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import segue as sg

HERE = "test_bad_definitions.py:"
DAILY = sg.DailyPartitionsDefinition("2024-01-01")


def named(name: str, **arguments: object) -> sg.AssetsDefinition:
    @sg.asset(name=name, **arguments)  # type: ignore[call-overload]
    def function() -> int:
        return 1

    return function


def taking(name: str, upstream: str) -> sg.AssetsDefinition:
    @sg.asset(name=name, ins={"value": sg.AssetIn(upstream)})
    def function(value: int) -> int:
        return value

    return function


def checking(asset: str, name: str) -> sg.AssetChecksDefinition:
    @sg.asset_check(asset=asset, name=name)
    def function() -> bool:
        return True

    return function


@sg.asset
def orders(orderz: int) -> int:
    return orderz


@sg.asset
def needs_warehouse(warehouse: sg.ResourceParam[object]) -> None: ...


DEFINITIONS: list[tuple[str, sg.Definitions, Sequence[str]]] = [
    (
        "two of one key",
        sg.Definitions([named("a"), named("a")]),
        ["Two definitions make the asset 'a'", HERE, "Rename one"],
    ),
    ("cycle", sg.Definitions([taking("a", "c"), taking("b", "a"), taking("c", "b")]), ["cycle", "a -> b -> c -> a"]),
    (
        "missing upstream",
        sg.Definitions([named("order"), orders]),
        [HERE, "'orderz'", "Did you mean", "'order'", "AssetSpec('orderz')"],
    ),
    ("missing resource", sg.Definitions([needs_warehouse]), [HERE, "resource 'warehouse'", "resources={"]),
    ("missing IO manager", sg.Definitions([named("a", io_manager_key="lake")]), [HERE, "IO manager 'lake'"]),
    (
        "IO manager that is none",
        sg.Definitions([named("a", io_manager_key="lake")], resources={"lake": 5}),
        ["'lake'", "int", "handle_output"],
    ),
    ("made and declared", sg.Definitions([named("a"), sg.AssetSpec("a")]), ["'a'", HERE, "keep one"]),
    ("two specs", sg.Definitions([sg.AssetSpec("a"), sg.AssetSpec("a")]), ["'a'", "two AssetSpecs"]),
    ("itself", sg.Definitions([taking("a", "a")]), ["'a' depends on itself", "partitions"]),
    (
        "two checks",
        sg.Definitions([named("a")], asset_checks=[checking("a", "c"), checking("a", "c")]),
        ["'a_c'", HERE],
    ),
    (
        "two jobs",
        sg.Definitions([named("a")], jobs=[sg.define_asset_job("j"), sg.define_asset_job("j")]),
        ["Two jobs", "'j'"],
    ),
    (
        "unknown selection",
        sg.Definitions([named("a")], jobs=[sg.define_asset_job("j", selection=["b"])]),
        ["Job 'j'", "b"],
    ),
    (
        "unknown config",
        sg.Definitions([named("a")], jobs=[sg.define_asset_job("j", config={"ops": {"b": {"config": {}}}})]),
        ["Job 'j'", "ops:b", "there are a"],
    ),
    (
        "partitions that do not fit",
        sg.Definitions(
            [
                named("a", partitions_def=sg.StaticPartitionsDefinition(["x"])),
                named("b", partitions_def=DAILY, deps=["a"]),
            ]
        ),
        [HERE, "'b' depends on 'a'", "partition_mapping"],
    ),
]


@pytest.mark.parametrize(
    ("definitions", "words"), [row[1:] for row in DEFINITIONS], ids=[row[0] for row in DEFINITIONS]
)
def test_what_does_not_fit_together_is_refused(definitions: sg.Definitions, words: Sequence[str]) -> None:
    with pytest.raises(sg.InvalidDefinitionError) as caught:
        sg.Definitions.validate_loadable(definitions)
    for word in words:
        assert word in str(caught.value)


def test_all_errors_come_at_once() -> None:
    definitions = sg.Definitions([orders, needs_warehouse, named("a", io_manager_key="lake")])
    with pytest.raises(sg.DefinitionErrors) as caught:
        sg.Definitions.validate_loadable(definitions)
    assert len(caught.value.errors) == 3
    assert str(caught.value).startswith("3 errors in the definitions:")


def star_arguments() -> object:
    @sg.asset
    def a(*values: int) -> None: ...

    return a


def positional_only() -> object:
    @sg.asset
    def a(value: int, /) -> None: ...

    return a


def config_without_class() -> object:
    @sg.asset
    def a(config: int) -> None: ...

    return a


def ins_without_parameter() -> object:
    @sg.asset(ins={"other": sg.AssetIn("b")})
    def a(value: int) -> None: ...

    return a


def input_and_dependency() -> object:
    @sg.asset(deps=[sg.AssetDep("value")])
    def a(value: int) -> None: ...

    return a


def two_check_inputs() -> object:
    @sg.asset_check(asset="a")
    def check(one: int, two: int) -> bool:
        return one == two

    return check


def outs_and_specs() -> object:
    @sg.multi_asset(outs={"a": sg.AssetOut()}, specs=[sg.AssetSpec("b")])
    def both() -> None: ...

    return both


DECLARATIONS: list[tuple[Callable[[], object], Sequence[str]]] = [
    (star_arguments, [HERE, "*args"]),
    (positional_only, [HERE, "positional-only"]),
    (config_without_class, [HERE, "'config'", "subclass of Config"]),
    (ins_without_parameter, [HERE, "'other'", "value"]),
    (input_and_dependency, ["'value'", "keep one"]),
    (two_check_inputs, [HERE, "one, two", "additional_ins"]),
    (outs_and_specs, ["either outs or specs"]),
    (lambda: named("a b"), ["'a b'", "letters"]),
    (lambda: named("context"), ["reserved"]),
    (lambda: named("a", key="b"), ["key", "not both"]),
    (lambda: named("a", group_name="x y"), ["'x y'", "group"]),
    (lambda: named("a", owners=["me"]), ["'me'", "team:"]),
    (lambda: named("a", tags={"k k": "v"}), ["'k k'"]),
    (lambda: named("a", tags={"k": "v v"}), ["'k'", "63"]),
    (lambda: named("a", kinds={"a", "b", "c", "d"}), ["3 kinds"]),
    (lambda: named("a", deps="b"), ["list", "'b'"]),
    (lambda: sg.AssetKey([]), ["non-empty"]),
    (lambda: sg.AssetIn(key="a", key_prefix="b"), ["not both"]),
    (lambda: sg.AssetOut(key="a", key_prefix="b"), ["not both"]),
    (lambda: sg.AssetOut.from_spec(sg.AssetSpec("a", deps=["b"])), ["specs="]),
    (lambda: sg.AssetCheckSpec("a b", asset="a"), ["'a b'"]),
    (lambda: named("a", check_specs=[sg.AssetCheckSpec("c", asset="b")]), ["'b:c'", "asset_check"]),
    (lambda: sg.RetryPolicy(max_retries=-1), ["0 or more"]),
    (lambda: sg.RetryPolicy(backoff=sg.Backoff.LINEAR), ["delay"]),
    (lambda: sg.BackfillPolicy(0), ["1 or more"]),
    (lambda: sg.Definitions(assets=[5]), ["assets=", "5"]),  # type: ignore[list-item]
    (lambda: sg.Definitions(jobs=["j"]), ["jobs="]),  # type: ignore[list-item]
    (lambda: sg.define_asset_job("a b"), ["'a b'"]),
    (lambda: sg.StaticPartitionsDefinition(["a", "a"]), ["'a'"]),
    (lambda: sg.DailyPartitionsDefinition("yesterday"), ["yesterday"]),
    (lambda: named("a", metadata={}, deps=[sg.AssetDep("b"), sg.AssetDep("b", metadata={"x": 1})]), ["two different"]),
]


@pytest.mark.parametrize(("declare", "words"), DECLARATIONS)
def test_what_cannot_be_declared_is_refused(declare: Callable[[], object], words: Sequence[str]) -> None:
    with pytest.raises(sg.InvalidDefinitionError) as caught:
        declare()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "parameter",
    [
        "config_schema",
        "resource_defs",
        "hooks",
        "io_manager_def",
        "dagster_type",
        "automation_condition",
        "freshness_policy",
        "is_virtual",
        "pool",
    ],
)
def test_what_is_not_built_names_the_alternative(parameter: str) -> None:
    with pytest.raises(sg.NotSupportedError, match=rf"asset\({parameter}=\.\.\.\) is not built yet\. \w+"):
        named("a", **{parameter: True})


@pytest.mark.parametrize("parameter", ["schedules", "sensors", "executor", "loggers", "component_tree"])
def test_definitions_refuse_what_is_not_built(parameter: str) -> None:
    value = {"x": 1} if parameter == "loggers" else [1]
    with pytest.raises(sg.NotSupportedError, match=parameter):
        sg.Definitions(**{parameter: value})  # type: ignore[arg-type]


def test_async_functions_are_not_built() -> None:
    with pytest.raises(sg.NotSupportedError, match=r"asyncio\.run"):

        @sg.asset
        async def a() -> None: ...
