"""What definitions, jobs and subsets of assets say when they are asked for their attributes."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg

A, B, C = map(sg.AssetKey, "abc")


@sg.op
def start() -> int:
    return 1


@sg.op(required_resource_keys={"db"})
def query() -> int:
    return 1


@sg.job
def plain_job() -> None:
    start()


@sg.job
def needy_job() -> None:
    query()


@sg.asset
def table() -> None: ...


def test_the_parts_of_definitions_are_lists() -> None:
    daily = sg.ScheduleDefinition(name="daily", job=plain_job, cron_schedule="@daily")
    defs = sg.Definitions(assets=(table,), schedules=iter([daily]), jobs=[plain_job])
    assert (defs.assets, defs.schedules, defs.jobs) == ([table], [daily], [plain_job])
    assert defs.sensors == defs.asset_checks == []


def test_a_job_that_needs_nothing_of_its_definitions_is_given_as_it_is() -> None:
    defs = sg.Definitions(jobs=[plain_job, needy_job], resources={"db": 5})
    assert defs.get_job_def("plain_job") is plain_job
    assert defs.get_job_def("needy_job").resource_defs == {"db": 5}
    with_manager = sg.Definitions(jobs=[plain_job], resources={"io_manager": sg.mem_io_manager})
    assert with_manager.get_job_def("plain_job").resource_defs == {"io_manager": sg.mem_io_manager}
    with_executor = sg.Definitions(jobs=[plain_job], executor=sg.in_process_executor)
    assert with_executor.get_job_def("plain_job").executor_def is sg.in_process_executor


def test_definitions_give_the_same_job_each_time() -> None:
    defs = sg.Definitions(
        assets=[table], jobs=[needy_job, sg.define_asset_job("every", ["table"])], resources={"db": 5}
    )
    for name in ("needy_job", "every", "__ASSET_JOB"):
        assert defs.get_job_def(name) is defs.get_job_def(name)


def test_jobs_schedules_and_sensors_are_listed_by_name() -> None:
    names = ["b", "c", "a"]
    defs = sg.Definitions(
        assets=[table],
        jobs=[sg.define_asset_job(name) for name in names],
        schedules=[sg.ScheduleDefinition(name=name, job_name="a", cron_schedule="@daily") for name in names],
        sensors=[sg.SensorDefinition(name=f"on_{name}", job_name="a", evaluation_fn=lambda: None) for name in names],
    )
    repository = defs.get_repository_def()
    assert [job.name for job in defs.resolve_all_job_defs()] == ["__ASSET_JOB", "a", "b", "c"]
    assert [job.name for job in repository.get_all_jobs()] == ["__ASSET_JOB", "a", "b", "c"]
    assert [schedule.name for schedule in repository.schedule_defs] == ["a", "b", "c"]
    assert [sensor.name for sensor in repository.sensor_defs] == ["on_a", "on_b", "on_c"]


def test_the_config_of_an_asset_job_is_a_dict() -> None:
    config = sg.RunConfig(ops={"table": {"config": {"n": 1}}})
    assert sg.define_asset_job("all", config=config).config == config.to_config_dict()


SPECS = [sg.AssetSpec("a"), sg.AssetSpec("b", description="its own", deps=["a"])]


@sg.multi_asset(specs=SPECS, description="both")
def of_specs() -> None: ...


@sg.multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut(description="its own")})
def of_outs() -> Any:
    """both"""


@sg.multi_observable_source_asset(specs=[sg.AssetSpec("a"), sg.AssetSpec("b", description="its own")])
def observed() -> Any:
    """both"""


@sg.graph_multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut(description="its own")}, name="graph")
def of_graph() -> Any:
    """both"""
    return {"a": start(), "b": start.alias("other")()}


@pytest.mark.parametrize("definition", [of_specs, of_outs, observed, of_graph], ids=lambda each: each.node_def.name)
def test_an_asset_without_a_description_has_that_of_its_function(definition: sg.AssetsDefinition) -> None:
    assert definition.descriptions_by_key == {A: "both", B: "its own"}
    assert definition.get_asset_spec(A).description == "both"
    graph = sg.Definitions(assets=[definition]).resolve_asset_graph()
    assert [graph.get(key).description for key in (A, B)] == ["both", "its own"]
    assert SPECS[0].description is None


def test_a_definition_keeps_the_group_and_description_of_a_spec() -> None:
    full = sg.AssetSpec("a", group_name="g", description="its own")
    assert full.of_definition("both") is full
    assert sg.AssetSpec("a").of_definition("both") == sg.AssetSpec("a", group_name="default", description="both")


@sg.multi_asset(
    specs=[*SPECS, sg.AssetSpec("c")],
    can_subset=True,
    check_specs=[sg.AssetCheckSpec("fine", asset="a"), sg.AssetCheckSpec("fine", asset="c")],
)
def three(context: sg.AssetExecutionContext) -> Any:
    shown.append(context.assets_def)
    for key in sorted(context.selected_asset_keys):
        yield sg.MaterializeResult(key)
    for check in sorted(context.selected_asset_check_keys):
        yield sg.AssetCheckResult(passed=True, asset_key=check.asset_key, check_name=check.name)


shown: list[sg.AssetsDefinition] = []


def test_a_subset_keeps_the_specs_of_the_whole() -> None:
    part = three.subset_for({B})
    assert part.keys == {B}
    assert [spec.key for spec in part.specs] == list(part.specs_by_key) == list(part.metadata_by_key) == [A, B, C]
    assert part.get_asset_spec(A).key == A
    assert part.key == B
    assert part.dependency_keys == {A}
    assert [source.key for source in part.to_source_assets()] == [B]
    assert part.with_attributes(group_names_by_key={B: "g"}).group_names_by_key == {A: "default", B: "g", C: "default"}


def test_a_function_sees_the_definition_of_what_the_run_asks_for() -> None:
    shown.clear()
    assert sg.materialize([three], selection=["a", "b"]).success
    assert sg.materialize([three]).success
    part, whole = shown
    assert (part.keys, part.check_keys, part.is_subset) == ({A, B}, {sg.AssetCheckKey(A, "fine")}, True)
    assert list(part.keys_by_output_name.values()) == [A, B]
    assert [spec.key for spec in part.specs] == [A, B, C]
    assert (whole.keys, whole.is_subset) == ({A, B, C}, False)


def test_nodes_of_the_graph_say_what_was_declared() -> None:
    @sg.asset(metadata={"rows": 1}, owners=["team:x"], kinds={"sql"}, deps=["other"])
    def described() -> None: ...

    graph = sg.Definitions(assets=[described]).resolve_asset_graph()
    node = graph.get(described.key)
    assert (node.metadata, node.owners, node.kinds) == ({"rows": 1}, ["team:x"], {"sql"})
    assert [each.metadata for each in graph.asset_nodes if each.key == described.key] == [{"rows": 1}]
    other = graph.get(sg.AssetKey("other"))
    assert (other.metadata, other.owners, other.kinds) == ({}, [], set())
