"""Values of steps are of the types that inputs and outputs declare, or the step fails and says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import segue as sg


def even(_context: Any, value: Any) -> sg.TypeCheck:
    is_even = isinstance(value, int) and value % 2 == 0
    return sg.TypeCheck(is_even, description="looked at", metadata={"value": str(value)})


EVEN = sg.SegueType(type_check_fn=even, name="Even")


@sg.op(out=sg.Out(EVEN))
def give(context: sg.OpExecutionContext) -> Any:
    return 3 if context.has_tag("odd") else 4


@sg.op(ins={"value": sg.In(EVEN)})
def take(value: Any) -> Any:
    return value


@sg.job
def evens() -> None:
    take(give())


def payloads(result: sg.ExecuteInProcessResult, kind: sg.EventType) -> list[Any]:
    return [event.event_specific_data for event in result.all_events if event.event_type is kind]


def test_what_a_check_says_is_recorded_with_input_and_output() -> None:
    result = evens.execute_in_process()
    for kind in (sg.EventType.STEP_OUTPUT, sg.EventType.STEP_INPUT):
        data = payloads(result, kind)[0].type_check_data
        assert (data.success, data.description) == (True, "looked at")
        assert data.metadata == {"value": sg.MetadataValue.text("4")}
    assert payloads(result, sg.EventType.STEP_OUTPUT)[1].type_check_data.success  # of any type: nothing to say


def test_a_value_of_another_type_fails_the_step() -> None:
    result = evens.execute_in_process(tags={"odd": "yes"}, raise_on_error=False)
    assert result.get_failed_step_keys() == {"give"}
    assert not payloads(result, sg.EventType.STEP_OUTPUT)[0].type_check_data.success
    assert not payloads(result, sg.EventType.HANDLED_OUTPUT)
    with pytest.raises(sg.TypeCheckDidNotPass, match=r'expected type "Even"\. Description: looked at') as caught:
        evens.execute_in_process(tags={"odd": "yes"})
    assert caught.value.metadata == {"value": sg.MetadataValue.text("3")}


def test_assets_too() -> None:
    @sg.asset
    def a() -> dict[str, int]:
        return {"x": 1}

    @sg.asset
    def good(a: Mapping[str, int]) -> None: ...

    @sg.asset
    def bad(a: list[int]) -> None: ...

    assert sg.materialize([a, good]).success
    with pytest.raises(sg.TypeCheckDidNotPass, match=r'step input "a" - expected type "\[Int\]"'):
        sg.materialize([a, bad])


def test_a_check_that_raises_is_told_apart_from_one_that_says_no() -> None:
    def broken(_context: Any, _value: Any) -> bool:
        raise ZeroDivisionError

    @sg.op(out=sg.Out(sg.SegueType(type_check_fn=broken, name="Broken")))
    def any_value() -> Any:
        return 1

    @sg.job
    def runs() -> None:
        any_value()

    with pytest.raises(ZeroDivisionError) as caught:
        runs.execute_in_process()
    assert "Broken" in caught.value.__notes__[0]
    failure = runs.execute_in_process(raise_on_error=False).failure_data_for_node("any_value")
    assert failure is not None
    assert failure.error is not None
    assert "Broken" in failure.error.message


def test_what_user_code_expects_is_an_event() -> None:
    @sg.op
    def looks(context: sg.OpExecutionContext) -> Any:
        context.log_event(sg.ExpectationResult(success=True, label="logged", metadata={"n": 1}))
        yield sg.ExpectationResult(success=False, label="yielded", description="too few")
        yield sg.Output(1)

    @sg.job
    def runs() -> None:
        looks()

    with sg.Instance.ephemeral() as instance:
        result = runs.execute_in_process(instance=instance)
        stored = instance.all_logs(result.run_id, sg.EventType.STEP_EXPECTATION_RESULT)
    payloads: list[Any] = [each.event.event_specific_data for each in stored]
    assert [each.expectation_result for each in payloads] == [
        sg.ExpectationResult(success=True, label="logged", metadata={"n": 1}),
        sg.ExpectationResult(success=False, label="yielded", description="too few"),
    ]
    assert result.success


def test_types_of_outputs_come_from_annotations_and_texts_from_docstrings() -> None:
    @sg.op(out={"a": sg.Out(), "b": sg.Out(str)})
    def google(left: int, right: list[int]) -> tuple[sg.Output[int], Any]:
        """Adds.

        Args:
            left (int): the one
                that stands first.
            right: the other.
        """
        return sg.Output(left), right

    @sg.op
    def numpy(left: int) -> int:
        """Adds.

        Parameters
        ----------
        left : int
            the one.

        Returns
        -------
        int
            the sum.
        """
        return left

    assert [each.dagster_type.display_name for each in google.input_defs] == ["Int", "[Int]"]
    assert [each.dagster_type.display_name for each in google.output_defs] == ["Int", "String"]
    assert [each.description for each in google.ins.values()] == ["the one that stands first.", "the other."]
    assert (numpy.ins["left"].description, numpy.outs["result"].description) == ("the one.", "the sum.")
    with pytest.raises(
        sg.InvariantViolationError, match=r"has 2 outputs .a, b., but its function is annotated with a tuple of 3"
    ):

        @sg.op(out={"a": sg.Out(), "b": sg.Out()})
        def three() -> tuple[int, int, int]:
            return 1, 2, 3
