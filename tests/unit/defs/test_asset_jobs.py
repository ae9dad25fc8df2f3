"""Jobs of assets: resolved against their definitions, run in this process, in part or as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

import segue as sg

PARTS = sg.StaticPartitionsDefinition(["x", "y"])


@sg.asset
def numbers() -> list[int]:
    return [1, 2, 3]


@sg.asset(key_prefix="shop", ins={"given": sg.AssetIn("numbers")}, tags={"kind": "sum"})
def total(given: list[int]) -> int:
    return sum(given)


@sg.asset(deps=[total])
def report() -> None: ...


@sg.asset(partitions_def=PARTS)
def part(context: sg.AssetExecutionContext) -> str:
    return context.partition_key


@sg.asset_check(asset=numbers)
def are_some(numbers: list[int]) -> bool:
    return len(numbers) > 0


def definitions(**more: object) -> sg.Definitions:
    given: dict[str, object] = {
        "assets": [numbers, total, report, part],
        "asset_checks": [are_some],
        "jobs": [
            sg.define_asset_job("all_of_it", ["numbers", "shop/total", "report"], tags={"team": "a"}),
            sg.define_asset_job("sums", sg.AssetSelection.tag("kind", "sum")),
            sg.define_asset_job("parts", [part]),
        ],
    }
    return sg.Definitions(**{**given, **more})  # type: ignore[arg-type]


def made(result: object) -> set[str]:
    events = result.get_asset_materialization_events()  # type: ignore[attr-defined]
    return {event.asset_key.to_user_string() for event in events}


def test_a_job_runs_its_assets_and_their_checks() -> None:
    job = definitions().get_job_def("all_of_it")
    result = job.execute_in_process()
    assert result.success
    assert made(result) == {"numbers", "shop/total", "report"}
    assert result.output_for_node("shop__total") == 6
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    assert result.run.tags["team"] == "a"
    assert result.job_def is not None


def test_a_job_is_a_graph_of_the_functions_behind_its_assets() -> None:
    job = definitions().get_job_def("all_of_it")
    assert {each.name for each in job.graph.node_defs} == {"numbers", "shop__total", "report", "numbers_are_some"}
    assert job.dependencies[sg.NodeInvocation("shop__total")] == {"given": sg.DependencyDefinition("numbers", "result")}


def test_what_is_only_waited_for_is_an_input_of_its_name() -> None:
    @sg.asset(deps=[sg.AssetKey(["shop", "total"]), "numbers"])
    def page() -> None: ...

    @sg.asset_check(asset=page, additional_deps=[numbers])
    def fits() -> bool:
        return True

    assert page.keys_by_input_name == {"shop_total": sg.AssetKey(["shop", "total"]), "numbers": sg.AssetKey("numbers")}
    assert fits.keys_by_input_name == {"page": sg.AssetKey("page"), "numbers": sg.AssetKey("numbers")}
    graph = sg.Definitions([numbers, total, page], asset_checks=[fits]).get_implicit_global_asset_job_def().graph
    assert graph.dependencies[sg.NodeInvocation("page")] == {
        "shop_total": sg.DependencyDefinition("shop__total", "result"),
        "numbers": sg.DependencyDefinition("numbers", "result"),
    }
    assert set(graph.dependencies[sg.NodeInvocation("page_fits")]) == {"page", "numbers"}


def test_a_function_stands_in_the_graph_of_a_job_once_for_each_of_its_turns() -> None:
    @sg.multi_asset(specs=[sg.AssetSpec("first"), sg.AssetSpec("last", deps=["first", "between"])], can_subset=True)
    def ends(context: sg.AssetExecutionContext) -> Iterator[sg.MaterializeResult[None]]:
        for key in context.selected_asset_keys:
            yield sg.MaterializeResult(asset_key=key)

    between = sg.asset(name="between", deps=["first"])(_nothing)
    job = sg.Definitions([ends, between]).get_implicit_global_asset_job_def()
    assert [each.name for each in job.graph.iterate_op_defs()] == ["ends", "between", "ends"]
    assert job.graph.dependencies == {
        sg.NodeInvocation("ends"): {},
        sg.NodeInvocation("between"): {"first": sg.DependencyDefinition("ends", "first")},
        sg.NodeInvocation("ends", "ends_2"): {
            "between": sg.DependencyDefinition("between", "result"),
            "__subset_input__first": sg.DependencyDefinition("ends", "first"),
        },
    }
    part = job.get_subset(asset_selection=["first", "last"])
    assert part.graph.dependencies == {sg.NodeInvocation("ends"): {}}
    assert part.asset_layer.executable_asset_keys == {sg.AssetKey("first"), sg.AssetKey("last")}
    assert part.asset_layer.has(sg.AssetKey("between"))
    assert part.asset_layer.get(sg.AssetKey("last")).computation == "ends"


def _nothing() -> None: ...


@pytest.mark.parametrize(
    ("selection", "expected"),
    [(["numbers"], {"numbers"}), ([sg.AssetKey(["shop", "total"]), "numbers"], {"numbers", "shop/total"})],
)
def test_a_part_of_a_job(selection: Sequence[str], expected: set[str]) -> None:
    job = definitions().get_job_def("all_of_it")
    assert made(job.execute_in_process(asset_selection=selection)) == expected  # type: ignore[arg-type]


def test_what_a_job_does_not_make_is_refused() -> None:
    job = definitions().get_job_def("sums")
    with pytest.raises(sg.InvalidSubsetError, match=r"does not include 'report'; available: shop/total"):
        job.execute_in_process(asset_selection=[sg.AssetKey("report")])
    with pytest.raises(sg.InvalidSubsetError, match="'numbers' was not found; available: shop__total"):
        job.execute_in_process(op_selection=["numbers"])


def test_partitions_of_a_job_are_those_of_its_assets() -> None:
    job = definitions().get_job_def("parts")
    assert job.partitions_def == PARTS
    assert job.execute_in_process(partition_key="y").output_for_node("part") == "y"
    assert definitions().get_job_def("sums").partitions_def is None


def test_the_job_over_everything_is_there_without_being_declared() -> None:
    defs = definitions()
    job = defs.get_implicit_global_asset_job_def()
    assert made(job.execute_in_process(asset_selection=[sg.AssetKey("numbers")])) == {"numbers"}
    assert job.name in {each.name for each in defs.resolve_all_job_defs()}
    assert defs.resolve_implicit_job_def_def_for_assets([sg.AssetKey("nobody's")]) is None


def test_the_job_over_everything_is_there_as_soon_as_there_is_an_asset() -> None:
    external = sg.Definitions([sg.AssetSpec("elsewhere")])
    assert external.has_implicit_global_asset_job_def()
    assert [(job.name, list(job.nodes)) for job in external.resolve_all_job_defs()] == [("__ASSET_JOB", [])]
    empty = sg.Definitions()
    assert not empty.has_implicit_global_asset_job_def()
    assert empty.resolve_all_job_defs() == []
    for asked in (empty.get_implicit_global_asset_job_def, lambda: empty.get_job_def("__ASSET_JOB")):
        with pytest.raises(sg.InvariantViolationError, match=r"'__ASSET_JOB' not found.*none"):
            asked()


def test_a_job_retries_what_names_no_policy_itself() -> None:
    attempts: list[int] = []

    @sg.asset
    def shaky(context: sg.AssetExecutionContext) -> int:
        attempts.append(context.retry_number)
        if context.retry_number == 0:
            raise ValueError("not yet")
        return 1

    job = sg.define_asset_job("j", [shaky], op_retry_policy=sg.RetryPolicy(max_retries=1))
    assert sg.Definitions([shaky], jobs=[job]).get_job_def("j").execute_in_process().success
    assert attempts == [0, 1]


def test_resources_of_the_call_come_before_those_of_the_definitions() -> None:
    @sg.asset(required_resource_keys={"unit"})
    def priced(context: sg.AssetExecutionContext) -> object:
        return context.resources.unit

    defs = sg.Definitions([priced], resources={"unit": "euro"}, jobs=[sg.define_asset_job("j")])
    job = defs.get_job_def("j")
    assert job.execute_in_process().output_for_node("priced") == "euro"
    assert job.execute_in_process(resources={"unit": "yen"}).output_for_node("priced") == "yen"


def test_resources_come_along_with_an_asset() -> None:
    stored: dict[str, object] = {}

    class Shelf(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None:
            stored[context.asset_key.to_user_string()] = obj

        def load_input(self, context: sg.InputContext) -> object:
            return stored[context.asset_key.to_user_string()]

    @sg.asset(resource_defs={"unit": "euro"}, io_manager_def=Shelf())
    def priced(context: sg.AssetExecutionContext) -> object:
        return context.resources.unit

    sg.materialize([priced])
    assert stored == {"priced": "euro"}
    with pytest.raises(sg.InvalidDefinitionError, match=r"resource 'unit' in its resource_defs"):
        sg.Definitions.validate_loadable(sg.Definitions([priced], resources={"unit": "yen"}))


def test_no_such_job() -> None:
    with pytest.raises(sg.InvariantViolationError, match=r"'nope' not found.*available jobs: .*all_of_it"):
        definitions().get_job_def("nope")


def test_definitions_are_found_by_key() -> None:
    defs = definitions()
    assert defs.get_assets_def("shop/total") is total
    assert defs.resolve_assets_def("report") is report
    assert defs.get_asset_checks_def(are_some.check_key) is are_some
    with pytest.raises(sg.InvariantViolationError, match="'nope'"):
        defs.get_assets_def("nope")
    with pytest.raises(sg.InvariantViolationError, match="'numbers:nope'"):
        defs.get_asset_checks_def(sg.AssetCheckKey(numbers.key, "nope"))


def test_specs_are_replaced_by_selection() -> None:
    defs = definitions().map_asset_specs(
        func=lambda spec: spec.replace_attributes(owners=["team:a"]), selection="report"
    )
    owned = [spec.key.to_user_string() for spec in defs.resolve_all_asset_specs() if spec.owners]
    assert owned == ["report"]
    named = sg.map_asset_specs(lambda spec: spec.replace_attributes(group_name="g"), [numbers, sg.AssetSpec("e")])
    assert {spec.group_name for spec in sg.Definitions(named).resolve_all_asset_specs()} == {"g"}


def test_metadata_of_everything_is_updated_at_once() -> None:
    defs = definitions().with_definition_metadata_update(lambda metadata: {**metadata, "from": "here"})
    assert all(spec.metadata == {"from": "here"} for spec in defs.resolve_all_asset_specs())
    assert all("from" in job.metadata for job in defs.resolve_all_job_defs() if job.name != "__ASSET_JOB")


def test_the_config_of_a_job_speaks_of_its_own_functions_alone() -> None:
    @sg.asset(config_schema={"rows": int})
    def table() -> None: ...

    @sg.asset
    def other() -> None: ...

    config = {"ops": {"table": {"config": {"rows": 1}}}}
    both = sg.define_asset_job("both", config=config)
    sg.Definitions.validate_loadable(sg.Definitions([table, other], jobs=[both]))
    one = sg.define_asset_job("one", "other", config=config)
    with pytest.raises(sg.InvalidDefinitionError, match="ops:table: unknown name; available: other"):
        sg.Definitions.validate_loadable(sg.Definitions([table, other], jobs=[one]))


def test_a_job_of_a_part_of_what_is_made_all_at_once_is_refused_when_it_is_loaded() -> None:
    @sg.multi_asset(specs=[sg.AssetSpec("a"), sg.AssetSpec("b")])
    def both() -> None: ...

    @sg.multi_asset(specs=[sg.AssetSpec("c", skippable=True), sg.AssetSpec("d", skippable=True)], can_subset=True)
    def either() -> None: ...

    for kind in (sg.InvalidDefinitionError, sg.InvalidSubsetError):
        with pytest.raises(
            kind, match="Job 'part': 'both' always materializes all of its assets, and the selection leaves out b"
        ):
            sg.Definitions.validate_loadable(
                sg.Definitions(assets=[both], jobs=[sg.define_asset_job("part", selection=["a"])])
            )
        with pytest.raises(kind, match="leaves out a"):
            sg.materialize([both], selection=["b"])
    part = sg.define_asset_job("part", selection=["c", "a", "b"])
    job = sg.Definitions(assets=[both, either], jobs=[part]).resolve_job_def("part")
    assert job.asset_layer.executable_asset_keys == {sg.AssetKey(name) for name in "abc"}
    with pytest.raises(sg.InvalidSubsetError, match="leaves out b"):
        job.get_subset(asset_selection=[sg.AssetKey("a")])


def test_the_graph_of_definitions_knows_the_definitions_behind_it() -> None:
    @sg.asset(deps=["named"])
    def made() -> None: ...

    source = sg.SourceAsset("source")
    graph = sg.Definitions(assets=[made, source, sg.AssetSpec("declared")]).resolve_asset_graph()
    assert {key.to_user_string() for each in graph.assets_defs for key in each.keys} == {"made", "source", "declared"}
    assert graph.assets_def_for_key(made.key) is made
    assert graph.assets_defs_for_keys([made.key, made.key]) == [made]
    assert set(graph.get_all_asset_keys()) == {sg.AssetKey(name) for name in ("made", "named", "source", "declared")}
    with pytest.raises(sg.InvalidSubsetError, match="'named'"):
        graph.assets_def_for_key(sg.AssetKey("named"))


def test_what_a_job_of_assets_makes_in_this_process_can_be_loaded_afterwards() -> None:
    @sg.asset
    def number() -> int:
        return 3

    definitions = sg.Definitions([number], jobs=[sg.define_asset_job("numbers")])
    with sg.Instance.ephemeral() as instance:
        assert definitions.get_job_def("numbers").execute_in_process(instance=instance).success
        assert definitions.load_asset_value("number", instance=instance) == 3
    kept = sg.InMemoryIOManager()
    result = definitions.get_job_def("numbers").execute_in_process(resources={"io_manager": kept})
    assert result.output_for_node("number") == 3
    assert list(kept.values.values()) == [3]


def test_a_job_of_which_no_run_could_make_all_assets_is_refused() -> None:
    @sg.asset(partitions_def=sg.DailyPartitionsDefinition("2024-01-01"))
    def day() -> None: ...

    both = sg.Definitions([part, day, numbers], jobs=[sg.define_asset_job("both", [part, day, numbers])])
    with pytest.raises(
        sg.InvalidDefinitionError, match=r"2 different partitions definitions.*'day' by .*'part' by"
    ) as found:
        both.get_job_def("both")
    assert "'both'" in str(found.value)
    assert sg.Definitions([part, numbers], jobs=[sg.define_asset_job("one", [part, numbers])]).get_job_def("one")
    assert sg.Definitions([part, day]).resolve_implicit_global_asset_job_def().partitions_def is None
