"""A recorded run, planned and executed in the process that was started for it."""

from __future__ import annotations

import signal
import socket
import time
from types import FrameType

from segue.approval import go_on_if_answered
from segue.defs.definitions import Definitions
from segue.defs.executor import require_built_in
from segue.defs.instance import Instance
from segue.defs.reexecution import ReexecutionOptions
from segue.errors import LeaseLostError, RunNotFoundError, StorageError
from segue.execute.failure import error_info
from segue.execute.failure_facts import failure_class
from segue.host.inprocess import execute
from segue.host.instances import local_instance
from segue.host.placement import StepCode
from segue.host.recorded_plan import resume_run
from segue.host.run_options import RunOptions
from segue.model.event import Event, RunFailureData
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.messages import LoadCode, RunTask
from segue.model.request import RunRequest
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.tags import EPHEMERAL_JOB_NAME, IMPLICIT_JOB_NAME

_BEFORE_WORK = frozenset({RunStatus.QUEUED, RunStatus.NOT_STARTED, RunStatus.STARTING})


def run_worker(definitions: Definitions, code: LoadCode, task: RunTask, zygote: socket.socket) -> None:
    """Executes a recorded run, its steps where its executor says.

    Args:
        definitions: what there is.
        code: the code as other processes load it.
        task: which run.
        zygote: the line to the zygote that started this process, which starts those of its steps.
    """
    signal.signal(signal.SIGTERM, _interrupt)  # who cancels a run asks so
    records = task.records
    assert records is not None  # who serves a location puts them in
    instance = local_instance(
        records.home,
        records.storage_directory,
        records.concurrency,
        records.database,
        records.artifacts,
        records.steps,
        task.supervisor,
    )
    execute_recorded(definitions, instance, task.run_id, StepCode(lambda: code, zygote))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def execute_recorded(
    definitions: Definitions, instance: Instance, run_id: str, code: StepCode | None = None
) -> Run | None:
    """Plans and executes a run that was recorded before. What cannot be planned ends as failed, with the reason.

    Args:
        definitions: what there is.
        instance: the instance that records the run.
        run_id: the run.
        code: the code as another process loads it; all steps run in this process when None.

    Returns:
        The run as it ended; None where it was not for this process to execute: it was canceled, or another one does.

    Raises:
        RunNotFoundError: there is no such run.
        StorageError: what happens cannot be recorded.
        KeyboardInterrupt: it was stopped.
    """
    recorded = instance.store.get_run(run_id)
    if recorded is None:
        raise RunNotFoundError(f"There is no run {run_id!r} to execute.", run_id)
    if recorded.status not in _BEFORE_WORK:
        return None
    try:
        if recorded.was_suspended:
            return _went_on(resume_run(definitions, instance, recorded, code), instance)
        job_name = IMPLICIT_JOB_NAME if recorded.job_name == EPHEMERAL_JOB_NAME else recorded.job_name
        require_built_in(definitions.described.run_executor(job_name), f"job {job_name!r}")
        options = RunOptions(
            op_selection=recorded.op_selection, reexecution=_reexecution(recorded), code=code, recorded=recorded
        )
        return _went_on(
            execute(definitions, instance, _request(definitions, recorded), [], None, options).run, instance
        )
    except LeaseLostError:
        return None
    except (KeyboardInterrupt, StorageError):
        raise
    except BaseException as error:  # noqa: BLE001 reason: user code (config, partitions) takes part in planning; the run tells
        _end_unplanned(definitions, instance, run_id, error)
        return instance.store.get_run(run_id)


def _went_on(run: Run, instance: Instance) -> Run:
    go_on_if_answered(instance.store, run, time.time())
    return run


def _request(definitions: Definitions, run: Run) -> RunRequest:
    """What the run was recorded to make."""
    selection: list[AssetKey] | None = None
    checks: list[AssetCheckKey] | None = None
    if run.job_name not in definitions.described.jobs:
        selection, checks = sorted(run.asset_selection), sorted(run.asset_check_selection)
    return RunRequest(
        run_config=run.run_config,
        tags=run.tags,
        job_name=None if run.job_name == EPHEMERAL_JOB_NAME else run.job_name,
        asset_selection=selection,
        asset_check_keys=checks,
        partition_key=run.partition_start if run.partition_start == run.partition_end else None,
    )


def _reexecution(run: Run) -> ReexecutionOptions | None:
    """Which steps of the run before it are run again."""
    if run.parent_run_id is None:
        return None
    if run.is_resume_retry:
        return ReexecutionOptions(run.parent_run_id, only_unfinished=True)
    return ReexecutionOptions(run.parent_run_id, step_selection=run.step_keys_to_execute or ())


def _end_unplanned(definitions: Definitions, instance: Instance, run_id: str, error: BaseException) -> None:
    """Ends a run that could not be planned. One that began has recorded its end by itself."""
    run = instance.store.get_run(run_id)
    if run is None or run.status not in _BEFORE_WORK:
        return
    message = f"The run could not be planned: {error}"
    found = failure_class(error, definitions.described.failure_rules)
    payload = RunFailureData(FailureReason.PLATFORM, message, (), error_info(error), found)
    instance.store.append([Event(time.time(), payload, None, run_id, run.job_name)])
