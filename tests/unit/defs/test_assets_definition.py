"""`AssetsDefinition`: what there is to read of it, and copies with other attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pydantic
import pytest

import segue as sg
import segue.compat.dagster as dg

K = sg.AssetKey


@sg.multi_asset(
    outs={
        "a": sg.AssetOut(io_manager_key="shelf", owners=["team:x"]),
        "b": sg.AssetOut(key=["p", "b"], is_required=False),
    },
    ins={"source": sg.AssetIn("up")},
    internal_asset_deps={"a": {K("up")}, "b": {K("a")}},
    check_specs=[sg.AssetCheckSpec("good", asset="a")],
    can_subset=True,
)
def pair(source: int) -> tuple[int, int]:
    return source, source


@sg.asset(deps=["shop.orders", sg.AssetKey(["deep", "my-table"])])
def waits() -> None: ...


@sg.asset_check(asset="shop.orders")
def looks() -> bool:
    return True


READ: list[tuple[str, Callable[[], object], object]] = [
    ("keys", lambda: pair.keys, {K("a"), K(["p", "b"])}),
    ("inputs", lambda: pair.keys_by_input_name, {"source": K("up"), "__subset_input__a": K("a")}),
    ("inputs by key", lambda: pair.input_names_by_node_key, {K("up"): "source", K("a"): "__subset_input__a"}),
    ("inputs of a part", lambda: pair.subset_for({K("a")}, None).keys_by_input_name, {"source": K("up")}),
    ("inputs of the other part", lambda: pair.subset_for({K(["p", "b"])}, None).input_names, ["__subset_input__a"]),
    (
        "inputs of what it only waits for",
        lambda: waits.keys_by_input_name,
        {"shop_orders": K("shop.orders"), "deep_my_table": K(["deep", "my-table"])},
    ),
    ("input of a check", lambda: looks.keys_by_input_name, {"shop_orders": K("shop.orders")}),
    ("outputs", lambda: pair.keys_by_output_name, {"a": K("a"), "b": K(["p", "b"])}),
    ("output of a check", lambda: pair.get_output_name_for_asset_check_key(pair.check_key), "a_good"),
    ("output of an asset", lambda: pair.get_output_name_for_asset_key(K("a")), "a"),
    ("deps", lambda: pair.asset_deps, {K("a"): {K("up")}, K(["p", "b"]): {K("a")}}),
    ("upstream", lambda: pair.get_upstream_input_keys(frozenset([K(["p", "b"])])), {K("up")}),
    ("owners", lambda: pair.owners_by_key[K("a")], ["team:x"]),
    ("IO manager", lambda: pair.get_io_manager_key_for_asset_key(K("a")), "shelf"),
    ("default IO manager", lambda: pair.get_io_manager_key_for_asset_key(K(["p", "b"])), "io_manager"),
    ("op", lambda: pair.get_op_def_for_asset_key(K("a")), pair.op),
    ("node", lambda: pair.node_def and pair.node_def.name, pair.op.name),
    ("all", lambda: len(pair.asset_and_check_keys), 3),
    ("checks of", lambda: pair.get_checks_targeting_keys(frozenset([K("a")])), {pair.check_key}),
    ("spec of check", lambda: pair.get_spec_for_check_key(pair.check_key).name, "good"),
    ("kinds of run", lambda: (pair.is_materializable, pair.is_executable, pair.is_external), (True, True, False)),
]


@pytest.mark.parametrize(("read", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_what_there_is_to_read(read: Callable[[], object], expected: object) -> None:
    assert read() == expected


def test_a_subset_makes_only_what_is_selected() -> None:
    part = pair.subset_for({K("a"), K("elsewhere")}, None)
    assert part.keys == {K("a")}
    assert part.check_keys == pair.check_keys
    assert part.is_subset
    assert set(part.node_keys_by_output_name) == {"a", "b"}
    assert pair.subset_for(pair.keys, None) is pair


def test_what_makes_all_at_once_has_no_subsets() -> None:
    @sg.multi_asset(specs=[sg.AssetSpec("x"), sg.AssetSpec("y")])
    def both() -> None: ...

    with pytest.raises(sg.InvalidInvocationError, match="can_subset=False"):
        both.subset_for({K("x")}, None)


def test_attributes_go_by_the_present_keys() -> None:
    changed = pair.with_attributes(
        asset_key_replacements={K("a"): K("aa"), K("up"): K("higher")},
        group_names_by_key={K("a"): "g"},
        tags_by_key={K("a"): {"t": "1"}},
        metadata_by_key={K(["p", "b"]): {"m": 1}},
        automation_condition=sg.AutomationCondition.eager(),
    )
    spec = changed.specs_by_key[K("aa")]
    assert (spec.group_name, spec.tags) == ("g", {"t": "1"})
    assert [dep.asset_key for dep in spec.deps] == [K("higher")]
    assert changed.keys_by_input_name["source"] == K("higher")
    assert [key.asset_key for key in changed.check_keys] == [K("aa")]
    assert changed.metadata_by_key[K(["p", "b"])] == {"m": 1}
    assert len(changed.automation_conditions_by_key) == 2
    with pytest.raises(sg.InvalidDefinitionError, match="already in the group 'g'"):
        changed.with_attributes(group_names_by_key={K("aa"): "other"})
    with pytest.raises(sg.InvalidDefinitionError, match="already has an automation condition"):
        changed.with_attributes(automation_condition=sg.AutomationCondition.on_missing())


def test_a_definition_as_source_assets() -> None:
    source = pair.to_source_asset("a")
    assert source == sg.SourceAsset("a", io_manager_key="shelf", tags={}, metadata={})
    assert [each.key for each in pair.to_source_assets()] == [K("a"), K(["p", "b"])]


def test_an_op_and_keys_make_a_definition() -> None:
    @sg.op(out={"x": sg.Out(), "y": sg.Out(io_manager_key="shelf", is_required=False)})
    def both(given: int) -> tuple[int, int]:
        return given, given + 1

    definition = sg.AssetsDefinition(
        node_def=both,
        keys_by_input_name={"given": K("up")},
        keys_by_output_name={"x": K("x"), "y": K("yy")},
        asset_deps={K("yy"): {K("x")}},
        group_names_by_key={K("x"): "g"},
    )
    assert definition.asset_deps == {K("x"): {K("up")}, K("yy"): {K("x")}}
    assert definition.get_io_manager_key_for_asset_key(K("yy")) == "shelf"
    assert definition.specs_by_key[K("yy")].skippable
    assert definition.group_names_by_key == {K("x"): "g", K("yy"): "default"}


def test_kinds_stand_among_the_tags() -> None:
    spec = sg.AssetSpec("a", kinds={"sql"}, tags={"t": "1", "dagster/kind/view": ""})
    assert spec.kinds == {"sql", "view"}
    assert spec.tags == {"t": "1", "dagster/kind/sql": "", "dagster/kind/view": ""}
    assert spec.replace_attributes(tags={"u": "2"}).tags == {"u": "2", "dagster/kind/sql": "", "dagster/kind/view": ""}
    assert spec.replace_attributes(kinds={"new"}).tags == {"t": "1", "dagster/kind/new": ""}
    assert spec.replace_attributes(kinds=None).tags == {"t": "1"}
    assert spec.merge_attributes(kinds={"new"}).kinds == {"sql", "view", "new"}
    assert sg.AssetOut(kinds={"sql"}).tags == {"dagster/kind/sql": ""}
    made = sg.asset(name="a", kinds={"sql", "view"})(lambda: 1)
    graph = sg.Definitions([made]).asset_graph
    assert sg.AssetSelection.tag("dagster/kind/sql", "").resolve(graph) == {K("a")}
    assert sg.AssetSelection.kind("view").resolve(graph) == {K("a")}
    with pytest.raises(sg.InvalidDefinitionError, match="at most 10 kinds, got 12"):
        sg.AssetSpec(
            "a", kinds={f"k{number}" for number in range(6)}, tags={f"dagster/kind/t{n}": "" for n in range(6)}
        )


def test_groups_stand_in_groups() -> None:
    north, sales = (
        sg.asset(name=name, group_name=group)(lambda: 1) for name, group in (("a", "sales/north"), ("b", "sales"))
    )
    graph = sg.Definitions([north, sales]).asset_graph
    assert sg.AssetSelection.groups("sales/north").resolve(graph) == {K("a")}
    assert sg.AssetSelection.from_string("group:sales/north").resolve(graph) == {K("a")}
    assert sg.AssetSelection.groups("sales").resolve(graph) == {K("b")}


def test_the_same_spec_twice_is_one_asset() -> None:
    spec = sg.AssetSpec("a", group_name="g")
    assert sg.AssetsDefinition(specs=[spec, spec]).keys == {K("a")}
    assert sg.Definitions([spec, spec]).resolve_all_asset_specs() == [spec]
    assert set(sg.Definitions([spec, sg.AssetSpec("a", group_name="g")]).asset_graph.nodes) == {K("a")}
    with pytest.raises(sg.InvalidDefinitionError, match="conflicting"):
        sg.Definitions([spec, sg.AssetSpec("a")]).resolve_all_asset_specs()


def test_a_function_without_assets_is_not_run() -> None:
    @sg.multi_asset()
    def idle() -> None:
        raise AssertionError

    a = sg.asset(name="a")(lambda: 1)
    assert idle.keys == set()
    assert sg.Definitions([a, idle]).get_implicit_global_asset_job_def().execute_in_process().success


def test_an_output_that_internal_deps_leave_out_is_made_from_nothing() -> None:
    @sg.multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut()}, internal_asset_deps={"a": {K("up")}})
    def both(up: int) -> tuple[int, int]:
        return up, 1

    assert both.asset_deps == {K("a"): {K("up")}, K("b"): set()}


def test_specs_are_fields_of_models() -> None:
    class Holder(pydantic.BaseModel):
        spec: sg.AssetSpec
        more: Sequence[sg.AssetSpec] = ()

    spec = sg.AssetSpec("a")
    assert Holder(spec=spec, more=[spec]).more == [spec]
    with pytest.raises(pydantic.ValidationError):
        Holder(spec="a")  # type: ignore[arg-type]


def test_superseded_policies_are_read_as_what_they_became() -> None:
    eager, policy = sg.AutomationCondition.eager(), sg.FreshnessPolicy.time_window(timedelta(hours=1))
    spec = sg.AssetSpec("a", automation_condition=eager, freshness_policy=policy)
    assert (spec.auto_materialize_policy, spec.legacy_freshness_policy) == (eager, policy)
    out = sg.AssetOut(automation_condition=eager, freshness_policy=policy, is_virtual=True)
    assert (out.auto_materialize_policy, out.legacy_freshness_policy, out.is_virtual) == (eager, policy, True)
    definition = sg.AssetsDefinition(specs=[spec, sg.AssetSpec("b")])
    assert definition.auto_materialize_policies_by_key == {K("a"): eager}
    assert definition.legacy_freshness_policies_by_key == {K("a"): policy}


def test_superseded_policies_are_taken_by_output_and_by_key() -> None:
    @sg.op(out={"x": sg.Out(), "y": sg.Out()})
    def both() -> tuple[int, int]:
        return 1, 2

    @sg.graph(out={"x": sg.GraphOut(), "y": sg.GraphOut()})
    def graph() -> dict[str, object]:
        x, y = both()
        return {"x": x, "y": y}

    eager, on_cron = sg.AutomationCondition.eager(), sg.AutomationCondition.on_cron("@daily")
    said: dict[str, object] = {
        "automation_conditions_by_output_name": {"y": on_cron},
        "auto_materialize_policies_by_output_name": {"x": dg.AutoMaterializePolicy.eager()},
    }
    translated = dg.AutoMaterializePolicy.eager().to_automation_condition()
    for made in (sg.AssetsDefinition.from_graph(graph, **said), sg.AssetsDefinition.from_op(both, **said)):  # type: ignore[arg-type]
        assert made.automation_conditions_by_key == {K("x"): translated, K("y"): on_cron}
    with pytest.raises(sg.InvalidDefinitionError, match="and auto_materialize_policy were both provided"):
        sg.AssetsDefinition.from_op(both, **{**said, "automation_conditions_by_output_name": {"x": eager}})  # type: ignore[arg-type]

    by_key = sg.AssetsDefinition(
        node_def=both,
        keys_by_output_name={"x": K("x"), "y": K("y")},
        auto_materialize_policies_by_key={K("x"): dg.AutoMaterializePolicy.eager()},
        legacy_freshness_policies_by_key={K("y"): dg.LegacyFreshnessPolicy(maximum_lag_minutes=5)},
    )
    hours = sg.FreshnessPolicy.time_window(timedelta(minutes=5))
    assert by_key.automation_conditions_by_key == {K("x"): translated}
    assert by_key.specs_by_key[K("y")].freshness_policy == hours
    old = sg.SourceAsset("a", legacy_freshness_policy=dg.LegacyFreshnessPolicy(maximum_lag_minutes=5))
    assert old.to_spec().freshness_policy == hours


def test_a_source_asset_names_the_io_manager_that_it_brings_along() -> None:
    manager = sg.InMemoryIOManager()
    assert sg.SourceAsset("a", io_manager_def=manager).io_manager_def is manager
    assert sg.SourceAsset("a", io_manager_key="shelf").io_manager_def is None


def test_the_result_of_an_observation_finds_its_checks_by_name() -> None:
    good = sg.AssetCheckResult(passed=True, check_name="good")
    result = sg.ObserveResult(check_results=[good])
    assert result.check_result_named("good") is good
    with pytest.raises(sg.InvariantViolationError, match="'bad'"):
        result.check_result_named("bad")


BAD: list[tuple[str, dict[str, object], str]] = [
    ("neither", {}, "neither node_def nor specs"),
    ("input", {"keys_by_input_name": {"nope": K("a")}}, "keys_by_input_name includes 'nope', not found"),
    (
        "output",
        {"keys_by_output_name": {"nope": K("a")}},
        "keys_by_output_name includes 'nope', not found; available: x, y",
    ),
    ("twice", {"keys_by_output_name": {"x": K("a"), "y": K("a")}}, "both have the asset key 'a'"),
    ("deps", {"asset_deps": {K("x"): {K("nope")}}}, "includes 'nope', which is neither"),
    (
        "mapping",
        {"partition_mappings": {K("nope"): sg.LastPartitionMapping()}},
        "partition mapping for 'nope', which is not",
    ),
]


@pytest.mark.parametrize(("arguments", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_does_not_fit_the_op(arguments: dict[str, object], words: str) -> None:
    @sg.op(out={"x": sg.Out(), "y": sg.Out()})
    def both() -> None: ...

    node = {"node_def": both} if arguments else {}
    with pytest.raises(sg.InvalidDefinitionError, match=words):
        sg.AssetsDefinition(**node, **arguments)  # type: ignore[arg-type]


def test_source_assets_are_made_elsewhere_and_loaded_from() -> None:
    class Constant(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None: ...

        def load_input(self, context: sg.InputContext) -> int:
            return 41

    @sg.asset
    def after(rates: int) -> int:
        return rates + 1

    rates = sg.SourceAsset("rates", io_manager_def=Constant(), metadata={"unit": "euro"}, group_name="g")
    assert sg.materialize([after, rates]).asset_value("after") == 42
    node = sg.Definitions([after, rates]).asset_graph.nodes[rates.key]
    assert (node.is_external, node.group_name, "unit" in node.metadata) == (True, "g", True)


def test_resources_are_taken_as_far_as_they_are_needed() -> None:
    @sg.asset(required_resource_keys={"unit"})
    def priced(context: sg.AssetExecutionContext) -> object:
        return context.resources.unit

    bound = priced.with_resources({"unit": "euro", "other": 1})
    assert bound.resource_defs == {"unit": "euro"}
    assert sg.materialize([bound]).asset_value("priced") == "euro"
    with pytest.raises(sg.InvalidInvocationError, match="'unit'"):
        bound.with_resources({"unit": "yen"})


def test_two_different_dependencies_on_one_asset_are_both_kinds_of_error() -> None:
    for kind in (sg.InvalidDefinitionError, sg.InvariantViolationError):
        with pytest.raises(kind, match="duplicate dependency on 'a'"):
            sg.AssetSpec("b", deps=["a", sg.AssetDep("a", partition_mapping=sg.LastPartitionMapping())])


def test_an_input_may_stand_in_deps_with_what_the_dependency_says() -> None:
    mapping = sg.LastPartitionMapping()

    @sg.asset(deps=["first", sg.AssetDep("second", partition_mapping=mapping, metadata={"why": "newest"})])
    def both(first: int, second: int) -> int:
        return first + second

    deps = {dep.asset_key.to_user_string(): dep for dep in both.specs_by_key[both.key].deps}
    assert list(deps) == ["first", "second"]
    assert (deps["first"].partition_mapping, deps["second"].partition_mapping) == (None, mapping)
    assert deps["second"].metadata == {"why": "newest"}
    assert both.keys_by_input_name == {"first": sg.AssetKey("first"), "second": sg.AssetKey("second")}


def test_what_a_definition_needs_is_told_with_the_managers_of_its_values() -> None:
    @sg.asset(
        io_manager_key="lake", required_resource_keys={"clock"}, ins={"rain": sg.AssetIn(input_manager_key="feed")}
    )
    def wet(context: sg.AssetExecutionContext, rain: int) -> int:
        return rain

    @sg.op(out=sg.Out(io_manager_key="desk"), required_resource_keys={"pen"})
    def draft() -> int:
        return 1

    @sg.op
    def final(draft: int) -> int:
        return draft

    @sg.graph_asset
    def letter() -> int:
        return final(draft())

    assert wet.required_resource_keys == {"lake", "clock", "feed"}
    assert letter.required_resource_keys == {"pen", "desk", "io_manager"}
    assert sg.AssetsDefinition(specs=[sg.AssetSpec("elsewhere")]).required_resource_keys == set()
    assert sg.SourceAsset("stored", io_manager_key="lake").required_resource_keys == {"lake"}


def test_an_output_of_what_is_not_there_is_not_found() -> None:
    assert pair.get_output_name_for_asset_key(K("a")) in pair.keys_by_output_name
    with pytest.raises(sg.InvariantViolationError, match="has no asset 'nope'"):
        pair.get_output_name_for_asset_key(K("nope"))
    with pytest.raises(sg.InvariantViolationError, match="has no check 'a:nope'"):
        pair.get_output_name_for_asset_check_key(sg.AssetCheckKey(K("a"), "nope"))
