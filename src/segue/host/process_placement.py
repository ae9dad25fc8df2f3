"""Steps in processes of their own: loaded by who runs some."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import msgspec

from segue.execute.capture import LOGS_FOLDER
from segue.execute.executors.base import StepExecutor
from segue.execute.executors.placement import Placement
from segue.execute.executors.processes import ProcessExecutor, ProcessSettings
from segue.execute.run_claims import within
from segue.execute.run_scope import RunScope
from segue.host.placement import ExecutorConfig, StepCode
from segue.host.zygote_client import ZygoteProcesses
from segue.model.event import EngineEventData
from segue.model.messages import PrepareRun
from segue.plan.plan import Plan, PlanStep, encode_plan


def process_placement(code: StepCode, config: ExecutorConfig, plan: Plan) -> Placement:
    """Each step of a plan in a process of its own.

    Args:
        code: the code as the processes load it.
        config: what the executor is told.
        plan: the plan.
    """
    most = config.max_concurrent or os.cpu_count() or 1
    has_extras = config.start_method == "spawn" or bool(config.preload)
    zygote = None if has_extras else code.zygote  # the one that there is can do without
    load = msgspec.structs.replace(
        code.code(), start_method=config.start_method, preload=config.preload, is_published=False
    )

    def make(scope: RunScope) -> StepExecutor:
        settings = ProcessSettings(most, Path(scope.instance.root_directory, LOGS_FOLDER))
        processes = ZygoteProcesses(load, zygote)
        try:
            ready = processes.prepare(_prepared(scope, plan))
        except BaseException:
            processes.close()
            raise
        if ready.reason is not None:
            scope.sink.emit(EngineEventData(_spawns_because(ready.reason)))
        return ProcessExecutor(scope, processes, settings)

    return Placement(make, _no_step, config.limits, f"in processes of their own, {most} at a time")


def _no_step(_step: PlanStep) -> bool:
    return False


def _spawns_because(reason: str) -> str:
    return (
        f"Each step starts a fresh interpreter, which is slower than a fork: {reason}, and threads do not survive a fork. "
        "Start it in a step or a resource to have steps forked."
    )


def _prepared(scope: RunScope, plan: Plan) -> PrepareRun:
    """What the processes are told of the run."""
    return PrepareRun(
        run=scope.run,
        plan=encode_plan(plan),
        config=pickle.dumps(dict(scope.run_config)),
        home=scope.instance.root_directory,
        storage_directory=scope.instance.storage_directory(),
        now=scope.now.timestamp(),
        finished_in=dict(scope.job_side.finished_in),
        is_watched=scope.sink.is_watched,
        within=within.get(),
        database=scope.instance.get_ref().database,
        concurrency=scope.instance.concurrency,
    )
