"""What a call of a function without a run may return."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg


def test_a_call_that_returns_fewer_results_than_there_are_assets_is_refused() -> None:
    returned: list[Any] = []

    @sg.multi_asset(specs=[sg.AssetSpec("one"), sg.AssetSpec("two")])
    def both() -> Any:
        return returned[-1]

    def both_of(given: Any) -> Any:
        returned.append(given)
        return both()

    one, two = sg.MaterializeResult(asset_key="one"), sg.MaterializeResult(asset_key="two")
    assert both_of(None) is None
    assert both_of((two, one)) == (two, one)
    for too_few in (one, (one,), [one]):
        with pytest.raises(sg.InvariantViolationError, match="'both' ended without its output 'two'"):
            both_of(too_few)

    @sg.multi_asset(outs={"one": sg.AssetOut(), "two": sg.AssetOut()})
    def values() -> Any:
        return None

    with pytest.raises(sg.InvariantViolationError, match="'values' ended without its output 'one'"):
        values()


def test_a_check_that_is_called_may_return_nothing() -> None:
    @sg.asset_check(asset=sg.AssetKey("orders"))
    def looked() -> None:
        return None

    assert looked() is None


def test_metadata_is_added_to_an_output_once_in_a_call() -> None:
    @sg.op
    def twice(context: sg.OpExecutionContext) -> None:
        context.add_output_metadata({"rows": 1})
        context.add_output_metadata({"columns": 2})

    with pytest.raises(sg.InvariantViolationError, match="already added to the output 'result' of 'twice'"):
        twice(sg.build_op_context())


def test_a_value_may_be_returned_beside_the_results_of_checks() -> None:
    @sg.asset(check_specs=[sg.AssetCheckSpec("is_small", asset="number")])
    def number() -> Any:
        return 1, sg.AssetCheckResult(passed=True)

    assert number()[0] == 1
    result = sg.materialize([number])
    assert result.output_for_node("number") == 1
    assert [each.check_name for each in result.get_asset_check_evaluations()] == ["is_small"]
