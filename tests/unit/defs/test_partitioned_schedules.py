"""Schedules of jobs with partitions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import segue as sg

LETTERS = sg.StaticPartitionsDefinition(["a", "b"])
TICK = datetime(2024, 2, 3, tzinfo=UTC)


def definitions(partitions: sg.PartitionsDefinition | None, **arguments: Any) -> sg.Definitions:
    """One asset with these partitions, and the schedule of a job over it."""

    @sg.asset(partitions_def=partitions)
    def numbers() -> int:
        return 1

    job = sg.define_asset_job("job", selection=[numbers])
    return sg.Definitions(
        assets=[numbers], jobs=[job], schedules=[sg.build_schedule_from_partitioned_job(job, **arguments)]
    )


def asked(defs: sg.Definitions, at: datetime = TICK) -> tuple[list[str | None], str | None]:
    context = sg.build_schedule_context(scheduled_execution_time=at, repository_def=defs)
    tick = defs.get_schedule_def("job_schedule").evaluate_tick(context)
    return [request.partition_key for request in tick.run_requests], tick.skip_message


@pytest.mark.parametrize(
    ("partitions", "offsets", "cron", "key"),
    [
        (sg.DailyPartitionsDefinition("2024-01-01"), {}, "0 0 * * *", "2024-02-02"),
        (
            sg.DailyPartitionsDefinition("2024-01-01"),
            {"hour_of_day": 3, "minute_of_hour": 30},
            "30 3 * * *",
            "2024-02-02",
        ),
        (sg.HourlyPartitionsDefinition("2024-01-01-00:00"), {"minute_of_hour": 5}, "5 * * * *", "2024-02-02-23:00"),
        (sg.WeeklyPartitionsDefinition("2024-01-07"), {"day_of_week": 2}, "0 0 * * 2", "2024-01-21"),
        (sg.MonthlyPartitionsDefinition("2024-01-01"), {"day_of_month": 4}, "0 0 4 * *", "2024-01-01"),
    ],
)
def test_windows_of_time_run_when_they_have_ended(
    partitions: sg.TimeWindowPartitionsDefinition, offsets: dict[str, int], cron: str, key: str
) -> None:
    defs = definitions(partitions, **offsets)
    schedule = defs.get_schedule_def("job_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone, schedule.job_name) == (cron, "UTC", "job")
    assert asked(defs) == ([key], None)
    assert asked(defs, datetime(2023, 1, 1, tzinfo=UTC)) == (
        [],
        "No partition of job has ended yet, or the last one is excluded.",
    )
    (node,) = defs.manifest.schedules
    assert node.cron_schedules == (cron,)


def test_its_runs_bear_a_key_and_the_tags() -> None:
    defs = definitions(sg.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin"), tags={"who": "ada"})
    schedule = defs.get_schedule_def("job_schedule")
    assert schedule.execution_timezone == "Europe/Berlin"
    (request,) = schedule.evaluate_tick(
        sg.build_schedule_context(scheduled_execution_time=TICK, repository_def=defs)
    ).run_requests
    assert (request.run_key, request.job_name) == ("2024-02-02", "job")
    assert request.tags == {"who": "ada", "dagster/partition": "2024-02-02", "dagster/schedule_name": "job_schedule"}


def test_other_partitions_run_all_at_a_given_time() -> None:
    defs = definitions(LETTERS, cron_schedule="0 5 * * *", execution_timezone="Europe/Berlin")
    schedule = defs.get_schedule_def("job_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 5 * * *", "Europe/Berlin")
    assert asked(defs) == (["a", "b"], None)


@pytest.mark.parametrize(
    ("partitions", "arguments", "why"),
    [
        (None, {}, "is not partitioned"),
        (LETTERS, {}, "cron_schedule must be provided"),
        (
            sg.DailyPartitionsDefinition("2024-01-01"),
            {"cron_schedule": "@daily"},
            "cron_schedule and execution_timezone cannot be set",
        ),
        (
            sg.DailyPartitionsDefinition("2024-01-01"),
            {"execution_timezone": "Europe/Berlin"},
            "cron_schedule and execution_timezone cannot be set",
        ),
    ],
)
def test_what_does_not_fit_is_an_error_of_the_definitions(
    partitions: sg.PartitionsDefinition | None, arguments: dict[str, Any], why: str
) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        sg.Definitions.validate_loadable(definitions(partitions, **arguments))


def test_a_job_that_knows_its_partitions_gives_a_schedule_at_once() -> None:
    with pytest.warns(DeprecationWarning, match="partitions_def of job 'job'"):
        job = sg.define_asset_job("job", selection="*", partitions_def=sg.DailyPartitionsDefinition("2024-01-01"))
    schedule = sg.build_schedule_from_partitioned_job(job, name="own", default_status=sg.DefaultScheduleStatus.RUNNING)
    assert isinstance(schedule, sg.ScheduleDefinition)
    assert (schedule.name, schedule.default_status) == ("own", sg.DefaultScheduleStatus.RUNNING)
    assert schedule(sg.build_schedule_context(scheduled_execution_time=TICK))[0].partition_key == "2024-02-02"


def test_owners_are_looked_at_where_they_are_given() -> None:
    @sg.asset(partitions_def=sg.DailyPartitionsDefinition("2026-01-01"))
    def orders() -> None: ...

    job = sg.define_asset_job("all_orders", selection=[orders])
    for owner in ("team:", "nobody"):
        with pytest.raises(sg.InvalidDefinitionError, match="expected an email address"):
            sg.build_schedule_from_partitioned_job(job, owners=[owner])


def test_a_job_that_declares_its_partitions_is_asked_without_definitions() -> None:
    @sg.op
    def step() -> None: ...

    @sg.job(partitions_def=sg.DailyPartitionsDefinition("2024-01-01"))
    def daily() -> None:
        step()

    schedule = sg.build_schedule_from_partitioned_job(daily)
    (request,) = schedule.evaluate_tick(sg.build_schedule_context(scheduled_execution_time=TICK)).run_requests
    assert (request.partition_key, request.tags["dagster/partition"]) == ("2024-02-02", "2024-02-02")
