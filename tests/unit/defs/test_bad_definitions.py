"""What cannot be declared: each error says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import segue as sg

HERE = "test_bad_definitions.py:"
DAILY = sg.DailyPartitionsDefinition("2024-01-01")
STATIC = sg.StaticPartitionsDefinition(["x"])
with pytest.warns(DeprecationWarning, match="partitions_def"):
    JOB_BY_LETTER = sg.define_asset_job("j", partitions_def=STATIC)


class Warehouse(sg.ConfigurableResource):
    """A resource."""


def up() -> int:
    return 1


def several(**arguments: object) -> sg.AssetsDefinition:
    @sg.multi_asset(**arguments)  # type: ignore[arg-type]
    def function() -> None: ...

    return function


def named(name: str, **arguments: object) -> sg.AssetsDefinition:
    @sg.asset(name=name, **arguments)  # type: ignore[call-overload]
    def function() -> int:
        return 1

    return function


def taking(name: str, upstream: str, **arguments: str) -> sg.AssetsDefinition:
    @sg.asset(name=name, ins={"value": sg.AssetIn(upstream, **arguments)})  # type: ignore[arg-type]
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
def typed_only(warehouse: OnlyForTypeCheckers) -> None: ...  # type: ignore[name-defined] # noqa: F821


@sg.multi_asset(
    outs={"left": sg.AssetOut(), "right": sg.AssetOut()},
    ins={"middle": sg.AssetIn()},
    internal_asset_deps={"left": set(), "right": {sg.AssetKey("middle")}},
)
def both_ends(middle: int) -> None: ...


@sg.asset
def needs_warehouse(warehouse: sg.ResourceParam[object]) -> None: ...


DEFINITIONS: list[tuple[str, sg.Definitions, Sequence[str]]] = [
    (
        "two of one key",
        sg.Definitions([named("a"), named("a")]),
        ["Duplicate asset key 'a'", HERE, "Rename one"],
    ),
    ("cycle", sg.Definitions([taking("a", "c"), taking("b", "a"), taking("c", "b")]), ["cycle", "a -> b -> c -> a"]),
    (
        "missing upstream",
        sg.Definitions([named("order"), orders]),
        [HERE, "'orderz'", "Did you mean", "'order'", "AssetSpec('orderz')"],
    ),
    (
        "missing resource",
        sg.Definitions([needs_warehouse]),
        [HERE, "resource 'warehouse'", "resources={"],
    ),
    (
        "resource class",
        sg.Definitions([needs_warehouse], resources={"warehouse": Warehouse}),
        ["'warehouse' is the class Warehouse", "Warehouse(...)"],
    ),
    (
        "annotation for type checkers only",
        sg.Definitions([typed_only]),
        [HERE, "'warehouse'", "'OnlyForTypeCheckers'", "TYPE_CHECKING"],
    ),
    (
        "functions that wait for each other",
        sg.Definitions([both_ends, taking("middle", "left")]),
        ["both_ends()", "middle", "split it in two"],
    ),
    (
        "one step name",
        sg.Definitions([named("a-b"), named("a_b")]),
        ["Duplicate step name 'a_b'", HERE, "Rename one"],
    ),
    (
        "input of another IO manager",
        sg.Definitions([sg.AssetSpec("a").with_io_manager_key("lake"), taking("b", "a")]),
        [HERE, "IO manager 'lake'"],
    ),
    (
        "input manager",
        sg.Definitions([named("a"), taking("b", "a", input_manager_key="lake")]),
        [HERE, "IO manager 'lake'"],
    ),
    (
        "check carried and apart",
        sg.Definitions(
            [named("a", check_specs=[sg.AssetCheckSpec("c", asset="a")])], asset_checks=[checking("a", "c")]
        ),
        ["Duplicate asset check 'a:c'", HERE],
    ),
    (
        "partitions of a job",
        sg.Definitions([named("a", partitions_def=DAILY)], jobs=[JOB_BY_LETTER]),
        ["Job 'j'", "partitions_def does not match", "'a'"],
    ),
    (
        "missing IO manager",
        sg.Definitions([named("a", io_manager_key="lake")]),
        [HERE, "IO manager 'lake'"],
    ),
    (
        "IO manager that is none",
        sg.Definitions([named("a", io_manager_key="lake")], resources={"lake": 5}),
        ["'lake'", "int", "handle_output"],
    ),
    ("made and declared", sg.Definitions([named("a"), sg.AssetSpec("a")]), ["'a'", HERE, "keep one"]),
    ("two specs", sg.Definitions([sg.AssetSpec("a"), sg.AssetSpec("a", group_name="g")]), ["'a'", "conflicting"]),
    ("itself", sg.Definitions([sg.AssetSpec("a", deps=["a"])]), ["'a' depends on itself", "partitions"]),
    (
        "two checks",
        sg.Definitions([named("a")], asset_checks=[checking("a", "c"), checking("a", "c")]),
        ["Duplicate asset check 'a:c'", HERE, "Rename one"],
    ),
    (
        "two jobs",
        sg.Definitions([named("a")], jobs=[sg.define_asset_job("j"), sg.define_asset_job("j")]),
        ["Duplicate job name 'j'", "'j'"],
    ),
    (
        "unknown selection",
        sg.Definitions([named("a")], jobs=[sg.define_asset_job("j", selection=["b"])]),
        ["Job 'j'", "b"],
    ),
    (
        "unknown config",
        sg.Definitions([named("a")], jobs=[sg.define_asset_job("j", config={"ops": {"b": {"config": {}}}})]),
        ["Job 'j'", "ops:b", "available: a"],
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
