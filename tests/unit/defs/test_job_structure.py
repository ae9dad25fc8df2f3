"""What a job says of its graph, and the part of it that a selection of steps leaves."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg
from segue.defs.graph_structure import DependencyStructure
from segue.defs.node import NodeInput, NodeOutput
from segue.model.node_handle import NodeHandle

DAYS = sg.StaticPartitionsDefinition(["mon", "tue"])


@sg.success_hook
def told(context: sg.HookContext) -> None: ...


@sg.op(out={"left": sg.Out(int), "right": sg.Out(int)})
def split() -> tuple[int, int]:
    return 1, 2


@sg.op(tags={"kind": "math"}, retry_policy=sg.RetryPolicy(max_retries=2))
def add(x: int, y: int = 10) -> int:
    return x + y


@sg.op
def total(parts: list[int]) -> int:
    return sum(parts)


@sg.graph
def twice(number: int) -> int:
    return add.with_hooks({told}).tag({"use": "inner"})(number, number)


@sg.job(partitions_def=DAYS)
def sums() -> None:
    left, right = split()
    total([left, right, twice(left)])


INNER = NodeHandle.from_path(["twice", "add"])


def test_a_node_is_found_by_its_place() -> None:
    use = sums.get_node(INNER)
    assert (use.name, use.definition, use.describe_node()) == ("add", add, "op 'add'")
    assert use.tags == {"kind": "math", "use": "inner"}
    assert use.inputs() == [NodeInput("add", "x"), NodeInput("add", "y")]
    assert (use.get_input("x"), use.get_output("result")) == (NodeInput("add", "x"), NodeOutput("add", "result"))
    assert sums.graph.get_node(NodeHandle("twice")) == sums.get_node_named("twice")
    assert sums.get_op(INNER) == use
    assert [hook.name for hook in sums.get_all_hooks_for_handle(INNER)] == ["told"]
    assert sums.get_retry_policy_for_handle(INNER) == sg.RetryPolicy(max_retries=2)


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        (NodeHandle("other"), "has no node 'other'; available: split, twice, total"),
        (NodeHandle.from_string("twice.other"), "has no node 'other'; available: add"),
        (NodeHandle.from_string("split.x"), "'split' is an op"),
    ],
)
def test_a_place_that_holds_nothing_is_refused(handle: NodeHandle, words: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=words):
        sums.get_node(handle)


def test_a_graph_is_no_op() -> None:
    with pytest.raises(sg.InvariantViolationError, match="'twice' is a graph"):
        sums.get_op(NodeHandle("twice"))


def test_places_are_named_from_the_outermost_graph() -> None:
    outer = NodeHandle.from_string("a.b")
    inner = outer.with_child(NodeHandle("c"))
    assert (str(inner), inner.root, inner.parent) == ("a.b.c", NodeHandle("a"), outer)
    assert inner.is_or_descends_from(outer)
    assert not outer.is_or_descends_from(inner)
    assert inner.pop(outer) == NodeHandle("c")
    assert inner.pop(inner) is None
    with pytest.raises(sg.InvalidInvocationError, match=r"'a\.b' is not inside 'x'"):
        outer.pop(NodeHandle("x"))


def test_dependencies_are_told_by_input_and_by_output() -> None:
    structure = sums.dependency_structure
    parts, number = NodeInput("total", "parts"), NodeInput("twice", "number")
    left, right, doubled = NodeOutput("split", "left"), NodeOutput("split", "right"), NodeOutput("twice", "result")
    assert isinstance(structure, DependencyStructure)
    assert set(structure.inputs()) == {parts, number}
    assert structure.get_deps_list(parts) == structure.get_fan_in_deps(parts) == [left, right, doubled]
    assert structure.get_direct_dep(number) == left
    assert (structure.has_direct_dep(number), structure.has_fan_in_deps(number)) == (True, False)
    assert structure.has_deps(NodeInput("split", "x")) is False
    assert structure.input_to_upstream_outputs_for_node("twice") == {number: [left]}
    assert structure.output_to_downstream_inputs_for_node("split") == {left: [number, parts], right: [parts]}
    assert structure.all_upstream_outputs_from_node("total") == [left, right, doubled]
    with pytest.raises(sg.InvariantViolationError, match="'parts' of 'total' takes a MultiDependencyDefinition"):
        structure.get_direct_dep(parts)


def test_a_collected_dynamic_output_is_told() -> None:
    @sg.op(out=sg.DynamicOut(int))
    def many() -> Any:
        yield sg.DynamicOutput(1, "a")

    @sg.graph
    def collected() -> None:
        total(many().collect())

    parts = NodeInput("total", "parts")
    structure = collected.dependency_structure
    assert structure.has_dynamic_fan_in_dep(parts)
    assert structure.get_dynamic_fan_in_dep(parts) == NodeOutput("many", "result")


def test_a_graph_tells_where_its_inputs_and_outputs_lie() -> None:
    assert (
        twice.get_input_mapping("number").maps_to
        == sg.InputMapping(graph_input_name="number", mapped_node_name="add", mapped_node_input_name="x").maps_to
    )
    assert twice.get_output_mapping("result").mapped_node_name == "add"
    with pytest.raises(sg.InvariantViolationError, match="no output 'other'"):
        twice.get_output_mapping("other")


def test_a_job_tells_its_partitions() -> None:
    assert sums.get_partition_keys() == ["mon", "tue"]
    assert sums.get_tags_for_partition_key("mon") == {"dagster/partition": "mon"}
    assert sums.get_run_config_for_partition_key("mon") == {}
    sums.validate_partition_key("tue")
    with pytest.raises(sg.UnknownPartitionError, match="'wed'"):
        sums.validate_partition_key("wed")
    with pytest.raises(sg.InvalidInvocationError, match="has no assets"):
        sums.get_partition_keys({sg.AssetKey("a")})
    with pytest.raises(sg.InvalidInvocationError, match="not partitioned"):
        twice.to_job(input_values={"number": 1}).get_partition_keys()


def test_config_by_partition_gives_config_and_tags() -> None:
    config = sg.PartitionedConfig(
        DAYS,
        run_config_for_partition_key_fn=lambda key: {"ops": {"day": {"config": key}}},
        tags_for_partition_key_fn=lambda key: {"day": key},
    )

    @sg.op(config_schema=str)
    def day(context: sg.OpExecutionContext) -> str:
        return context.op_config

    @sg.job(config=config)
    def daily() -> None:
        day()

    assert daily.get_tags_for_partition_key("mon") == {"day": "mon", "dagster/partition": "mon"}
    assert daily.get_run_config_for_partition_key("tue") == {"ops": {"day": {"config": "tue"}}}


def test_a_job_of_assets_tells_what_it_makes() -> None:
    @sg.asset(partitions_def=DAYS)
    def first() -> int:
        return 1

    @sg.asset
    def second() -> int:
        return 2

    job = sg.Definitions(assets=[first, second], jobs=[sg.define_asset_job("both")]).get_job_def("both")
    assert job.asset_layer.executable_asset_keys == {first.key, second.key}
    assert (job.asset_selection, sums.asset_layer.executable_asset_keys) == (None, frozenset())
    part = job.get_subset(asset_selection=[second.key])
    assert part.asset_selection == part.asset_layer.selected_asset_keys == {second.key}
    assert part.asset_check_selection == frozenset()
    assert job.get_partition_keys({first.key}) == ["mon", "tue"]


def test_a_part_of_a_job_holds_the_selected_steps_alone() -> None:
    part = sums.get_subset(op_selection=["*twice"])
    assert (part.op_selection, part.resolved_op_selection) == ({"*twice"}, {"split", "twice.add"})
    assert part.graph.node_names() == ["split", "twice"]
    assert part.is_subset
    assert part.execute_in_process(partition_key="mon").output_for_node("twice") == 2
    assert sums.get_subset(op_selection=["*"]).graph.node_names() == sums.graph.node_names()
    with pytest.raises(sg.InvalidSubsetError, match=r"step 'other' was not found; available: split, total, twice\.add"):
        sums.get_subset(op_selection=["other"])


def test_what_a_part_takes_of_the_others_comes_from_the_run_config() -> None:
    part = sums.get_subset(op_selection=["twice.add"])
    assert not part.dependency_structure.inputs()
    config = {"ops": {"twice": {"inputs": {"number": {"value": 4}}}}}
    assert part.execute_in_process(run_config=config, partition_key="mon").output_for_node("twice") == 8


def test_a_list_keeps_the_elements_that_are_selected() -> None:
    part = sums.get_subset(op_selection=["split", "total"])
    result = part.execute_in_process(partition_key="mon")
    assert result.output_for_node("total") == 3


def test_a_job_of_ops_takes_no_condition_on_assets() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="define_asset_job") as raised:
        twice.to_job(input_values={"number": 1}, automation_condition=sg.AutomationCondition.eager())
    assert isinstance(raised.value, TypeError)


def test_a_job_tells_its_types_pools_places_and_resources() -> None:
    @sg.op(pool="db", required_resource_keys={"db"})
    def rows() -> list[int]:
        return [1]

    @sg.op
    def size(of: list[int]) -> float:
        return float(len(of))

    @sg.graph
    def inner() -> float:
        return size(rows())

    @sg.job(
        resource_defs={
            "db": sg.ResourceDefinition.hardcoded_resource(1),
            "unused": sg.ResourceDefinition.none_resource(),
        }
    )
    def sized() -> None:
        inner()

    names = {each.display_name for each in sized.all_dagster_types()}
    assert names == {"Any", "Bool", "Float", "Int", "Nothing", "String", "[Int]"}
    assert [each.display_name for each in size.all_input_output_types()] == ["[Int]", "Int", "Float"]
    assert (sized.graph.pools, size.pools) == ({"db"}, set())
    assert [str(handle) for handle in sized.graph.iterate_node_handles()] == ["inner", "inner.rows", "inner.size"]
    assert list(sized.get_required_resource_defs()) == ["db"]
    assert [sized.has_node(name) for name in ("inner", "rows", "other")] == [True, True, False]


def test_steps_that_could_start_at_the_same_time_start_in_the_order_of_their_names() -> None:
    @sg.job
    def several() -> None:
        last = add.alias("last")
        late, early = split.alias("late")(), split.alias("early")()
        last(late.left, early.left)
        add.alias("first")(late.left, late.right)

    result = several.execute_in_process()
    order = ["early", "late", "first", "last"]
    assert [use.name for use in several.nodes_in_topological_order] == order
    assert [event.step_key for event in result.get_step_success_events()] == order


def test_runs_of_a_graph_keep_its_tags_beside_their_own() -> None:
    @sg.graph(tags={"team": "a"})
    def tagged() -> None:
        split()

    job = tagged.to_job(run_tags={"size": "big"})
    assert dict(job.run_tags) == {"team": "a", "size": "big"}
