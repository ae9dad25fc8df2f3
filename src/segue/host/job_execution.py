"""`execute_job`: a job that can be loaded again, run on the record, with values where its IO managers keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.defs.asset_job import AssetJobDefinition
from segue.defs.executor import require_built_in
from segue.defs.instance import Instance
from segue.defs.job_definition import JobDefinition
from segue.defs.job_execution_result import JobExecutionResult
from segue.defs.reexecution import ReexecutionOptions
from segue.defs.run_config import RunConfig
from segue.errors import (
    InvalidSubsetError,
    InvariantViolationError,
    RunNotFoundError,
    WrongArgumentError,
)
from segue.host.inprocess import execute
from segue.host.jobs import definitions_of, job_request
from segue.host.loaded_code import code_of_job
from segue.host.placement import StepCode
from segue.host.reconstruct import ReconstructableJob
from segue.host.run_options import RunOptions, steps_chosen
from segue.host.stored_outputs import StoredOutputs
from segue.model.event import Event
from segue.model.keys import AssetKey
from segue.model.run import Run
from segue.model.tags import PARTITION_RANGE_END_TAG, PARTITION_RANGE_START_TAG, PARTITION_TAG


def execute_job(
    job: ReconstructableJob,
    instance: Instance,
    run_config: RunConfig | Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    raise_on_error: bool = False,
    op_selection: Sequence[str] | None = None,
    reexecution_options: ReexecutionOptions | None = None,
    asset_selection: Sequence[AssetKey] | None = None,
) -> JobExecutionResult:
    """Runs a job, recorded in the instance, with values stored by its IO managers.

    Args:
        job: the job, as `reconstructable` returns it.
        instance: the instance that records the run.
        run_config: config by op and resource; that of the earlier run with `reexecution_options` when None.
        tags: tags for the run.
        raise_on_error: whether to raise the exception of the first failed step; otherwise it is in the result.
        op_selection: which steps to run (`["a", "b+", "*c"]`); all when None or empty.
        reexecution_options: which steps of an earlier run to run again; values of the others come from where that run
            stored them.
        asset_selection: the assets to materialize; all when None. For asset jobs.

    Returns:
        Events and state of the run; in a `with` block values, too.

    Raises:
        WrongArgumentError: a job that is not reconstructable, or no instance.
        InvariantViolationError: steps of an earlier run together with a selection.
        RunNotFoundError: there is no such earlier run.
        ExecutionStepNotFoundError: the earlier run has no such step.
        NotSupportedError: an executor of the user's own.
        InvalidConfigError, InvalidSubsetError: the request is not valid.
        Exception: what user code raised, with `raise_on_error`.
    """
    _require_arguments(job, instance)
    op_selection = steps_chosen(op_selection)
    parent = None
    if reexecution_options is not None:
        parent = _parent_of(reexecution_options, instance, op_selection, asset_selection)
        tags = {**_partition_tags(parent), **(tags or {})}
        run_config = dict(parent.run_config) if run_config is None else run_config
        op_selection = parent.op_selection
    elif op_selection is not None and asset_selection is not None:
        raise InvalidSubsetError("execute_job: both op_selection and asset_selection were provided; keep one.")
    loaded = job.get_definition()
    meant = job
    if isinstance(loaded, AssetJobDefinition):
        if parent is not None:
            assets, checks = parent.asset_selection or None, parent.asset_check_selection or None
            loaded = loaded.get_subset(asset_selection=assets, asset_check_selection=checks)
            meant = job.get_subset(asset_selection=assets, asset_check_selection=checks)
        elif op_selection or asset_selection:
            loaded = loaded.get_subset(op_selection=op_selection, asset_selection=asset_selection)
            meant = job.get_subset(op_selection=op_selection, asset_selection=asset_selection)
        op_selection = None  # the assets of these steps are selected
    elif asset_selection:
        raise InvalidSubsetError(f"{loaded!r} consists of ops: select steps with op_selection.")
    elif op_selection is None and job.op_selection is not None and parent is None:
        op_selection = sorted(job.op_selection)
    definitions, whole = definitions_of(loaded, {})
    request = job_request(whole, run_config, tags, None)
    require_built_in(definitions.described.run_executor(whole.name), f"job {whole.name!r}")
    options = RunOptions(
        op_selection=op_selection, reexecution=reexecution_options, code=StepCode(lambda: code_of_job(meant))
    )
    events: list[Event] = []
    executed = execute(definitions, instance, request, [events.append], None, options)
    if raise_on_error:
        executed.raise_failure()
    values = StoredOutputs(executed, events, instance)
    return JobExecutionResult(executed.run, events, values, definitions.asset_graph, whole)


def _require_arguments(job: object, instance: object) -> None:
    if isinstance(job, JobDefinition):
        raise WrongArgumentError(
            "execute_job requires a job that can be loaded in another process: use "
            f"execute_job(reconstructable({job.name}), instance), or run it in this process with "
            f"{job.name}.execute_in_process()."
        )
    if not isinstance(job, ReconstructableJob):
        raise WrongArgumentError(f"execute_job: job must be the result of reconstructable(...), got {job!r}.")
    if not isinstance(instance, Instance):
        raise WrongArgumentError(f"execute_job: instance must be an Instance, got {instance!r}.")


def _parent_of(options: ReexecutionOptions, instance: Instance, op_selection: object, asset_selection: object) -> Run:
    """The run of which steps are run again."""
    if op_selection is not None or asset_selection is not None:
        raise InvariantViolationError(
            "reexecution_options and a selection cannot be used together: a re-execution runs part of the earlier "
            "run. Select from it with ReexecutionOptions(step_selection=[...])."
        )
    parent = instance.get_run_by_id(options.parent_run_id)
    if parent is None:
        raise RunNotFoundError(f"There is no run {options.parent_run_id!r} to re-execute.", options.parent_run_id)
    return parent


def _partition_tags(run: Run) -> dict[str, str]:
    """The tags that say which partitions a run made."""
    ends = (PARTITION_RANGE_START_TAG, PARTITION_RANGE_END_TAG)
    return {
        key: value
        for key, value in run.tags.items()
        if key in ends or key == PARTITION_TAG or key.startswith(f"{PARTITION_TAG}/")
    }
