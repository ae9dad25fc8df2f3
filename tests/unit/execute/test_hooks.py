"""Hooks that run after steps: when, with what, and what comes of those that raise."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    SEEN.clear()


@sg.success_hook(required_resource_keys={"channel"})
def tell(context: sg.HookContext) -> None:
    SEEN.append((context.op.name, context.resources.channel, dict(context.op_output_values), context.job_name))


@sg.failure_hook
def complain(context: sg.HookContext) -> None:
    SEEN.append((context.step_key, repr(context.op_exception)))
    context.log.warning("complained")


@sg.success_hook
def broken(context: sg.HookContext) -> None:
    raise ZeroDivisionError(context.run_id)


@sg.op
def give() -> sg.Output[int]:
    return sg.Output(5, metadata={"rows": 5})


@sg.op(retry_policy=sg.RetryPolicy(max_retries=1))
def fails() -> None:
    raise ValueError("no")


def hook_events(result: sg.ExecuteInProcessResult) -> list[tuple[str, str | None, str]]:
    found: list[tuple[str, str | None, str]] = []
    for event in result.all_events:
        if event.is_hook_event:
            data: Any = event.event_specific_data
            found.append((event.event_type_value, event.step_key, data.hook_name))
    return found


def test_hooks_of_a_job_run_after_each_step() -> None:
    @sg.job(hooks={tell, complain}, resource_defs={"channel": "#data"})
    def gives() -> None:
        give.alias("first")()

    result = gives.execute_in_process()
    assert SEEN == [("first", "#data", {"result": 5}, "gives")]
    assert hook_events(result) == [("HOOK_SKIPPED", "first", "complain"), ("HOOK_COMPLETED", "first", "tell")]
    kinds = [event.event_type_value for event in result.all_events]
    assert kinds.index("STEP_SUCCESS") < kinds.index("HOOK_SKIPPED")


def test_a_failed_step_is_told_once_and_its_retries_are_not() -> None:
    @sg.job(hooks={complain})
    def job() -> None:
        fails()

    result = job.execute_in_process(raise_on_error=False)
    assert SEEN == [("fails", "ValueError('no')")]
    assert hook_events(result) == [("HOOK_SKIPPED", "fails", "complain"), ("HOOK_COMPLETED", "fails", "complain")]
    lines = [event.message for event in result.all_logs if event.event_type_value == "LOG_MESSAGE"]
    assert "complained" in lines


def test_a_hook_that_raises_changes_nothing() -> None:
    @sg.job
    def job() -> None:
        give.with_hooks({broken})()

    result = job.execute_in_process()
    assert result.success
    assert hook_events(result) == [("HOOK_ERRORED", "give", "broken")]
    data: Any = next(event for event in result.all_events if event.is_hook_event).event_specific_data
    assert data.error.cls_name == "ZeroDivisionError"


def test_a_resource_that_a_hook_takes_must_be_given() -> None:
    @sg.job(hooks={tell})
    def job() -> None:
        give()

    with pytest.raises(sg.InvalidDefinitionError, match="requires the resource 'channel'"):
        job.execute_in_process()
    no_hooks: Any = {5}
    with pytest.raises(sg.InvalidDefinitionError, match="is not a hook"):
        sg.define_asset_job("job", hooks=no_hooks)
    no_executor: Any = "mine"
    with pytest.raises(sg.InvalidDefinitionError, match="is not an executor"):
        sg.define_asset_job("job", executor_def=no_executor)


def test_hooks_and_retries_of_a_job_of_assets() -> None:
    tries: list[int] = []

    @sg.asset
    def flaky(context: sg.AssetExecutionContext) -> int:
        tries.append(context.retry_number)
        if context.retry_number == 0:
            raise ValueError("once")
        return 1

    job = sg.define_asset_job("nightly", hooks={tell, complain}, op_retry_policy=sg.RetryPolicy(max_retries=2))
    definitions = sg.Definitions(assets=[flaky], jobs=[job], resources={"channel": "#data"})
    result = definitions.get_job_def("nightly").execute_in_process()
    assert (result.success, tries) == (True, [0, 1])
    assert SEEN == [("flaky", "#data", {"result": 1}, "nightly")]


def test_values_and_metadata_come_by_output_and_those_of_a_dynamic_one_by_mapping_key() -> None:
    kept: list[Any] = []

    @sg.success_hook
    def keep(context: sg.HookContext) -> None:
        kept.append((context.op_output_values, context.op_output_metadata))

    @sg.op(out=sg.DynamicOut(int))
    def parts() -> list[sg.DynamicOutput[int]]:
        return [sg.DynamicOutput(1, "a"), sg.DynamicOutput(2, "b", metadata={"rows": 7})]

    @sg.op
    def silent() -> int:
        return 1

    @sg.job(hooks={keep})
    def job() -> None:
        parts()
        give()
        silent()

    job.execute_in_process()
    assert kept[0] == ({"result": 5}, {"result": {"rows": sg.MetadataValue.int(5)}})
    assert kept[1] == ({"result": {"a": 1, "b": 2}}, {"result": {"a": {}, "b": {"rows": sg.MetadataValue.int(7)}}})
    assert kept[2] == ({"result": 1}, {"result": {}})


def test_hooks_of_assets_and_of_ops_behind_assets_run_and_their_resources_count() -> None:
    @sg.op
    def double(value: int) -> int:
        return value * 2

    @sg.graph
    def twice(value: int) -> Any:
        return double.with_hooks({tell})(double(value))

    @sg.asset(hooks={tell})
    def plain() -> int:
        return 1

    @sg.graph_asset
    def behind(plain: int) -> Any:
        return double.alias("last")(twice(plain))

    assert plain.required_resource_keys == behind.required_resource_keys == {"channel", "io_manager"}
    with pytest.raises(sg.InvalidDefinitionError, match="channel"):
        sg.Definitions.validate_loadable(sg.Definitions(assets=[plain]))

    result = sg.materialize([plain, behind], resources={"channel": "news"})

    assert result.output_for_node("behind.last") == 8
    assert [each[:2] for each in hook_events(result)] == [
        ("HOOK_COMPLETED", "plain"),
        ("HOOK_COMPLETED", "behind.twice.double_2"),
    ]
    assert [channel for _, channel, _, _ in SEEN] == ["news", "news"]


def test_a_hook_decorates_a_job_or_a_graph() -> None:
    @complain
    @sg.job
    def whole() -> None:
        fails()

    @complain
    @sg.graph
    def part() -> None:
        fails()

    @sg.job
    def outer() -> None:
        part()

    assert isinstance(whole, sg.JobDefinition)
    for job in (whole, outer):
        job.execute_in_process(raise_on_error=False)
    assert [step for step, _ in SEEN] == ["fails", "part.fails"]
