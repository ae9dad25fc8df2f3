"""What graphs, jobs and the uses of ops in them answer, and how outputs are refused that have no value yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg


@sg.success_hook
def told(context: sg.HookContext) -> None:
    context.log.info("done")


@sg.op(ins={"number": sg.In(int)}, out={"one": sg.Out(int), "two": sg.Out(int, is_required=False)})
def split(number: int) -> Any:
    yield sg.Output(number + 1, "one")


@sg.op
def source() -> int:
    return 1


@sg.op
def total(numbers: list[int]) -> int:
    return sum(numbers)


@sg.graph
def halves(number: int) -> int:
    one, _two = split(number)
    return total([one, source()])


@sg.graph(ins={"numbers": sg.GraphIn()}, out={"sum": sg.GraphOut()})
def outer(numbers: Any) -> Any:
    return {"sum": total(numbers)}


@sg.job(description="all of it")
def whole() -> None:
    halves.alias("upper")(source())
    split.alias("lower")(source.alias("other")())


def names(parts: Any) -> list[str]:
    return sorted(part.name for part in parts)


def test_a_graph_knows_its_nodes_and_what_comes_in_and_goes_out() -> None:
    assert sorted(halves.node_dict) == ["source", "split", "total"]
    assert halves.has_node_named("split")
    assert not halves.has_node_named("upper")
    assert halves.config_mapping is None
    assert halves.node_dict["split"].name == "split"
    (way_in,) = halves.input_mappings
    assert not way_in.maps_to_fan_in
    assert (way_in.maps_to.node_name, way_in.maps_to.input_name) == ("split", "number")
    assert "number" in way_in.describe()
    (way_out,) = halves.output_mappings
    assert (way_out.maps_from.node_name, way_out.maps_from.output_name) == ("total", "result")


def test_a_job_knows_its_nodes_on_top_and_inside() -> None:
    assert names(whole.nodes_in_topological_order) == ["lower", "other", "source", "upper"]
    order = [node.name for node in whole.nodes_in_topological_order]
    assert order.index("source") < order.index("upper")
    assert order.index("other") < order.index("lower")
    assert names(whole.top_level_node_defs) == ["halves", "source", "split"]
    assert names(whole.all_node_defs) == ["halves", "source", "split", "total"]
    assert whole.node_def_named("total") is total
    assert whole.has_node_named("upper")
    assert not whole.has_node_named("halves")
    with pytest.raises(sg.InvalidInvocationError, match="nothing_like_it"):
        whole.node_def_named("nothing_like_it")


def test_a_job_of_ops_has_no_assets_to_select() -> None:
    assert not whole.is_asset_job
    assert (whole.asset_selection, whole.asset_check_selection) == (None, None)
    assert "whole" in whole.describe_target()


def test_a_part_of_a_job_of_assets_knows_its_selection() -> None:
    @sg.asset
    def a() -> int:
        return 1

    @sg.asset
    def b() -> int:
        return 1

    job = sg.Definitions(assets=[a, b], jobs=[sg.define_asset_job("both")]).resolve_job_def("both")
    assert job.is_asset_job
    assert (job.asset_selection, job.asset_check_selection) == (None, None)
    part = job.get_subset(asset_selection={a.key})
    assert part.asset_selection == {a.key}
    assert not part.asset_check_selection


def test_values_given_for_the_inputs_of_a_job_are_found_by_name() -> None:
    job = outer.to_job(input_values={"numbers": [1, 2]})
    assert job.has_direct_input_value("numbers")
    assert job.get_direct_input_value("numbers") == [1, 2]
    assert not job.has_direct_input_value("others")
    with pytest.raises(sg.InvalidInvocationError, match="'others'"):
        job.get_direct_input_value("others")
    assert job.execute_in_process().output_value("sum") == 3


def test_copies_of_a_job_have_other_hooks_and_metadata() -> None:
    assert whole.with_metadata({"n": 1}).metadata == {"n": sg.MetadataValue.int(1)}
    assert whole.with_hooks({told}).hook_defs == {told}
    assert (whole.metadata, whole.hook_defs) == ({}, frozenset())
    with pytest.raises(sg.InvalidDefinitionError, match="hook"):
        whole.with_hooks({source})


def test_a_job_is_not_called() -> None:
    with pytest.raises(sg.InvariantViolationError, match="execute_in_process"):
        whole()


def test_the_use_of_an_op_knows_its_inputs_and_outputs() -> None:
    node = whole.get_node_named("lower")
    assert set(node.input_dict) == {"number"}
    assert set(node.output_dict) == {"one", "two"}
    assert (node.has_input("number"), node.has_input("one")) == (True, False)
    assert (node.has_output("two"), node.has_output("number")) == (True, False)
    assert node.input_def_named("number").dagster_type.display_name == "Int"
    assert not node.output_def_named("two").is_required
    assert [each.output_name for each in node.outputs()] == ["one", "two"]
    with pytest.raises(sg.InvalidInvocationError, match="'three'"):
        node.input_def_named("three")


def test_what_an_input_takes_is_found_by_input() -> None:
    structure = halves.dependency_structure
    (numbers,) = halves.node_dict["total"].inputs()
    found = structure.get_dependency_definition(numbers)
    assert isinstance(found, sg.MultiDependencyDefinition)
    assert [(each.node, each.output) for each in found.get_node_dependencies()] == [
        ("split", "one"),
        ("source", "result"),
    ]
    assert list(found.get_dependencies_and_mappings()) == list(found.get_node_dependencies())
    (number,) = whole.get_node_named("lower").inputs()
    assert whole.dependency_structure.get_dependency_definition(number) == sg.DependencyDefinition("other", "result")


def test_an_op_gives_its_function() -> None:
    assert source.compute_fn() == 1


# -- calls with a name, tags or hooks of their own


def test_a_graph_with_an_alias_becomes_a_job_of_that_name() -> None:
    @sg.graph
    def lone() -> int:
        return source()

    pending = lone.alias("named").tag({"team": "blue"}).with_hooks({told})
    assert isinstance(pending, sg.PendingNodeInvocation)
    assert "lone" in repr(pending)
    assert "'named'" in repr(pending)
    job = pending.to_job()
    assert (job.name, dict(job.tags), job.hook_defs) == ("named", {"team": "blue"}, {told})
    assert pending.to_job(name="other").name == "other"
    assert pending.execute_in_process().output_for_node("source") == 1
    with pytest.raises(sg.InvalidDefinitionError, match="hook"):
        lone.with_hooks({source})


def test_an_op_with_an_alias_becomes_no_job() -> None:
    pending = source.alias("named")
    for refused in (pending.to_job, pending.execute_in_process):
        with pytest.raises(sg.InvalidInvocationError, match="not a graph"):
            refused()


@sg.op(out=sg.DynamicOut())
def many() -> Any:
    yield sg.DynamicOutput(1, "a")


@pytest.mark.parametrize(
    ("misuse", "cure"),
    [
        (lambda: list(source()), "DynamicOut"),
        (lambda: source()[0], "inside an op"),
        (lambda: source().alias("late"), r"source\.alias\('late'\)"),
        (lambda: list(many()), r"\.map\(fn\)"),
        (lambda: many()[0], r"\.collect\(\)"),
        (lambda: many().alias("late"), r"many\.alias\('late'\)"),
        (lambda: many().map(lambda each: each[0]), "inside an op"),
    ],
)
def test_an_output_without_value_is_not_taken_for_one(misuse: Callable[[], Any], cure: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=cure):

        @sg.graph
        def wrong() -> None:
            misuse()
