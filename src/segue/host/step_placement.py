"""Steps in threads and in processes of their own: loaded by who runs some."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Set
from pathlib import Path

import msgspec

from segue.execute.executors.base import StepExecutor
from segue.execute.executors.mixed import MixedExecutor
from segue.execute.executors.placement import Placement
from segue.execute.executors.processes import ProcessExecutor, ProcessSettings
from segue.execute.executors.threads import ThreadsExecutor
from segue.execute.run_claims import within
from segue.execute.run_scope import RunScope
from segue.host.placement import PROCESSES, ExecutorConfig, StepCode
from segue.host.zygote_client import ZygoteProcesses
from segue.model.event import EngineEventData
from segue.model.messages import PrepareRun
from segue.plan.plan import Plan, PlanStep, encode_plan

_MORE_THREADS = 4  # than processors: they wait a lot


def step_placement(code: StepCode, config: ExecutorConfig, plan: Plan, ways: Mapping[str, str]) -> Placement:
    """Where the steps of a plan are executed that do not all run one after another in the process of the run.

    Args:
        code: the code as processes load it.
        config: what the executor is told.
        plan: the plan.
        ways: in which way each step runs, by path: `in_process`, `threads`, `async` or `processes`.
    """
    used = set(ways.values())

    def way_of(step: PlanStep) -> str:
        return ways[step.path]

    def is_here(step: PlanStep) -> bool:
        return ways[step.path] != PROCESSES

    def make(scope: RunScope) -> StepExecutor:
        if used == {PROCESSES}:
            return _processes(scope, code, config, plan)
        threads = ThreadsExecutor(scope, _most_threads(config, used), way_of)
        if PROCESSES not in used:
            return threads
        try:
            return MixedExecutor(threads, _processes(scope, code, config, plan), is_here)
        except BaseException:
            threads.close()
            raise

    return Placement(make, is_here, config.limits, _where(config, used))


def _processes(scope: RunScope, code: StepCode, config: ExecutorConfig, plan: Plan) -> ProcessExecutor:
    """The executor of the steps that run in processes of their own, with the code loaded there."""
    steps = scope.instance.steps
    logs = Path(steps.logs_of(scope.instance.root_directory))
    settings = ProcessSettings(_most_processes(config), logs, steps.stop_grace, steps.log_limit)
    has_extras = config.start_method == "spawn" or bool(config.preload)
    zygote = None if has_extras else code.zygote  # the one that there is can do without
    load = msgspec.structs.replace(
        code.code(), start_method=config.start_method, preload=config.preload, is_published=False
    )
    processes = ZygoteProcesses(load, zygote)
    try:
        ready = processes.prepare(_prepared(scope, plan))
    except BaseException:
        processes.close()
        raise
    if ready.reason is not None:
        scope.sink.emit(EngineEventData(_spawns_because(ready.reason)))
    return ProcessExecutor(scope, processes, settings)


def _most_processes(config: ExecutorConfig) -> int:
    return config.max_concurrent or os.cpu_count() or 1


def _most_threads(config: ExecutorConfig, used: Set[str]) -> int | None:
    """How many threads at once; any number where they wait for one event loop."""
    if config.max_concurrent is not None or "async" in used:
        return config.max_concurrent
    return (os.cpu_count() or 1) + _MORE_THREADS


def _where(config: ExecutorConfig, used: Set[str]) -> str:
    """For people, as the end of a sentence."""
    parts = {
        "in_process": "in process",
        "threads": "in threads",
        "async": "on one event loop",
        PROCESSES: f"in processes of their own, {_most_processes(config)} at a time",
    }
    return " and ".join(text for way, text in parts.items() if way in used)


def _spawns_because(reason: str) -> str:
    return (
        f"Each step starts a new interpreter, which is slower than a fork: {reason}, and threads do not survive a "
        "fork. Start it in a step or a resource to have steps forked."
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
        artifacts=scope.instance.artifacts,
    )
