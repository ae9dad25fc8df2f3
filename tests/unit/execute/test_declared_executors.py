"""Executors that are declared, and where the steps run."""

from __future__ import annotations

import pytest

import segue as sg


@sg.asset
def table() -> int:
    return 5


@pytest.mark.parametrize(("executor", "says"), [(sg.multiprocess_executor, 1), (sg.in_process_executor, 0), (None, 0)])
def test_a_run_says_where_its_steps_run(executor: sg.ExecutorDefinition | None, says: int) -> None:
    job = sg.define_asset_job("nightly", executor_def=executor)
    result = sg.Definitions(assets=[table], jobs=[job]).get_job_def("nightly").execute_in_process()
    assert result.asset_value("table") == 5
    told = [event for event in result.all_events if "'multiprocess' is declared" in str(event.message)]
    assert len(told) == says


def test_definitions_take_the_executors_that_the_engine_knows() -> None:
    assert sg.Definitions(executor=sg.in_process_executor).executor is sg.in_process_executor
    with pytest.raises(sg.NotSupportedError, match="executors of your own"):
        sg.Definitions(executor=sg.ExecutorDefinition("mine"))
