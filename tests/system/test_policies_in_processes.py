"""Step policies, failure classes and cancellation where each step has a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from step_processes import run_job

import segue as sg
from segue.model.event import RunFailureData, StepFailureData, StepRetryData
from segue.model.step_settings import StepSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")

CODE = """
@sg.op(step_policy=sg.StepPolicy(timeout=0.3), retry_policy=sg.RetryPolicy(max_retries=1, retry_on={"timeout"}))
def slow():
    try:
        threading.Event().wait(60)
    finally:
        print("tidied", flush=True)

@sg.op(step_policy=sg.StepPolicy(memory_limit="64 MiB"))
def hungry():
    bytearray(2**30)

@sg.op
def forbidden():
    raise PermissionError_("no")

class PermissionError_(Exception):
    status_code = 403

@sg.op
def dies():
    os.kill(os.getpid(), signal.SIGKILL)

@sg.op(ins={"start": sg.In(sg.Nothing)}, step_policy=sg.StepPolicy(trigger_rule="one_failed"))
def report():
    print("reported", flush=True)

@sg.op
def waits():
    threading.Event().wait(60)

@sg.job(executor_def=sg.multiprocess_executor)
def failing():
    report([dies.alias("dies")(), forbidden()])

@sg.op(step_policy=sg.StepPolicy(executor="in_process"))
def elsewhere(): ...

@sg.op(step_policy=sg.StepPolicy(timeout=0.2))
def stubborn():
    while True:
        try:
            threading.Event().wait(60)
        except BaseException:
            pass

stubborn_job = job_of(stubborn)
timing, remembering, waiting, mixed = job_of(slow), job_of(hungry), job_of(waits), job_of(elsewhere)
"""


def payloads(result: Any, kind: type) -> list[Any]:
    return [event.payload for event in result.all_events if isinstance(event.payload, kind)]


def test_a_step_that_takes_too_long_is_told_to_end_and_retried(tmp_path: Path) -> None:
    result, instance = run_job(tmp_path, CODE, name="timing")
    with instance:
        [again], [step] = payloads(result, StepRetryData), payloads(result, StepFailureData)
        assert {again.failure_class, step.failure_class} == {sg.FailureClass.TIMEOUT}
        assert "The step 'slow' took longer than its timeout of 0.3 seconds." in step.raised.message
        logs = Path(instance.root_directory, "logs", result.run_id)
        assert [(logs / f"slow-{attempt}.out").read_text() for attempt in (1, 2)] == ["tidied\n"] * 2


def test_a_step_has_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    result, instance = run_job(tmp_path, CODE, name="remembering")
    with instance:
        [step], [run] = payloads(result, StepFailureData), payloads(result, RunFailureData)
        assert {step.failure_class, run.failure_class} == {sg.FailureClass.OUT_OF_MEMORY}
        assert step.usage.peak_memory_bytes > 0


def test_classes_and_trigger_rules_hold_for_processes_that_raise_or_die(tmp_path: Path) -> None:
    result, instance = run_job(tmp_path, CODE, name="failing")
    with instance:
        classes = {
            event.step_key: event.payload.failure_class
            for event in result.all_events
            if isinstance(event.payload, StepFailureData)
        }
        assert classes == {"dies": sg.FailureClass.KILLED, "forbidden": sg.FailureClass.CREDENTIALS}
        assert not result.success
        assert [event.step_key for event in result.all_events if event.is_step_success] == ["report"]


def test_one_step_may_be_executed_in_the_process_of_the_run(tmp_path: Path) -> None:
    result, _ = run_job(tmp_path, CODE, name="mixed")
    assert result.success


def test_a_step_that_swallows_its_timeout_is_killed_after_the_grace_period_of_the_settings(tmp_path: Path) -> None:
    result, _ = run_job(tmp_path, CODE, name="stubborn_job", steps=StepSettings(stop_grace=0.2))
    [failure] = payloads(result, StepFailureData)
    assert failure.failure_class is sg.FailureClass.TIMEOUT
    assert "longer than its timeout of 0.2 seconds" in failure.error.to_string()
