"""Steps in processes of their own that are stopped, or whose coordinator or zygote is killed: nothing is left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from step_processes import CODE, failure_of, run_job

import segue as sg
from segue.model.event import EventType

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are POSIX")

LONG = """
@sg.op
def long():
    try:
        told("", pid=os.getpid(), parent=os.getppid(), ours=subprocess.Popen(["sleep", "600"]).pid)
        time.sleep(600)
    finally:
        told("", tidied=True)

@sg.op
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    told("", pid=os.getpid(), parent=os.getppid(), ours=os.getpid())
    time.sleep(600)

job, hard = job_of(long), job_of(stubborn)
"""
COORDINATOR = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from segue.host.reconstruct import ReconstructableJob
import segue as sg
instance = sg.Instance.local_temp(sys.argv[2])
sg.execute_job(ReconstructableJob.for_file(sys.argv[3], sys.argv[4]), instance)
"""


def _coordinator(tmp_path: Path, name: str) -> tuple[subprocess.Popen[bytes], dict[str, int]]:
    """A process that runs a long step, and what the step said of itself when it had begun."""
    code = tmp_path / "long_code.py"
    code.write_text(CODE + LONG)
    facts = tmp_path / "facts"
    os.mkfifo(facts)
    process = subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, str(Path(__file__).parent), str(tmp_path / "home"), str(code), name],
        env={**os.environ, "FACTS": str(facts)},
    )
    with facts.open() as file:
        line = file.readline()
    facts.unlink()
    facts.touch()
    return process, json.loads(line)


def _are_gone(*pids: int) -> bool:
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return not psutil.wait_procs(alive, timeout=20)[1]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_lets_its_steps_tidy_up(tmp_path: Path, signal_number: int) -> None:
    process, said = _coordinator(tmp_path, "job")
    process.send_signal(signal_number)
    assert process.wait(30) != 0
    assert _are_gone(said["pid"], said["parent"], said["ours"])
    assert '"tidied": true' in (tmp_path / "facts").read_text()
    with sg.Instance.local_temp(str(tmp_path / "home")) as instance:
        (run,) = instance.get_runs()
        assert run.status is sg.RunStatus.CANCELED
        kinds = [entry.event.event_type for entry in _entries(instance, run.run_id)]
    assert kinds[-2:] == [EventType.STEP_FAILURE, EventType.RUN_CANCELED]


@pytest.mark.parametrize("victim", ["coordinator", "zygote"])
def test_nothing_outlives_the_one_that_it_works_for(tmp_path: Path, victim: str) -> None:
    process, said = _coordinator(tmp_path, "hard")
    os.kill(process.pid if victim == "coordinator" else said["parent"], signal.SIGKILL)
    process.wait(30)
    assert _are_gone(said["pid"], said["parent"])


def test_a_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    process, said = _coordinator(tmp_path, "hard")
    process.send_signal(signal.SIGINT)
    (tmp_path / "home").stat()
    while process.poll() is None:  # the first may still be on its way: each further one shortens the wait
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert _are_gone(said["pid"], said["parent"])
    with sg.Instance.local_temp(str(tmp_path / "home")) as instance:
        (run,) = instance.get_runs()
        assert run.status is sg.RunStatus.CANCELED


def _entries(instance: sg.Instance, run_id: str) -> list[Any]:
    return [record.event_log_entry for record in instance.get_records_for_run(run_id).records]


LIMITS = """
@sg.op(step_policy=sg.StepPolicy(memory_limit="64 MiB"))
def hungry():
    return len(bytearray(200 * 2 ** 20))

@sg.op(step_policy=sg.StepPolicy(memory_limit="300 MiB"))
def fed():
    return len(bytearray(100 * 2 ** 20))

@sg.op(step_policy=sg.StepPolicy(timeout=0.3), retry_policy=sg.RetryPolicy(max_retries=1))
def slow():
    time.sleep(600)

memory, time_limit = job_of(hungry, fed), job_of(slow)
"""


def test_a_step_that_takes_more_memory_than_it_may_fails_and_names_the_limit(tmp_path: Path) -> None:
    with run_job(tmp_path, LIMITS, name="memory")[0] as result:
        (failed,) = result.get_step_failure_events()
        assert result.output_for_node("fed") == 100 * 2**20
    assert failed.step_key == "hungry"
    assert failed.step_failure_data.failure_class is sg.FailureClass.OUT_OF_MEMORY
    assert f"{64 * 2**20} bytes" in failure_of(result)


def test_a_step_that_takes_too_long_is_ended_and_tried_again(tmp_path: Path) -> None:
    result, _ = run_job(tmp_path, LIMITS, name="time_limit")
    assert result.retry_attempts_for_node("slow") == 1
    (failed,) = result.get_step_failure_events()
    assert failed.step_failure_data.failure_class is sg.FailureClass.TIMEOUT
    assert "timeout of 0.3 seconds" in failure_of(result)
    assert result.all_events[-1].is_run_failure
