"""What functions may return and yield, and what is said of all else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import segue as sg


def made(result: sg.ExecuteInProcessResult) -> dict[str, sg.AssetMaterialization]:
    """The materializations of a run by asset."""
    return {
        event.materialization.asset_key.to_user_string(): event.materialization
        for event in result.get_asset_materialization_events()
    }


def stores(result: sg.ExecuteInProcessResult) -> bool:
    return any(event.event_type is sg.EventType.HANDLED_OUTPUT for event in result.all_events)


@pytest.mark.parametrize("value", [0, None, "x", [1, 2], (), [], (1, 2), {"a": 1}, b"\x00", False])
def test_a_plain_value_is_the_asset(value: Any) -> None:
    @sg.asset
    def a() -> Any:
        return value

    @sg.asset
    def b(a: Any) -> Any:
        return [a]

    result = sg.materialize([a, b])
    assert result.asset_value("a") == value
    assert result.asset_value("b") == [value]


def test_nothing_is_stored_where_the_annotation_says_so() -> None:
    @sg.asset
    def a() -> None:
        return None

    @sg.asset
    def b() -> sg.MaterializeResult:  # type: ignore[type-arg]
        return sg.MaterializeResult(metadata={"x": 1})

    result = sg.materialize([a, b])
    assert set(made(result)) == {"a", "b"}
    assert not stores(result)


def test_a_result_without_value_stores_nothing_and_one_with_none_does() -> None:
    @sg.asset
    def a() -> Any:
        return sg.MaterializeResult()

    @sg.asset
    def b() -> Any:
        return sg.MaterializeResult(value=None)

    assert not stores(sg.materialize([a]))
    assert stores(sg.materialize([b]))


def test_an_output_carries_everything_to_the_materialization() -> None:
    @sg.asset
    def a() -> Any:
        return sg.Output(1, metadata={"rows": 2}, data_version=sg.DataVersion("v7"), tags={"k": "v"})

    materialization = made(sg.materialize([a]))["a"]
    assert materialization.metadata["rows"] == sg.MetadataValue.int(2)
    assert (materialization.data_version, materialization.tags["k"]) == ("v7", "v")


def test_several_results_in_any_order_and_form() -> None:
    outs = {"a": sg.AssetOut(), "b": sg.AssetOut()}

    @sg.multi_asset(outs=outs, check_specs=[sg.AssetCheckSpec("ok", asset="a")])
    def yields() -> Iterator[Any]:
        yield sg.Output(2, "b")
        yield sg.AssetCheckResult(passed=True)
        yield sg.MaterializeResult("a", value=1)

    @sg.multi_asset(outs={"c": sg.AssetOut(), "d": sg.AssetOut()})
    def returns() -> Any:
        return sg.Output(3), 4

    @sg.multi_asset(specs=[sg.AssetSpec("e"), sg.AssetSpec("f")])
    def results() -> Any:
        return [sg.MaterializeResult("f"), sg.MaterializeResult("e", metadata={"x": 1})]

    result = sg.materialize([yields, returns, results])
    assert {name: result.asset_value(name) for name in "abcd"} == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert set(made(result)) == set("abcdef")
    assert result.get_asset_check_evaluations()[0].passed


def test_facts_reported_aside_do_not_count_as_outputs() -> None:
    @sg.asset
    def a(context: sg.AssetExecutionContext) -> Iterator[Any]:
        yield sg.AssetMaterialization("aside", metadata={"n": 1})
        context.log_event(sg.AssetObservation("seen"))
        yield sg.Output(1)

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([a], instance=instance)
        assert instance.get_asset_keys() == [sg.AssetKey("a"), sg.AssetKey("aside"), sg.AssetKey("seen")]
        records = instance.get_asset_records([sg.AssetKey("a"), sg.AssetKey("seen")])
        assert [record.asset_entry.last_materialization is None for record in records] == [False, True]
    assert [each.asset_key for each in result.asset_observations_for_node("a")] == [sg.AssetKey("seen")]


@pytest.mark.parametrize(
    ("returned", "passed"),
    [
        (True, True),
        (False, False),
        (sg.AssetCheckResult(passed=False), False),
        ([sg.AssetCheckResult(passed=True)], True),
        (sg.AssetCheckResult(passed=True, asset_key="a", check_name="c"), True),
    ],
)
def test_what_a_check_may_return(returned: Any, passed: bool) -> None:
    @sg.asset
    def a() -> None: ...

    @sg.asset_check(asset=a)
    def c() -> Any:
        return returned

    result = sg.materialize([a, c])
    assert result.success
    assert [each.passed for each in result.get_asset_check_evaluations()] == [passed]


@pytest.mark.parametrize("returned", [None, 3, "x", {}])
def test_what_a_check_may_not_return(returned: Any) -> None:
    @sg.asset
    def a() -> None: ...

    @sg.asset_check(asset=a)
    def c() -> Any:
        return returned

    with pytest.raises(sg.InvariantViolationError, match=r"test_function_results\.py:\d+.*returned .*or a bool"):
        sg.materialize([a, c])


@pytest.mark.parametrize(
    ("outs", "returned", "words"),
    [
        ("ab", 5, "has the outputs a, b but returned one int. Return a tuple"),
        ("ab", (1, 2, 3), "the returned tuple has 3 elements, but there are 2 outputs: a, b"),
        ("ab", {"a": 1, "b": 2}, "but returned one dict"),
        ("ab", None, "did not yield the output 'a'. Return or yield it, or declare it optional"),
        ("ab", (sg.Output(1, "a"),), "did not yield the output 'b'"),
        ("ab", sg.MaterializeResult(value=1), "names no asset; expected one of: a, b"),
        ("ab", sg.MaterializeResult("c", value=1), "names 'c'; expected one of: a, b"),
        ("ab", sg.Output(1, "c"), "has no output 'c'; available: a, b"),
        ("ab", (sg.Output(1, "a"), sg.Output(2, "a")), "is named 'a'"),
        ("ab", sg.AssetCheckResult(passed=True), "must match exactly one of its checks: none"),
    ],
)
def test_results_that_do_not_fit_say_where_and_what_to_do(outs: str, returned: Any, words: str) -> None:
    @sg.multi_asset(outs={name: sg.AssetOut() for name in outs})
    def several() -> Any:
        return returned

    with pytest.raises(sg.InvariantViolationError, match=re.escape(words)) as caught:
        sg.materialize([several])
    assert re.search(r"test_function_results\.py:\d+: .*'several'", str(caught.value))


def test_check_results_must_be_there_and_be_clear() -> None:
    specs = [sg.AssetCheckSpec("one", asset="a"), sg.AssetCheckSpec("two", asset="a")]

    def run(function: Callable[[], Any]) -> sg.ExecuteInProcessResult:
        return sg.materialize([sg.asset(name="a", check_specs=specs)(function)])

    one, two = (sg.AssetCheckResult(passed=True, check_name=name) for name in ("one", "two"))
    assert run(lambda: sg.MaterializeResult(check_results=[one, two])).success
    with pytest.raises(sg.InvariantViolationError, match="the result of check 'two'"):
        run(lambda: sg.MaterializeResult(check_results=[one]))
    with pytest.raises(sg.InvariantViolationError, match="exactly one of its checks: a:one, a:two"):
        run(lambda: sg.MaterializeResult(check_results=[sg.AssetCheckResult(passed=True)]))
    with pytest.raises(sg.InvariantViolationError, match="twice"):
        run(lambda: sg.MaterializeResult(check_results=[one, one]))


def test_outputs_that_were_not_asked_for_are_refused() -> None:
    outs = {name: sg.AssetOut(is_required=False) for name in ("a", "b")}

    @sg.multi_asset(outs=outs, can_subset=True)
    def eager() -> Iterator[Any]:
        yield sg.Output(1, "a")
        yield sg.Output(2, "b")

    with pytest.raises(
        sg.InvariantViolationError, match=r"'b', which is not selected in this run.*selected_output_names"
    ):
        sg.materialize([eager], selection="a")
    assert sg.materialize([eager]).success


def test_what_was_given_before_a_failure_stays_made() -> None:
    @sg.multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut()})
    def breaks_off() -> Iterator[Any]:
        yield sg.Output(1, "a")
        raise ValueError

    @sg.asset
    def after(a: int) -> None: ...

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([breaks_off, after], instance=instance, raise_on_error=False)
        assert instance.get_asset_keys() == [sg.AssetKey("a")]
    assert result.is_node_untouched("after")


def test_a_function_is_closed_when_its_results_are_refused() -> None:
    closed: list[bool] = []

    @sg.asset
    def a() -> Iterator[Any]:
        try:
            yield 5
        finally:
            closed.append(True)

    with pytest.raises(sg.InvariantViolationError, match=r"yielded a value of type .*int"):
        sg.materialize([a])
    assert closed == [True]


def test_values_that_were_not_made_are_named() -> None:
    @sg.asset(output_required=False)
    def a() -> Iterator[Any]:
        yield from ()

    result = sg.materialize([a])
    with pytest.raises(sg.StepOutputNotFoundError, match="'a' did not yield the output 'result'"):
        result.asset_value("a")
    with pytest.raises(sg.InvariantViolationError, match="asset 'b' was not found"):
        result.asset_value("b")
