"""Inputs that nothing is connected to get their values from the run config, through the loaders of their types."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

import segue as sg


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.at = (x, y)


@sg.type_loader({"x": int, "y": sg.Field(int, default_value=0)})
def load_point(context: sg.TypeLoaderContext, config: Any) -> Point:
    assert context.op_def.name == "show"
    assert context.job_def.name == "job"
    return Point(config["x"], config["y"])


POINT = sg.PythonObjectType(Point, loader=load_point)


def shown(kind: Any, given: Any) -> Any:
    @sg.op(ins={"value": sg.In(kind)})
    def show(value):  # type: ignore[no-untyped-def]
        return [value]

    @sg.job
    def job() -> None:
        show()

    result = job.execute_in_process(run_config={"ops": {"show": {"inputs": {"value": given}}}})
    return result.output_for_node("show")[0]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (int, 3, 3),
        (int, {"value": 3}, 3),
        (str, {"value": "x"}, "x"),
        (bool, {"value": False}, False),
        (sg.Any, {"value": {"a": 1}}, {"a": 1}),
        (sg.Any, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        (sg.List[int], [1, 2], [1, 2]),
        (sg.List[str], [{"value": "a"}, "b"], ["a", "b"]),
        (float, 1, 1.0),
        (sg.Optional[int], {"value": 3}, 3),
        (sg.Optional[int], None, None),
        (dict, {"value": {"a": 1}}, {"value": {"a": 1}}),
        (sg.Dict[str, int], {"a": {"value": 1}, "b": 2}, {"a": 1, "b": 2}),
    ],
)
def test_values_are_given_as_they_are(kind: Any, given: Any, expected: Any) -> None:
    assert shown(kind, given) == expected


def test_values_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(5))
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(6))
    assert shown(int, {"json": {"path": str(tmp_path / "a.json")}}) == 5
    assert shown(int, {"pickle": {"path": str(tmp_path / "a.pickle")}}) == 6
    for form in ("json", "pickle"):
        (tmp_path / f"broken.{form}").write_bytes(b"{")
        with pytest.raises(sg.InvalidConfigError, match="cannot be read"):
            shown(int, {form: {"path": str(tmp_path / f"broken.{form}")}})


def test_a_loader_makes_the_value_of_its_type() -> None:
    assert shown(POINT, {"x": 3}).at == (3, 0)
    with pytest.raises(sg.InvalidConfigError, match="root:ops:show:inputs:value:x: expected Int, got 'a'"):
        shown(POINT, {"x": "a"})


def test_a_value_of_another_type_is_refused_before_the_run() -> None:
    with pytest.raises(sg.InvalidConfigError, match="root:ops:show:inputs:value:value: expected Int, got 'a'"):
        shown(int, {"value": "a"})


@pytest.mark.parametrize(
    ("kind", "given", "place"),
    [
        (dict, 3, "root:ops:show:inputs:value"),
        (sg.List[int], {"value": [1]}, "root:ops:show:inputs:value"),
        (sg.List[int], [1, "a"], "root:ops:show:inputs:value[1]"),
        (sg.Optional[int], "a", "root:ops:show:inputs:value"),
        (sg.Dict[str, int], {"k": "a"}, "root:ops:show:inputs:value:'k'"),
        (str, None, "root:ops:show:inputs:value"),
    ],
)
def test_values_are_compared_with_the_type_before_the_run(kind: Any, given: Any, place: str) -> None:
    with pytest.raises(sg.InvalidConfigError, match=re.escape(place)) as caught:
        shown(kind, given)
    assert [each.reason.name for each in caught.value.errors] == ["RUNTIME_TYPE_MISMATCH"]


@pytest.mark.parametrize("function", [lambda config: config, lambda a, b, c: a])
def test_a_loader_takes_a_context_and_the_config(function: Any) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="must take a context and the config value"):
        sg.type_loader(int)(function)


@sg.resource
def offset() -> int:
    return 5


@sg.type_loader(int, required_resource_keys={"offset"})
def load_shifted(context: sg.TypeLoaderContext, config: int) -> Point:
    return Point(config + context.resources.offset, 0)


@sg.op(ins={"point": sg.In(sg.PythonObjectType(Point, name="Shifted", loader=load_shifted))})
def place(point):  # type: ignore[no-untyped-def]
    return point.at


def test_resources_that_a_loader_takes_are_set_up_on_its_account() -> None:
    @sg.job(resource_defs={"offset": offset})
    def placing() -> None:
        place()

    result = placing.execute_in_process(run_config={"ops": {"place": {"inputs": {"point": 2}}}})
    assert result.output_for_node("place") == (7, 0)
    with pytest.raises(sg.InvalidDefinitionError, match="op 'place' requires the resource 'offset'"):
        sg.Definitions.validate_loadable(sg.Definitions(jobs=[placing.graph.to_job()]))


def test_resources_that_the_check_of_a_type_takes_are_set_up_on_its_account() -> None:
    def below(context: sg.TypeCheckContext, value: object) -> bool:
        return isinstance(value, int) and value < context.resources.offset

    @sg.op(out=sg.Out(sg.SegueType(below, name="Below", required_resource_keys={"offset"})))
    def small() -> int:
        return 4

    @sg.job(resource_defs={"offset": offset})
    def checking() -> None:
        small()

    assert checking.execute_in_process().output_for_node("small") == 4


def test_a_value_for_an_input_that_another_step_feeds_is_refused() -> None:
    @sg.op
    def five() -> int:
        return 5

    @sg.op
    def double(number: int) -> int:
        return number * 2

    @sg.job
    def doubling() -> None:
        double(five())

    config = {"ops": {"double": {"inputs": {"number": 7}}}}
    with pytest.raises(sg.InvalidConfigError, match='Unknown entry "inputs" at path root:ops:double') as caught:
        doubling.execute_in_process(run_config=config)
    assert [(each.reason.value, each.path) for each in caught.value.errors] == [
        ("FIELD_NOT_DEFINED", ("ops", "double"))
    ]
    assert "The input 'number' takes the output of another step" in str(caught.value)


def test_only_the_input_that_is_connected_is_refused_a_value() -> None:
    @sg.op
    def five() -> int:
        return 5

    @sg.op
    def add(number: int, more: int) -> int:
        return number + more

    @sg.job
    def adding() -> None:
        add(five())

    config = {"ops": {"add": {"inputs": {"number": 7, "more": 1}}}}
    with pytest.raises(sg.InvalidConfigError, match="The input 'number' takes the output of another step") as caught:
        adding.execute_in_process(run_config=config)
    assert [each.path for each in caught.value.errors] == [("ops", "add", "inputs")]
    del config["ops"]["add"]["inputs"]["number"]
    assert adding.execute_in_process(run_config=config).output_for_node("add") == 6


def test_a_job_may_return_several_outputs_without_names() -> None:
    @sg.op
    def one() -> int:
        return 1

    @sg.job
    def several():  # type: ignore[no-untyped-def]
        return one.alias("a")(), one.alias("b")()

    result = several.execute_in_process()
    assert (result.output_for_node("a"), result.output_for_node("b")) == (1, 1)
    assert several.graph.output_mappings == []
    with pytest.raises(sg.InvalidDefinitionError, match="return the output of a node that was called here"):

        @sg.job
        def odd():  # type: ignore[no-untyped-def]
            return one(), 5


def test_what_a_step_that_is_left_out_would_give_may_be_said() -> None:
    @sg.op
    def one() -> int:
        return 1

    @sg.op
    def add(left: int, right: int) -> int:
        return left + right

    @sg.op
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @sg.job
    def sums() -> None:
        add(one(), one())
        total([one(), one()])

    def config(step: str, **inputs: object) -> dict[str, object]:
        return {"ops": {step: {"inputs": inputs}}}

    given = config("add", left={"value": 3}, right={"value": 4})
    assert sums.execute_in_process(run_config=given, op_selection=["add"]).output_for_node("add") == 7
    listed = config("total", numbers=[{"value": 3}, {"value": 5}])
    assert sums.execute_in_process(run_config=listed, op_selection=["total"]).output_for_node("total") == 8
    with pytest.raises(sg.InvalidConfigError, match="root:ops:add"):
        sums.execute_in_process(run_config=given)


def test_a_value_that_no_selected_step_gives_is_required() -> None:
    @sg.op
    def four() -> int:
        return 4

    @sg.op
    def plus(number, more=1):  # type: ignore[no-untyped-def]
        return number + more

    @sg.op
    def summed(numbers):  # type: ignore[no-untyped-def]
        return sum(numbers)

    @sg.job
    def counted() -> None:
        plus(four())

    @sg.graph
    def listed(number):  # type: ignore[no-untyped-def]
        return summed([number, four()])

    with pytest.raises(sg.InvalidConfigError, match='"ops"'):
        counted.execute_in_process(op_selection=["plus"])
    with pytest.raises(sg.InvalidConfigError, match='"inputs"'):
        listed.to_job().execute_in_process()
    assert listed.to_job().execute_in_process(input_values={"number": 3}).output_value() == 7


def test_what_a_step_that_is_left_out_would_give_must_be_said() -> None:
    @sg.op
    def one() -> int:
        return 1

    @sg.op
    def same(value: Any) -> Any:
        return value

    @sg.op(ins={"value": sg.In(int, default_value=4)})
    def doubled(value: int) -> int:
        return 2 * value

    @sg.op
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @sg.graph
    def wrapped(value: Any) -> Any:
        return same(value)

    @sg.job
    def work() -> None:
        number = one()
        same(number)
        doubled(number)
        total([number, one()])
        wrapped(number)

    for selection in ["same"], ["wrapped.same"], ["same", "doubled"]:
        with pytest.raises(sg.InvalidConfigError, match=f"Missing.*{selection[0].partition('.')[0]}.*value"):
            work.execute_in_process(op_selection=selection)
    assert work.execute_in_process(op_selection=["doubled"]).output_for_node("doubled") == 8
    assert work.execute_in_process(op_selection=["total"]).output_for_node("total") == 0
    assert work.execute_in_process(op_selection=["total", "one_2"]).output_for_node("total") == 1
    # What some step still gives cannot be said.
    given = {"ops": {"total": {"inputs": {"numbers": [5]}}}}
    with pytest.raises(sg.InvalidConfigError, match="ops:total"):
        work.execute_in_process(op_selection=["total", "one_2"], run_config=given)
