"""Sensors over runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import segue as sg
from segue.host.inprocess import execute_request


class Mail(sg.ConfigurableResource[Any]):
    to: str


@sg.asset
def good() -> int:
    return 1


@sg.asset
def bad() -> int:
    raise ValueError("no")


good_job = sg.define_asset_job("good_job", selection=[good])
other_job = sg.define_asset_job("other_job", selection=[good])
DEFS = sg.Definitions(assets=[good, bad], jobs=[good_job, other_job])


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as instance:
        yield instance


def run(instance: sg.Instance, *assets: Any) -> sg.Run:
    result = sg.materialize(list(assets), instance=instance, raise_on_error=False)
    found = instance.get_run_by_id(result.run_id)
    assert found is not None
    return found


def over_successes(answer: object, **arguments: Any) -> sg.RunStatusSensorDefinition:
    def look(context: sg.RunStatusSensorContext) -> object:
        return answer(context) if callable(answer) else answer

    return sg.run_status_sensor(run_status=sg.RunStatus.SUCCESS, **arguments)(look)


def context_of(instance: sg.Instance, run: sg.Run, event: sg.EventType, **arguments: Any) -> sg.RunStatusSensorContext:
    (stored,) = instance.all_logs(run.run_id, event)
    return sg.build_run_status_sensor_context("s", stored.event, instance, run, **arguments)


def test_its_function_is_called_with_the_run_and_its_event(instance: sg.Instance) -> None:
    done = run(instance, good)
    sensor = over_successes(lambda context: sg.SkipReason(context.dagster_run.run_id))
    context = context_of(instance, done, sg.EventType.RUN_SUCCESS, partition_key="p", resources={"x": 1})
    assert sensor(context).skip_message == done.run_id
    assert (context.sensor_name, context.instance, context.partition_key) == ("s", instance, "p")
    assert (context.dagster_event.event_type_value, context.resources.x) == ("RUN_SUCCESS", 1)
    assert (context.repository_def, context.cursor, context.log.name) == (None, None, "segue.user")
    fresh = context_of(instance, done, sg.EventType.RUN_SUCCESS, resources={"x": 1})
    assert fresh.merge_resources({"y": 2}).resource_defs == {"x": 1, "y": 2}
    with pytest.raises(sg.InvalidInvocationError, match="RunStatusSensorContext"):
        sensor(sg.build_sensor_context(instance))
    with pytest.raises(sg.InvalidInvocationError, match="build_run_status_sensor_context"):
        sensor()


def test_a_failure_sensor_knows_which_steps_failed(instance: sg.Instance) -> None:
    failed = run(instance, bad)

    @sg.run_failure_sensor
    def alarm(context: sg.RunFailureSensorContext) -> sg.SkipReason:
        steps = [event.step_key for event in context.get_step_failure_events()]
        return sg.SkipReason(f"{context.failure_event.event_type_value} {steps}")

    context = context_of(instance, failed, sg.EventType.RUN_FAILURE)
    assert alarm(context).skip_message == alarm(context.for_run_failure()).skip_message == "RUN_FAILURE ['bad']"
    assert (alarm.name, alarm.sensor_type.value) == ("alarm", "RUN_STATUS")
    named = sg.run_failure_sensor(name="other")(alarm.evaluation.function)
    assert (named.name, named.run_status) == ("other", sg.RunStatus.FAILURE)


def ticks(instance: sg.Instance, sensor: sg.SensorDefinition, *steps: Callable[[], object]) -> list[Any]:
    """The first tick, and one after each step."""
    found = [sensor.evaluate_tick(sg.build_sensor_context(instance))]
    for step in steps:
        step()
        found.append(sensor.evaluate_tick(sg.build_sensor_context(instance, cursor=found[-1].cursor)))
    return found


def test_it_looks_at_runs_from_its_first_tick_on(instance: sg.Instance) -> None:
    run(instance, good)
    sensor = over_successes(lambda context: sg.RunRequest(run_key=context.dagster_run.run_id), request_job=other_job)
    runs: list[sg.Run] = []
    first, none, one, two, last = ticks(
        instance,
        sensor,
        lambda: run(instance, bad),
        lambda: runs.append(run(instance, good)),
        lambda: runs.extend([run(instance, good), run(instance, good)]),
        lambda: None,
    )
    assert first.skip_message == "look started monitoring runs."
    assert [len(tick.run_requests) for tick in (first, none, one, two, last)] == [0, 0, 1, 2, 0]
    assert [request.run_key for request in (*one.run_requests, *two.run_requests)] == [each.run_id for each in runs]
    assert last.cursor == two.cursor


def test_only_the_monitored_jobs_count(instance: sg.Instance) -> None:
    seen: list[str] = []
    sensor = over_successes(lambda context: seen.append(context.dagster_run.job_name), monitored_jobs=[good_job])

    def run_both() -> None:
        for name in ("good_job", "other_job"):
            sg.materialize([good], instance=instance) if name == "other_job" else run_job(instance, name)

    _, tick = ticks(instance, sensor, run_both)
    assert seen == ["good_job"]
    assert [bool(reaction.run_id) for reaction in tick.run_reactions] == [True]


def run_job(instance: sg.Instance, name: str, location: str | None = None) -> None:
    tags = {} if location is None else {"dagster/code_location": location}
    execute_request(DEFS, instance, sg.RunRequest(job_name=name, tags=tags))


@pytest.mark.parametrize(
    ("monitored", "seen"),
    [
        (sg.JobSelector("shop", job_name="good_job"), ["good_job", "good_job"]),
        (sg.JobSelector("bank", job_name="good_job"), ["good_job"]),
        (sg.CodeLocationSelector("shop"), ["good_job", "good_job", "other_job"]),
        (sg.CodeLocationSelector("bank").to_repository_selector(), ["good_job"]),
        (sg.RepositorySelector(location_name="shop", repository_name="any"), ["good_job", "good_job", "other_job"]),
    ],
)
def test_jobs_are_selected_by_code_location(instance: sg.Instance, monitored: Any, seen: list[str]) -> None:
    """A run that names no code location counts for each of them."""
    found: list[str] = []
    sensor = over_successes(lambda context: found.append(context.dagster_run.job_name), monitored_jobs=[monitored])

    def run_all() -> None:
        run_job(instance, "good_job")
        run_job(instance, "good_job", "shop")
        run_job(instance, "other_job", "shop")

    ticks(instance, sensor, run_all)
    assert found == seen


@pytest.mark.parametrize(
    ("answer", "requests", "reason", "reactions"),
    [
        (None, 0, None, 1),
        (sg.SkipReason("not now"), 0, "not now", 0),
        ([sg.RunRequest(), sg.RunRequest()], 2, None, 0),
        (sg.SensorResult([sg.RunRequest()]), 1, None, 0),
        (sg.SensorResult(skip_reason="not now"), 0, "not now", 0),
    ],
)
def test_answers(instance: sg.Instance, answer: object, requests: int, reason: str | None, reactions: int) -> None:
    _, tick = ticks(instance, over_successes(answer, request_job=other_job), lambda: run(instance, good))
    assert (len(tick.run_requests), tick.skip_message, len(tick.run_reactions)) == (requests, reason, reactions)


def test_results_of_several_runs_stand_together(instance: sg.Instance) -> None:
    seen = sg.AssetMaterialization("seen")
    _, tick = ticks(
        instance,
        over_successes(sg.SensorResult(asset_events=[seen])),
        lambda: [run(instance, good), run(instance, good)],
    )
    assert list(tick.asset_events) == [seen, seen]


def test_its_cursor_is_its_own(instance: sg.Instance) -> None:
    with pytest.raises(sg.InvariantViolationError, match="manages its own cursor"):
        ticks(instance, over_successes(sg.SensorResult(cursor="x")), lambda: run(instance, good))


def test_wrong_declarations_say_why() -> None:
    for status in (sg.RunStatus.NOT_STARTED, sg.RunStatus.MANAGED):
        with pytest.raises(sg.InvalidDefinitionError, match="cannot be monitored"):
            sg.run_status_sensor(run_status=status)(lambda_free)
    with pytest.raises(sg.InvalidDefinitionError, match="keep one"):
        over_successes(None, monitored_jobs=[good_job], monitor_all_code_locations=True)
    with pytest.raises(sg.InvalidDefinitionError, match="has no job_name"):
        over_successes(None, monitored_jobs=[sg.JobSelector("shop")])
    with pytest.raises(sg.InvalidDefinitionError, match="is not a job"):
        over_successes(None, monitored_jobs=["good_job"])
    with pytest.warns(DeprecationWarning, match="write monitor_all_code_locations"):
        assert over_successes(None, monitor_all_repositories=True).monitor_all_code_locations
    with pytest.warns(DeprecationWarning, match="write monitored_jobs"):
        by_job = over_successes(None, job_selection=[good_job])
    assert [each.job_name for each in by_job.monitored_jobs] == ["good_job"]


def lambda_free(context: object) -> None:
    return None


class Shop(sg.ConfigurableResource):
    name: str = "corner"


def test_resources_come_by_parameter(instance: sg.Instance) -> None:
    @sg.run_status_sensor(run_status=sg.RunStatus.SUCCESS)
    def look(context: sg.RunStatusSensorContext, shop: Shop) -> sg.SkipReason:
        return sg.SkipReason(shop.name)

    context = context_of(instance, run(instance, good), sg.EventType.RUN_SUCCESS)
    assert look(context, shop=Shop()).skip_message == "corner"
    with pytest.raises(sg.InvalidDefinitionError, match="'shop'"):
        look(context)
    first = look.evaluate_tick(sg.build_sensor_context(instance, resources={"shop": Shop()}))
    run(instance, good)
    tick = look.evaluate_tick(sg.build_sensor_context(instance, cursor=first.cursor, resources={"shop": Shop()}))
    assert tick.skip_message == "corner"


def test_a_sensor_that_takes_only_resources_is_called_with_them() -> None:
    @sg.run_failure_sensor
    def tell(mail: Mail) -> sg.SkipReason:
        return sg.SkipReason(mail.to)

    assert tell(mail=Mail(to="ada")).skip_message == "ada"
    with pytest.raises(sg.InvalidDefinitionError, match="requires the resource 'mail'"):
        tell()
