"""Arguments of runs in this process, of contexts and of inputs that are refused at once, and the kind of error that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg
from segue.errors import WrongTypeError


@sg.asset
def one() -> int:
    return 1


@sg.op
def step() -> int:
    return 1


@sg.job
def steps() -> None:
    step()


def by_run(**arguments: Any) -> object:
    return steps.execute_in_process(**arguments)


def assets_by_run(**arguments: Any) -> object:
    job: Any = sg.Definitions(assets=[one], jobs=[sg.define_asset_job("all_of_it")]).resolve_job_def("all_of_it")
    return job.execute_in_process(**arguments)


def made(**arguments: Any) -> object:
    return sg.materialize([one], **arguments)


WRONG: dict[str, Callable[[], object]] = {
    "assets": lambda: sg.materialize(5),  # type: ignore[arg-type]
    "one asset": lambda: sg.materialize(one),  # type: ignore[arg-type]
    "assets in memory": lambda: sg.materialize_to_memory("one"),  # type: ignore[arg-type]
    "resources": lambda: made(resources="x"),
    "resources in memory": lambda: sg.materialize_to_memory([one], resources=["x"]),  # type: ignore[arg-type]
    "keys of resources": lambda: made(resources={1: 2}),
    "partition_key": lambda: made(partition_key=5),
    "tags": lambda: made(tags="x"),
    "run_id": lambda: by_run(run_id=5),
    "input_values": lambda: by_run(input_values=5),
    "resources of a job": lambda: by_run(resources=5),
    "steps of a job": lambda: by_run(op_selection=[5]),
    "steps of a graph": lambda: sg.graph(name="whole")(lambda: step()).to_job(op_selection=[5]),  # type: ignore[list-item]
    "depth": lambda: sg.AssetSelection.all().upstream(depth="x"),  # type: ignore[arg-type]
    "partitions of an input": lambda: sg.In(asset_key="a", asset_partitions="x"),
    "run_id of a job of assets": lambda: assets_by_run(run_id=5),
    "resources_config": lambda: sg.build_op_context(resources_config="x"),  # type: ignore[arg-type]
    "run_tags": lambda: sg.build_op_context(run_tags=5),  # type: ignore[arg-type]
    "partition_key_range": lambda: sg.build_asset_context(partition_key_range="a...b"),  # type: ignore[arg-type]
    "cron schedule": lambda: sg.AutomationCondition.on_cron("every day"),
    "cron schedules": lambda: sg.AutomationCondition.cron_tick_passed(["0 0 * * *"]),  # type: ignore[arg-type]
    "time zone": lambda: sg.AutomationCondition.on_cron("0 0 * * *", cron_timezone=5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("run", WRONG.values(), ids=WRONG)
def test_an_argument_of_a_wrong_type_is_refused_at_once(run: Callable[[], object]) -> None:
    with pytest.raises(WrongTypeError):
        run()


def annotated(up: int = "many") -> None: ...  # type: ignore[assignment]


def of_text(up: str = 5) -> None: ...  # type: ignore[assignment]


@pytest.mark.parametrize("function", [annotated, of_text])
def test_a_default_value_of_another_type_is_refused(function: Callable[..., None]) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="'up' has the default value"):
        sg.op(function)


def test_a_default_value_may_be_all_that_its_type_allows() -> None:
    @sg.op(ins={"limit": sg.In(default_value=2)})
    def first(limit: int, more: int | None = None, name: str = "x", rate: object = None) -> list[object]:
        return [limit, more, name, rate]

    @sg.job
    def both() -> None:
        first()

    assert both.execute_in_process().output_for_node("first") == [2, None, "x", None]
