"""Values that one step in a process of its own gives another."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import segue as sg

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


@sg.op
def gives() -> int:
    return 1


@sg.op
def takes(x: int) -> int:
    return x


@sg.op(ins={"start": sg.In(sg.Nothing)})
def follows() -> None: ...


@sg.job(executor_def=sg.multiprocess_executor, resource_defs={"io_manager": sg.mem_io_manager})
def values_in_memory() -> None:
    takes(gives())


@sg.job(executor_def=sg.multiprocess_executor, resource_defs={"io_manager": sg.InMemoryIOManager()})
def order_alone() -> None:
    follows(gives())


def test_values_that_stay_in_the_memory_of_a_step_are_refused(tmp_path: Path) -> None:
    with sg.Instance.local_temp(str(tmp_path)) as instance:
        with pytest.raises(
            sg.UnmetExecutorRequirementsError, match=r"'gives' in the memory of one.*'takes' cannot load it"
        ):
            sg.execute_job(sg.reconstructable(values_in_memory), instance)
        assert instance.get_runs() == []
        assert sg.execute_job(sg.reconstructable(order_alone), instance).success
