"""`@repository`, the older form of `Definitions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg
import segue.compat.dagster as dg
from segue.compat.repository import RepositoryDefinition
from segue.compat.repository_data import RepositoryData


@sg.op
def one() -> int:
    return 1


@sg.graph
def ones() -> None:
    one()


@sg.job
def nightly() -> None:
    one()


@sg.asset
def table() -> int:
    return 5


@sg.asset_check(asset=table)
def large(table: int) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=table > 3)


TABLES = sg.define_asset_job("tables", [table])
DAILY = sg.ScheduleDefinition(job=TABLES, cron_schedule="@daily")


@sg.sensor(job=nightly)
def watch() -> None:
    return None


@dg.repository(description="all of it", metadata={"team": "a"})
def everything() -> list[Any]:
    return [nightly, [table, large], ones, DAILY, watch]


def test_a_list_of_definitions_is_sorted_by_kind() -> None:
    repo = everything()
    assert (repo.name, repo.description) == ("everything", "all of it")
    assert repo.metadata == {"team": sg.MetadataValue.text("a")}
    assert sorted(repo.job_names) == ["__ASSET_JOB", "nightly", "ones", "tables"]
    assert repo.get_schedule_def("tables_schedule") is DAILY
    assert repo.has_sensor_def("watch")
    assert not repo.has_schedule_def("other")
    assert list(repo.assets_defs_by_key) == [sg.AssetKey("table")]
    assert list(repo.asset_checks_defs_by_key) == [sg.AssetCheckKey(sg.AssetKey("table"), "large")]
    repo.load_all_definitions()
    with pytest.raises(
        sg.InvariantViolationError, match="'other' not found in this repository; available jobs: __ASSET_JOB"
    ):
        repo.get_job("other")


def test_a_repository_lists_what_it_has() -> None:
    repo = everything()
    assert list(repo.schedule_defs) == [DAILY]
    assert list(repo.sensor_defs) == [watch]
    assert set(repo.asset_graph.get_all_asset_keys()) == {sg.AssetKey("table")}
    assert repr(repo) == "RepositoryDefinition('everything')"

    @dg.repository
    def furnished() -> list[Any]:
        return dg.with_resources([needy], {"api": sg.ResourceDefinition.hardcoded_resource(1)})

    assert not repo.get_top_level_resources()
    assert furnished().get_job("__ASSET_JOB").execute_in_process().output_for_node("needy") == 1


@sg.asset(required_resource_keys={"api"})
def needy(context: sg.AssetExecutionContext) -> int:
    return context.resources.api


class OwnData(RepositoryData):
    """A repository that finds its jobs itself."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def get_all_jobs(self) -> list[sg.JobDefinition]:
        if self.broken:
            raise sg.InvalidDefinitionError("no jobs today")
        return [nightly]


def test_data_of_ones_own_is_loaded_as_a_whole() -> None:
    @dg.repository
    def own() -> RepositoryData:
        return OwnData()

    assert own().job_names == ["nightly"]
    own().load_all_definitions()
    with pytest.raises(sg.InvalidDefinitionError, match="no jobs today"):
        OwnData(broken=True).load_all_definitions()


def test_its_jobs_run_also_those_of_assets() -> None:
    assert everything.get_job("ones").execute_in_process().output_for_node("one") == 1
    result = everything.get_job("tables").execute_in_process()
    assert result.asset_value("table") == 5
    assert result.run.job_name == "tables"
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    assert everything.get_job("__ASSET_JOB").execute_in_process().success


def test_it_is_taken_where_definitions_are() -> None:
    assert isinstance(everything, sg.Definitions)
    assert {job.name for job in everything.manifest.jobs} >= {"nightly", "ones", "tables"}
    assert everything.get_assets_def("table") is table


def test_functions_in_a_dict_are_called_when_their_name_is_asked_for() -> None:
    called: list[str] = []

    def make(name: str) -> Callable[[], sg.JobDefinition]:
        def job() -> sg.JobDefinition:
            called.append(name)
            return ones.to_job(name=name)

        return job

    @dg.repository
    def lazy() -> dict[str, Any]:
        return {"jobs": {"a": make("a"), "b": make("b"), "wrong": lambda: ones.to_job(name="c")}}

    assert lazy.job_names == ["a", "b", "wrong"]
    assert not called
    assert lazy.get_job("a") is lazy.get_job("a")
    assert called == ["a"]
    with pytest.raises(sg.InvalidDefinitionError, match="name 'c' does not match its key 'wrong'"):
        lazy.get_job("wrong")


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ([nightly, ones.to_job(name="nightly")], "duplicate job name 'nightly'"),
        ([nightly, [[table]]], "nested too deeply"),
        ([5], "returned 5, which is not a job"),
        ("x", "returned a str"),
        ({"pipelines": {}}, "'pipelines'; expected jobs, schedules, sensors"),
        ({"jobs": {"a": 5}}, r"jobs\['a'\] must be a job"),
    ],
)
def test_what_cannot_be_is_refused_at_once(returned: Any, words: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=words):
        dg.repository(name="bad")(lambda: returned)


def test_data_of_the_user_s_own() -> None:
    class Data(RepositoryData):
        def get_all_jobs(self) -> list[sg.JobDefinition]:
            return [nightly]

    repo = dg.repository(name="own")(Data)
    assert isinstance(repo, RepositoryDefinition)
    assert repo.has_job("nightly")
    assert repo.get_schedule_def is not None
    assert [job.name for job in repo.manifest.jobs] == ["nightly"]
    with pytest.raises(sg.InvariantViolationError, match="Sensor 'x' not found"):
        repo.get_sensor_def("x")


def test_definitions_give_jobs_of_assets_by_name() -> None:
    definitions = sg.Definitions(assets=[table], asset_checks=[large], jobs=[TABLES])
    job = definitions.get_job_def("tables")
    assert (job.is_asset_job, job.name) == (True, "tables")
    assert job.execute_in_process(asset_selection=[sg.AssetKey("table")]).asset_value("table") == 5
    assert [each.name for each in definitions.resolve_all_job_defs()] == ["__ASSET_JOB", "tables"]
    with pytest.raises(sg.InvalidSubsetError, match="does not include 'other'"):
        job.execute_in_process(asset_selection=[sg.AssetKey("other")])
    assert job.execute_in_process(op_selection=["table"]).asset_value("table") == 5
    assert sg.Definitions(assets=[table], jobs=[job]).get_job_def("tables").execute_in_process().success


def test_the_arguments_of_definitions_under_a_name() -> None:
    repo = dg.create_repository_using_definitions_args("named", assets=[table], jobs=dg.BindResourcesToJobs([TABLES]))
    assert repo.name == "named"
    assert repo.get_job("tables").execute_in_process().success


def test_a_graph_that_a_sensor_starts_too_is_one_job() -> None:
    with pytest.warns(DeprecationWarning, match="'ones' as a job is superseded"):

        @sg.sensor(job=ones)
        def watch_ones() -> None:
            return None

    @dg.repository
    def both() -> list[Any]:
        return [ones, watch_ones]

    assert both.job_names == ["ones"]
    assert both.get_job("ones").execute_in_process().success


def test_jobs_that_stand_in_a_dict_are_checked_where_it_is_declared() -> None:
    @sg.op(required_resource_keys={"warehouse"})
    def needy() -> None: ...

    @sg.graph
    def loads() -> None:
        needy()

    with pytest.raises(sg.InvalidDefinitionError, match="resource 'warehouse'"):
        dg.repository(name="bad")(lambda: {"jobs": {"loads": loads}})
    with pytest.raises(sg.InvalidDefinitionError, match="nowhere"):
        dg.repository(name="bad")(lambda: {"jobs": {"some": sg.define_asset_job("some", selection="nowhere")}})
    later = dg.repository(name="later")(lambda: {"jobs": {"loads": lambda: loads}})
    with pytest.raises(sg.InvalidDefinitionError, match="resource 'warehouse'"):
        later.get_all_jobs()


def test_schedules_and_sensors_in_a_dict_name_jobs_of_the_repository() -> None:
    @sg.sensor(job_name="gone")
    def watch_gone() -> None:
        return None

    daily = sg.ScheduleDefinition(name="daily", job_name="gone", cron_schedule="@daily")

    @dg.repository
    def lazy() -> dict[str, Any]:
        return {
            "jobs": {"nightly": nightly},
            "sensors": {"watch_gone": watch_gone},
            "schedules": {"daily": lambda: daily},
        }

    with pytest.raises(
        sg.InvalidDefinitionError, match=r"sensor 'watch_gone' requires the job 'gone'.*available jobs: nightly"
    ):
        lazy.get_sensor_def("watch_gone")
    with pytest.raises(sg.InvalidDefinitionError, match="schedule 'daily' requires the job 'gone'"):
        lazy.get_schedule_def("daily")
    with pytest.raises(sg.InvalidDefinitionError, match="'gone'"):
        lazy.load_all_definitions()


def test_one_name_for_a_schedule_and_a_sensor_in_a_dict_is_refused_when_all_is_loaded() -> None:
    daily = sg.ScheduleDefinition(name="watch", job=nightly, cron_schedule="@daily")

    @dg.repository
    def lazy() -> dict[str, Any]:
        return {"jobs": {"nightly": nightly}, "sensors": {"watch": lambda: watch}, "schedules": {"watch": daily}}

    assert lazy.get_sensor_def("watch") is watch
    with pytest.raises(sg.InvalidDefinitionError, match="'watch'"):
        lazy.load_all_definitions()


def test_definitions_are_a_repository_where_one_is_asked_for() -> None:
    outside = dg.SourceAsset("outside")
    defs = dg.Definitions(assets=[table, outside], jobs=[TABLES], metadata={"team": "a"})

    repo = defs.get_repository_def()
    listed = dg.repository(name="listed")(lambda: [table, outside, TABLES])

    assert repo.job_names == listed.job_names == ["__ASSET_JOB", TABLES.name]
    assert repo.metadata == {"team": sg.MetadataValue.text("a")}
    for each in (repo, listed):
        assert set(each.assets_defs_by_key) == {table.key}
        assert set(each.source_assets_by_key) == {outside.key}
        assert each.get_job(TABLES.name).execute_in_process().success
    with pytest.raises(sg.InvalidDefinitionError, match="Duplicate asset key"):
        dg.Definitions(assets=[table, table.with_resources({"unit": 1})]).get_repository_def()


def test_resources_of_listed_assets_are_asked_for_with_the_jobs() -> None:
    @sg.asset(required_resource_keys={"missing"})
    def needy() -> None: ...

    @sg.resource(required_resource_keys={"deeper"})
    def shallow() -> None: ...

    @sg.asset(resource_defs={"shallow": shallow})
    def deep() -> None: ...

    @sg.asset(resource_defs={"shallow": sg.ResourceDefinition.hardcoded_resource(1)})
    def other() -> None: ...

    for assets, words in (([needy], "'missing'"), ([deep], "'deeper'"), ([deep, other], "has a resource 'shallow'")):
        repo = dg.repository(name="listed")(lambda given=assets: given)
        assert set(repo.assets_defs_by_key) == {each.key for each in assets}
        with pytest.raises(sg.InvalidDefinitionError, match=words):
            repo.get_all_jobs()
    with pytest.raises(sg.InvalidDefinitionError, match="Duplicate asset key"):
        dg.repository(name="twice")(lambda: [needy, needy.with_resources({"missing": 1})])


@pytest.mark.parametrize("kind", ["schedule", "sensor"])
def test_a_target_that_bears_the_name_of_another_job_is_refused_with_who_starts_it(kind: str) -> None:
    twin = ones.to_job(name="nightly")
    starter: Any = sg.SensorDefinition("starter", job=twin, evaluation_fn=lambda: None)
    if kind == "schedule":
        starter = sg.ScheduleDefinition("starter", job=twin, cron_schedule="@daily")
    with pytest.raises(sg.InvalidDefinitionError, match=f"the {kind} 'starter' targets a job named 'nightly'"):
        dg.repository(name="twins")(lambda: [nightly, starter])
    with pytest.raises(sg.InvalidDefinitionError, match="is that of the sensor 'watch'"):
        dg.repository(name="twins")(lambda: [watch, sg.SensorDefinition("other", job=twin, evaluation_fn=lambda: None)])


def test_a_repository_knows_the_job_over_all_assets() -> None:
    found = sg.Definitions(assets=[table, sg.AssetSpec("feed")], jobs=[nightly]).get_repository_def()
    (name,) = found.get_implicit_asset_job_names()
    job = found.get_implicit_job_def_for_assets([table.key])
    assert job is not None
    assert job.name == name
    assert found.get_implicit_job_def_for_assets([sg.AssetKey("feed")]) is None
    assert list(sg.Definitions(jobs=[nightly]).get_repository_def().get_implicit_asset_job_names()) == []


def test_a_repository_has_the_sensor_over_conditions_that_no_other_evaluates() -> None:
    @sg.asset(automation_condition=sg.AutomationCondition.eager())
    def followed() -> None: ...

    repo = sg.Definitions(assets=[followed, table]).get_repository_def()
    sensor = repo.get_sensor_def("default_automation_condition_sensor")
    assert isinstance(sensor, sg.AutomationConditionSensorDefinition)
    assert (sensor.asset_selection, sensor.minimum_interval_seconds) == (sg.AssetSelection.all(), 30)
    own = sg.AutomationConditionSensorDefinition("own", target="*")
    assert [
        each.name for each in sg.Definitions(assets=[followed], sensors=[own]).get_repository_def().sensor_defs
    ] == ["own"]
    assert sg.Definitions(assets=[table]).get_repository_def().sensor_defs == []


def test_a_repository_gives_parts_of_jobs() -> None:
    repo = dg.create_repository_using_definitions_args("named", assets=[table, large], jobs=[TABLES])
    part = repo.get_maybe_subset_job_def("tables", asset_selection={sg.AssetKey("table")})
    assert part.execute_in_process().asset_value("table") == 5
    assert repo.get_maybe_subset_job_def("tables").name == "tables"
    with pytest.raises(sg.InvalidSubsetError, match="'other'"):
        repo.get_maybe_subset_job_def("tables", op_selection=["other"])


def test_repository_data_names_the_jobs_with_automation_conditions() -> None:
    condition = sg.AutomationCondition.any_job_root_assets_match(sg.AutomationCondition.eager())
    followed = sg.define_asset_job("followed", selection=[table], automation_condition=condition)
    data = dg.create_repository_using_definitions_args("named", assets=[table], jobs=[TABLES, followed]).repository_data
    assert [node.name for node in data.get_asset_job_nodes()] == ["followed"]
