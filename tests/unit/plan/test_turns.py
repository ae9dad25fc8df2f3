"""Functions that depend on each other in a cycle although none of their assets do take turns, each making what it can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.plan.plan import Plan, decode_plan, encode_plan
from segue.plan.planner import plan_run


class Share(sg.Config):
    part: int = 1


def function(
    name: str, deps: Mapping[str, Iterable[str]], *, can_subset: bool = True, checks: Iterable[sg.AssetCheckSpec] = ()
) -> sg.AssetsDefinition:
    """A function that makes each of these assets out of others, and says which ones it is asked for."""

    @sg.multi_asset(
        name=name,
        specs=[sg.AssetSpec(key, deps=list(each), skippable=True) for key, each in deps.items()],
        check_specs=list(checks),
        can_subset=can_subset,
    )
    def makes(context: sg.AssetExecutionContext, config: Share) -> Any:
        for key in sorted(context.selected_asset_keys):
            yield sg.MaterializeResult(key, metadata={"part": config.part})
        for check in sorted(context.selected_asset_check_keys):
            yield sg.AssetCheckResult(asset_key=check.asset_key, check_name=check.name, passed=True)

    return makes


def planned(assets: list[sg.AssetsDefinition], keys: Iterable[str] | None = None) -> Plan:
    graph = sg.Definitions(assets=assets).asset_graph
    chosen = set(graph.materializable_keys) if keys is None else {sg.AssetKey(key) for key in keys}
    checks = set(graph.checks) if keys is None else set[sg.AssetCheckKey]()
    return plan_run(graph, chosen, checks, now=datetime(2024, 1, 1, tzinfo=UTC))


def turns(plan: Plan) -> list[tuple[str, str]]:
    return [(step.key, "".join(output.name for output in step.outputs)) for step in plan.steps]


FOO = function("foo", {"a": [], "b": ["a"], "c": ["x"], "d": ["y", "c"]})
X = function("x_maker", {"x": ["b"]}, can_subset=False)
Y = function("y_maker", {"y": ["c"]}, can_subset=False)


def test_a_function_makes_at_each_turn_all_that_it_can() -> None:
    plan = planned([FOO, X, Y])

    assert turns(plan) == [("foo", "ab"), ("x_maker", "x"), ("foo_2", "c"), ("y_maker", "y"), ("foo_3", "d")]
    assert decode_plan(encode_plan(plan)) == plan


def test_a_selection_that_needs_no_turns_has_none() -> None:
    assert turns(planned([FOO, X, Y], "abc")) == [("foo", "abc")]


def test_two_functions_take_turns_with_each_other() -> None:
    check = sg.AssetCheckSpec("after_c", asset="b", additional_deps=["c"])
    one, other = function("one", {"a": [], "c": ["b"]}), function("other", {"b": ["a"], "d": ["c"]}, checks=[check])

    assert [key for key, _ in turns(planned([one, other]))] == ["one", "other", "one_2", "other_2"]
    assert [step.turn for step in planned([one, other]).steps] == [1, 1, 2, 2]


def test_a_later_turn_does_not_take_the_name_of_another_function() -> None:
    keys = [key for key, _ in turns(planned([FOO, X, Y, function("foo_2", {"z": []})]))]

    assert len(set(keys)) == len(keys) == 6


def test_functions_that_cannot_be_divided_are_refused() -> None:
    fixed = function("fixed", {"a": [], "c": ["b"]}, can_subset=False)

    with pytest.raises(sg.InvalidDefinitionError, match="depend on each other in a cycle"):
        planned([fixed, function("other", {"b": ["a"], "d": ["c"]}, can_subset=False)])


def test_all_turns_of_a_function_take_its_config() -> None:
    result = sg.materialize([FOO, X, Y], run_config=sg.RunConfig(ops={"foo": Share(part=7)}))

    made = {
        event.materialization.asset_key: event.materialization.metadata["part"].value
        for event in result.get_asset_materialization_events()
    }
    assert made == {sg.AssetKey(key): 7 if key in "abcd" else 1 for key in "abcdxy"}


def test_values_pass_from_turn_to_turn() -> None:
    @sg.multi_asset(
        outs={key: sg.AssetOut(is_required=False) for key in "ab"},
        ins={"middle": sg.AssetIn()},
        internal_asset_deps={"a": set(), "b": {sg.AssetKey("middle")}},
        can_subset=True,
    )
    def ends(context: sg.AssetExecutionContext, middle: int | None) -> Any:
        if "a" in context.op_execution_context.selected_output_names:
            yield sg.Output(1, "a")
        else:
            yield sg.Output((middle or 0) + 1, "b")

    @sg.asset
    def middle(a: int) -> int:
        return a + 1

    job = sg.Definitions(assets=[ends, middle], resources={"io_manager": Kept()}).get_implicit_global_asset_job_def()
    result = job.execute_in_process()

    assert [result.output_for_node(*each) for each in (("ends", "a"), ("middle",), ("ends_2", "b"))] == [1, 2, 3]
    assert [use.name for use in job.graph.nodes_in_topological_order] == ["ends", "middle", "ends_2"]


class Kept(sg.IOManager):
    """Keeps values, and has none for what was never stored."""

    def __init__(self) -> None:
        self.values: dict[sg.AssetKey, Any] = {}

    def handle_output(self, context: sg.OutputContext, obj: object) -> None:
        self.values[context.asset_key] = obj

    def load_input(self, context: sg.InputContext) -> Any:
        return self.values.get(context.asset_key)


@given(st.data())
def test_any_acyclic_assets_of_divisible_functions_can_be_planned(data: st.DataObject) -> None:
    names = [f"k{number}" for number in range(data.draw(st.integers(1, 9)))]
    deps = {
        key: data.draw(st.sets(st.sampled_from(names[:place])) if place else st.just(set[str]()))
        for place, key in enumerate(names)
    }
    owner = {key: data.draw(st.sampled_from(["one", "two", "three"])) for key in names}
    plan = planned(
        [
            function(name, {key: deps[key] for key in names if owner[key] == name})
            for name in sorted(set(owner.values()))
        ]
    )

    done: set[str] = set()
    for step in plan.steps:
        own = {output.name for output in step.outputs}
        assert all(deps[key] <= done | own for key in own)
        assert not own & done
        done |= own
    assert done == set(names)
