"""From the executor that a job declares, and its config, to where the steps of a run are executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from segue.defs.config_schema.place import NO_VALUE, ROOT
from segue.defs.describe import Described
from segue.defs.executor import ExecutorDefinition, in_process_executor, multi_or_in_process_executor
from segue.errors import (
    InvalidConfigError,
    InvalidDefinitionError,
    NotSupportedError,
    UnmetExecutorRequirementsError,
)
from segue.execute.io_managers.definitions import mem_io_manager
from segue.execute.io_managers.memory import InMemoryIOManager
from segue.execute.loop import LoopLimits
from segue.model.step_policy import EXECUTORS
from segue.model.steps import CollectSource, FanInSource, OutputSource
from segue.model.tag_limit import TagLimit
from segue.plan.plan import Plan, StepInput

if TYPE_CHECKING:
    import socket

    from segue.model.messages import LoadCode


PROCESSES = "processes"
WAY_TAG = "segue/executor"
"""The tag of an op that says in which way its steps run, where no `StepPolicy` does."""
_WAYS = {name: PROCESSES if name == "multiprocess" else name for name in EXECUTORS}


class StepCode:
    """The code of a run's steps, as another process loads it.

    Args:
        code: gives the place; called where it is needed.
        zygote: a line to a zygote that has imported it already; None where one is to be started.
    """

    def __init__(self, code: Callable[[], LoadCode], zygote: socket.socket | None = None) -> None:
        self.code = code
        self.zygote = zygote


class ExecutorConfig(msgspec.Struct, frozen=True):
    """What an executor is told to do.

    Attributes:
        kind: in which way steps run that do not say: `in_process`, `threads`, `async` or `processes`.
        max_concurrent: how many steps at once; what fits the machine when None.
        start_method: `fork` or `spawn`.
        preload: modules that processes find imported.
        limits: what keeps steps from starting.
    """

    kind: str = "in_process"
    max_concurrent: int | None = None
    start_method: str = "fork"
    preload: tuple[str, ...] = ()
    limits: LoopLimits = LoopLimits()


def executor_config(definition: ExecutorDefinition | None, run_config: Mapping[str, Any]) -> ExecutorConfig:
    """What the executor of a job is told by its definition and the `execution` section of the run config.

    Args:
        definition: one that the engine knows; None where none is declared: the process of the run, unless the config names
            another.
        run_config: the run config as it was given.

    Raises:
        InvalidConfigError: it is invalid.
    """
    section: Any = run_config.get("execution") or {}
    given = section.get("config", NO_VALUE)
    if definition is None:
        if given is NO_VALUE:
            return ExecutorConfig()
        # What the config can speak of where nothing is declared: one of the two by its name, or the process of the run.
        names_one = any(hasattr(given, "get") and name in given for name in ("multiprocess", "in_process"))
        definition = multi_or_in_process_executor if names_one else in_process_executor
    place = ROOT.below("execution")
    config: dict[str, Any] = definition.config_schema.resolve_config(given, place) or {}
    kind = definition.built_in or "in_process"
    if kind == "multi_or_in_process_executor":
        kind, config = next(iter(config.items()))
    start: dict[str, Any] = config.get("start_method") or {"forkserver": {}}
    forkserver = cast("dict[str, Any]", start.get("forkserver") or {})
    return ExecutorConfig(
        kind=_WAYS[kind],
        max_concurrent=config.get("max_concurrent") or None,
        start_method="spawn" if "spawn" in start else "fork",
        preload=tuple(forkserver.get("preload_modules") or ()),
        limits=LoopLimits(
            tag_limits=tuple(map(_tag_limit, config.get("tag_concurrency_limits") or ())),
        ),
    )


def _tag_limit(entry: Mapping[str, Any]) -> TagLimit:
    value: Any = entry.get("value")
    if entry["limit"] < 1:
        raise InvalidConfigError(
            f"tag_concurrency_limits: the limit for the tag {entry['key']!r} must be 1 or more, got {entry['limit']}."
        )
    if hasattr(value, "get"):  # {"applyLimitPerUniqueValue": True}
        return TagLimit(entry["key"], entry["limit"], is_per_value=bool(value.get("applyLimitPerUniqueValue")))
    return TagLimit(entry["key"], entry["limit"], None if value is None else str(value))


def ways_of(plan: Plan, described: Described, job_name: str, default: str) -> dict[str, str]:
    """In which way each step of a plan runs, by path: as its policy or its tag says, else as the executor of the run does.

    Raises:
        InvalidDefinitionError: there is no such way.
        NotSupportedError: a step with a memory limit that runs in no process of its own.
    """
    job = described.jobs.get(job_name)
    tags = {} if job is None else {step.path: step.tags for step in job.flat.steps}
    found: dict[str, str] = {}
    for step in plan.steps:
        said = None if step.policy is None else step.policy.executor
        path = step.path
        said = said or tags.get(path, described.ops[step.computation].tags).get(WAY_TAG) or default
        if said not in _WAYS:
            raise InvalidDefinitionError(
                f"The step {step.key!r} requests the executor {said!r}; available: {', '.join(_WAYS)}."
            )
        found[path] = _WAYS[said]
        if step.policy is not None and step.policy.memory_limit is not None and found[path] != PROCESSES:
            raise NotSupportedError(
                f"The step {step.key!r} has a memory limit, which can only be enforced in its own process. Use the "
                "multiprocess_executor or StepPolicy(executor='processes'), or remove memory_limit."
            )
    return found


def require_shared_values(plan: Plan, ways: Mapping[str, str], resources: Mapping[str, object], job_name: str) -> None:
    """Refuses to run steps in other processes whose values stay in the memory of these.

    Args:
        plan: the plan of the run.
        ways: in which way each step runs, by path.
        resources: the resources of the job, by key.
        job_name: the job.

    Raises:
        UnmetExecutorRequirementsError: a step takes a value that no process but that of the other step has.
    """
    makers = {step.key.partition("[")[0]: step for step in plan.steps}
    for step in plan.steps:
        for maker, name in [made for each in step.inputs for made in _made_by(each)]:
            made = makers.get(maker.partition("[")[0])
            if made is None or PROCESSES not in (ways[made.path], ways[step.path]):
                continue
            key = next((each.io_manager_key for each in made.outputs if each.name == name), None)
            manager = None if key is None else resources.get(key)
            if manager is mem_io_manager or isinstance(manager, InMemoryIOManager):
                raise UnmetExecutorRequirementsError(
                    f"The job {job_name!r} runs its steps in separate processes, but the IO manager {key!r} keeps "
                    f"the value of {made.key!r} in the memory of one process, where {step.key!r} cannot load it. Use "
                    "an IO manager that stores values, such as fs_io_manager, or the in_process_executor."
                )


def _made_by(taken: StepInput) -> list[tuple[str, str]]:
    """The steps of the run, and their outputs, whose values an input takes."""
    if not taken.has_value:
        return []
    source = taken.source
    sources = source.sources if isinstance(source, FanInSource) else (source,)
    found = [(each.step, each.output) for each in sources if isinstance(each, (OutputSource, CollectSource))]
    if taken.upstream_step is not None and taken.upstream_output is not None:
        found.append((taken.upstream_step, taken.upstream_output))
    return found


def require_persistent(is_persistent: bool, job_name: str) -> None:
    """Refuses to run steps in other processes that could not record what they do.

    Raises:
        UnmetExecutorRequirementsError: the instance is kept in memory.
    """
    if not is_persistent:
        raise UnmetExecutorRequirementsError(
            f"The job {job_name!r} runs its steps in separate processes, which cannot open an in-memory instance. "
            "Use Instance.local_temp() or Instance.get(), or the in_process_executor."
        )
