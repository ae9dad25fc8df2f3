"""Dynamic outputs: one step for each value, and lists of what they gave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import segue as sg


@sg.op(out=sg.DynamicOut(int))
def numbers() -> Iterator[sg.DynamicOutput[int]]:
    for number in (2, 1, 3):
        yield sg.DynamicOutput(number, mapping_key=f"n{number}")


@sg.op(out=sg.DynamicOut(int))
def none_at_all() -> list[sg.DynamicOutput[int]]:
    return []


@sg.op
def double(x: int) -> int:
    return x * 2


@sg.op(out=sg.Out(int, is_required=False))
def odd_only(x: int) -> Iterator[sg.Output[int]]:
    if x % 2:
        yield sg.Output(x)


@sg.op
def gather(values: list[int]) -> list[int]:
    return values


@sg.op
def add(x: int, y: int) -> int:
    return x + y


def test_each_value_makes_a_step_and_collect_keeps_the_order_of_the_values() -> None:
    @sg.job
    def mapped() -> None:
        gather(numbers().map(lambda x: double(double(x))).collect())

    result = mapped.execute_in_process()
    assert result.output_for_node("numbers") == {"n2": 2, "n1": 1, "n3": 3}
    assert result.output_for_node("double_2") == {"n2": 8, "n1": 4, "n3": 12}
    assert result.output_for_node("gather") == [8, 4, 12]
    keys = [event.step_key for event in result.get_step_success_events()]
    assert keys[1:7] == ["double[n2]", "double[n1]", "double[n3]", "double_2[n2]", "double_2[n1]", "double_2[n3]"]


def test_values_meet_what_is_not_dynamic_and_graphs_are_mapped_too() -> None:
    @sg.op
    def base() -> int:
        return 100

    @sg.graph
    def shifted(x, y):  # type: ignore[no-untyped-def]
        return add(double(x), y)

    @sg.job
    def mixed() -> None:
        start = base()
        gather(numbers().map(lambda x: shifted(x, start)).collect())

    assert mixed.execute_in_process().output_for_node("gather") == [104, 102, 106]


def test_a_graph_gives_a_dynamic_output() -> None:
    @sg.graph
    def doubled():  # type: ignore[no-untyped-def]
        return numbers().map(double)

    @sg.job
    def outer() -> None:
        gather(doubled().map(double).collect())

    result = outer.execute_in_process()
    assert result.output_for_node("gather") == [8, 4, 12]
    assert result.output_for_node("doubled") == {"n2": 4, "n1": 2, "n3": 6}


def test_skipped_elements_are_left_out_and_a_list_of_none_is_skipped() -> None:
    @sg.job
    def partly() -> None:
        gather(numbers().map(lambda x: double(odd_only(x))).collect())
        gather.alias("none")(numbers.alias("again")().map(lambda x: odd_only(double(x))).collect())

    result = partly.execute_in_process()
    assert result.output_for_node("gather") == [2, 6]
    assert result.is_node_skipped("none")


def test_no_values_collect_to_an_empty_list() -> None:
    @sg.job
    def empty() -> None:
        gather(none_at_all().map(double).collect())
        gather.alias("directly")(none_at_all.alias("again")().collect())

    result = empty.execute_in_process()
    assert result.output_for_node("gather") == []
    assert result.output_for_node("directly") == []
    assert result.is_node_untouched("double")


def test_a_failed_element_stops_what_collects() -> None:
    @sg.op
    def picky(x: int) -> int:
        if x == 1:
            raise ValueError("not this one")
        return x

    @sg.job
    def broken() -> None:
        gather(numbers().map(picky).collect())

    result = broken.execute_in_process(raise_on_error=False)
    assert result.get_failed_step_keys() == {"picky[n1]"}
    assert result.is_node_untouched("gather")
    assert result.output_for_node("picky") == {"n2": 2, "n3": 3}


def test_the_step_knows_its_mapping_key_and_metadata_goes_to_one_value() -> None:
    @sg.op(out=sg.DynamicOut(str))
    def letters(context: sg.OpExecutionContext) -> Iterator[sg.DynamicOutput[str]]:
        for letter in "ab":
            context.add_output_metadata({"letter": letter}, mapping_key=letter)
            yield sg.DynamicOutput(letter, letter)

    @sg.op
    def key_of(context: sg.OpExecutionContext, x: str) -> str | None:
        return context.get_mapping_key()

    @sg.job
    def keys() -> None:
        letters().map(key_of)

    result = keys.execute_in_process()
    assert result.output_for_node("key_of") == {"a": "a", "b": "b"}
    given = [e.payload for e in result.events_for_node("letters") if e.event_type is sg.EventType.STEP_OUTPUT]
    assert [(p.mapping_key, p.metadata["letter"].value) for p in given] == [("a", "a"), ("b", "b")]


def test_a_mapping_key_stands_for_one_value() -> None:
    @sg.op(out=sg.DynamicOut(int))
    def twice() -> Iterator[sg.DynamicOutput[int]]:
        yield sg.DynamicOutput(1, "a")
        yield sg.DynamicOutput(2, "a")

    @sg.job
    def repeated() -> None:
        twice().map(double)

    with pytest.raises(sg.InvariantViolationError, match="duplicate mapping key 'a' for 'result'"):
        repeated.execute_in_process()
    with pytest.raises(sg.InvalidDefinitionError, match="mapping key"):
        sg.DynamicOutput(1, "a-b")


def test_two_dynamic_outputs_do_not_multiply() -> None:
    with pytest.raises(
        sg.InvalidDefinitionError, match=r"'add' is downstream of two dynamic outputs, numbers:result and more:result"
    ):

        @sg.job
        def crossed() -> None:
            more = numbers.alias("more")()
            numbers().map(lambda x: more.map(lambda y: add(x, y)))


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("passed on", sg.InvalidDefinitionError),
        ("in a list", sg.InvalidDefinitionError),
        ("iterated", sg.InvariantViolationError),
    ],
)
def test_a_dynamic_output_is_mapped_or_collected_and_nothing_else(form: str, error: type[Exception]) -> None:
    def body() -> None:
        if form == "passed on":
            double(numbers())
        elif form == "in a list":
            gather([numbers()])
        else:
            list(numbers())

    with pytest.raises(error, match=r"'numbers' is dynamic: use \.map\(fn\).*\.collect\(\)"):
        sg.job(body)
