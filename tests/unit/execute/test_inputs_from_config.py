"""Inputs that nothing is connected to get their values from the run config, through the loaders of their types."""

from __future__ import annotations

import json
import pickle
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


@pytest.mark.parametrize("function", [lambda config: config, lambda a, b, c: a])
def test_a_loader_takes_a_context_and_the_config(function: Any) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="takes a context and the config value"):
        sg.type_loader(int)(function)
