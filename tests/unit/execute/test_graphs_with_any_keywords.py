"""Graphs whose function takes its inputs by `**kwargs`."""

from __future__ import annotations

from typing import Any

import segue as sg

K = sg.AssetKey


@sg.op
def read(value: int) -> int:
    return value + 1


@sg.op
def double(value: int) -> int:
    return value * 2


@sg.asset
def source() -> int:
    return 20


@sg.graph_asset
def cooked(source: int) -> int:
    return double(read(source))


def test_inputs_of_a_graph_that_takes_any_keywords_are_those_of_its_ins() -> None:
    @sg.graph_asset(ins={"raw": sg.AssetIn("source")})
    def one(**taken: Any) -> int:
        return double(taken["raw"])

    @sg.graph_multi_asset(outs={"two": sg.AssetOut()}, ins={"raw": sg.AssetIn("source")})
    def several(cooked: int, **taken: Any) -> Any:
        read(cooked)
        return double(taken["raw"])

    assert one.keys_by_input_name == {"raw": K("source")}
    assert several.keys_by_input_name == {"cooked": K("cooked"), "raw": K("source")}
    result = sg.materialize([source, cooked, one, several])
    assert [result.asset_value(key) for key in ("one", "two")] == [40, 40]


def test_any_keywords_of_a_graph_are_no_asset() -> None:
    @sg.op
    def begin() -> int:
        return 3

    @sg.graph_asset
    def alone(**taken: Any) -> int:
        assert taken == {}
        return begin()

    assert alone.keys_by_input_name == {}
    assert sg.materialize([alone]).asset_value("alone") == 3


def test_a_graph_takes_inputs_by_any_keywords_that_its_ins_name() -> None:
    @sg.graph(ins={"raw": sg.GraphIn(description="as it came")})
    def doubled(**taken: Any) -> int:
        return double(taken["raw"])

    assert [each.name for each in doubled.input_defs] == ["raw"]
    assert doubled.to_job().execute_in_process(input_values={"raw": 4}).output_value() == 8
