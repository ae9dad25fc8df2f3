"""Jobs in this process: `execute_in_process` of jobs and graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.asset_job import AssetJobDefinition
from segue.defs.definitions import Definitions
from segue.defs.execution_result import ExecuteInProcessResult
from segue.defs.instance import Instance
from segue.defs.job_definition import JobDefinition, no_such_inputs
from segue.defs.run_arguments import require_run_arguments
from segue.defs.run_config import RunConfig
from segue.execute.io_managers.memory import InMemoryIOManager
from segue.execute.run_scope import Capture
from segue.host.inprocess import execute
from segue.host.instances import ephemeral_instance
from segue.host.run_options import RunOptions, steps_chosen
from segue.model.event import Event
from segue.model.keys import DEFAULT_IO_MANAGER_KEY
from segue.model.request import RunRequest


def execute_op_job(
    job: JobDefinition,
    *,
    run_config: Any = None,
    instance: Instance | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    op_selection: Sequence[str] | None = None,
    run_id: str | None = None,
    input_values: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    resources: Mapping[str, object] | None = None,
) -> ExecuteInProcessResult:
    """Runs a job of ops in this process; see `JobDefinition.execute_in_process`."""
    require_run_arguments(
        f"job {job.name!r}",
        partition_key=partition_key,
        run_id=run_id,
        input_values=input_values,
        tags=tags,
        resources=resources,
    )
    strange = [name for name in input_values or {} if name not in job.graph.input_names]
    if strange:
        raise no_such_inputs(f"job {job.name!r}", strange, job.graph.input_names)
    given = {DEFAULT_IO_MANAGER_KEY: InMemoryIOManager(), **job.resource_defs, **(resources or {})}
    definitions, whole = definitions_of(job.replaced(input_values={**job.input_values, **(input_values or {})}), given)
    request = job_request(whole, run_config, tags, partition_key)
    options = RunOptions(run_id=run_id, op_selection=steps_chosen(op_selection))
    if instance is not None:
        return _run(definitions, job, instance, request, options, raise_on_error)
    with ephemeral_instance() as temporary:
        return _run(definitions, job, temporary, request, options, raise_on_error)


def execute_asset_job(
    job: AssetJobDefinition,
    *,
    run_config: Any = None,
    instance: Instance | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    resources: Mapping[str, object] | None = None,
) -> ExecuteInProcessResult:
    """Makes the assets of a job in this process; see `AssetJobDefinition.execute_in_process`."""
    require_run_arguments(
        f"job {job.name!r}", partition_key=partition_key, run_id=run_id, tags=tags, resources=resources
    )
    definitions, whole = definitions_of(job, {**job.resource_defs, **(resources or {})})
    request = job_request(whole, run_config, tags, partition_key)
    options = RunOptions(run_id=run_id)
    if instance is not None:
        return _run(definitions, whole, instance, request, options, raise_on_error)
    with ephemeral_instance() as temporary:
        return _run(definitions, whole, temporary, request, options, raise_on_error)


def definitions_of(job: JobDefinition, resources: Mapping[str, object]) -> tuple[Definitions, JobDefinition]:
    """The definitions with which a job is run by itself, and the job in them.

    Args:
        job: the job.
        resources: resources by key, before those of the job.
    """
    if isinstance(job, AssetJobDefinition):
        return job.definitions.with_resources({**job.resource_defs, **resources}), job
    given = {**job.resource_defs, **resources}
    whole = job.replaced(resource_defs=given)
    return Definitions(jobs=[whole], resources=given), whole


def job_request(
    job: JobDefinition, run_config: Any, tags: Mapping[str, str] | None, partition_key: str | None
) -> RunRequest:
    """The request for a run of a job; of a job of assets, for the assets and checks that it has."""
    if not isinstance(job, AssetJobDefinition):
        return RunRequest(run_config=run_config, tags=tags, job_name=job.name, partition_key=partition_key)
    return RunRequest(
        run_config=run_config.to_config_dict() if isinstance(run_config, RunConfig) else run_config,
        tags={**job.run_tags, **(tags or {})},
        job_name=job.name,
        partition_key=partition_key,
        asset_selection=sorted(job.asset_keys),
        asset_check_keys=sorted(job.check_keys),
    )


def _run(
    definitions: Definitions,
    job: JobDefinition | None,
    instance: Instance,
    request: RunRequest,
    options: RunOptions,
    raise_on_error: bool,
) -> ExecuteInProcessResult:
    events: list[Event] = []
    values: Capture = {}
    executed = execute(definitions, instance, request, [events.append], values, options)
    if raise_on_error:
        executed.raise_failure()
    return ExecuteInProcessResult(executed.run, events, values, definitions.asset_graph, job)
