"""Assets behind graphs: each op a step, the output that the graph returns an asset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import segue as sg

K = sg.AssetKey
DAYS = sg.StaticPartitionsDefinition(["mon", "tue"])


@sg.op
def read(source: int) -> int:
    return source + 1


@sg.op
def double(value: int) -> int:
    return value * 2


@sg.op
def is_even(value: int) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=value % 2 == 0)


@sg.asset
def source() -> int:
    return 20


@sg.graph_asset(group_name="g", tags={"t": "1"})
def cooked(source: int) -> int:
    """Made in two steps."""
    return double(read(source))


@sg.asset
def eaten(cooked: int) -> int:
    return cooked + 100


def steps(result: sg.ExecuteInProcessResult) -> list[str]:
    return [event.step_key or "" for event in result.get_step_success_events()]


def test_each_op_is_a_step_between_the_assets_around_it() -> None:
    result = sg.materialize([eaten, cooked, source])
    assert steps(result) == ["source", "cooked.read", "cooked.double", "eaten"]
    assert [result.asset_value(key) for key in ("cooked", "eaten")] == [42, 142]
    assert result.output_for_node("cooked") == 42
    assert result.output_for_node("cooked.read") == 21
    assert [each.asset_key for each in result.asset_materializations_for_node("cooked.double")] == [K("cooked")]
    assert result.asset_materializations_for_node("cooked.read") == []


def test_it_is_described_like_any_asset() -> None:
    spec = cooked.get_asset_spec()
    assert (spec.group_name, spec.tags, spec.description) == ("g", {"t": "1"}, "Made in two steps.")
    assert cooked.dependency_keys == {K("source")}
    assert cooked.get_op_def_for_asset_key(K("cooked")) is double


def test_what_a_graph_makes_is_loaded_when_it_was_made_before() -> None:
    instance = sg.Instance.ephemeral()
    sg.materialize([cooked, source], instance=instance)
    result = sg.materialize([eaten, cooked, source], instance=instance, selection=[eaten])
    assert steps(result) == ["eaten"]
    assert result.asset_value("eaten") == 142


def test_a_graph_waits_for_what_it_only_depends_on() -> None:
    order: list[str] = []

    @sg.op
    def build() -> int:
        order.append("built")
        return 1

    @sg.graph_asset
    def built() -> int:
        return build()

    @sg.asset
    def first() -> None:
        order.append("first")

    after = built.map_asset_specs(lambda spec: spec.merge_attributes(deps=[first]))
    sg.materialize([after, first])
    assert order == ["first", "built"]


def test_checks_of_a_graph_are_ops_of_it() -> None:
    @sg.graph_asset(check_specs=[sg.AssetCheckSpec("even", asset="checked")])
    def checked(source: int) -> dict[str, object]:
        value = double(read(source))
        return {"result": value, "checked_even": is_even(value)}

    result = sg.materialize([checked, source])
    assert result.asset_value("checked") == 42
    assert [(each.check_name, each.passed) for each in result.get_asset_check_evaluations()] == [("even", True)]


def test_config_of_its_ops_stands_below_it() -> None:
    @sg.op(config_schema={"by": int})
    def add(context: sg.OpExecutionContext) -> int:
        return context.op_config["by"]

    @sg.graph_asset
    def added() -> int:
        return add()

    config = {"ops": {"added": {"ops": {"add": {"config": {"by": 5}}}}}}
    assert sg.materialize([added], run_config=config).asset_value("added") == 5
    with pytest.raises(sg.InvalidConfigError, match="added"):
        sg.materialize([added], run_config={"ops": {"added": {"ops": {"nope": {"config": {}}}}}})


def test_a_config_mapping_hides_its_ops() -> None:
    @sg.op(config_schema={"by": int})
    def add(context: sg.OpExecutionContext) -> int:
        return context.op_config["by"]

    @sg.config_mapping(config_schema={"twice": int})
    def mapping(config: dict[str, int]) -> dict[str, object]:
        return {"add": {"config": {"by": config["twice"] * 2}}}

    @sg.graph_asset(config=mapping)
    def added() -> int:
        return add()

    result = sg.materialize([added], run_config={"ops": {"added": {"config": {"twice": 4}}}})
    assert result.asset_value("added") == 8


def test_each_step_makes_the_partition_of_the_run() -> None:
    @sg.op
    def day(context: sg.OpExecutionContext) -> str:
        return context.partition_key

    @sg.graph_asset(partitions_def=DAYS, key_prefix=["a"])
    def daily() -> str:
        return day()

    result = sg.materialize([daily], partition_key="tue")
    assert result.asset_value("a/daily") == "tue"
    event = result.get_asset_materialization_events()[0]
    assert (event.step_key, event.partition) == ("a__daily.day", "tue")


RAN: list[str] = []


@sg.op(out={"x": sg.Out(is_required=False), "y": sg.Out(is_required=False)})
def split(context: sg.OpExecutionContext) -> Iterator[sg.Output[str]]:
    RAN.append(",".join(sorted(context.selected_output_names)))
    for name in sorted(context.selected_output_names):
        yield sg.Output(name, name)


@sg.op
def join(x: str, y: str) -> str:
    RAN.append("join")
    return x + y


@sg.graph_multi_asset(
    outs={"x": sg.AssetOut(), "y": sg.AssetOut(), "both": sg.AssetOut(key=["p", "both"])}, can_subset=True
)
def several() -> dict[str, object]:
    x, y = split()
    return {"x": x, "y": y, "both": join(x, y)}


@pytest.mark.parametrize(
    ("selection", "ran", "made"),
    [
        (["x"], ["x"], ["x"]),
        (["p/both"], ["join"], ["p/both"]),  # from the assets as they were made before
        (["x", "p/both"], ["x", "join"], ["p/both", "x"]),
        (["x", "y"], ["x,y"], ["x", "y"]),
        (["x", "y", "p/both"], ["x,y", "join"], ["p/both", "x", "y"]),
    ],
)
def test_a_part_of_a_graph_runs_the_ops_that_it_needs(
    selection: Sequence[str], ran: Sequence[str], made: Sequence[str]
) -> None:
    with sg.instance_for_test() as instance:
        sg.materialize([several], instance=instance)
        RAN.clear()
        result = sg.materialize([several], selection=list(selection), instance=instance)
    assert ran == RAN
    keys = [event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key]
    assert sorted(keys) == made


def test_an_op_of_a_graph_knows_the_assets_that_it_takes_and_whether_all_are_asked_for() -> None:
    seen: list[tuple[str, bool]] = []

    @sg.op(out={"kept": sg.Out(), "inner": sg.Out(is_required=False)})
    def first(context: sg.OpExecutionContext) -> Iterator[sg.Output[int]]:
        for name in sorted(context.selected_output_names):
            yield sg.Output(1, name)

    @sg.op(ins={"before": sg.In(sg.Nothing), "beside": sg.In(sg.Nothing)})
    def then(context: sg.OpExecutionContext) -> None:
        seen.append((context.asset_key_for_input("before").to_user_string(), context.is_subset))

    @sg.graph_multi_asset(outs={"one": sg.AssetOut(), "two": sg.AssetOut()}, can_subset=True)
    def pair() -> tuple[object, object]:
        kept, inner = first()
        return kept, then(before=kept, beside=inner)

    assert sg.materialize([pair]).success
    result = sg.materialize([pair], selection=["two"])
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [K("two")]
    assert seen == [("one", False), ("one", True)]


def test_a_graph_that_stands_by_itself_becomes_assets() -> None:
    @sg.graph(out={"small": sg.GraphOut(), "big": sg.GraphOut()})
    def sizes(number: int) -> dict[str, object]:
        small = read(number)
        return {"small": small, "big": double(small)}

    made = sg.AssetsDefinition.from_graph(
        sizes,
        keys_by_input_name={"number": K("source")},
        keys_by_output_name={"big": K("large")},
        key_prefix="n",
        internal_asset_deps={"big": {K(["n", "small"])}},
        group_name="numbers",
        owners_by_output_name={"small": ["team:a"]},
    )
    assert made.keys_by_output_name == {"small": K(["n", "small"]), "big": K(["n", "large"])}
    assert made.asset_deps == {K(["n", "small"]): {K("source")}, K(["n", "large"]): {K(["n", "small"])}}
    assert made.specs_by_key[K(["n", "small"])].owners == ["team:a"]
    assert sg.materialize([made, source]).asset_value("n/large") == 42


def test_an_op_that_stands_by_itself_becomes_assets() -> None:
    made = sg.AssetsDefinition.from_op(double, keys_by_input_name={"value": K("source")}, group_name="g")
    assert made.key == K("double")
    assert sg.materialize([made, source]).asset_value("double") == 40


BAD = [
    ({"keys_by_output_name": {"nope": K("a")}}, "keys_by_output_name includes 'nope', not found"),
    ({"internal_asset_deps": {"nope": {K("a")}}}, "internal_asset_deps includes an unknown output 'nope'"),
    ({"group_name": "g", "group_names_by_output_name": {"result": "h"}}, "were both provided"),
    ({"keys_by_input_name": {"nope": K("a")}}, "keys_by_input_name includes 'nope', not found"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[row[1] for row in BAD])
def test_what_does_not_fit_the_graph(arguments: dict[str, object], words: str) -> None:
    @sg.graph
    def numbers(number: int) -> int:
        return double(read(number))

    with pytest.raises(sg.InvalidDefinitionError, match=words):
        sg.AssetsDefinition.from_graph(numbers, **arguments)  # type: ignore[arg-type]


def test_ops_that_nothing_needs_are_refused() -> None:
    @sg.graph
    def loose() -> int:
        is_even(read())
        return double()

    with pytest.raises(sg.InvalidDefinitionError, match=r"leaf nodes .*loose\.is_even|loose\.is_even.*leaf nodes"):
        sg.AssetsDefinition.from_graph(loose)


def test_resources_and_io_managers_of_ops_must_be_given() -> None:
    @sg.op(required_resource_keys={"unit"}, out=sg.Out(io_manager_key="shelf"))
    def price(context: sg.OpExecutionContext) -> object:
        return context.resources.unit

    @sg.graph_asset
    def priced() -> object:
        return price()

    with pytest.raises(sg.DefinitionErrors) as caught:
        sg.Definitions.validate_loadable(sg.Definitions([priced]))
    assert "'unit'" in str(caught.value)
    assert "'shelf'" in str(caught.value)

    @sg.graph_asset(resource_defs={"unit": "euro", "shelf": sg.InMemoryIOManager()})
    def bought() -> object:
        return price()

    assert sg.materialize([bought]).asset_value("bought") == "euro"


def test_a_failed_graph_is_retried_from_the_step_that_failed() -> None:
    ready: list[bool] = []

    @sg.op
    def shaky(value: int) -> int:
        if not ready:
            raise ValueError("not yet")
        return value

    @sg.graph_asset
    def made(source: int) -> int:
        return shaky(read(source))

    defs = sg.Definitions([made, source], jobs=[sg.define_asset_job("j")])
    result = defs.get_job_def("j").execute_in_process(raise_on_error=False)
    assert result.get_failed_step_keys() == {"made.shaky"}


def test_a_graph_takes_turns_where_one_of_its_ops_must() -> None:
    ran: list[str] = []

    @sg.op(out={"x": sg.Out(is_required=False), "y": sg.Out(is_required=False)}, config_schema={"step": int})
    def both(context: sg.OpExecutionContext, between: int) -> Iterator[sg.Output[int]]:
        for name in sorted(context.selected_output_names):
            ran.append(name)
            yield sg.Output(1 if name == "x" else between + context.op_config["step"], name)

    @sg.op
    def twice(value: int) -> int:
        return 2 * value

    @sg.graph(out={"x": sg.GraphOut(), "y": sg.GraphOut()})
    def ends(between: int) -> dict[str, object]:
        x, y = both(between)
        return {"x": x, "y": twice(y)}

    @sg.asset
    def between(x: int) -> int:
        return x * 10

    made = sg.AssetsDefinition.from_graph(
        ends, internal_asset_deps={"x": set(), "y": {K("between"), K("x")}}, can_subset=True
    )
    with sg.instance_for_test() as instance:
        sg.materialize(
            [sg.asset(name="between")(lambda: 0)], instance=instance
        )  # the first turn takes what was there before
        config = {"ops": {"ends": {"ops": {"both": {"config": {"step": 5}}}}}}
        result = sg.materialize([made, between], run_config=config, instance=instance)
    assert ran == ["x", "y"]
    assert result.output_for_node("ends_2.twice") == 30
    assert {event.step_key for event in result.all_events if event.step_key} == {
        "ends.both",
        "between",
        "ends_2.both",
        "ends_2.twice",
    }


def test_what_an_op_says_of_its_output_is_metadata_of_the_asset_too() -> None:
    @sg.op(out=sg.Out(metadata={"unit": "mm", "source": "gauge"}))
    def measured() -> int:
        return 3

    @sg.graph_asset(metadata={"unit": "cm"})
    def rain() -> int:
        return measured()

    @sg.graph_multi_asset(outs={"snow": sg.AssetOut(metadata={"kept": True})})
    def more() -> Any:
        return {"snow": measured()}

    assert rain.metadata_by_key == {rain.key: {"unit": "cm", "source": "gauge"}}
    assert more.metadata_by_key == {sg.AssetKey("snow"): {"unit": "mm", "source": "gauge", "kept": True}}
    by_op = sg.AssetsDefinition.from_op(measured, metadata_by_output_name={"result": {"source": "radar"}})
    assert by_op.metadata_by_key == {sg.AssetKey("measured"): {"unit": "mm", "source": "radar"}}


@pytest.mark.parametrize("is_graph", [True, False])
def test_an_input_without_a_value_needs_no_declared_asset(is_graph: bool) -> None:
    @sg.op(ins={"start": sg.In(sg.Nothing)})
    def begins() -> int:
        return 1

    @sg.graph
    def begins_later(start):  # type: ignore[no-untyped-def]
        return begins(start)

    from_op, from_graph = sg.AssetsDefinition.from_op, sg.AssetsDefinition.from_graph
    made = from_graph(begins_later) if is_graph else from_op(begins)
    assert made.keys_by_input_name == {"start": sg.AssetKey("start")}
    assert sg.materialize([made]).success
    assert sg.Definitions(assets=[made]).asset_graph.nodes[sg.AssetKey("start")].is_external
