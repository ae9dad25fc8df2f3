"""Schedules: what they are made of, and what a tick of them asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import segue as sg

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
DAILY = sg.DailyPartitionsDefinition("2024-01-01")


@sg.asset
def orders() -> int:
    return 1


@sg.asset(partitions_def=DAILY)
def daily_orders() -> int:
    return 1


nightly = sg.define_asset_job("nightly", selection=[orders])
by_day = sg.define_asset_job("by_day", selection=[daily_orders])
DEFS = sg.Definitions(assets=[orders, daily_orders], jobs=[nightly, by_day])


def at_noon(**arguments: Any) -> sg.ScheduleEvaluationContext:
    return sg.build_schedule_context(scheduled_execution_time=NOON, **arguments)


def giving(answer: object, **arguments: Any) -> sg.ScheduleDefinition:
    def rule(context: sg.ScheduleEvaluationContext) -> object:
        return answer(context) if callable(answer) else answer

    return sg.schedule(cron_schedule="@daily", **{"job": nightly, **arguments})(rule)


def asked(schedule: sg.ScheduleDefinition, **arguments: Any) -> list[sg.RunRequest]:
    return list(schedule.evaluate_tick(at_noon(**arguments)).run_requests)


def skipped(schedule: sg.ScheduleDefinition) -> str | None:
    tick = schedule.evaluate_tick(at_noon())
    assert not tick.run_requests
    return tick.skip_message


# -- declaring


def test_a_schedule_is_named_after_its_job_and_stands_still_by_default() -> None:
    found = sg.ScheduleDefinition(
        job=nightly, cron_schedule=["@daily", "0 5 * * *"], execution_timezone="Europe/Berlin"
    )
    assert (found.name, found.job_name, found.job, found.has_job) == ("nightly_schedule", "nightly", nightly, True)
    assert found.cron_schedule == ["@daily", "0 5 * * *"]
    assert (found.execution_timezone, found.default_status) == ("Europe/Berlin", sg.DefaultScheduleStatus.STOPPED)


def test_a_schedule_of_a_job_by_name_does_not_know_the_job() -> None:
    found = sg.ScheduleDefinition(job_name="nightly", cron_schedule="@daily")
    assert (found.name, found.has_job, found.has_anonymous_job) == ("nightly_schedule", False, False)
    with pytest.raises(sg.InvalidDefinitionError, match="only has the name of its job"):
        _ = found.job


def test_a_schedule_of_assets_makes_a_job_of_them() -> None:
    found = sg.ScheduleDefinition("early", target=[orders], cron_schedule="@daily")
    defs = sg.Definitions(schedules=[found])
    assert found.has_anonymous_job
    assert defs.asset_graph.jobs[found.job_name].assets == (orders.key,)
    assert sg.ScheduleDefinition("x", target=nightly, cron_schedule="@daily").job is nightly


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no target": (lambda: sg.ScheduleDefinition("s", cron_schedule="@daily"), "has no target"),
    "two targets": (
        lambda: sg.ScheduleDefinition("s", cron_schedule="@daily", job=nightly, job_name="x"),
        "job_name and job",
    ),
    "is not a job": (lambda: sg.ScheduleDefinition("s", cron_schedule="@daily", job=5), "is not a job"),  # type: ignore[arg-type]
    "no selection": (lambda: sg.ScheduleDefinition("s", cron_schedule="@daily", target=5), "target must be"),  # type: ignore[arg-type]
    "target without name": (lambda: sg.ScheduleDefinition(cron_schedule="@daily", target="orders"), "requires a name"),
    "name": (lambda: sg.ScheduleDefinition("a b", cron_schedule="@daily", job=nightly), "not a valid name"),
    "zone": (
        lambda: sg.ScheduleDefinition(cron_schedule="@daily", job=nightly, execution_timezone="Europe/Bern"),
        "Unknown time zone",
    ),
    "tags twice": (
        lambda: sg.ScheduleDefinition(cron_schedule="@daily", job=nightly, tags={"a": "b"}, tags_fn=lambda _: {}),
        "both tags and tags_fn",
    ),
    "decorated tags twice": (lambda: giving({}, tags={"a": "b"}, tags_fn=lambda _: {}), "both tags and tags_fn"),
    "config twice": (
        lambda: sg.ScheduleDefinition(
            cron_schedule="@daily", job=nightly, run_config={"ops": {}}, run_config_fn=lambda _: {}
        ),
        "both run_config and run_config_fn",
    ),
    "functions twice": (
        lambda: sg.ScheduleDefinition(
            cron_schedule="@daily", job=nightly, execution_fn=lambda _: {}, should_execute=lambda _: True
        ),
        "execution_fn cannot be combined",
    ),
    "owner": (lambda: sg.ScheduleDefinition(cron_schedule="@daily", job=nightly, owners=["x"]), "owner 'x'"),
    "status": (
        lambda: sg.ScheduleDefinition(cron_schedule="@daily", job=nightly, default_status="on"),
        "default_status",
    ),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("make", "why"), WRONG.values(), ids=WRONG)
def test_wrong_declarations_say_why(make: Callable[[], object], why: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        make()


def test_copies_with_another_job_or_other_metadata() -> None:
    found = sg.ScheduleDefinition(job=nightly, cron_schedule="@daily", metadata={"a": 1})
    other = found.with_updated_job(by_day).with_attributes(metadata={"b": 2})
    assert (other.job_name, list(other.metadata), other.name) == ("by_day", ["b"], "nightly_schedule")
    assert (found.job_name, list(found.metadata)) == ("nightly", ["a"])


# -- ticks


def test_a_plain_schedule_asks_for_one_run_with_its_config_and_tags() -> None:
    found = sg.ScheduleDefinition(job=nightly, cron_schedule="@daily", run_config=sg.RunConfig(), tags={"n": 1})
    (request,) = asked(found)
    assert request.tags == {"n": "1", "dagster/schedule_name": "nightly_schedule"}
    assert request.run_config == sg.RunConfig().to_config_dict()


def test_functions_say_config_and_tags_and_whether_anything_runs() -> None:
    found = sg.ScheduleDefinition(
        job=nightly,
        cron_schedule="@daily",
        run_config_fn=lambda context: {"ops": {"day": str(context.scheduled_execution_time.day)}},
        tags_fn=lambda context: {"hour": str(context.scheduled_execution_time.hour)},
        should_execute=lambda context: context.scheduled_execution_time.hour == 12,
    )
    (request,) = asked(found)
    assert request.run_config == {"ops": {"day": "3"}}
    assert request.tags["hour"] == "12"
    never = sg.ScheduleDefinition(job=nightly, cron_schedule="@daily", should_execute=lambda _: False)
    assert skipped(never) == "should_execute of nightly_schedule returned false."
    without_context = sg.ScheduleDefinition(job=nightly, cron_schedule="@daily", run_config_fn=lambda: {"ops": {}})
    assert asked(without_context)[0].run_config == {"ops": {}}


def yielding(*answers: object) -> Callable[[object], Iterator[object]]:
    def rule(context: object) -> Iterator[object]:
        yield from answers

    return rule


TWO = [sg.RunRequest(run_key="1"), sg.RunRequest(run_key="2")]


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        (sg.RunRequest(run_key="1"), ["1"]),
        (TWO, ["1", "2"]),
        (yielding(*TWO), ["1", "2"]),
        (yielding(sg.RunRequest()), [None]),
        ({"ops": {}}, [None]),
        (sg.RunConfig(), [None]),
    ],
)
def test_what_a_function_gives_is_asked_for(answer: object, keys: list[str | None]) -> None:
    assert [request.run_key for request in asked(giving(answer))] == keys


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "rule requested no runs."),
        ([], "rule requested no runs."),
        (yielding(), "rule requested no runs."),
        (sg.SkipReason("closed"), "closed"),
        ([sg.SkipReason("closed")], "closed"),
        (yielding(sg.SkipReason("closed")), "closed"),
        (sg.SkipReason(), None),
    ],
)
def test_a_tick_without_runs_says_why(answer: object, reason: str | None) -> None:
    assert skipped(giving(answer)) == reason


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("x", "expected RunRequests, a SkipReason or run config"),
        ([5], "expected RunRequests, a SkipReason or run config"),
        ([sg.RunRequest(), sg.RunRequest()], "each RunRequest must have a run_key"),
        ([sg.SkipReason(), sg.RunRequest()], "return it alone"),
        (yielding(sg.SkipReason(), sg.SkipReason()), "return it alone"),
    ],
)
def test_answers_that_are_none_are_refused(answer: object, why: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=why):
        giving(answer).evaluate_tick(at_noon())


def test_tags_of_the_decorator_are_for_runs_given_as_config() -> None:
    assert asked(giving({}, tags={"a": "b"}))[0].tags["a"] == "b"
    assert asked(giving({}, tags_fn=lambda _: {"a": "c"}))[0].tags["a"] == "c"
    assert "a" not in asked(giving(sg.RunRequest(), tags={"a": "b"}))[0].tags
    assert skipped(giving({}, should_execute=lambda _: False)) == "should_execute of rule returned false."


@pytest.mark.parametrize("parameter", ["tags_fn", "should_execute", "run_config_fn", "execution_fn"])
def test_what_user_functions_raise_is_told_with_its_cause(parameter: str) -> None:
    def bad(context: object) -> Any:
        raise ZeroDivisionError("no")

    found = sg.ScheduleDefinition(job=nightly, cron_schedule="@daily", **{parameter: bad})
    with pytest.raises(sg.ScheduleExecutionError, match=r"'nightly_schedule'.*no") as caught:
        found.evaluate_tick(at_noon())
    assert isinstance(caught.value.user_exception, ZeroDivisionError)


def test_a_run_of_a_partition_bears_its_tag_and_the_partition_must_exist() -> None:
    (request,) = asked(giving(sg.RunRequest(partition_key="2024-01-05"), job=by_day), repository_def=DEFS)
    assert (request.partition_key, request.tags["dagster/partition"]) == ("2024-01-05", "2024-01-05")
    with pytest.raises(sg.UnknownPartitionError, match="2023-01-05"):
        asked(giving(sg.RunRequest(partition_key="2023-01-05"), job=by_day), repository_def=DEFS)
    with pytest.raises(sg.UnknownPartitionError):  # it has not ended at the time of the tick
        asked(giving(sg.RunRequest(partition_key="2024-02-03"), job=by_day), repository_def=DEFS)
    with pytest.raises(sg.InvalidInvocationError, match="is not partitioned"):
        asked(giving(sg.RunRequest(partition_key="2024-01-05")), repository_def=DEFS)
    with pytest.raises(sg.InvariantViolationError, match="no definitions"):
        asked(giving(sg.RunRequest(partition_key="2024-01-05"), job=by_day))


# -- calling


def test_a_decorated_schedule_is_called_like_its_function() -> None:
    found = giving({"ops": {}})
    assert found(at_noon()) == found(context=at_noon()) == {"ops": {}}

    @sg.schedule(cron_schedule="@daily", job=nightly)
    def bare() -> dict[str, object]:
        return {"ops": {"a": 1}}

    assert bare() == bare(at_noon()) == {"ops": {"a": 1}}


def test_wrong_calls_say_what_to_pass() -> None:
    found = giving({})
    for arguments, named in (((), {}), ((5,), {}), ((at_noon(), at_noon()), {}), ((), {"other": at_noon()})):
        with pytest.raises(sg.InvalidInvocationError, match="context"):
            found(*arguments, **named)
    with pytest.raises(sg.InvalidInvocationError, match="not made by @schedule"):
        sg.ScheduleDefinition(job=nightly, cron_schedule="@daily")(at_noon())


class Shop(sg.ConfigurableResource):
    name: str


def test_resources_come_by_parameter_or_from_the_context() -> None:
    @sg.schedule(cron_schedule="@daily", job=nightly)
    def by_parameter(context: sg.ScheduleEvaluationContext, shop: Shop) -> sg.RunRequest:
        return sg.RunRequest(run_key=shop.name)

    @sg.schedule(cron_schedule="@daily", job=nightly, required_resource_keys={"shop"})
    def by_key(context: sg.ScheduleEvaluationContext) -> sg.RunRequest:
        return sg.RunRequest(run_key=context.resources.shop.name)

    shop = Shop(name="corner")
    assert by_parameter.required_resource_keys == by_key.required_resource_keys == {"shop"}
    for schedule in (by_parameter, by_key):
        with at_noon(resources={"shop": shop}) as context:
            assert schedule(context).run_key == "corner"
            assert schedule.evaluate_tick(context).run_requests[0].run_key == "corner"
        with pytest.raises(sg.InvalidDefinitionError, match="'shop'"):
            schedule(at_noon())
    assert by_parameter(at_noon(), shop=Shop(name="other")).run_key == "other"
    with pytest.raises(sg.InvalidDefinitionError, match="keep one"):
        sg.schedule(cron_schedule="@daily", job=nightly, required_resource_keys={"a"})(by_parameter.evaluation.function)


def test_resources_are_set_up_for_the_context_and_torn_down_after() -> None:
    log: list[str] = []

    class Door(sg.ConfigurableResource):
        def setup_for_execution(self, context: sg.InitResourceContext) -> None:
            log.append("open")

        def teardown_after_execution(self, context: sg.InitResourceContext) -> None:
            log.append("close")

    with at_noon(resources={"door": Door()}).merge_resources({"n": 3}) as context:
        assert log == []
        assert context.resources.n == 3
        assert log == ["open"]
        with pytest.raises(sg.InvariantViolationError, match="in use"):
            context.merge_resources({"m": 4})
    assert log == ["open", "close"]


def test_a_context_says_what_it_was_not_given() -> None:
    context = sg.build_schedule_context()
    for name in ("scheduled_execution_time", "instance", "repository_def"):
        with pytest.raises(sg.InvariantViolationError, match=name if name != "repository_def" else "definitions"):
            getattr(context, name)
    assert context.log.name == "segue.user"
    assert (context.log_key, context.has_captured_logs(), context.resource_defs) == (None, False, {})
    with pytest.raises(sg.InvalidInvocationError, match="instance must be"):
        sg.build_schedule_context(instance=5)  # type: ignore[arg-type]


# -- in definitions


def test_definitions_hold_schedules_as_data() -> None:
    found = sg.ScheduleDefinition(
        job=nightly,
        cron_schedule="@daily",
        execution_timezone="Europe/Berlin",
        default_status=sg.DefaultScheduleStatus.RUNNING,
        owners=["team:shop"],
        description="each night",
    )
    defs = sg.Definitions(assets=[orders], schedules=[found, found])
    (node,) = defs.manifest.schedules
    assert (node.name, node.cron_schedules, node.job_name) == ("nightly_schedule", ("@daily",), "nightly")
    assert (node.execution_timezone, node.runs_by_default) == ("Europe/Berlin", True)
    assert (node.owners, node.description) == (("team:shop",), "each night")
    assert list(defs.asset_graph.jobs) == ["nightly"]
    assert defs.get_schedule_def("nightly_schedule") is defs.resolve_schedule_def("nightly_schedule") is found
    with pytest.raises(sg.InvariantViolationError, match=r"Schedule 'x' not found.*nightly_schedule"):
        defs.get_schedule_def("x")
    merged = sg.Definitions.merge(defs, sg.Definitions(schedules=[giving({}, name="other")]))
    assert [each.name for each in merged.manifest.schedules] == ["nightly_schedule", "other"]


def test_definitions_refuse_schedules_that_name_what_is_not_there() -> None:
    lost = sg.ScheduleDefinition("lost", job_name="gone", cron_schedule="@daily")
    needy = giving({}, name="needy", required_resource_keys={"shop"})
    twin = giving({}, name="needy")
    with pytest.raises(sg.DefinitionErrors) as caught:
        sg.Definitions.validate_loadable(sg.Definitions(assets=[orders], schedules=[lost, needy, twin]))
    text = str(caught.value)
    for part in ("'lost' requires the job 'gone'", "'needy' requires the resource 'shop'", "name 'needy'"):
        assert part in text
    with pytest.raises(sg.InvalidDefinitionError, match="schedules"):
        sg.Definitions(schedules=[5])  # type: ignore[list-item]
