"""Executors that are declared, and where the steps run."""

from __future__ import annotations

import pytest

import segue as sg
from segue.host.inprocess import execute_request


@sg.asset
def table() -> int:
    return 5


@pytest.mark.parametrize("executor", [sg.multiprocess_executor, sg.in_process_executor, None])
def test_execute_in_process_stays_in_the_process_whatever_is_declared(executor: sg.ExecutorDefinition | None) -> None:
    job = sg.define_asset_job("nightly", executor_def=executor)
    result = sg.Definitions(assets=[table], jobs=[job]).get_job_def("nightly").execute_in_process()
    assert result.asset_value("table") == 5
    assert [event.message for event in result.all_events if event.is_engine_event] == [
        "Executing 1 steps in process.",
        "Finished steps in process.",
    ]


def test_definitions_take_the_executors_that_the_engine_knows() -> None:
    assert sg.Definitions(executor=sg.in_process_executor).executor is sg.in_process_executor


@pytest.mark.parametrize("job_name", ["nightly", "op_job", None])
def test_a_run_that_an_executor_of_the_users_own_would_execute_is_refused(job_name: str | None) -> None:
    mine = sg.ExecutorDefinition("mine")

    @sg.job
    def op_job() -> None:
        pass

    defs = sg.Definitions([table], jobs=[sg.define_asset_job("nightly"), op_job], executor=mine)
    name = job_name or "__ASSET_JOB"
    assert defs.get_job_def(name).executor_def is mine
    assert defs.get_job_def(name).execute_in_process().success
    instance = sg.Instance.ephemeral()
    with pytest.raises(sg.NotSupportedError, match="custom executors"):
        execute_request(defs, instance, sg.RunRequest(job_name=job_name))
    assert instance.get_runs() == []
