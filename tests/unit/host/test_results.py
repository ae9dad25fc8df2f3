"""What a run in this process leaves to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import segue as sg


@sg.op(out={"small": sg.Out(is_required=False), "large": sg.Out(is_required=False)})
def split() -> Iterator[Any]:
    yield sg.ExpectationResult(True, "there is something to split")
    yield sg.Output(1, "small")


@sg.op
def keep(value: int) -> int:
    return value


@sg.op
def broken(value: int) -> int:
    raise ValueError(value)


@sg.graph
def inner(value: int) -> int:
    return keep(value)


@sg.job
def working() -> None:
    small, large = split()
    inner(small)
    keep.alias("never")(large)
    broken(small)


@pytest.fixture(scope="module")
def result() -> sg.ExecuteInProcessResult:
    return working.execute_in_process(raise_on_error=False)


def test_the_run_and_its_job(result: sg.ExecuteInProcessResult) -> None:
    assert result.dagster_run is result.run
    assert (result.run_id, result.job_def, result.success) == (result.run.run_id, working, False)


def test_how_each_node_went(result: sg.ExecuteInProcessResult) -> None:
    asked: dict[str, Callable[[str], bool]] = {
        "success": result.is_node_success,
        "failed": result.is_node_failed,
        "skipped": result.is_node_skipped,
        "untouched": result.is_node_untouched,
    }
    for node, word in [("split", "success"), ("inner.keep", "success"), ("never", "skipped"), ("broken", "failed")]:
        assert [name for name, ask in asked.items() if ask(node)] == [word], node
    assert result.is_node_untouched("elsewhere")
    assert result.get_failed_step_keys() == {"broken"}
    assert result.failure_data_for_node("broken") is not None
    assert result.failure_data_for_node("split") is None
    assert [each.label for each in result.expectation_results_for_node("split")] == ["there is something to split"]
    assert result.expectation_results_for_node("broken") == []


def test_what_was_given_not_given_and_never_declared(result: sg.ExecuteInProcessResult) -> None:
    assert result.output_for_node("split", "small") == result.output_for_node("inner") == 1
    assert result.output_for_node("inner.keep") == 1
    for node, name in [("split", "large"), ("never", "result"), ("broken", "result")]:
        with pytest.raises(sg.StepOutputNotFoundError) as caught:
            result.output_for_node(node, name)
        assert (caught.value.step_key, caught.value.output_name) == (node, name)
    with pytest.raises(sg.InvariantViolationError, match=r"no step 'elsewhere'.*broken, inner\.keep, never, split"):
        result.output_for_node("elsewhere")
    with pytest.raises(sg.InvariantViolationError, match="no output 'middle'; available: small, large"):
        result.output_for_node("split", "middle")


def test_steps_of_dynamic_outputs_are_known_by_their_keys() -> None:
    @sg.op(out=sg.DynamicOut())
    def several() -> Iterator[sg.DynamicOutput[int]]:
        yield sg.DynamicOutput(1, mapping_key="one")
        yield sg.DynamicOutput(2, mapping_key="two")

    @sg.job
    def dynamic() -> None:
        several().map(keep)

    result = dynamic.execute_in_process()
    assert result.output_for_node("keep[two]") == 2
    assert result.output_for_node("keep") == {"one": 1, "two": 2}
    with pytest.raises(sg.StepOutputNotFoundError):
        result.output_for_node("keep[three]")


def test_assets() -> None:
    @sg.asset
    def made() -> int:
        return 7

    result = sg.materialize([made, sg.AssetSpec("elsewhere")])
    assert result.asset_value("made") == result.output_for_node("made") == 7
    with pytest.raises(sg.InvariantViolationError, match="'elsewhere'"):
        result.asset_value("elsewhere")
    with pytest.raises(sg.InvariantViolationError, match="no step 'other'"):
        result.output_for_node("other")


def test_a_failed_run_tells_the_first_exception(result: sg.ExecuteInProcessResult) -> None:
    data = result.get_run_failure_event().job_failure_data
    assert data.error is not None
    assert (data.error.cls_name, data.failed_steps) == ("ValueError", ("broken",))


def test_events_of_nodes_are_what_happened_in_them() -> None:
    @sg.op
    def one(context: sg.OpExecutionContext) -> int:
        context.log.info("a line")
        return 1

    @sg.job
    def single() -> None:
        one()

    result = single.execute_in_process()
    expected = ["STEP_START", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"]
    assert [event.event_type_value for event in result.events_for_node("one")] == expected
    assert [event.event_type_value for event in result.all_node_events] == expected
    # A run of a single step sets up resources for it; that is not in the step.
    assert any(event.step_key == "one" and not event.is_step_event for event in result.all_events)


@pytest.mark.parametrize(
    ("error", "kind", "has_cause"),
    [
        (KeyError("x"), sg.ExecutionStepExecutionError, True),
        (sg.Failure("on purpose"), sg.Failure, False),
        (sg.InvariantViolationError("Segue says so."), sg.InvariantViolationError, False),
    ],
    ids=["unforeseen", "on purpose", "of Segue"],
)
def test_what_user_code_raised_unforeseen_is_a_cause(error: Exception, kind: type[Exception], has_cause: bool) -> None:
    @sg.op
    def fail() -> None:
        raise error

    @sg.job
    def failing() -> None:
        fail()

    data = failing.execute_in_process(raise_on_error=False).failure_data_for_node("fail")
    assert data is not None
    assert data.error.cls_name == kind.__name__
    assert (data.error.cause is not None) is has_cause
    assert data.raised == (data.error.cause or data.error)
    assert str(error.args[0]) in data.raised.message
    assert data.raised.message in data.error.message


def test_an_empty_selection_chooses_nothing_and_a_single_string_is_refused() -> None:
    assert len(working.execute_in_process(raise_on_error=False, op_selection=[]).get_step_success_events()) == 2
    with pytest.raises(sg.InvalidInvocationError, match=r"use \['split'\]"):
        working.execute_in_process(op_selection="split")


def test_an_input_value_without_an_input_is_refused() -> None:
    with pytest.raises(
        sg.InvalidDefinitionError, match=r"job 'working'.*'other', not found among the inputs of its graph: none"
    ):
        working.execute_in_process(input_values={"other": 1})
