"""Steps in threads, on one event loop, and in several ways within one run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from step_processes import failure_of, run_job

import segue as sg
from segue.model.event import EventType

META = """
import asyncio
ARRIVED = threading.Barrier(2, timeout=60)

def made(executor, *ops, **settings):
    @sg.job(name="job", executor_def=executor, **settings)
    def job():
        for each in ops:
            each()
    return job

@sg.op
def one():
    ARRIVED.wait()
    print("from one")
    return threading.get_ident()

@sg.op
def other():
    ARRIVED.wait()
    return threading.get_ident()

@sg.op
async def sends():
    loop = asyncio.get_running_loop()
    EVENT.set()
    while not hasattr(EVENT, "answered"):
        await asyncio.sleep(0.01)
    return id(loop)

@sg.op
async def answers():
    while not EVENT.is_set():
        await asyncio.sleep(0.01)
    EVENT.answered = True
    return id(asyncio.get_running_loop())

@sg.op
async def yields():
    yield sg.Output(3)

EVENT = threading.Event()

@sg.op
def pid():
    return os.getpid()

@sg.op(step_policy=sg.StepPolicy(executor="processes"))
def pid_elsewhere():
    return os.getpid()

@sg.op(tags={"segue/executor": "threads"})
def in_thread():
    return threading.current_thread().name

@sg.op
def bad():
    raise ValueError("on purpose")

@sg.op(step_policy=sg.StepPolicy(timeout=0.3))
def long():
    while True:
        time.sleep(0.01)

threads = made(sg.threads_executor, one, other)
on_loop = made(sg.async_executor, sends, answers, yields)
mixed = made(sg.in_process_executor, pid, pid_elsewhere, in_thread)
failing = made(sg.threads_executor, bad, pid)
endless = made(sg.threads_executor, long)
"""


def _run(folder: Path, name: str, config: Mapping[str, object] | None = None) -> Any:
    return run_job(folder, META, name=name, config=config or {})[0]


def test_steps_in_threads_run_at_the_same_time_in_this_process(tmp_path: Path) -> None:
    with _run(tmp_path, "threads") as result:
        assert result.success
        idents = {result.output_for_node("one"), result.output_for_node("other")}
    assert len(idents) == 2
    assert threading.get_ident() not in idents
    (captured,) = [event for event in result.all_events if event.event_type is EventType.LOGS_CAPTURED]
    data: Any = captured.event_specific_data
    assert Path(data.stdout.place).read_text() == "from one\n"


def test_async_steps_share_one_event_loop(tmp_path: Path) -> None:
    with _run(tmp_path, "on_loop") as result:
        assert result.success
        assert result.output_for_node("sends") == result.output_for_node("answers")
        assert result.output_for_node("yields") == 3


def test_each_step_may_say_where_it_runs(tmp_path: Path) -> None:
    me = psutil.Process()
    with _run(tmp_path, "mixed") as result:
        assert result.success
        assert result.output_for_node("pid") == me.pid
        assert result.output_for_node("pid_elsewhere") != me.pid
        assert result.output_for_node("in_thread") == "segue step in_thread"


def test_a_step_that_fails_in_a_thread_fails_alone(tmp_path: Path) -> None:
    with _run(tmp_path, "failing") as result:
        assert not result.success
        assert "on purpose" in failure_of(result)
        assert result.output_for_node("pid") == psutil.Process().pid


def test_a_step_in_a_thread_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with _run(tmp_path, "endless") as result:
        (failed,) = result.get_step_failure_events()
    assert failed.step_failure_data.failure_class is sg.FailureClass.TIMEOUT


def test_an_executor_that_there_is_not_is_refused() -> None:
    known = "executor must be one of in_process, threads, async, processes"
    with pytest.raises(sg.InvalidDefinitionError, match=f"{known}.* got 'elsewhere'"):
        sg.StepPolicy(executor="elsewhere")

    @sg.op(tags={"segue/executor": "elsewhere"})
    def lost() -> None:
        pass

    @sg.job
    def job() -> None:
        lost()

    with pytest.raises(sg.InvalidDefinitionError, match="in_process, threads, async, processes"):
        job.execute_in_process()
