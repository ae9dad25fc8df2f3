"""Jobs of ops, run in this process: what ties steps together, where values come from, and what is left of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg


class Factor(sg.Config):
    factor: int = 1


class Greeting(sg.ConfigurableResource):
    text: str


@sg.op
def one() -> int:
    return 1


@sg.op
def double(x: int) -> int:
    return x * 2


@sg.op
def add(left: int, right: int = 10) -> int:
    return left + right


@sg.op
def total(values: list[int]) -> int:
    return sum(values)


@sg.op(out={"low": sg.Out(int), "high": sg.Out(int)})
def bounds() -> tuple[int, int]:
    return 3, 9


@sg.op(out=sg.Out(int, is_required=False))
def nothing_today() -> Any:
    yield from ()


@sg.op
def fails() -> None:
    raise ValueError("no luck")


@sg.graph
def quadruple(x):  # type: ignore[no-untyped-def]
    return double(double(x))


def _chain() -> None:
    double(double(one()))


def _fan_in() -> None:
    total([one(), double(one())])


def _default() -> None:
    add(one())


def _by_name() -> None:
    low, high = bounds()
    add(right=low, left=high)


def _outputs_by_name() -> None:
    pair = bounds()
    add(pair.low, pair.high)


def _graph() -> None:
    add(quadruple(one()), quadruple.alias("again")(one()))


def _left_out() -> None:
    total([nothing_today(), one()])


@pytest.mark.parametrize(
    ("body", "node", "expected"),
    [
        (_chain, "double_2", 4),
        (_fan_in, "total", 3),
        (_default, "add", 11),
        (_by_name, "add", 12),
        (_outputs_by_name, "add", 12),
        (_graph, "quadruple", 4),
        (_graph, "again.double_2", 4),
        (_graph, "add", 8),
        (_left_out, "total", 1),
    ],
)
def test_values_go_from_step_to_step(body: Callable[[], None], node: str, expected: int) -> None:
    result = sg.job(body).execute_in_process()
    assert result.success
    assert result.output_for_node(node) == expected


def test_the_steps_of_graphs_bear_their_path_and_come_after_what_they_take() -> None:
    result = sg.job(_graph).execute_in_process()
    done = [event.step_key for event in result.get_step_success_events()]
    assert set(done) == {
        "one",
        "one_2",
        "quadruple.double",
        "quadruple.double_2",
        "again.double",
        "again.double_2",
        "add",
    }
    assert done.index("quadruple.double") < done.index("quadruple.double_2") < done.index("add")
    assert {event.step_key for event in result.events_for_node("again")} == {"again.double", "again.double_2"}


def test_an_input_of_type_nothing_orders_steps_and_has_no_value() -> None:
    order: list[str] = []

    @sg.op
    def first() -> None:
        order.append("first")

    @sg.op(ins={"after": sg.In(sg.Nothing)})
    def second() -> str:
        order.append("second")
        return "done"

    @sg.job
    def ordered() -> None:
        second(after=[first(), first()])

    result = ordered.execute_in_process()
    assert order == ["first", "first", "second"]
    assert not [event for event in result.events_for_node("second") if event.event_type is sg.EventType.LOADED_INPUT]


def test_what_has_nothing_to_work_on_is_skipped_and_what_comes_after_a_failure_not_started() -> None:
    @sg.job
    def skipping() -> None:
        double(double(nothing_today()))
        total([nothing_today.alias("again")()])
        add(fails(), one())

    result = skipping.execute_in_process(raise_on_error=False)
    assert not result.success
    assert [name for name in ("double", "double_2", "total") if result.is_node_skipped(name)] == [
        "double",
        "double_2",
        "total",
    ]
    assert result.is_node_untouched("add")
    assert result.get_failed_step_keys() == {"fails"}
    assert result.failure_data_for_node("fails").raised.cls_name == "ValueError"
    with pytest.raises(ValueError, match="no luck"):
        skipping.execute_in_process()


@pytest.mark.parametrize(
    ("config", "values", "expected"),
    [
        ({"inputs": {"x": 5}}, {}, 20),
        ({"inputs": {"x": {"value": 6}}}, {}, 24),
        (None, {"x": 7}, 28),
        ({"inputs": {"x": 5}}, {"x": 7}, 28),
    ],
)
def test_inputs_of_a_graph_come_from_the_caller_or_the_config(
    config: dict[str, Any] | None, values: dict[str, object], expected: int
) -> None:
    assert quadruple.execute_in_process(run_config=config, input_values=values).output_value() == expected
    job = quadruple.to_job(name="named", input_values=values)
    assert job.execute_in_process(run_config=config).output_value() == expected


def test_inputs_of_steps_and_inner_graphs_come_from_their_config() -> None:
    @sg.job
    def unconnected() -> None:
        add(double(), quadruple())

    config = {"ops": {"double": {"inputs": {"x": 2}}, "quadruple": {"inputs": {"x": {"value": 1}}}}}
    assert unconnected.execute_in_process(run_config=config).output_for_node("add") == 8
    with pytest.raises(sg.InvalidConfigError) as caught:
        unconnected.execute_in_process()
    assert [(each.reason.name, each.path) for each in caught.value.errors] == [("MISSING_REQUIRED_FIELD", ())]
    assert "{'ops': {'double': {'inputs': {'x': 0}}, 'quadruple': {'inputs': {'x': 0}}}}" in str(caught.value)


def test_config_reaches_the_step_by_the_path_of_its_node() -> None:
    @sg.op
    def scaled(x: int, config: Factor) -> int:
        return x * config.factor

    @sg.graph
    def inner(x):  # type: ignore[no-untyped-def]
        return scaled(x)

    @sg.job(config={"ops": {"inner": {"ops": {"scaled": {"config": {"factor": 3}}}}}})
    def job() -> None:
        inner(scaled.alias("before")(one()))

    assert job.execute_in_process().output_for_node("inner") == 3
    given = {"ops": {"before": {"config": {"factor": 5}}}}
    assert job.execute_in_process(run_config=given).output_for_node("inner") == 5
    with pytest.raises(
        sg.InvalidConfigError,
        match=r"Unknown entry \"scale\" at path root:ops:inner:ops. Expected: scaled. Did you mean 'scaled'",
    ):
        job.execute_in_process(run_config={"ops": {"inner": {"ops": {"scale": {}}}}})


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (["one"], {"one"}),
        (["*double"], {"one", "double"}),
        (["+double_2"], {"double", "double_2", "one"}),
        (["one+"], {"one", "double"}),
        (["one*"], {"one", "double", "double_2"}),
    ],
)
def test_a_part_of_the_steps_can_be_run(selection: list[str], expected: set[str]) -> None:
    config = {"ops": {"double": {"inputs": {"x": 1}}}} if "one" not in expected else None
    if selection == ["+double_2"]:
        selection = ["++double_2"]
    result = sg.job(_chain).execute_in_process(op_selection=selection, run_config=config)
    assert {event.step_key for event in result.get_step_success_events()} == expected


def test_a_selection_that_names_no_step_is_refused() -> None:
    with pytest.raises(sg.InvalidSubsetError, match="step 'three' was not found; available: double, double_2, one"):
        sg.job(_chain).execute_in_process(op_selection=["three*"])


def test_a_job_in_definitions_runs_by_its_name_with_their_resources_and_stores_values_by_run() -> None:
    @sg.op
    def greet(greeting: Greeting) -> str:
        return greeting.text

    @sg.op
    def shout(text: str) -> str:
        return text.upper()

    @sg.job(tags={"team": "a"})
    def greetings() -> None:
        shout(greet())

    definitions = sg.Definitions(jobs=[greetings], resources={"greeting": Greeting(text="hello")})
    job = definitions.get_job_def("greetings")
    assert job.execute_in_process().output_for_node("shout") == "HELLO"
    other = job.execute_in_process(resources={"greeting": Greeting(text="bye")}, tags={"more": "b"})
    assert other.output_for_node("shout") == "BYE"
    assert other.run.tags == {"team": "a", "more": "b"}
    with pytest.raises(sg.InvalidDefinitionError, match="op 'greet' requires the resource 'greeting'"):
        greetings.execute_in_process()


def test_retry_policies_count_from_the_use_to_the_op_to_the_job() -> None:
    policy = sg.RetryPolicy

    @sg.op(retry_policy=policy(max_retries=1))
    def patient() -> None:
        raise ValueError

    @sg.job(op_retry_policy=policy(max_retries=2))
    def retried() -> None:
        patient()
        patient.with_retry_policy(policy(max_retries=3)).alias("more")()
        fails()

    result = retried.execute_in_process(raise_on_error=False)
    assert [result.retry_attempts_for_node(name) for name in ("patient", "more", "fails")] == [1, 3, 2]


@pytest.mark.parametrize("stream", [False, True])
def test_async_functions_are_run_to_their_end(stream: bool) -> None:
    if stream:

        @sg.op
        async def source() -> Any:
            yield sg.Output(4)
    else:

        @sg.op
        async def source() -> int:
            return 4

    @sg.job
    def asynchronous() -> None:
        double(source())

    assert asynchronous.execute_in_process().output_for_node("double") == 8


def test_the_context_of_an_op_knows_its_step() -> None:
    @sg.op
    def describe(context: sg.OpExecutionContext) -> list[object]:
        return [
            context.job_name,
            context.get_mapping_key(),
            context.retry_number,
            sorted(context.selected_output_names),
        ]

    @sg.job
    def described() -> None:
        describe()

    assert described.execute_in_process().output_for_node("describe") == ["described", None, 0, ["result"]]


def test_a_step_starts_as_soon_as_what_it_waits_for_has_ended() -> None:
    @sg.job
    def in_turns() -> None:
        double.alias("a_late")(one.alias("c")())
        add.alias("z_early")(one.alias("a")(), one.alias("b")())
        double.alias("b_last")(double.alias("m")(one.alias("d")()))

    events = in_turns.execute_in_process().all_events
    ended = [event.step_key for event in events if event.is_step_success]
    assert ended == ["a", "b", "c", "d", "z_early", "a_late", "m", "b_last"]


def test_a_selection_counts_a_graph_as_one_node() -> None:
    @sg.job
    def nested() -> None:
        double.alias("last")(quadruple(one()))

    assert set(nested.get_subset(op_selection=["one+"]).resolved_op_selection or ()) == {
        "one",
        "quadruple.double",
        "quadruple.double_2",
    }
