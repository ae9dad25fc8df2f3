"""A graph with a config of its own that becomes a job: `ops` of the run config holds that config, and not the ops."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg


@sg.config_mapping(config_schema={"n": int})
def doubled(value: Any) -> Any:
    return {"show": {"config": {"n": value["n"] * 2}}}


@sg.op(config_schema={"n": int})
def show(context: sg.OpExecutionContext) -> int:
    return context.op_config["n"]


@sg.graph(config=doubled)
def mapped() -> int:
    return show()


@sg.graph(config={"show": {"config": {"n": 21}}})
def fixed() -> int:
    return show()


def config(n: object) -> dict[str, Any]:
    return {"ops": {"config": {"n": n}}}


def test_the_mapping_of_the_graph_is_applied_to_the_config_of_the_run() -> None:
    assert mapped.config_mapping is doubled
    assert "n" in repr(doubled)
    assert mapped.execute_in_process(run_config=config(3)).output_value() == 6
    assert mapped.to_job().execute_in_process(run_config=config(3)).output_for_node("show") == 6
    assert mapped.to_job(config=config(4)).execute_in_process().output_for_node("show") == 8
    assert mapped.configured({"n": 5}, name="five").execute_in_process().output_for_node("show") == 10


def test_the_mapping_of_a_job_comes_before_that_of_its_graph() -> None:
    outer = sg.ConfigMapping(lambda value: config(value["m"] + 1), config_schema={"m": int})
    job = mapped.to_job(config=outer)
    assert job.execute_in_process(run_config={"m": 9}).output_for_node("show") == 20


def test_a_part_of_the_job_is_configured_in_the_same_way() -> None:
    done = mapped.to_job().execute_in_process(run_config=config(3), op_selection=["show"])
    assert done.output_for_node("show") == 6


def test_a_validated_config_shows_what_the_mapping_made() -> None:
    shown = sg.validate_run_config(mapped.to_job(), config(3))
    assert shown is not None
    assert shown["ops"]["show"]["config"] == {"n": 6}


def test_what_does_not_fit_the_config_of_the_graph_is_refused_at_its_place() -> None:
    with pytest.raises(sg.InvalidConfigError, match="root:ops:config"):
        mapped.execute_in_process(run_config=config("many"))
    with pytest.raises(sg.InvalidConfigError, match="'n': 0"):
        mapped.execute_in_process()
    with pytest.raises(sg.InvalidConfigError, match='"show"'):
        mapped.execute_in_process(run_config={"ops": {"show": {"config": {"n": 1}}}})


def test_what_the_mapping_makes_is_compared_with_the_ops() -> None:
    @sg.graph(config=sg.ConfigMapping(lambda _value: {"show": {"config": {"m": 1}}}, config_schema={}))
    def misled() -> int:
        return show()

    with pytest.raises(sg.InvalidConfigError, match="misled"):
        misled.execute_in_process(run_config={"ops": {"config": {}}})


def test_a_fixed_config_is_taken_and_leaves_nothing_to_say() -> None:
    assert fixed.execute_in_process().output_value() == 21
    with pytest.raises(sg.InvalidConfigError):
        fixed.execute_in_process(run_config={"ops": {"show": {"config": {"n": 1}}}})
