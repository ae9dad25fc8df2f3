"""Ops, graphs, jobs, schedules and sensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_type

import segue as dg


class Threshold(dg.Config):
    limit: int = 10
    name: str


@dg.op(out=dg.Out(int), tags={"size": "small"}, required_resource_keys={"warehouse"})
def count(context: dg.OpExecutionContext, config: Threshold) -> int:
    assert_type(config.limit, int)
    assert_type(config.name, str)
    context.log.info("counting")
    return config.limit


@dg.op(
    ins={"number": dg.In(int)}, out={"small": dg.Out(int, is_required=False), "large": dg.Out(int, is_required=False)}
)
def split(number: int) -> Iterator[dg.Output[int]]:
    yield dg.Output(number, "small" if number < 3 else "large")


@dg.op(out=dg.DynamicOut(str))
def files() -> Iterator[dg.DynamicOutput[str]]:
    yield dg.DynamicOutput("a.csv", mapping_key="a")


@dg.graph
def counted() -> None:
    split(count())


@dg.job(tags={"team": "finance"}, config={"ops": {}})
def counting() -> None:
    counted()
    files()


assert_type(count, dg.OpDefinition)
assert_type(counted, dg.GraphDefinition)
assert_type(counting, dg.JobDefinition)
result = counting.execute_in_process(raise_on_error=False)
assert_type(result, dg.ExecuteInProcessResult)
assert_type(result.success, bool)
assert_type(result.get_step_failure_events(), Sequence[dg.Event])
assert_type(counted.execute_in_process(), dg.ExecuteInProcessResult)
assert_type(counted.to_job(name="other"), dg.JobDefinition)


@dg.schedule(cron_schedule="0 3 * * *", job=counting, execution_timezone="Europe/Zurich")
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    if context.scheduled_execution_time.weekday() == 6:
        return dg.SkipReason("never on Sundays")
    return dg.RunRequest(run_key="k", tags={"day": context.scheduled_execution_time.date().isoformat()})


@dg.sensor(job=counting, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def arrivals(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    assert_type(context.cursor, str | None)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key="x")], cursor="1")


@dg.run_failure_sensor
def alarm(context: dg.RunFailureSensorContext) -> None:
    assert_type(context.failure_event, dg.Event)


@dg.success_hook
def cheer(context: dg.HookContext) -> None:
    context.log.info("done")


assert_type(nightly, dg.ScheduleDefinition)
assert_type(arrivals, dg.SensorDefinition)
assert_type(cheer, dg.HookDefinition)
weekly = dg.ScheduleDefinition(job=counting, cron_schedule=["0 1 * * 1", "0 2 * * 2"])
defs = dg.Definitions(jobs=[counting], schedules=[nightly, weekly], sensors=[arrivals, alarm])

dg.RunRequest(run_key=3)  # refused: reportArgumentType
dg.SkipReason(3)  # refused: reportArgumentType
dg.ScheduleDefinition(job=counting, cron_schedule=5)  # refused: reportArgumentType
dg.Definitions(jobs=[3])  # refused: reportArgumentType
Threshold(limit="many", name="x")  # refused: reportArgumentType
Threshold(limit=3)  # refused: reportCallIssue
