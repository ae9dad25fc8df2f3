"""What every executor must do, as functions that take one; for whoever changes an executor, or the machine it runs on.

    @pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
    def test_contract(rule, tmp_path):
        rule(ExecutorUnderTest("multiprocess", tmp_path))

Each rule runs a job on the record and asserts. What a step does to its own process (`ISOLATION`) is for executors alone that
give each step one. Needs pytest and a POSIX system.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import segue as sg
from segue.defs.job_execution_result import JobExecutionResult
from segue.testing.executor_contract.jobs import COORDINATOR, MARKS, MUCH

_JOBS = "segue.testing.executor_contract.jobs"


class ExecutorUnderTest(msgspec.Struct, frozen=True):
    """An executor, and where its runs leave what they leave.

    Attributes:
        name: `in_process`, `threads`, `async` or `multiprocess`.
        folder: an empty folder.
        config: of the executor.
    """

    name: str
    folder: Path
    config: Mapping[str, object] = {}

    def run(self, graph: str) -> tuple[JobExecutionResult, sg.Instance]:
        """Runs a job of the contract, by the name of its graph."""
        os.environ[MARKS], os.environ[COORDINATOR] = str(self.folder), str(os.getpid())
        try:
            instance = sg.Instance.local_temp(str(self.folder / "home"))
            job = sg.build_reconstructable_job(_JOBS, "job_of", [graph, self.name])
            execution: dict[str, Any] = {"execution": {"config": dict(self.config)}}
            return sg.execute_job(job, instance, run_config=execution), instance
        finally:
            del os.environ[MARKS], os.environ[COORDINATOR]


def values_reach_the_steps_that_take_them(executor: ExecutorUnderTest) -> None:
    with executor.run("success")[0] as result:
        assert result.success
        assert result.output_for_node("adds") == 42
    assert result.all_events[-1].is_job_success


def a_failure_ends_what_needs_it_and_nothing_else(executor: ExecutorUnderTest) -> None:
    with executor.run("failure")[0] as result:
        assert not result.success
        assert result.output_for_node("gives") == 20
    assert result.get_failed_step_keys() == {"raises"}
    assert result.is_node_untouched("after")
    data = result.failure_data_for_node("raises")
    assert data is not None
    assert "on purpose" in data.error.to_string()
    assert result.all_events[-1].is_job_failure


def whatever_is_raised_is_a_failure(executor: ExecutorUnderTest) -> None:
    with executor.run("base_exception")[0] as result:
        assert result.get_failed_step_keys() == {"raises_base", "exits"}
        assert result.output_for_node("gives") == 20


def a_failed_step_is_tried_again(executor: ExecutorUnderTest) -> None:
    with executor.run("retry")[0] as result:
        assert result.success
        assert result.output_for_node("flaky") == "third time"
    assert result.retry_attempts_for_node("flaky") == 2


def dynamic_outputs_make_steps(executor: ExecutorUnderTest) -> None:
    with executor.run("dynamic")[0] as result:
        assert result.output_for_node("double") == {"p0": 0, "p1": 2, "p2": 4}
        assert result.output_for_node("total") == 6


def a_step_without_input_is_skipped(executor: ExecutorUnderTest) -> None:
    result, _ = executor.run("skip")
    assert result.success
    assert result.is_node_skipped("double")


def a_value_that_cannot_be_stored_is_a_failure(executor: ExecutorUnderTest) -> None:
    with executor.run("unpicklable")[0] as result:
        assert result.get_failed_step_keys() == {"gives_a_lock"}
        assert result.output_for_node("gives") == 20


def values_that_cannot_be_loaded_or_are_of_another_type_are_failures_and_large_ones_are_none(
    executor: ExecutorUnderTest,
) -> None:
    with executor.run("bad_values")[0] as result:
        assert result.get_failed_step_keys() == {"takes_unreadable", "gives_another_type"}
        assert result.output_for_node("takes_much") == MUCH
    said = {key: result.failure_data_for_node(key) for key in ("takes_unreadable", "gives_another_type")}
    for key, words in {
        "takes_unreadable": ("input 'value' of 'takes_unreadable' was loaded", "the value breaks off"),
        "gives_another_type": ("TypeCheckDidNotPass", "got 'text' of type str"),
    }.items():
        data = said[key]
        assert data is not None
        for each in words:
            assert each in data.error.to_string()


def steps_may_start_threads(executor: ExecutorUnderTest) -> None:
    with executor.run("thread")[0] as result:
        assert result.output_for_node("after") == "after"


def steps_may_close_their_streams(executor: ExecutorUnderTest) -> None:
    with executor.run("streams")[0] as result:
        assert result.success
        assert result.output_for_node("after") == "after"


def steps_may_fork(executor: ExecutorUnderTest) -> None:
    with executor.run("fork")[0] as result:
        assert result.success
        assert result.output_for_node("after") == "after"


def a_run_that_is_stopped_is_canceled_and_tidies_up(executor: ExecutorUnderTest) -> None:
    with pytest.raises(KeyboardInterrupt):
        executor.run("stopped")
    assert (executor.folder / "tidied").exists()
    with sg.Instance.local_temp(str(executor.folder / "home")) as instance:
        (run,) = instance.get_runs()
        assert run.status is sg.RunStatus.CANCELED
        kinds = [record.event_log_entry.event.event_type for record in instance.get_records_for_run(run.run_id).records]
    assert kinds.count(sg.EventType.STEP_FAILURE) == 1
    assert kinds[-1] is sg.EventType.RUN_CANCELED


def a_thousand_steps_run(executor: ExecutorUnderTest) -> None:
    with executor.run("fan_out")[0] as result:
        assert result.success
        assert result.output_for_node("total") == 999_000


def a_step_that_leaves_takes_nobody_along(executor: ExecutorUnderTest) -> None:
    with executor.run("exit_at_once")[0] as result:
        assert result.get_failed_step_keys() == {"leaves_at_once"}
        assert result.output_for_node("gives") == 20


def a_crash_takes_nobody_along(executor: ExecutorUnderTest) -> None:
    with executor.run("crash")[0] as result:
        assert result.get_failed_step_keys() == {"kills_itself"}
        assert result.output_for_node("gives") == 20


def what_a_step_changes_of_its_process_stays_there(executor: ExecutorUnderTest) -> None:
    with executor.run("surroundings")[0] as result:
        assert result.output_for_node("looks_around") == [None, os.getcwd()]


def nothing_is_left_open(executor: ExecutorUnderTest) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return
    executor.run("dynamic")[1].close()
    before = len(list(folder.iterdir()))
    executor.run("dynamic")[1].close()
    assert len(list(folder.iterdir())) == before


Rule = Callable[[ExecutorUnderTest], None]
CONTRACT: tuple[Rule, ...] = (
    values_reach_the_steps_that_take_them,
    a_failure_ends_what_needs_it_and_nothing_else,
    whatever_is_raised_is_a_failure,
    a_failed_step_is_tried_again,
    dynamic_outputs_make_steps,
    a_step_without_input_is_skipped,
    a_value_that_cannot_be_stored_is_a_failure,
    values_that_cannot_be_loaded_or_are_of_another_type_are_failures_and_large_ones_are_none,
    steps_may_start_threads,
    steps_may_close_their_streams,
    steps_may_fork,
    a_run_that_is_stopped_is_canceled_and_tidies_up,
    nothing_is_left_open,
)
FAN_OUT: tuple[Rule, ...] = (a_thousand_steps_run,)
ISOLATION: tuple[Rule, ...] = (
    a_step_that_leaves_takes_nobody_along,
    a_crash_takes_nobody_along,
    what_a_step_changes_of_its_process_stays_there,
)
