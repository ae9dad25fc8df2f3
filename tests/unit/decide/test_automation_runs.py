"""Conditions that look at runs."""

from __future__ import annotations

import pytest
from automation_scenarios import DAYS, LETTERS, C, Step, asset, evaluate, made, requested

import segue as dg
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter


def run_of(*names: str, tags: dict[str, str] | None = None) -> Step:
    """The step in which a run makes these assets."""

    def step(instance: dg.Instance) -> None:
        assert dg.materialize([asset(name) for name in names], instance=instance, tags=tags).success

    return step


def recorded(status: RunStatus, partition: str | None = None) -> Step:
    """The step in which a run for `x` is recorded in a status."""

    def step(instance: dg.Instance) -> None:
        run = Run(
            run_id="a-run",
            job_name="job",
            status=status,
            asset_selection=frozenset({dg.AssetKey("x")}),
            partition_start=partition,
            partition_end=partition,
            created_at=100.0,
        )
        instance.store.create_run(run, b"{}", b"{}", [])
        assert instance.store.list_runs(RunsFilter(statuses=(status,)), None, None)

    return step


STATUSES = {
    RunStatus.NOT_STARTED: False,
    RunStatus.QUEUED: True,
    RunStatus.STARTING: True,
    RunStatus.STARTED: True,
    RunStatus.CANCELING: True,
    RunStatus.SUCCESS: False,
    RunStatus.FAILURE: False,
}


@pytest.mark.parametrize(("status", "is_active"), STATUSES.items())
def test_what_a_run_is_still_to_make_is_in_progress(status: RunStatus, is_active: bool) -> None:
    assert requested([asset("x", C.in_progress())], "x", recorded(status)) == [{None} if is_active else set()]


def test_only_the_partition_of_the_run_is_in_progress() -> None:
    assets = [asset("x", C.run_in_progress(), partitions=LETTERS)]
    assert requested(assets, "x", recorded(RunStatus.STARTED, "b")) == [{"b"}]
    failed = [asset("x", C.execution_failed(), partitions=LETTERS)]
    assert requested(failed, "x", recorded(RunStatus.FAILURE, "b"), made("x", "b")) == [{"b"}, set()]


def test_a_failed_run_counts_until_the_asset_is_made() -> None:
    @dg.asset(automation_condition=C.execution_failed())
    def x() -> None: ...

    @dg.asset(name="x")
    def broken() -> None:
        raise ValueError("no")

    def fail(instance: dg.Instance) -> None:
        assert not dg.materialize([broken], instance=instance, raise_on_error=False).success

    assert requested([x], "x", None, fail, None, made("x")) == [set(), {None}, {None}, set()]


def test_an_update_by_a_run_that_makes_the_target_too_is_no_reason() -> None:
    assets = [asset("up"), asset("x", C.any_deps_updated(), ["up"])]
    assert requested(assets, "x", None, run_of("up"), run_of("up", "x")) == [set(), {None}, set()]


def test_tags_of_runs() -> None:
    one, two = {"k": "1"}, {"k": "2"}
    assets = [
        asset("latest", C.executed_with_tags(tag_values=one)),
        asset("any", C.any_new_update_has_run_tags(tag_values=one)),
        asset("all", C.all_new_updates_have_run_tags(tag_keys={"k"}, tag_values=one)),
    ]
    names = ["latest", "any", "all"]

    def both(instance: dg.Instance) -> None:
        for tags in (one, two):
            step = run_of(*names, tags=tags)
            assert callable(step)
            step(instance)

    results = evaluate(assets, None, both, run_of(*names, tags=one), None)
    counts = [[each.get_num_requested(dg.AssetKey(name)) for name in names] for each in results]
    assert counts == [[0, 0, 0], [0, 1, 0], [1, 1, 1], [1, 0, 0]]


def test_each_run_makes_new_data_unless_it_says_otherwise() -> None:
    same = dg.AssetMaterialization("x", tags={})

    @dg.asset(name="x")
    def versioned() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(data_version=dg.DataVersion("v1"))

    def by_version(instance: dg.Instance) -> None:
        dg.materialize([versioned], instance=instance)

    assets = [asset("x", C.data_version_changed())]
    steps: list[Step] = [
        None,
        run_of("x"),
        run_of("x"),
        by_version,
        by_version,
        lambda i: i.report_runless_asset_event(same),
    ]
    assert [bool(each) for each in requested(assets, "x", *steps)] == [False, True, True, True, False, True]


def test_observations_with_another_data_version_are_updates_of_an_external_asset() -> None:
    defs = dg.Definitions(assets=[dg.AssetSpec("source"), asset("x", C.any_deps_updated(), ["source"])])

    def seen(version: str) -> Step:
        observation = dg.AssetObservation("source", data_version=version)
        return lambda instance: instance.report_runless_asset_event(observation)

    assert requested(defs, "x", None, seen("1"), seen("1"), seen("2")) == [set(), {None}, set(), {None}]


def test_an_asset_made_from_its_own_last_partition_goes_on_after_a_run_of_that_partition() -> None:
    before = dg.AssetDep("grows", partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))
    assets = [asset("up"), asset("grows", C.eager(), ["up", before], DAYS)]
    job = dg.Definitions(assets).get_implicit_global_asset_job_def()

    def partition_of(*names: str) -> Step:
        keys = [dg.AssetKey(name) for name in names]
        return lambda instance: job.execute_in_process(
            instance=instance, asset_selection=keys, partition_key="2024-01-03"
        )

    steps: list[Step] = [None, partition_of("up", "grows"), None, partition_of("grows"), None]
    latest = {"2024-01-04"}
    assert requested(assets, "grows", *steps) == [set(), latest, set(), latest, set()]
