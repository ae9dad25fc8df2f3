"""Arguments that declarations refuse at once, and the kind of error that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg
from segue.errors import WrongTypeError

ONE, OTHER = sg.StaticPartitionsDefinition(["a"]), sg.StaticPartitionsDefinition(["b"])


def function() -> None: ...


def of_input(up: object) -> None: ...


def asset(**arguments: Any) -> sg.AssetsDefinition:
    return sg.asset(**arguments)(function)


def several(**arguments: Any) -> sg.AssetsDefinition:
    return sg.multi_asset(**{"outs": {"a": sg.AssetOut(), "b": sg.AssetOut()}, **arguments})(function)


def of_specs(*specs: sg.AssetSpec, **arguments: Any) -> sg.AssetsDefinition:
    return sg.multi_asset(specs=specs, **arguments)(function)


@sg.op
def one() -> int:
    return 1


@sg.graph
def whole() -> None:
    one()


def in_graph() -> object:
    return one()


def graph_asset(**arguments: Any) -> sg.AssetsDefinition:
    return sg.graph_asset(**arguments)(in_graph)


WRONG_TYPES: dict[str, Callable[[], object]] = {
    "name": lambda: asset(name=5),
    "name in a list": lambda: asset(name=["x"]),
    "key_prefix": lambda: asset(key_prefix=5),
    "hooks": lambda: asset(hooks={"x"}),
    "hooks of a graph": lambda: graph_asset(hooks=5),
    "backfill_policy": lambda: graph_asset(backfill_policy="single"),
    "config of a graph": lambda: graph_asset(config="x"),
    "resource_defs": lambda: asset(resource_defs=5),
    "keys of resource_defs": lambda: asset(resource_defs={1: 2}),
    "resource_defs of a graph": lambda: graph_asset(resource_defs=["x"]),
    "output_required": lambda: asset(output_required="no"),
    "is_virtual": lambda: asset(is_virtual="no"),
    "can_subset": lambda: several(can_subset="no"),
    "can_subset of checks": lambda: sg.multi_asset_check(specs=[sg.AssetCheckSpec("c", asset="a")], can_subset=1)(
        function
    ),  # type: ignore[arg-type]
    "description": lambda: several(description=5),
    "no spec": lambda: of_specs(None),  # type: ignore[arg-type]
    "no AssetOut": lambda: several(outs={"a": None}),
    "no In": lambda: sg.op(ins={"up": None})(of_input),  # type: ignore[dict-item]
    "no Out": lambda: sg.op(out={"a": None})(function),  # type: ignore[dict-item]
    "metadata of a source asset": lambda: sg.SourceAsset("a", metadata="x"),  # type: ignore[arg-type]
    "op_tags of a source asset": lambda: sg.SourceAsset("a", op_tags="x"),  # type: ignore[arg-type]
    "minutes": lambda: sg.SourceAsset("a", auto_observe_interval_minutes="x"),  # type: ignore[arg-type]
    "tags of a job": lambda: whole.to_job(tags="x"),  # type: ignore[arg-type]
    "run_tags of a job": lambda: whole.to_job(run_tags=5),  # type: ignore[arg-type]
    "op_selection": lambda: whole.to_job(op_selection=5),  # type: ignore[arg-type]
    "description of a job": lambda: sg.define_asset_job("j", description=5),  # type: ignore[arg-type]
    "output_name": lambda: sg.DynamicOutput(1, "a", output_name=5),  # type: ignore[arg-type]
    "keys of metadata": lambda: sg.Output(1, metadata={1: 2}),  # type: ignore[dict-item]
}

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "keyword": (lambda: asset(name="class"), "reserved word"),
    "keyword for an op": (lambda: sg.op(name="input")(function), "reserved word"),
    "keyword for an output": (lambda: sg.op(out={"type": sg.Out()})(function), "reserved word"),
    "output of a graph": (lambda: sg.graph(out={"a b": sg.GraphOut()})(lambda: {"a b": one()}), "not a valid name"),
    "pool with white space": (lambda: asset(pool="a b"), "no white space"),
    "pool of a check": (lambda: sg.asset_check(asset="a", pool="a b")(function), "no white space"),
    "two pools": (lambda: asset(pool="p", op_tags={"dagster/concurrency_key": "q"}), "conflicts"),
    "deps twice": (lambda: asset(deps=["a"], non_argument_deps={"b"}), "put all into deps"),
    "different partitions": (
        lambda: of_specs(sg.AssetSpec("a", partitions_def=ONE), sg.AssetSpec("b", partitions_def=OTHER)),
        "can_subset=True",
    ),
    "different groups": (lambda: of_specs(sg.AssetSpec("a", group_name="g"), group_name="h"), "different group names"),
    "a parameter that has no value": (
        lambda: sg.asset(ins={"up": sg.AssetIn(dagster_type=sg.Nothing)})(of_input),
        "remove the parameter",
    ),
}


@pytest.mark.parametrize("declare", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_an_argument_of_a_wrong_type_is_refused_at_once(declare: Callable[[], object]) -> None:
    with pytest.raises(WrongTypeError):
        declare()


@pytest.mark.parametrize(("declare", "word"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_at_once(declare: Callable[[], object], word: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=word):
        declare()


def test_an_empty_prefix_or_key_is_none() -> None:
    assert asset(key_prefix="", name="a").key == asset(key="", name="a").key == sg.AssetKey("a")
    assert several(outs={"a": sg.AssetOut(key_prefix="")}).key == sg.AssetKey("a")
    assert sg.AssetKey("a").with_prefix([]) == sg.AssetKey("a")


def test_one_group_may_be_named_twice() -> None:
    assert of_specs(sg.AssetSpec("a", group_name="g"), sg.AssetSpec("b"), group_name="g").group_names_by_key == {
        sg.AssetKey("a"): "g",
        sg.AssetKey("b"): "g",
    }


def test_the_description_of_a_function_is_that_of_its_assets() -> None:
    given = of_specs(sg.AssetSpec("a"), sg.AssetSpec("b", description="its own"), description="all")
    assert given.descriptions_by_key == {sg.AssetKey("a"): "all", sg.AssetKey("b"): "its own"}


def test_a_check_may_have_a_dot_in_its_name() -> None:
    @sg.asset(check_specs=[sg.AssetCheckSpec("no.nulls", asset="orders"), sg.AssetCheckSpec("config", asset="orders")])
    def orders() -> sg.MaterializeResult[None]:
        return sg.MaterializeResult(
            check_results=[sg.AssetCheckResult(passed=True, check_name=name) for name in ("no.nulls", "config")]
        )

    result = sg.materialize([orders])
    assert [each.check_name for each in result.get_asset_check_evaluations()] == ["no.nulls", "config"]


def test_partitions_may_differ_where_a_run_makes_some_of_the_assets() -> None:
    made = of_specs(sg.AssetSpec("a", partitions_def=ONE), sg.AssetSpec("b", partitions_def=OTHER), can_subset=True)
    assert {spec.key.to_user_string(): spec.partitions_def for spec in made.specs} == {"a": ONE, "b": OTHER}
