"""What the config of an executor says of steps that fail: whether they are tried again, and what still starts after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg

OFF = {"retries": {"disabled": {}}}
ON = {"retries": {"enabled": {}}}
EARLY = {"step_dependency_config": {"require_upstream_step_success": False}}


@sg.op(retry_policy=sg.RetryPolicy(max_retries=2))
def flaky(context: sg.OpExecutionContext) -> int:
    if context.retry_number == 0:
        raise ValueError("once")
    return context.retry_number


@sg.op
def asks_again(context: sg.OpExecutionContext) -> int:
    if context.retry_number == 0:
        raise sg.RetryRequested(max_retries=3)
    return context.retry_number


@sg.graph
def both() -> None:
    flaky()
    asks_again()


PLAIN = both.to_job("plain")
SWITCHED = both.to_job("switched", executor_def=sg.in_process_executor.configured(OFF, name="in_process"))
DECLARED = both.to_job("declared", executor_def=sg.in_process_executor)
WITH_CONFIG = both.to_job("with_config", config={"execution": {"config": OFF}})


def _execution(config: dict[str, Any]) -> dict[str, Any]:
    return {"execution": {"config": config}}


@pytest.mark.parametrize(
    ("job", "config", "is_retried"),
    [
        (PLAIN, None, True),
        (PLAIN, _execution(ON), True),
        (PLAIN, _execution(OFF), False),
        (PLAIN, _execution({"multiprocess": OFF}), False),
        (DECLARED, None, True),
        (DECLARED, _execution(OFF), False),
        (SWITCHED, None, False),
        (WITH_CONFIG, None, False),
        (WITH_CONFIG, _execution(ON), True),
    ],
)
def test_retries_are_switched_off_by_config(job: sg.JobDefinition, config: Any, is_retried: bool) -> None:
    result = job.execute_in_process(run_config=config, raise_on_error=False)
    assert result.success is is_retried
    retried = {event.step_key for event in result.all_events if event.is_step_up_for_retry}
    assert retried == ({"flaky", "asks_again"} if is_retried else set())
    failed = {event.step_key for event in result.all_events if event.is_step_failure}
    assert failed == (set() if is_retried else {"flaky", "asks_again"})


def test_retries_of_assets_are_switched_off_too() -> None:
    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=2))
    def table(context: sg.AssetExecutionContext) -> None:
        if context.retry_number == 0:
            raise ValueError("once")

    job = sg.define_asset_job("tables", config=_execution(OFF))
    definitions = sg.Definitions([table], jobs=[job, sg.define_asset_job("others")])
    assert not definitions.get_job_def("tables").execute_in_process(raise_on_error=False).success
    assert definitions.get_job_def("others").execute_in_process().success
    assert not sg.materialize([table], run_config=_execution(OFF), raise_on_error=False).success


@sg.op(out={"early": sg.Out(int), "late": sg.Out(int), "optional": sg.Out(int, is_required=False)})
def breaks() -> Iterator[sg.Output[int]]:
    yield sg.Output(1, "early")
    raise ValueError("between the two")


@sg.op
def after(value: int) -> int:
    return value + 1


@sg.op
def after_all(values: list[int]) -> int:
    return sum(values)


@sg.job
def broken() -> None:
    early, late, optional = breaks()
    after_all([early, after.alias("next")(early)])
    after_all.alias("all_given")([early, late])
    after.alias("never")(late)
    after.alias("nor_this")(optional)


@pytest.mark.parametrize("early", [True, False])
def test_outputs_may_be_enough_for_what_comes_after(early: bool) -> None:
    result = broken.execute_in_process(run_config=_execution(EARLY) if early else None, raise_on_error=False)
    assert not result.success
    done = {event.step_key for event in result.get_step_success_events()}
    assert done == ({"next", "after_all"} if early else set())
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["breaks"]
    if early:
        assert result.output_for_node("after_all") == 3


@sg.op
def number() -> int:
    return 3


def flaky_source() -> sg.JobDefinition:
    @sg.op(out={"early": sg.Out(int), "late": sg.Out(int)})
    def source(context: sg.OpExecutionContext) -> Iterator[sg.Output[int]]:
        yield sg.Output(1, "early")
        if "repaired" not in context.run.tags:
            raise ValueError("between the two")
        yield sg.Output(2, "late")

    @sg.job
    def flaky_source() -> None:
        early, late = source()
        after.alias("one")(early)
        after.alias("two")(late)
        after.alias("apart")(number())

    return flaky_source


def test_what_was_made_of_a_step_that_failed_is_made_again_with_it() -> None:
    job = sg.reconstructable(flaky_source)
    with sg.instance_for_test() as instance:
        first = sg.execute_job(job, instance, run_config=_execution(EARLY))
        assert {event.step_key for event in first.get_step_success_events()} == {"one", "number", "apart"}
        options = sg.ReexecutionOptions.from_failure(first.run_id, instance)
        again = sg.execute_job(job, instance, tags={"repaired": ""}, reexecution_options=options)
        assert again.success
        assert {event.step_key for event in again.get_step_success_events()} == {"source", "one", "two"}


def test_an_executor_that_does_not_know_an_entry_refuses_it() -> None:
    with pytest.raises(sg.InvalidConfigError, match="execution:config"):
        DECLARED.execute_in_process(run_config=_execution({"retry": {}}))
