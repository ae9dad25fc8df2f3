"""What ops, graphs and jobs refuse when they are declared: each error says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import segue as sg

HERE = "test_bad_graphs.py:"


class Parcel:
    """A class of the user, which no run config can hold."""


@sg.op
def number() -> int:
    return 1


@sg.op
def wrap(parcel: Parcel) -> Parcel:
    return parcel


@sg.op
def double(value: int) -> int:
    return 2 * value


@sg.op(out=sg.DynamicOut(int))
def pieces():  # type: ignore[no-untyped-def]
    yield sg.DynamicOutput(1, "one")


@sg.graph
def inner(parcel):  # type: ignore[no-untyped-def]
    wrap(parcel)


def job_of(body: Callable[..., object]) -> sg.JobDefinition:
    return sg.job(name="nightly")(body)


def same_name_elsewhere() -> object:
    @sg.op(name="number")
    def other() -> int:
        return 2

    @sg.graph
    def deep() -> None:
        other()

    def body() -> None:
        number()
        deep()

    return job_of(body)


def keyword_inputs_by_position() -> object:
    @sg.op(ins={"one": sg.In(), "two": sg.In(), "three": sg.In()})
    def add(one: int, **others: int) -> int:
        return one

    return job_of(lambda: add(number(), number(), number()))


def orders_by_position() -> object:
    @sg.op(ins={"one": sg.In(sg.Nothing), "two": sg.In(sg.Nothing)})
    def after() -> None: ...

    return job_of(lambda: after(number(), number()))


def annotated_with_none() -> object:
    @sg.op
    def takes(value: None) -> None: ...

    return takes


def single_dynamic_output() -> object:
    @sg.op
    def gives() -> sg.DynamicOutput[int]:
        return sg.DynamicOutput(1, "one")

    return gives


def single_plain_dynamic_output() -> object:
    @sg.op
    def gives() -> sg.DynamicOutput:  # type: ignore[type-arg]
        return sg.DynamicOutput(1, "one")

    return gives


def subset_of_class_inputs() -> object:
    @sg.op
    def two(first: Parcel, second: list[Parcel]) -> None: ...

    return job_of(lambda: two())


def one_input_twice() -> object:
    return job_of(lambda: double(number(), value=number()))


def result_of_an_asset(result: object) -> object:
    @sg.op
    def gives() -> object:
        return result

    return job_of(lambda: gives()).execute_in_process()


def two_sensors_of_one_asset() -> object:
    @sg.asset
    def table() -> None: ...

    sensors = [sg.AutomationConditionSensorDefinition(name, target=[table]) for name in ("first", "second")]
    sg.Definitions.validate_loadable(sg.Definitions([table], sensors=sensors))
    return sensors


WRONG: list[tuple[Callable[[], object], type[sg.SegueError], Sequence[str]]] = [
    (lambda: job_of(lambda *numbers: number()), sg.InvalidDefinitionError, ["@job 'nightly'", "*numbers", "parameter"]),
    (lambda: job_of(lambda: list(number())), sg.InvariantViolationError, ["'result' of 'number'", "iterated over"]),
    (lambda: job_of(lambda: number()[0]), sg.InvariantViolationError, ["'result' of 'number'", "indexed"]),
    (lambda: job_of(lambda: wrap()), sg.InvalidDefinitionError, [HERE, "'parcel' of op 'wrap'", "Parcel", "loader"]),
    (lambda: job_of(lambda: inner()), sg.InvalidDefinitionError, [HERE, "'parcel' of op 'inner.wrap'", "Parcel"]),
    (lambda: sg.GraphDefinition("built", node_defs=[wrap]).to_job(), sg.InvalidDefinitionError, [HERE, "job 'built'"]),
    (subset_of_class_inputs, sg.InvalidDefinitionError, [HERE, "'first'", "'second'", "[Parcel]", "default value"]),
    (same_name_elsewhere, sg.InvalidDefinitionError, ["job 'nightly'", "'number'", HERE, "rename"]),
    (lambda: job_of(lambda: double([number()])), sg.InvalidDefinitionError, [HERE, "'value' of 'double'", "list[Int]"]),
    (
        lambda: job_of(lambda: double(pieces().collect())),
        sg.InvalidDefinitionError,
        [HERE, "'value' of 'double'", "list[Int]"],
    ),
    (keyword_inputs_by_position, sg.InvalidDefinitionError, ["'add'", "3 positional", "keyword", "one, two, three"]),
    (orders_by_position, sg.InvalidDefinitionError, ["'after'", "2 positional", "keyword", "one, two"]),
    (annotated_with_none, sg.InvalidDefinitionError, [HERE, "'value'", "In(Nothing)"]),
    (one_input_twice, sg.InvalidInvocationError, ["op 'double'", "'value' was provided twice"]),
    (
        lambda: result_of_an_asset(sg.MaterializeResult(asset_key="table")),
        sg.InvariantViolationError,
        [HERE, "type MaterializeResult", "@asset"],
    ),
    (
        lambda: result_of_an_asset(sg.AssetCheckResult(passed=True, asset_key="table", check_name="c")),
        sg.InvariantViolationError,
        [HERE, "type AssetCheckResult", "@asset_check"],
    ),
    (two_sensors_of_one_asset, sg.InvalidDefinitionError, ["'first' and 'second'", "'table'", "target"]),
    (single_dynamic_output, sg.InvariantViolationError, [HERE, "op 'gives'", "list[DynamicOutput[...]]"]),
    (single_plain_dynamic_output, sg.InvariantViolationError, [HERE, "op 'gives'", "list[DynamicOutput[...]]"]),
]


@pytest.mark.parametrize(("declare", "error", "words"), WRONG, ids=[f"{row[0].__name__}-{row[2][1]}" for row in WRONG])
def test_what_does_not_fit_is_refused(
    declare: Callable[[], object], error: type[sg.SegueError], words: Sequence[str]
) -> None:
    with pytest.raises(error) as caught:
        declare()
    for word in words:
        assert word in str(caught.value)


def test_inputs_that_can_get_a_value_are_let_through() -> None:
    @sg.op(ins={"kept": sg.In(Parcel, input_manager_key="io_manager")})
    def fetch(kept: Parcel) -> None: ...

    @sg.op
    def optional(parcel: Parcel | None = None) -> str:
        return "none" if parcel is None else "some"

    @sg.op
    def written(count: int, names: list[str], sizes: dict[str, int], anything: object) -> int:
        return count

    @sg.job
    def nightly(parcel):  # type: ignore[no-untyped-def]
        wrap(parcel)
        optional()

    assert nightly.execute_in_process(input_values={"parcel": Parcel()}).output_for_node("optional") == "none"
    assert job_of(lambda: fetch()).nodes[0].name == "fetch"
    inputs = {"count": 3, "names": ["a"], "sizes": {"a": 1}, "anything": 5}
    result = job_of(lambda: written()).execute_in_process(run_config={"ops": {"written": {"inputs": inputs}}})
    assert result.output_for_node("written") == 3


def test_a_single_input_that_is_no_parameter_is_told_by_position() -> None:
    @sg.op(ins={"start": sg.In(sg.Nothing)})
    def after(value: int) -> int:
        return value + 1

    assert job_of(lambda: after(number(), number())).execute_in_process().output_for_node("after") == 2


def test_a_list_of_dynamic_outputs_in_the_annotation_makes_a_dynamic_op() -> None:
    @sg.op
    def letters() -> list[sg.DynamicOutput[str]]:
        return [sg.DynamicOutput(each.upper(), each) for each in "ab"]

    @sg.op
    def join(parts: list[str]) -> str:
        return "".join(parts)

    @sg.job
    def nightly():  # type: ignore[no-untyped-def]
        join(letters().collect())

    result = nightly.execute_in_process()
    assert result.output_for_node("letters") == {"a": "A", "b": "B"}
    assert result.output_for_node("join") == "AB"
