"""Settings as they are written in a file. Pure: it touches no files."""

from __future__ import annotations

import msgspec

from segue.model.claims import PartitionLocks
from segue.model.control_stores import Durability
from segue.model.failure_class import FailureRule
from segue.model.location_table import LocationTable
from segue.model.queueing import QueueLimits, RunRetries, ScheduleRules
from segue.model.retention import RetentionTable
from segue.model.step_settings import LOG_LIMIT, STOP_GRACE
from segue.model.stored_content import ENTRY_LIMIT, EVENT_LIMIT


class SettingsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in `segue.toml` or `[tool.segue]`, as it is written there."""

    home: str | None = None
    database: str | None = None
    storage: str | None = None
    file: str | None = None
    module: str | None = None
    attribute: str | None = None
    working_directory: str | None = None
    dagster_compat: bool = False
    failure_rules: tuple[FailureRule, ...] = ()
    partition_locks: PartitionLocks | None = None
    default_pool_limit: int | None = None
    retention: RetentionTable = RetentionTable()
    locations: tuple[LocationTable, ...] = ()
    api_token: str | None = None
    location_token: str | None = None
    durability: Durability = Durability.FULL
    artifacts: str | None = None
    metadata_entry_limit: int = ENTRY_LIMIT
    metadata_event_limit: int = EVENT_LIMIT
    queue: QueueLimits = QueueLimits()
    retries: RunRetries = RunRetries()
    schedules: ScheduleRules = ScheduleRules()
    logs: str | None = None
    log_limit: int = LOG_LIMIT
    stop_grace: float = STOP_GRACE
    max_runtime: float | None = None
