"""What an instance answers about runs, and what is reported of them from outside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import segue as sg
from segue.model.event import EngineEventData, RunFailureData
from segue.model.run import FailureReason
from segue.model.run_stats import StepEventStatus


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as made:
        yield made


@sg.op
def load() -> int:
    return 1


@sg.op
def save(value: int) -> Iterator[Any]:
    yield sg.AssetMaterialization("saved")
    yield sg.ExpectationResult(value == 1)
    yield sg.Output(None)


@sg.job(tags={"team": "sales"})
def daily() -> None:
    save(load())


@sg.op(retry_policy=sg.RetryPolicy(max_retries=1))
def fail() -> None:
    raise ValueError


@sg.job
def failing() -> None:
    fail()


@pytest.fixture
def runs(instance: sg.Instance) -> list[sg.Run]:
    """Three runs of `daily` and one of `failing`, oldest first."""
    made = [daily.execute_in_process(instance=instance, tags={"n": str(number)}).run for number in range(3)]
    return [*made, failing.execute_in_process(instance=instance, raise_on_error=False).run]


def ids(runs: list[sg.Run]) -> list[str]:
    return [run.run_id for run in runs]


def test_runs_come_newest_first_and_in_pages(instance: sg.Instance, runs: list[sg.Run]) -> None:
    assert instance.get_runs() == runs[::-1]
    assert instance.get_runs(limit=2) == runs[:1:-1]
    assert instance.get_runs(None, runs[2].run_id, 1) == [runs[1]]
    assert instance.get_runs(cursor=runs[1].run_id, ascending=True) == runs[2:]
    assert instance.get_run_ids(limit=3) == ids(runs)[:0:-1]
    with pytest.raises(sg.RunNotFoundError):
        instance.get_runs(cursor="nobody")


def test_runs_are_filtered_and_counted(instance: sg.Instance, runs: list[sg.Run]) -> None:
    for which, expected in [
        (sg.RunsFilter(), runs),
        (sg.RunsFilter(run_ids=ids(runs)[1:3]), runs[1:3]),
        (sg.RunsFilter(job_name="failing"), runs[3:]),
        (sg.RunsFilter(statuses=[sg.RunStatus.SUCCESS]), runs[:3]),
        (sg.RunsFilter(statuses=[]), runs),
        (sg.RunsFilter(tags={"team": "sales", "n": ["0", "2"]}), [runs[0], runs[2]]),
        (sg.RunsFilter(snapshot_id=runs[3].job_snapshot_id), runs[3:]),
    ]:
        assert instance.get_runs(which, ascending=True) == expected, which
        assert instance.get_runs_count(which) == len(expected), which
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert instance.get_runs_count(sg.RunsFilter(created_after=yesterday)) == len(runs)
    assert instance.get_runs_count(sg.RunsFilter(updated_before=yesterday)) == 0


@pytest.mark.parametrize(
    "arguments",
    [{"statuses": ["SUCCESS"]}, {"run_ids": "r1"}, {"statuses": sg.RunStatus.SUCCESS}, {"tags": {"a": 1}}],
    ids=str,
)
def test_a_filter_of_something_else_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(sg.InvalidInvocationError, match="RunsFilter"):
        sg.RunsFilter(**arguments)


def test_filters_for_what_asked_for_runs() -> None:
    @sg.schedule(cron_schedule="@daily", job=daily)
    def nightly() -> None:
        return None

    @sg.sensor(job=daily)
    def watcher() -> None:
        return None

    assert sg.RunsFilter.for_backfill("b").tags == sg.Run.tags_for_backfill_id("b") == {"dagster/backfill": "b"}
    assert sg.RunsFilter.for_schedule(nightly).tags == sg.Run.tags_for_schedule(nightly)
    assert (
        sg.RunsFilter.for_sensor(watcher).tags == sg.Run.tags_for_sensor(watcher) == {"dagster/sensor_name": "watcher"}
    )


def test_records_tell_times_and_places(instance: sg.Instance, runs: list[sg.Run]) -> None:
    records = instance.get_run_records(ascending=True)
    assert [record.dagster_run for record in records] == runs
    assert [record.storage_id for record in records] == sorted(record.storage_id for record in records)
    record = instance.get_run_record_by_id(runs[0].run_id)
    assert record == records[0]
    assert (record.start_time, record.end_time) == (runs[0].started_at, runs[0].ended_at)
    assert record.create_timestamp.timestamp() == pytest.approx(runs[0].created_at)
    assert record.update_timestamp.timestamp() == pytest.approx(runs[0].ended_at)
    assert instance.get_run_record_by_id("nobody") is None


def test_records_come_in_order_of_their_last_change(instance: sg.Instance, runs: list[sg.Run]) -> None:
    instance.add_run_tags(runs[0].run_id, {"seen": "yes"})
    found = instance.get_run_records(order_by="update_timestamp", limit=2)
    assert [record.dagster_run.run_id for record in found] == [runs[0].run_id, runs[3].run_id]
    found = instance.get_run_records(order_by="update_timestamp", ascending=True, cursor=runs[2].run_id)
    assert [record.dagster_run.run_id for record in found] == [runs[3].run_id, runs[0].run_id]
    with pytest.raises(sg.InvalidInvocationError, match="update_timestamp"):
        instance.get_run_records(order_by="name")


def test_tags(instance: sg.Instance, runs: list[sg.Run]) -> None:
    instance.add_run_tags(runs[0].run_id, {"n": "12", "new": "x"})
    assert instance.get_run_tag_keys() == ["n", "new", "team"]
    assert instance.get_run_tags(["team", "n", "nothing"]) == [("n", {"1", "12", "2"}), ("team", {"sales"})]
    assert instance.get_run_tags(["n"], value_prefix="1", limit=1) == [("n", {"1"})]
    with pytest.raises(sg.RunNotFoundError):
        instance.add_run_tags("nobody", {"a": "b"})


def test_a_deleted_run_is_gone(instance: sg.Instance, runs: list[sg.Run]) -> None:
    run_id = runs[2].run_id
    instance.delete_run(run_id)
    instance.delete_run(run_id)
    assert not instance.has_run(run_id)
    assert instance.all_logs(run_id) == []
    assert instance.get_runs_count() == 3
    # It made the asset last, and what is known of the asset outlives the run.
    (record,) = instance.get_asset_records([sg.AssetKey("saved")])
    assert record.asset_entry.last_run_id == run_id


def test_what_a_run_came_to(instance: sg.Instance, runs: list[sg.Run]) -> None:
    stats = instance.get_run_stats(runs[0].run_id)
    assert (stats.steps_succeeded, stats.steps_failed, stats.materializations, stats.expectations) == (2, 0, 1, 1)
    assert (stats.start_time, stats.end_time) == (runs[0].started_at, runs[0].ended_at)
    assert (stats.enqueued_time, stats.launch_time) == (None, None)
    assert instance.get_run_stats(runs[3].run_id).steps_failed == 1


def test_how_each_step_went(instance: sg.Instance, runs: list[sg.Run]) -> None:
    first, second = instance.get_run_step_stats(runs[0].run_id)
    assert (first.step_key, first.status, first.attempts) == ("load", StepEventStatus.SUCCESS, 1)
    assert [each.asset_key for each in second.materializations] == [sg.AssetKey("saved")]
    (entry,) = second.materialization_events
    assert entry in instance.all_logs(runs[0].run_id)
    assert [each.success for each in second.expectation_results] == [True]
    assert instance.get_run_step_stats(runs[0].run_id, ["save"]) == [second]
    (failed,) = instance.get_run_step_stats(runs[3].run_id)
    assert (failed.status, failed.attempts, len(failed.attempts_list)) == (StepEventStatus.FAILURE, 2, 2)
    assert failed.start_time is not None
    assert failed.end_time is not None
    assert failed.attempts_list[0][0] == failed.start_time <= failed.attempts_list[1][0] <= failed.end_time


def test_assets_of_a_run(instance: sg.Instance, runs: list[sg.Run]) -> None:
    assert instance.get_asset_keys_for_run(runs[0].run_id) == {sg.AssetKey("saved")}
    assert instance.get_asset_partitions_for_run(runs[0].run_id) == {sg.AssetKey("saved"): {None}}
    assert instance.get_asset_keys_for_run(runs[3].run_id) == frozenset()


def test_a_run_without_retries_is_a_group_of_its_own(instance: sg.Instance, runs: list[sg.Run]) -> None:
    assert instance.get_run_group(runs[0].run_id) == (runs[0].run_id, [runs[0]])
    with pytest.raises(sg.RunNotFoundError):
        instance.get_run_group("nobody")


def test_a_run_knows_which_ops_were_asked_for(instance: sg.Instance) -> None:
    run = daily.execute_in_process(instance=instance, op_selection=["load"]).run
    assert instance.get_runs()[0].op_selection == run.op_selection == ("load",)


# -- what a run says of itself


def test_what_a_run_says_of_itself() -> None:
    run = sg.Run(run_id="r", job_name="j", tags={"dagster/is_resume_retry": "true"}, parent_run_id="p", root_run_id="q")
    assert (run.is_resume_retry, run.get_parent_run_id(), run.previous_run_id, run.get_root_run_id()) == (
        True,
        "p",
        "p",
        "q",
    )
    assert run.with_tags({"a": "b"}).tags == {"a": "b"}
    assert not run.with_tags({}).is_resume_retry
    says = {
        sg.RunStatus.QUEUED: {"is_cancelable"},
        sg.RunStatus.STARTED: {"is_cancelable"},
        sg.RunStatus.SUSPENDED: {"is_cancelable"},
        sg.RunStatus.SUCCESS: {"is_finished", "is_success"},
        sg.RunStatus.FAILURE: {"is_finished", "is_failure", "is_failure_or_canceled"},
        sg.RunStatus.CANCELED: {"is_finished", "is_failure_or_canceled"},
    }
    names = ("is_cancelable", "is_finished", "is_success", "is_failure", "is_failure_or_canceled")
    for status in sg.RunStatus:
        found = run.with_status(status)
        assert {name for name in names if getattr(found, name)} == says.get(status, set()), status


def test_what_a_run_makes(instance: sg.Instance) -> None:
    @sg.asset(
        partitions_def=sg.StaticPartitionsDefinition(["x"]), check_specs=[sg.AssetCheckSpec("fine", asset="made")]
    )
    def made() -> sg.MaterializeResult[None]:
        return sg.MaterializeResult(check_results=[sg.AssetCheckResult(passed=True)])

    run = sg.materialize([made], partition_key="x", instance=instance).run
    check = sg.AssetCheckKey(made.key, "fine")
    assert (run.asset_selection, run.asset_check_selection) == ({made.key}, {check})
    assert run.entity_selection == {made.key, check}
    assert run.is_partitioned
    assert (run.job_snapshot_id, run.execution_plan_snapshot_id) == (run.manifest_hash, run.plan_hash)
    assert not daily.execute_in_process(instance=instance).run.is_partitioned


# -- reports from outside


def waiting(instance: sg.Instance, run_id: str = "r1") -> sg.Run:
    return instance.add_run(sg.Run(run_id=run_id, job_name="j", created_at=5.0))


def test_a_run_that_something_else_executes(instance: sg.Instance) -> None:
    run = waiting(instance)
    assert instance.get_run_by_id("r1") == run
    with pytest.raises(sg.InvariantViolationError, match="r1"):
        waiting(instance)
    event = instance.report_run_canceled(run)
    (entry,) = instance.all_logs("r1")
    assert entry.dagster_event == event
    assert event.is_failure
    found = instance.get_run_by_id("r1")
    assert found is not None
    assert found.status is sg.RunStatus.CANCELED
    # It has ended; nothing may take it elsewhere.
    for report in (instance.report_run_canceling, instance.report_run_failed):
        with pytest.raises(sg.InvariantViolationError, match="CANCELED"):
            report(run)
    assert len(instance.all_logs("r1")) == 1


def test_a_run_is_reported_as_failed(instance: sg.Instance) -> None:
    data = RunFailureData(FailureReason.INTERRUPTED, "It was gone.")
    event = instance.report_run_failed(waiting(instance, "r1"), "The machine went away.", data)
    assert (event.job_failure_data.failure_reason, event.message) == (
        FailureReason.INTERRUPTED,
        "The machine went away.",
    )
    assert instance.report_run_failed(waiting(instance, "r2")).job_failure_data.reason is FailureReason.PLATFORM
    assert instance.report_run_failed(waiting(instance, "r3"), job_failure_data=data).message == "It was gone."
    assert [run.status for run in instance.get_runs()] == [sg.RunStatus.FAILURE] * 3


def test_what_launchers_do_is_recorded(instance: sg.Instance) -> None:
    run = waiting(instance)
    facts = EngineEventData(metadata={"pid": sg.IntMetadataValue(7)})
    event = instance.report_engine_event("Started a process.", run, facts, cls=sg.Instance, step_key="load")
    assert (event.message, event.step_key, event.job_name) == ("[Instance] Started a process.", "load", "j")
    instance.report_engine_event("Nobody knows of which job.", run_id="r1")
    first, second = instance.all_logs("r1", of_type=sg.EventType.ENGINE_EVENT)
    assert first.get_dagster_event().engine_event_data.metadata == facts.metadata
    assert second.job_name == "j"
    assert (first.level, second.user_message) == (10, "Nobody knows of which job.")


def test_events_and_entries_are_recorded_as_they_are(instance: sg.Instance) -> None:
    run = waiting(instance)
    (start,) = [event for event in daily.execute_in_process().all_events if event.event_type is sg.EventType.RUN_START]
    instance.report_dagster_event(start, run.run_id, timestamp=7.0)
    instance.store_event(sg.EventLogEntry(None, "info", "a line", "r1", 8.0))
    instance.handle_new_event(sg.EventLogEntry(None, "info", "another", "r1", 9.0))
    assert [(entry.timestamp, entry.is_dagster_event) for entry in instance.all_logs("r1")] == [
        (7.0, True),
        (8.0, False),
        (9.0, False),
    ]
    found = instance.store.get_run("r1")  # the instance would find that the worker of the event is gone
    assert found is not None
    assert (found.status, found.started_at) == (sg.RunStatus.STARTED, 7.0)
    assert instance.report_run_canceling(found, "Please.").message == "Please."
