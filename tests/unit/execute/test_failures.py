"""What user code raises: recorded with its own frames, retried as asked, and given back as it was."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import segue as sg
from segue.host.inprocess import execute_request
from segue.model.event import ErrorInfo, LogMessageData, RunFailureData
from segue.model.request import RunRequest
from segue.model.run import FailureReason


def failure_of(function: Callable[[], Any]) -> ErrorInfo:
    """What is recorded of an asset whose function raises."""
    result = sg.materialize([sg.asset(name="a")(function)], raise_on_error=False)
    assert not result.success
    return result.get_step_failure_events()[0].step_failure_data.raised


def inner() -> None:
    raise KeyError("missing")


def chained() -> None:
    try:
        inner()
    except KeyError as error:
        raise ValueError("cannot go on") from error


def while_handling() -> None:
    try:
        inner()
    except KeyError:
        raise ValueError("cannot go on")  # noqa: B904 - the context is what is tested


def without_cause() -> None:
    try:
        inner()
    except KeyError:
        raise ValueError("cannot go on") from None


@pytest.mark.parametrize("function", [chained, while_handling])
def test_causes_stand_with_their_own_frames(function: Callable[[], Any]) -> None:
    error = failure_of(function)
    assert (error.cls_name, error.message) == ("ValueError", "ValueError: cannot go on")
    assert [frame.split(" in ")[1].split("\n")[0] for frame in error.stack] == [function.__name__]
    before = error.cause if function is chained else error.context
    assert before is not None
    assert before.message == "KeyError: 'missing'"
    assert [frame.split(" in ")[1].split("\n")[0] for frame in before.stack] == [function.__name__, "inner"]
    assert error.to_string().index("'missing'") < error.to_string().index("cannot go on")
    assert "src/segue/" not in error.to_string().replace("tests/", "")


def test_what_an_error_was_raised_from_is_told_apart_from_what_was_being_handled() -> None:
    assert failure_of(chained).context is None
    assert failure_of(while_handling).cause is None
    assert "While the above exception was handled" in failure_of(while_handling).to_string()


def test_a_cause_that_user_code_hides_stays_hidden() -> None:
    error = failure_of(without_cause)
    assert (error.cause, error.context) == (None, None)


def test_a_generator_that_raises_shows_its_own_frames() -> None:
    def generator() -> Iterator[Any]:
        yield sg.Output(1)
        inner()

    assert [frame.split(" in ")[1].split("\n")[0] for frame in failure_of(generator).stack] == ["generator", "inner"]


def test_endless_recursion_is_cut() -> None:
    def ping() -> None:
        pong()

    def pong() -> None:
        ping()

    error = failure_of(ping)
    assert error.cls_name == "RecursionError"
    assert len(error.stack) <= 101
    assert any("frames are omitted" in line for line in error.stack)


def test_an_endless_chain_is_cut() -> None:
    def raises() -> None:
        error: BaseException = ValueError(0)
        for number in range(1, 1500):
            following = ValueError(number)
            following.__cause__ = error
            error = following
        raise error

    current: ErrorInfo | None = failure_of(raises)
    messages: list[str] = []
    while current is not None:
        messages.append(current.message)
        current = current.cause
    assert messages[0] == "ValueError: 1499"
    assert messages[-1] == "(1480 earlier causes are omitted)"


def test_a_chain_that_bites_its_tail_ends() -> None:
    def raises() -> None:
        one, two = ValueError("one"), ValueError("two")
        one.__cause__, two.__cause__ = two, one
        raise one

    error = failure_of(raises)
    assert error.cause is not None
    assert (error.cause.message, error.cause.cause) == ("ValueError: two", None)


def test_an_exception_that_cannot_be_shown() -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise RuntimeError

        __repr__ = __str__

    def raises() -> None:
        raise Unprintable

    assert "Unprintable" in failure_of(raises).message


def test_a_group_shows_what_is_in_it() -> None:
    def raises() -> None:
        errors: list[Exception] = []
        for action in (inner, lambda: int("x")):
            try:
                action()
            except (KeyError, ValueError) as error:
                errors.append(error)
        raise ExceptionGroup("two went wrong", errors)

    message = failure_of(raises).message
    assert message.startswith("ExceptionGroup: two went wrong (2 sub-exceptions)")
    assert "KeyError: 'missing'" in message
    assert "in inner" in message
    assert "invalid literal" in message


def test_a_mistake_in_evaluated_code_shows_where() -> None:
    def raises() -> None:
        eval("1 +* 2")

    error = failure_of(raises)
    assert error.cls_name == "SyntaxError"
    assert "1 +* 2" in error.message


def test_notes_are_kept() -> None:
    def raises() -> None:
        error = ValueError("x")
        error.add_note("row 7")
        raise error

    assert failure_of(raises).message == "ValueError: x\nrow 7"


def test_text_that_is_no_unicode_is_escaped() -> None:
    def raises() -> None:
        raise ValueError("\udcff")

    assert failure_of(raises).message == "ValueError: \\udcff"


def test_metadata_of_a_foreign_exception_is_not_taken_for_ours() -> None:
    class Foreign(Exception):
        metadata = object()

    def raises() -> None:
        raise Foreign("x")

    assert failure_of(raises).cls_name.endswith("Foreign")


class Stop(BaseException):
    """As of a test runner, or a canceled coroutine."""


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), Stop("x")])
def test_whatever_leaves_user_code_is_a_failed_step(error: BaseException) -> None:
    @sg.asset
    def leaves() -> None:
        raise error

    @sg.asset
    def other() -> None: ...

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([leaves, other], instance=instance, raise_on_error=False)
        assert result.run.status is sg.RunStatus.FAILURE
        assert result.is_node_success("other")
        with pytest.raises(type(error)) as caught:
            sg.materialize([leaves], instance=instance)
        assert caught.value is error


def test_the_first_failure_is_raised_with_the_frames_of_user_code() -> None:
    @sg.asset
    def a_first() -> None:
        inner()

    @sg.asset
    def b_second() -> None:
        raise ValueError

    with pytest.raises(KeyError) as caught:
        sg.materialize([b_second, a_first])
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][-2:] == ["a_first", "inner"]


def tries(steer: Callable[[], Exception], policy: sg.RetryPolicy | None = None) -> int:
    """How often a step that always raises is tried."""
    count: list[int] = []

    @sg.asset(retry_policy=policy)
    def a() -> None:
        count.append(1)
        raise steer()

    assert not sg.materialize([a], raise_on_error=False).success
    return len(count)


@pytest.mark.parametrize(
    ("steer", "policy", "expected"),
    [
        (lambda: ValueError(), None, 1),
        (lambda: ValueError(), sg.RetryPolicy(max_retries=2), 3),
        (lambda: ValueError(), sg.RetryPolicy(max_retries=2, delay=0.001, backoff=sg.Backoff.EXPONENTIAL), 3),
        (lambda: sg.Failure("x"), sg.RetryPolicy(max_retries=2), 3),
        (lambda: sg.Failure("x", allow_retries=False), sg.RetryPolicy(max_retries=2), 1),
        (lambda: sg.RetryRequested(), None, 2),
        (lambda: sg.RetryRequested(max_retries=3, seconds_to_wait=0), sg.RetryPolicy(max_retries=1), 4),
        (lambda: sg.RetryRequested(max_retries=0), sg.RetryPolicy(max_retries=5), 1),
        (lambda: sg.RetryRequested(max_retries=-1, seconds_to_wait=-1), None, 1),
        (lambda: sg.InvariantViolationError("x"), sg.RetryPolicy(max_retries=2), 1),
        (lambda: sg.InvariantViolationError("x"), sg.RetryPolicy(max_retries=2, retry_on={"user_code"}), 3),
        (lambda: sg.PipesExecutionError("x"), sg.RetryPolicy(max_retries=2), 3),
    ],
)
def test_tries(steer: Callable[[], Exception], policy: sg.RetryPolicy | None, expected: int) -> None:
    assert tries(steer, policy) == expected


def test_a_requested_retry_shows_what_it_was_raised_from() -> None:
    def raises() -> None:
        try:
            inner()
        except KeyError as error:
            raise sg.RetryRequested(max_retries=0) from error

    assert failure_of(raises).message == "KeyError: 'missing'"


def test_a_requested_retry_is_no_error_of_user_code() -> None:
    @sg.asset
    def a() -> None:
        raise sg.RetryRequested(max_retries=0)

    data = sg.materialize([a], raise_on_error=False).failure_data_for_node("a")
    assert data is not None
    assert (data.error.cls_name, data.error.cause) == ("RetryRequested", None)


def test_a_retry_says_when_and_why() -> None:
    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1, delay=0.001))
    def a(context: sg.AssetExecutionContext) -> None:
        if context.retry_number == 0:
            raise ValueError("once")

    result = sg.materialize([a])
    [event] = [event for event in result.all_events if event.event_type is sg.EventType.STEP_UP_FOR_RETRY]
    payload: Any = event.payload
    assert (payload.attempt, payload.seconds_to_wait, payload.error.message) == (1, 0.001, "ValueError: once")
    assert result.retry_attempts_for_node("a") == 1


def test_a_step_that_waits_lets_others_go_first() -> None:
    order: list[str] = []

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1))
    def a(context: sg.AssetExecutionContext) -> None:
        order.append("a")
        if context.retry_number == 0:
            raise ValueError

    @sg.asset
    def b() -> None:
        order.append("b")

    sg.materialize([a, b])
    assert order == ["a", "b", "a"]


def test_a_blocking_check_is_not_retried() -> None:
    calls: list[int] = []

    @sg.asset(
        check_specs=[sg.AssetCheckSpec("c", asset="a", blocking=True)], retry_policy=sg.RetryPolicy(max_retries=2)
    )
    def a() -> sg.MaterializeResult[None]:
        calls.append(1)
        return sg.MaterializeResult(check_results=[sg.AssetCheckResult(passed=False)])

    result = sg.materialize([a], raise_on_error=False)
    assert not result.success
    assert len(calls) == 1
    assert len(result.get_asset_materialization_events()) == 1
    assert (
        "1 blocking check failed with severity ERROR:\na: c"
        in result.get_step_failure_events()[0].step_failure_data.raised.message
    )


def test_log_lines_keep_level_text_and_exception() -> None:
    @sg.asset
    def talks(context: sg.AssetExecutionContext) -> None:
        for level in (10, 20, 30, 40, 50):
            context.log.log(level, "at %d", level)
        context.log.info("%d", "no number")
        context.log.info("odd \udcff")
        try:
            inner()
        except KeyError:
            context.log.exception("caught")
        context.log.info("none", exc_info=True)

    result = sg.materialize([talks])
    lines = [event.payload for event in result.all_logs if isinstance(event.payload, LogMessageData)]
    assert [(line.level, line.message) for line in lines[:5]] == [(n, f"at {n}") for n in (10, 20, 30, 40, 50)]
    assert lines[5].message.startswith("%d ('no number',) (cannot be formatted")
    assert lines[6].message == "odd \\udcff"
    assert lines[7].error is not None
    assert lines[7].error.message == "KeyError: 'missing'"
    assert lines[8].error is None


@pytest.mark.parametrize("when", ["RUN_START", "RESOURCE_INIT_SUCCESS", "STEP_UP_FOR_RETRY", "RUN_FAILURE"])
def test_a_run_whose_observer_raises_does_not_look_alive(when: str) -> None:
    def observer(event: sg.Event) -> None:
        if event.event_type_value == when:
            raise OSError("the pipe is closed")

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1))
    def fails() -> None:
        raise ValueError

    with sg.Instance.ephemeral() as instance:
        with pytest.raises(OSError, match="closed"):
            execute_request(sg.Definitions([fails]), instance, RunRequest(), observer)
        run = instance.get_runs()[0]
        assert run.status is sg.RunStatus.FAILURE
        last = instance.all_logs(run.run_id)[-1].event.payload
        assert isinstance(last, RunFailureData)
        if when != "RUN_FAILURE":
            assert run.failure_reason is FailureReason.PLATFORM
            assert "the pipe is closed" in last.message


def test_an_event_that_no_store_can_take_ends_the_run() -> None:
    @sg.asset
    def odd() -> None: ...

    @sg.asset
    def told(context: sg.AssetExecutionContext) -> None:
        context.log_event(sg.AssetMaterialization("x", tags={"dagster/odd": object()}))  # type: ignore[dict-item]

    with sg.Instance.ephemeral() as instance:
        with pytest.raises(NotImplementedError):
            sg.materialize([told, odd], instance=instance)
        assert instance.get_runs()[0].failure_reason is FailureReason.PLATFORM
