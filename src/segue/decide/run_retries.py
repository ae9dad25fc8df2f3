"""Whether a run that failed is run again, and how. Pure.

Tags of the run win over what is set for all: `dagster/max_retries`, `dagster/retry_strategy` and
`dagster/retry_on_asset_or_op_failure`.
"""

from __future__ import annotations

from collections.abc import Mapping

from segue.errors import InvalidInvocationError
from segue.model.event import Event, RunEnqueuedData
from segue.model.queueing import RetryStrategy, RunRetries
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.tags import (
    BACKFILL_TAG,
    MAX_RETRIES_TAG,
    PARENT_RUN_ID_TAG,
    RESUME_RETRY_TAG,
    RETRY_NUMBER_TAG,
    RETRY_ON_ASSET_OR_OP_FAILURE_TAG,
    RETRY_STRATEGY_TAG,
    ROOT_RUN_ID_TAG,
)
from segue.model.tick_record import WantedRun


def retry_number(run: Run) -> int:
    """Which retry a run is; 0 for one that is none."""
    text = run.tags.get(RETRY_NUMBER_TAG, "0")
    return int(text) if text.isdecimal() else 0


def asked_retries(tags: Mapping[str, str]) -> int | None:
    """How often a run is to be run again, by its tags; None where they do not say it.

    Raises:
        InvalidInvocationError: it is not a whole number from 0 on.
    """
    said = tags.get(MAX_RETRIES_TAG)
    if said is None:
        return None
    if not said.isdecimal():
        raise InvalidInvocationError(
            f"The run tag {MAX_RETRIES_TAG} must be a whole number (0 for no retries), got {said!r}."
        )
    return int(said)


def is_retried(run: Run, settings: RunRetries) -> bool:
    """Whether a run that has ended is to be run again: not one that a person refused. The runs of a backfill are retried by it."""
    if run.status is not RunStatus.FAILURE or BACKFILL_TAG in run.tags or run.location is None:
        return False
    if run.failure_reason is FailureReason.REFUSED:
        return False
    # Not as it is asked for: this run is on record, and others wait behind it.
    said = run.tags.get(MAX_RETRIES_TAG, "")
    most = int(said) if said.isdecimal() else settings.max_retries
    if retry_number(run) >= most:
        return False
    on_step_failure = run.tags.get(RETRY_ON_ASSET_OR_OP_FAILURE_TAG, str(settings.on_step_failure)).lower() != "false"
    return on_step_failure or run.failure_reason is not FailureReason.STEP_FAILURE


def retry_of(run: Run, settings: RunRetries, *, run_id: str, now: float, manifest_hash: str | None) -> WantedRun:
    """The run that runs a failed one again; its run key lets there be one only.

    Args:
        run: the one that failed.
        settings: what is set for all.
        run_id: the id of the new one.
        now: seconds since 1970, UTC.
        manifest_hash: the definitions of its location as they are now.
    """
    said = run.tags.get(RETRY_STRATEGY_TAG, "").upper()
    strategy = RetryStrategy(said) if said in RetryStrategy.__members__ else settings.strategy
    root = run.root_run_id or run.run_id
    tags = {key: value for key, value in run.tags.items() if key != RESUME_RETRY_TAG}
    tags |= {
        RETRY_NUMBER_TAG: str(retry_number(run) + 1),
        PARENT_RUN_ID_TAG: run.run_id,
        ROOT_RUN_ID_TAG: root,
    }
    if strategy is RetryStrategy.FROM_FAILURE:
        tags[RESUME_RETRY_TAG] = "true"
    again = Run(
        run_id=run_id,
        job_name=run.job_name,
        tags=tags,
        run_config=run.run_config,
        asset_selection=run.asset_selection,
        asset_check_selection=run.asset_check_selection,
        op_selection=run.op_selection,
        partition_start=run.partition_start,
        partition_end=run.partition_end,
        root_run_id=root,
        parent_run_id=run.run_id,
        manifest_hash=manifest_hash,
        location=run.location,
        created_at=now,
    )
    return WantedRun(again, (Event(now, RunEnqueuedData(), None, run_id, run.job_name),), run.run_id)
