"""User code in a file of its own, run with each step in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import segue as sg
from segue.defs.job_execution_result import JobExecutionResult
from segue.host.instances import local_instance
from segue.host.reconstruct import ReconstructableJob
from segue.model.step_settings import StepSettings

CODE = """
import ctypes, json, os, random, signal, subprocess, sys, threading, time
import segue as sg

def told(path, **facts):
    with open(os.environ["FACTS"], "a") as file:
        file.write(json.dumps(facts) + chr(10))

def job_of(*ops, **settings):
    @sg.job(name="job", executor_def=sg.multiprocess_executor, **settings)
    def job():
        for each in ops:
            each()
    return job
"""


def run_job(
    folder: Path,
    code: str,
    *,
    name: str = "job",
    config: Mapping[str, object] | None = None,
    home: Path | None = None,
    steps: StepSettings | None = None,
) -> tuple[JobExecutionResult, sg.Instance]:
    """Runs the job of this name in some code.

    Args:
        folder: for the code and the instance.
        code: put behind `CODE`.
        name: the name in the code of the job, or of the function that makes it.
        config: of the executor.
        home: the folder of the instance.
        steps: the settings for how steps are run.
    """
    file = folder / f"code_{abs(hash(code))}.py"
    file.write_text(CODE + code)
    instance = local_instance(str(home or folder / "home"), steps=steps)
    execution: dict[str, Any] = {"execution": {"config": {"max_concurrent": 2} if config is None else dict(config)}}
    result = sg.execute_job(ReconstructableJob.for_file(str(file), name), instance, run_config=execution)
    return result, instance


def failure_of(result: JobExecutionResult) -> str:
    """What the first step that failed says of it."""
    return next(event.step_failure_data.error.to_string() for event in result.all_events if event.is_step_failure)
