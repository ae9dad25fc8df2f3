"""Steps and runs that take too long: ended in their own code, recorded, retried, and tidied up after."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import segue as sg
from segue.model.event import RunFailureData, StepFailureData, StepRetryData

SHORT = sg.StepPolicy(timeout=0.05)


def endless() -> None:
    """Runs until something ends it; a minute is for ever here, and ends a test that failed."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(1)


def failures(result: sg.ExecuteInProcessResult) -> list[Any]:
    kinds = (StepFailureData, StepRetryData, RunFailureData)
    return [event.payload for event in result.all_events if isinstance(event.payload, kinds)]


def test_a_step_is_ended_in_its_own_code_and_says_which_limit_it_met() -> None:
    @sg.asset(step_policy=SHORT)
    def slow() -> None:
        endless()

    result = sg.materialize([slow], raise_on_error=False)
    step, run = failures(result)
    assert step.raised.cls_name == "StepTimeoutError"
    assert "The step 'slow' took longer than its timeout of 0.05 seconds." in step.raised.message
    assert any("endless()" in frame for frame in step.raised.cause.stack)
    assert {step.failure_class, run.failure_class} == {sg.FailureClass.TIMEOUT}
    with pytest.raises(TimeoutError, match=re.escape("timeout of 0.05 seconds")):
        sg.materialize([slow])


def test_a_step_that_is_in_time_is_left_alone_and_so_is_what_comes_after_it() -> None:
    @sg.asset(step_policy=sg.StepPolicy(timeout=30))
    def quick() -> None: ...

    handler, (left, _) = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    assert sg.materialize([quick]).success
    assert signal.getsignal(signal.SIGALRM) is handler
    left_then, interval = signal.getitimer(signal.ITIMER_REAL)
    assert interval == 0.0
    assert left - 20 < left_then <= left


def test_finally_blocks_context_managers_and_teardown_of_resources_run() -> None:
    told: list[str] = []

    @contextmanager
    def connection() -> Iterator[None]:
        try:
            yield
        finally:
            told.append("context manager")

    @sg.resource
    def database(_context: object) -> Iterator[int]:
        yield 1
        told.append("resource")

    @sg.asset(step_policy=SHORT, required_resource_keys={"database"})
    def slow() -> None:
        try:
            with connection():
                endless()
        finally:
            told.append("finally")

    assert not sg.materialize([slow], resources={"database": database}, raise_on_error=False).success
    assert told == ["context manager", "finally", "resource"]


def test_a_timeout_is_retried_as_the_policy_says() -> None:
    tries: list[int] = []

    @sg.asset(step_policy=SHORT, retry_policy=sg.RetryPolicy(max_retries=2, retry_on={"timeout"}))
    def slow() -> None:
        tries.append(1)
        if len(tries) < 3:
            endless()

    result = sg.materialize([slow], raise_on_error=False)
    assert result.success
    assert [each.failure_class for each in failures(result)] == [sg.FailureClass.TIMEOUT] * 2


def swallow_exceptions() -> None:
    try:
        endless()
    except Exception:  # noqa: BLE001 - what is tested: a timeout is not one of these
        endless()


def raise_another() -> None:
    try:
        endless()
    except BaseException as error:
        raise ValueError("interrupted") from error


@pytest.mark.parametrize("function", [swallow_exceptions, raise_another])
def test_code_that_handles_exceptions_is_ended_all_the_same(function: Callable[[], None]) -> None:
    result = sg.materialize([sg.asset(name="slow", step_policy=SHORT)(function)], raise_on_error=False)
    assert failures(result)[0].failure_class is sg.FailureClass.TIMEOUT


def test_a_generator_and_an_io_manager_have_no_more_time_than_a_function() -> None:
    class Slow(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None:
            endless()

        def load_input(self, context: sg.InputContext) -> object: ...

    @sg.multi_asset(specs=[sg.AssetSpec("a")], step_policy=SHORT)
    def generator() -> Iterator[sg.MaterializeResult]:
        endless()
        yield sg.MaterializeResult("a")

    @sg.asset(step_policy=SHORT)
    def stored() -> int:
        return 1

    for definition in (generator, stored):
        result = sg.materialize([definition], resources={"io_manager": Slow()}, raise_on_error=False)
        assert failures(result)[0].failure_class is sg.FailureClass.TIMEOUT


def test_log_lines_are_never_torn_by_the_end_of_the_time() -> None:
    @sg.asset(step_policy=sg.StepPolicy(timeout=0.2))
    def chatty(context: sg.AssetExecutionContext) -> None:
        number = 0
        while True:
            context.log.info("line %s", number)
            number += 1

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([chatty], instance=instance, raise_on_error=False)
        lines = [event.message for event in instance.all_logs(result.run_id) if event.message.startswith("line ")]
        assert lines == [f"line {number}" for number in range(len(lines))]
        assert len(lines) > 1


@pytest.mark.parametrize("seconds", [60.0, 0.02], ids=["later", "meanwhile"])
def test_somebody_elses_alarm_rings_when_it_would_have_or_at_once(seconds: float) -> None:
    @sg.asset(step_policy=SHORT)
    def slow() -> None:
        endless()

    rang: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, _frame: rang.append(number))
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        assert not sg.materialize([slow], raise_on_error=False).success
        still = signal.getitimer(signal.ITIMER_REAL)[0]
        assert 40 < still < 60 if seconds == 60 else rang or 0 < still < 0.01
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, handler)


def test_in_another_thread_the_step_ends_with_its_next_call_of_segue() -> None:
    over = threading.Event()

    @sg.asset(step_policy=sg.StepPolicy(timeout=0.01))
    def slow(context: sg.AssetExecutionContext) -> None:
        while not over.is_set():
            time.sleep(0.001)
            context.log.info("still here")

    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(sg.materialize([slow], raise_on_error=False)))
    thread.start()
    thread.join(30)
    over.set()
    assert failures(results[0])[0].failure_class is sg.FailureClass.TIMEOUT


def run_with_limit(seconds: str, *assets: sg.AssetsDefinition) -> sg.ExecuteInProcessResult:
    return sg.materialize(assets, tags={"dagster/max_runtime": seconds}, raise_on_error=False)


def test_a_run_that_takes_too_long_is_ended_without_retries_and_starts_nothing_more() -> None:
    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=3))
    def slow() -> None:
        endless()

    @sg.asset(deps=[slow], step_policy=sg.StepPolicy(trigger_rule="always"))
    def after() -> None: ...

    result = run_with_limit("0.05", slow, after)
    step, run = failures(result)
    said = "The run took longer than its limit of 0.05 seconds (tag dagster/max_runtime, or the setting max_runtime)."
    assert said in step.raised.message
    assert run.message == f"{said} Steps failed: slow."
    assert run.failure_class is sg.FailureClass.TIMEOUT
    assert not [event for event in result.all_events if event.step_key == "after" and event.is_step_event]


def test_a_run_whose_time_ends_between_two_attempts_does_not_wait_for_the_second() -> None:
    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1, delay=60))
    def flaky() -> None:
        raise ValueError("no")

    result = run_with_limit("0.2", flaky)
    assert result.run.status is sg.RunStatus.FAILURE
    assert failures(result)[-1].failure_class is sg.FailureClass.TIMEOUT


class SlowToSetUp(sg.ConfigurableResource):
    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        threading.Event().wait(0.1)


def test_setting_up_resources_is_of_the_time_of_the_run() -> None:
    started: list[str] = []

    @sg.asset
    def uses(slow: SlowToSetUp) -> None:
        started.append("uses")

    tags = {"dagster/max_runtime": "0.05"}
    result = sg.materialize([uses], resources={"slow": SlowToSetUp()}, tags=tags, raise_on_error=False)
    [run] = failures(result)
    assert run.failure_class is sg.FailureClass.TIMEOUT
    assert run.message.startswith("The run took longer than its limit of 0.05 seconds")
    assert started == []


def test_a_run_in_time_and_a_tag_that_says_nothing() -> None:
    @sg.asset
    def quick() -> None: ...

    assert run_with_limit("60", quick).success
    with sg.Instance.ephemeral() as instance:
        with pytest.raises(sg.InvalidInvocationError, match="number of seconds"):
            sg.materialize([quick], tags={"dagster/max_runtime": "soon"}, instance=instance)
        assert instance.get_runs() == []
