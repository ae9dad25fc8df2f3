"""Sensors: what they are made of, and what an evaluation of them asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

import segue as sg


@sg.asset
def orders() -> int:
    return 1


@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["a", "b"]))
def parts() -> int:
    return 1


nightly = sg.define_asset_job("nightly", selection=[orders])
weekly = sg.define_asset_job("weekly", selection=[orders])
by_part = sg.define_asset_job("by_part", selection=[parts])
DEFS = sg.Definitions(assets=[orders, parts], jobs=[nightly, weekly, by_part])


def look(context: sg.SensorEvaluationContext) -> None:
    return None


def giving(answer: object, **arguments: Any) -> sg.SensorDefinition:
    def look(context: sg.SensorEvaluationContext) -> object:
        return answer(context) if callable(answer) else answer

    return sg.sensor(**(arguments or {"job": nightly}))(look)


def ticked(sensor: sg.SensorDefinition, **arguments: Any) -> Any:
    return sensor.evaluate_tick(sg.build_sensor_context(**arguments))


# -- declaring


def test_a_sensor_knows_its_targets() -> None:
    one = giving(None)
    assert (one.name, one.job, one.job_name, one.jobs, one.has_jobs) == ("look", nightly, "nightly", [nightly], True)
    assert (one.default_status, one.sensor_type.value) == (sg.DefaultSensorStatus.STOPPED, "STANDARD")
    several = giving(None, jobs=[nightly, weekly])
    assert several.jobs == [nightly, weekly]
    named = giving(None, job_name="nightly")
    assert (named.job_name, named.has_jobs) == ("nightly", False)
    anonymous = sg.SensorDefinition("own", evaluation_fn=look, target="orders")
    assert (anonymous.has_anonymous_job, anonymous.job.selection) == (True, sg.AssetSelection.from_string("orders"))
    none = sg.SensorDefinition(evaluation_fn=look)
    assert (none.name, none.job_name, none.has_jobs) == ("look", None, False)
    for sensor, attribute in ((several, "job"), (several, "job_name"), (named, "job"), (none, "job"), (none, "jobs")):
        with pytest.raises(sg.InvalidDefinitionError):
            getattr(sensor, attribute)


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no function": (lambda: sg.SensorDefinition("s"), "evaluation_fn"),
    "job and jobs": (lambda: giving(None, job=nightly, jobs=[weekly]), "job and jobs"),
    "job and assets": (lambda: giving(None, job=nightly, asset_selection="orders"), "job and asset_selection"),
    "name": (lambda: giving(None, name="a b"), "not a valid name"),
    "lambda": (lambda: sg.sensor(job=nightly)(lambda _: None), "not a valid name"),
    "interval": (lambda: giving(None, minimum_interval_seconds="x"), "minimum_interval_seconds must be of type int"),
    "owner": (lambda: giving(None, owners=["x"]), "owner 'x'"),
    "target without name": (lambda: sg.SensorDefinition(evaluation_fn=look, target="orders"), "requires a name"),
    "no function at all": (lambda: sg.SensorDefinition("s", evaluation_fn=5), "must decorate a function"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("make", "why"), WRONG.values(), ids=WRONG)
def test_wrong_declarations_say_why(make: Callable[[], object], why: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        make()


def test_copies_with_other_jobs_or_other_metadata() -> None:
    found = giving(None, job=nightly, metadata={"a": 1}, tags={"n": 1})
    assert found.with_updated_jobs([nightly, weekly]).jobs == [nightly, weekly]
    assert found.with_updated_job(weekly).job_name == "weekly"
    assert list(found.with_attributes(metadata={"b": 2}).metadata) == ["b"]
    assert (found.job_name, list(found.metadata), found.tags) == ("nightly", ["a"], {"n": "1"})


# -- ticks


def yielding(*answers: object) -> Callable[[object], Iterator[object]]:
    def rule(context: object) -> Iterator[object]:
        yield from answers

    return rule


ONE, TWO = sg.RunRequest(run_key="1"), sg.RunRequest(run_key="2")


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        (ONE, ["1"]),
        ([ONE, TWO], ["1", "2"]),
        (yielding(ONE, TWO), ["1", "2"]),
        (sg.SensorResult(run_requests=[ONE]), ["1"]),
        (yielding(sg.SensorResult([ONE, TWO])), ["1", "2"]),
        ([None, ONE], ["1"]),
    ],
)
def test_what_a_function_gives_is_asked_for(answer: object, keys: list[str]) -> None:
    tick = ticked(giving(answer))
    assert [request.run_key for request in tick.run_requests] == keys
    assert all(request.tags == {"dagster/sensor_name": "look"} for request in tick.run_requests)
    assert tick.skip_message is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "look requested no runs."),
        ([], "look requested no runs."),
        (yielding(), "look requested no runs."),
        (sg.SensorResult(), "look requested no runs."),
        (sg.SkipReason("quiet"), "quiet"),
        (sg.SkipReason(), None),
        ([sg.SkipReason("quiet")], "quiet"),
        (sg.SensorResult(skip_reason="quiet"), "quiet"),
    ],
)
def test_a_tick_without_runs_says_why(answer: object, reason: str | None) -> None:
    tick = ticked(giving(answer))
    assert (list(tick.run_requests), tick.skip_message) == ([], reason)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("x", "expected RunRequests, a SkipReason or a SensorResult"),
        ({"ops": {}}, "expected RunRequests, a SkipReason or a SensorResult"),
        (yielding(5), "expected RunRequests, a SkipReason or a SensorResult"),
        ([sg.SkipReason(), sg.SkipReason()], "return one SkipReason, or only RunRequests"),
        (yielding(sg.SkipReason(), ONE), "return one SkipReason, or only RunRequests"),
        (yielding(sg.SensorResult(), ONE), "return it alone"),
        ([sg.SensorResult(), sg.SensorResult()], "return it alone"),
    ],
)
def test_answers_that_are_none_are_refused(answer: object, why: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=why):
        ticked(giving(answer))


@pytest.mark.parametrize(
    ("targets", "job_name", "outcome"),
    [
        ({"job": nightly}, None, ""),
        ({"job": nightly}, "nightly", ""),
        ({"job": nightly}, "weekly", "not one of its jobs: nightly"),
        ({"job_name": "nightly"}, None, ""),
        ({"jobs": [nightly, weekly]}, None, "the RunRequest has no job_name"),
        ({"jobs": [nightly, weekly]}, "weekly", ""),
        ({"jobs": [nightly, weekly]}, "monthly", "not one of its jobs: nightly, weekly"),
        ({"name": "idle"}, None, "has no target"),
        ({"name": "idle"}, "nightly", "has no target"),
        ({"name": "own", "target": [orders]}, None, ""),
    ],
)
def test_a_run_is_one_of_the_targets(targets: dict[str, Any], job_name: str | None, outcome: str) -> None:
    found = giving(sg.RunRequest(job_name=job_name), **targets)
    if outcome:
        with pytest.raises(sg.InvariantViolationError, match=outcome):
            ticked(found)
    else:
        assert ticked(found).run_requests[0].job_name == job_name


def test_runs_of_assets_name_some_of_the_selection() -> None:
    found = giving(sg.RunRequest(), asset_selection="orders")
    assert ticked(found, definitions=DEFS).run_requests[0].asset_selection == [orders.key]
    named = giving(sg.RunRequest(asset_selection=[parts.key], partition_key="a"), asset_selection="*")
    assert ticked(named, definitions=DEFS).run_requests[0].tags["dagster/partition"] == "a"
    outside = giving(sg.RunRequest(asset_selection=[parts.key]), asset_selection="orders")
    with pytest.raises(sg.InvalidSubsetError, match="parts"):
        ticked(outside, definitions=DEFS)
    with pytest.raises(sg.InvariantViolationError, match="no definitions"):
        ticked(found)


def test_a_partition_must_exist() -> None:
    found = giving(sg.RunRequest(partition_key="a"), job=by_part)
    assert ticked(found, definitions=DEFS).run_requests[0].tags["dagster/partition"] == "a"
    with pytest.raises(sg.UnknownPartitionError, match="'z'"):
        ticked(giving(sg.RunRequest(partition_key="z"), job=by_part), definitions=DEFS)
    with pytest.raises(sg.InvariantViolationError, match="Job 'lost' not found"):
        ticked(giving(sg.RunRequest(partition_key="a"), job_name="lost"), definitions=DEFS)


def test_what_the_function_raises_is_raised_on() -> None:
    def fail(context: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ticked(giving(fail))


# -- cursor


def test_the_cursor_goes_from_one_evaluation_to_the_next() -> None:
    def count(context: sg.SensorEvaluationContext) -> sg.RunRequest:
        context.update_cursor(str(int(context.cursor or 0) + 1))
        return sg.RunRequest(run_key=context.cursor)

    first = ticked(giving(count))
    assert (first.cursor, ticked(giving(count), cursor=first.cursor).run_requests[0].run_key) == ("1", "2")
    assert ticked(giving(None), cursor="7").cursor == "7"
    assert ticked(giving(sg.SensorResult(cursor="8")), cursor="7").cursor == "8"


def test_a_cursor_is_set_in_one_way() -> None:
    def both(context: sg.SensorEvaluationContext) -> sg.SensorResult:
        context.update_cursor("a")
        return sg.SensorResult(cursor="b")

    with pytest.raises(sg.InvariantViolationError, match="use one of the two"):
        ticked(giving(both))
    with pytest.raises(sg.InvalidInvocationError, match="cursor must be"):
        sg.build_sensor_context().update_cursor(5)  # type: ignore[arg-type]


def test_a_result_carries_partitions_and_events_on() -> None:
    class Request(NamedTuple):
        partitions_def_name: str
        partition_keys: list[str]

    seen = sg.AssetMaterialization("elsewhere")
    tick = ticked(giving(sg.SensorResult(dynamic_partitions_requests=[Request("p", ["k"])], asset_events=[seen])))
    assert (tick.dynamic_partitions_requests[0].partition_keys, tick.asset_events) == (["k"], [seen])


@pytest.mark.parametrize(
    "arguments",
    [
        {"run_requests": [ONE], "skip_reason": "no"},
        {"run_requests": [5]},
        {"run_requests": 5},
        {"skip_reason": 5},
        {"cursor": 5},
        {"dynamic_partitions_requests": [5]},
        {"asset_events": [5]},
    ],
)
def test_a_wrong_result_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(sg.InvalidInvocationError):
        sg.SensorResult(**arguments)


# -- calling


def test_a_sensor_is_called_like_its_function() -> None:
    found = giving(ONE)
    assert found(sg.build_sensor_context()) == found(context=sg.build_sensor_context()) == ONE
    assert list(giving(yielding(ONE, TWO))(sg.build_sensor_context())) == [ONE, TWO]
    bare = sg.sensor(job=nightly)(lambda_free)
    assert bare() == bare(sg.build_sensor_context()) == ONE
    for arguments, named in (((), {}), ((5,), {}), ((sg.build_sensor_context(), 1), {}), ((), {"x": 1})):
        with pytest.raises(sg.InvalidInvocationError):
            found(*arguments, **named)


def lambda_free() -> sg.RunRequest:
    return ONE


class Shop(sg.ConfigurableResource):
    name: str = "corner"


def test_resources_come_by_parameter() -> None:
    @sg.sensor(job=nightly)
    def by_parameter(shop: Shop, here: sg.SensorEvaluationContext) -> sg.RunRequest:
        return sg.RunRequest(run_key=f"{shop.name} {type(here).__name__}")

    @sg.sensor(job=nightly)
    def alone(shop: Shop) -> sg.RunRequest:
        return sg.RunRequest(run_key=shop.name)

    context = sg.build_sensor_context(resources={"shop": Shop(name="mall")})
    assert by_parameter(context).run_key == "mall SensorEvaluationContext"
    assert by_parameter(sg.build_sensor_context(), shop=Shop()).run_key == "corner SensorEvaluationContext"
    assert (alone(shop=Shop()).run_key, alone(context).run_key) == ("corner", "mall")
    assert by_parameter.evaluate_tick(context).run_requests[0].run_key == "mall SensorEvaluationContext"
    for call in (lambda: alone(), lambda: alone(sg.build_sensor_context())):
        with pytest.raises(sg.InvalidDefinitionError, match="'shop'"):
            call()


def test_a_context_says_what_it_knows() -> None:
    context = sg.build_sensor_context(
        sensor_name="s", repository_name="r", last_sensor_start_time=3.0, definitions=DEFS, cursor="c"
    )
    assert (context.sensor_name, context.repository_name, context.repository_def) == ("s", "r", DEFS)
    assert (context.last_sensor_start_time, context.is_first_tick_since_sensor_start) == (3.0, True)
    assert (context.last_run_key, context.cursor_updated) == (None, False)
    with pytest.warns(DeprecationWarning, match="read last_tick_completion_time"):
        assert context.last_completion_time is None
    later = sg.SensorEvaluationContext(last_tick_completion_time=5.0, last_sensor_start_time=3.0)
    assert not later.is_first_tick_since_sensor_start
    for name in ("sensor_name", "instance"):
        with pytest.raises(sg.InvariantViolationError, match=name):
            getattr(sg.build_sensor_context(), name)


def test_a_sensor_that_says_nothing_of_its_interval_and_owners_says_what_holds() -> None:
    found = giving(None, job=nightly)
    assert (found.minimum_interval_seconds, list(found.owners)) == (30, [])
    assert sg.AutomationConditionSensorDefinition("conditions", target="*").minimum_interval_seconds == 30
    assert giving(None, job=nightly, minimum_interval_seconds=0).minimum_interval_seconds == 0


# -- in definitions


def test_definitions_hold_sensors_as_data() -> None:
    found = giving(
        None, jobs=[nightly, weekly], minimum_interval_seconds=5, default_status=sg.DefaultSensorStatus.RUNNING
    )
    conditions = sg.AutomationConditionSensorDefinition("conditions", target="*", run_tags={"a": 1})
    defs = sg.Definitions(assets=[orders], sensors=[found, conditions])
    node, other = defs.manifest.sensors
    assert (node.name, node.job_names, node.minimum_interval_seconds) == ("look", ("nightly", "weekly"), 5)
    assert (node.runs_by_default, node.sensor_type.value) == (True, "STANDARD")
    assert (other.asset_selection, other.sensor_type.value, other.minimum_interval_seconds) == (
        (orders.key,),
        "AUTO_MATERIALIZE",
        30,
    )
    assert sorted(defs.asset_graph.jobs) == ["nightly", "weekly"]
    assert defs.get_sensor_def("look") is defs.resolve_sensor_def("look") is found
    assert sg.Definitions(sensors=[giving(None, name="own", target=[orders])]).asset_graph.nodes.keys() == {orders.key}
    assert defs.manifest == type(defs.manifest)(
        **{name: getattr(defs.manifest, name) for name in defs.manifest.__struct_fields__}
    )


def test_definitions_refuse_sensors_that_name_what_is_not_there() -> None:
    sensors = [
        giving(None, job_name="gone", name="lost"),
        giving(None, name="needy", required_resource_keys={"shop"}),
        giving(None, name="twin"),
    ]
    schedule = sg.ScheduleDefinition("twin", job=nightly, cron_schedule="@daily")
    with pytest.raises(sg.DefinitionErrors) as caught:
        sg.Definitions.validate_loadable(sg.Definitions(assets=[orders], sensors=sensors, schedules=[schedule]))
    text = str(caught.value)
    for part in ("'lost' requires the job 'gone'", "'needy' requires the resource 'shop'", "name 'twin'"):
        assert part in text


def test_conditions_are_not_evaluated_as_a_function() -> None:
    eager = sg.AutomationCondition.eager()
    conditions = sg.AutomationConditionSensorDefinition(
        "c", target="*", use_user_code_server=True, default_condition=eager
    )
    assert conditions.sensor_type.value == "AUTOMATION"
    assert conditions.default_condition == eager
    assert conditions.emit_backfills
    with pytest.raises(sg.NotSupportedError, match="evaluate_automation_conditions"):
        ticked(conditions)
    with pytest.raises(sg.NotSupportedError, match="evaluate_automation_conditions"):
        conditions(sg.build_sensor_context())
    with pytest.raises(sg.InvalidDefinitionError, match="use_user_code_server"):
        sg.AutomationConditionSensorDefinition("c", target="*", default_condition=eager)


def test_a_context_for_tests_has_the_payloads_it_is_given() -> None:
    @sg.sensor(job=nightly)
    def pushed(context: sg.SensorEvaluationContext) -> Iterator[sg.RunRequest]:
        for each in context.payloads:
            yield sg.RunRequest(tags={"payload": str(each)})

    requests = list(pushed(sg.build_sensor_context(payloads=[1, {"a": None}])))
    assert [request.tags["payload"] for request in requests] == ["1", "{'a': None}"]
    assert list(pushed(sg.build_sensor_context())) == []


def test_a_sensor_may_ask_for_assets_that_other_definitions_have() -> None:
    @sg.sensor(asset_selection=["elsewhere", "orders"])
    def watch() -> sg.SkipReason:
        return sg.SkipReason("quiet")

    definitions = sg.Definitions(assets=[orders], sensors=[watch])
    sg.Definitions.validate_loadable(definitions)
    assert watch.evaluate_tick(sg.build_sensor_context(definitions=definitions)).skip_message == "quiet"
