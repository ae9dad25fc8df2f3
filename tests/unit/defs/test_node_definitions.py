"""What ops and graphs tell of themselves: inputs and outputs by name, and what they are made of."""

from __future__ import annotations

import pytest

import segue as sg
from segue.defs.compute_function import DecoratedFunction


@sg.op(code_version="v1", out={"half": sg.Out(int), "rest": sg.Out(str, code_version="v2", is_required=False)})
def divide(value: int, by: int = 2):  # type: ignore[no-untyped-def]
    """Divides."""
    yield sg.Output(value // by, "half")


@sg.op(ins={"parts": sg.In(list[int], description="what is added")})
def add(parts: list[int]) -> int:
    return sum(parts)


@sg.graph(out={"total": sg.GraphOut(description="of both halves")}, ins={"first": sg.GraphIn(description="the first")})
def halves(first, by, last):  # type: ignore[no-untyped-def]
    half, _ = divide(first, by)
    return {"total": add([half, last])}


def test_an_op_tells_its_inputs_and_outputs() -> None:
    assert list(divide.input_dict) == ["value", "by"]
    assert divide.input_def_named("by").default_value == 2
    assert divide.input_has_default("by")
    assert not divide.input_has_default("value")
    assert divide.default_value_for_input("by") == 2
    assert divide.output_def_named("half").code_version == "v1"
    assert divide.output_def_named("rest").code_version == "v2"
    assert divide.output_dict["rest"].optional
    assert divide.output_def_named("rest").dagster_type.display_name == "String"
    assert divide.resolve_input_name_at_position(1) == "by"
    assert divide.resolve_input_name_at_position(2) is None
    assert (divide.node_type_str, divide.describe_node()) == ("op", "op 'divide'")
    assert list(divide.iterate_op_defs()) == list(divide.iterate_node_defs()) == [divide]


def test_a_graph_tells_its_inputs_and_outputs_by_what_they_go_to() -> None:
    types = {each.name: each.dagster_type.display_name for each in halves.input_defs}
    assert types == {"first": "Int", "by": "Int", "last": "Int"}
    total = halves.output_def_named("total")
    assert (total.name, total.dagster_type.display_name, total.description) == ("total", "Int", "of both halves")
    assert halves.default_value_for_input("by") == 2
    assert not halves.input_has_default("first")
    assert halves.describe_node() == "graph 'halves'"
    assert halves.node_names() == ["divide", "add"]
    assert list(halves.iterate_node_defs()) == [halves, divide, add]

    @sg.graph
    def around():  # type: ignore[no-untyped-def]
        halves.alias("again")()

    assert list(around.iterate_op_defs()) == [divide, add]


def test_what_a_decorator_makes_bears_the_name_and_docstring_of_its_function() -> None:
    @sg.op(name="other")
    def counted() -> None:
        """Counts."""

    @sg.graph
    def chained() -> None:
        """Chains."""
        counted()

    @sg.job
    def nightly() -> None:
        """Runs at night."""
        chained()

    assert [(each.__name__, each.__doc__) for each in (counted, chained, nightly)] == [
        ("counted", "Counts."),
        ("chained", "Chains."),
        ("nightly", "Runs at night."),
    ]
    built = sg.GraphDefinition("built", node_defs=[counted]).to_job()
    assert (built.__name__, built.__doc__) == ("built", sg.JobDefinition.__doc__)
    assert sg.OpDefinition.__name__ == "OpDefinition"


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (sg.Output(1), "op 'built' returned an Output, but must yield"),
        (5, "op 'built' returned a value of type int, but must yield"),
        (None, "'built' did not yield the output 'result'"),
    ],
)
def test_a_function_that_an_op_is_built_around_yields_what_it_gives(returned: object, words: str) -> None:
    def give(*_: object) -> object:
        return returned

    built = sg.GraphDefinition("outer", node_defs=[sg.OpDefinition(give, "built")])
    with pytest.raises(sg.InvariantViolationError, match=words):
        built.execute_in_process()
    ready = sg.GraphDefinition("ready", node_defs=[sg.OpDefinition(lambda *_: iter([sg.Output(1)]), "built")])
    assert ready.execute_in_process().output_for_node("built") == 1


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(sg.InvalidInvocationError, match="no input 'x'; available: value, by"):
        divide.input_def_named("x")
    with pytest.raises(sg.InvariantViolationError, match="no output 'x'; available: half, rest"):
        divide.output_def_named("x")
    with pytest.raises(sg.InvalidInvocationError, match="'value' has no default"):
        divide.default_value_for_input("value")
    with pytest.raises(sg.InvalidInvocationError, match="no input 'x'; available: first, by, last"):
        halves.input_has_default("x")
    with pytest.raises(sg.InvariantViolationError, match="no output 'x'; available: total"):
        halves.output_def_named("x")


def test_a_graph_is_the_same_job_each_time_it_stands_for_one() -> None:
    assert halves.coerce_to_job() is halves.coerce_to_job()
    assert halves.to_job() is not halves.coerce_to_job()


def test_the_value_of_a_dynamic_output_that_gave_none_is_not_there() -> None:
    @sg.op
    def none() -> list[sg.DynamicOutput[int]]:
        return []

    @sg.job
    def nightly():  # type: ignore[no-untyped-def]
        none()

    with pytest.raises(sg.InvariantViolationError) as caught:
        nightly.execute_in_process().output_for_node("none")
    assert isinstance(caught.value, sg.StepOutputNotFoundError)


def test_the_function_of_a_check_is_told_which_asset_an_input_takes() -> None:
    @sg.asset(key_prefix="raw")
    def orders() -> int:
        return 5

    told: list[sg.AssetKey] = []

    @sg.asset_check(asset=orders)
    def positive(context: sg.AssetCheckExecutionContext, orders: int) -> bool:
        told.append(context.op_execution_context.asset_key_for_input("orders"))
        with pytest.raises(sg.InvariantViolationError, match="'other'"):
            context.asset_key_for_input("other")
        return orders > 0

    assert sg.materialize([orders, positive]).success
    assert told == [orders.key]


def test_a_schedule_that_skips_asks_for_an_empty_list_of_runs() -> None:
    @sg.schedule(job_name="nightly", cron_schedule="@daily")
    def never():  # type: ignore[no-untyped-def]
        return sg.SkipReason("nothing to do")

    assert never.evaluate_tick(sg.build_schedule_context()).run_requests == []


def test_inputs_and_outputs_with_and_without_their_names() -> None:
    given = sg.In(int, description="d", default_value=3, metadata={"m": 1}, input_manager_key="k")
    definition = given.to_definition("x")
    assert (definition.name, definition.dagster_type.display_name, definition.default_value) == ("x", "Int", 3)
    assert sg.In.from_definition(definition).to_definition("x") == definition
    assert not sg.In().to_definition("x").has_default_value

    out = sg.Out(io_manager_key="k", is_required=False).to_definition(int, None, "text", "v1")
    assert (out.name, out.dagster_type.display_name, out.description, out.code_version) == (
        "result",
        "Int",
        "text",
        "v1",
    )
    assert (out.io_manager_key, out.is_required, out.is_dynamic) == ("k", False, False)
    assert sg.Out(str, code_version="own").to_definition(int, "y", None, "v1").code_version == "own"
    assert sg.DynamicOut(int).to_definition(None, "y", None, None).is_dynamic
    assert isinstance(sg.DynamicOut.from_definition(out), sg.DynamicOut)
    assert sg.Out.from_definition(out).to_definition(None, "result", None, None) == out
    assert sg.GraphIn(description="d").to_definition("a").description == "d"
    assert sg.GraphOut().to_definition(None).name == "result"


def test_the_function_of_an_op_or_asset_can_be_called_as_it_is() -> None:
    @sg.asset
    def size(divide: int) -> int:
        return divide * 10

    def by_hand(context: object, inputs: object):  # type: ignore[no-untyped-def]
        yield sg.Output((context, inputs))

    added, sized = add.compute_fn, size.op.compute_fn
    assert isinstance(added, DecoratedFunction)
    assert isinstance(sized, DecoratedFunction)
    assert added.decorated_fn([1, 2]) == 3
    assert (sized.decorated_fn(4), sized(5), sized.name) == (40, 50, "size")
    assert sg.OpDefinition(by_hand, name="given").compute_fn is by_hand
