"""Tags by which runs say what they are of, and the name of the job that is there without being declared."""

from __future__ import annotations

IMPLICIT_JOB_NAME = "__ASSET_JOB"  # the job over all assets
EPHEMERAL_JOB_NAME = "__ephemeral_asset_job__"  # of a run of assets without a job
PARTITION_TAG = "dagster/partition"
PARTITION_RANGE_START_TAG = "dagster/asset_partition_range_start"
PARTITION_RANGE_END_TAG = "dagster/asset_partition_range_end"
BACKFILL_TAG = "dagster/backfill"
SCHEDULE_NAME_TAG = "dagster/schedule_name"
SENSOR_NAME_TAG = "dagster/sensor_name"
TICK_TAG = "dagster/tick"
BACKFILL_ATTEMPT_TAG = "segue/backfill_attempt"  # which attempt at its part of the backfill a run is, from 1
ROOT_RUN_ID_TAG = "dagster/root_run_id"
PARENT_RUN_ID_TAG = "dagster/parent_run_id"
RESUME_RETRY_TAG = "dagster/is_resume_retry"
PRIORITY_TAG = "dagster/priority"
CONCURRENCY_KEY_TAG = "dagster/concurrency_key"  # the older form of `pool`
POOL_WEIGHT_TAG = "segue/pool_weight"
PARTITION_LOCK_TAG = "segue/partition_lock"
MAX_RUNTIME_TAG = "dagster/max_runtime"  # of a run: how many seconds it may take
COMPUTE_KIND_TAG = "dagster/compute_kind"  # of a step: what its function is written with
APPROVAL_TAG = "segue/approval"  # of a run: "required" keeps it in the queue until a person makes it "given"
APPROVAL_REQUIRED, APPROVAL_GIVEN = "required", "given"
MAX_RETRIES_TAG = "dagster/max_retries"  # of a run: how many times it is run again after a failure
RETRY_NUMBER_TAG = "dagster/retry_number"  # which retry it is, from 1
RETRY_STRATEGY_TAG = "dagster/retry_strategy"  # FROM_FAILURE or ALL_STEPS
RETRY_ON_ASSET_OR_OP_FAILURE_TAG = "dagster/retry_on_asset_or_op_failure"  # "false": only when its process was lost
FROM_CONDITION_TAG = "dagster/from_automation_condition"  # of a run that an automation condition asked for
