"""What all steps of one run share."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.describe import Described
from segue.defs.instance import Instance
from segue.defs.log import LogManager
from segue.defs.resource_context import Resources, seen_by_context
from segue.execute.executor_rules import ExecutorRules
from segue.execute.failure import error_info
from segue.execute.provenance import Version
from segue.execute.resources import OpenedResources
from segue.execute.sink import EventSink
from segue.model.approval import ApprovalAnswer
from segue.model.codec import storable_text
from segue.model.event import (
    LogMessageData,
)
from segue.model.keys import AssetKey
from segue.model.messages import TeardownFailed
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import Run
from segue.plan.deadlines import Deadlines
from segue.plan.plan import PlanStep

Capture = dict[tuple[str, str], object]


class JobSide(msgspec.Struct, frozen=True):
    """What a run of ops needs besides the definitions.

    Attributes:
        input_values: values for the inputs of the job.
        finished_in: the run in which a step ended well that is not done again, by step.
    """

    input_values: Mapping[str, object] = {}
    finished_in: Mapping[str, str] = {}


class RunScope:
    """What all steps of one run share.

    Attributes:
        described: the definitions.
        run, instance, sink: the run, where it is recorded, and through what.
        run_config: its config, normalized.
        resources: the resources that are set up, by key; `shown` as contexts show them, `resource_configs` their config.
        versions: the version of each asset that the run made so far, or took from what was recorded before.
        value_schemas: the config that IO managers take of inputs and outputs, by their key and side, as far as asked for.
        partitions_def, subset: how its assets are partitioned and which partitions it makes; None without.
        now: the time at which the run looks partitions up.
        capture: takes every output's value by (step, output), for callers that ask for them; None without. The values of
            a dynamic output are a dict by mapping key.
        job_side: what a run of ops needs besides.
        deadlines: until when its steps may take; None where nothing limits them.
        rules: what the config of its executor says of steps that fail.
        failed_before: the steps that failed before the run was suspended.
        answers: what people said of the steps that need an approval; None where nobody is asked.
        torn: why a resource could not be torn down in the process of a step; None while all is well.
    """

    def __init__(
        self,
        *,
        described: Described,
        run: Run,
        instance: Instance,
        sink: EventSink,
        run_config: Mapping[str, Any],
        partitions: tuple[PartitionsDefinition, PartitionSubset] | None,
        now: datetime,
        capture: Capture | None,
        job_side: JobSide | None = None,
    ) -> None:
        self.described = described
        self.run = run
        self.instance = instance
        self.sink = sink
        self.run_config = run_config
        self.resources: Mapping[str, object] = {}
        self.shown = Resources({})
        self.opened: OpenedResources | None = None
        self.resource_configs: Mapping[str, object] = {}
        self.value_schemas: dict[tuple[str, str], DefinitionConfigSchema | None] = {}
        self.versions: dict[AssetKey, Version] = {}
        self.partitions_def, self.subset = partitions or (None, None)
        self.now = now
        self.capture = capture
        self.job_side = job_side or JobSide()
        self.rules = ExecutorRules()
        self.deadlines: Deadlines | None = None
        self.failed_before: frozenset[str] = frozenset()
        self.answers: Mapping[str, ApprovalAnswer] | None = None
        self.torn: TeardownFailed | None = None
        single = run.partition_start if run.partition_start == run.partition_end else None
        known = self.partitions_def
        self.single_partition = single if single is None or known is None else known.typed_key(single)
        self.log = LogManager(lambda record: record_log(sink, record, None))

    @functools.cached_property
    def step_tags(self) -> Mapping[str, Mapping[str, str]]:
        """The tags of the steps of a job of ops, by path."""
        job = self.described.jobs.get(self.run.job_name)
        return {} if job is None else {step.path: step.tags for step in job.flat.steps}

    def tags_of(self, step: PlanStep) -> Mapping[str, str]:
        """The tags of a step."""
        return self.step_tags.get(step.path, self.described.ops[step.computation].tags)

    def open(self, opened: OpenedResources) -> None:
        """Takes the resources that were set up for the run."""
        self.opened = opened
        self.resources, self.resource_configs = opened.by_key, opened.configs
        self.shown = Resources({key: seen_by_context(each) for key, each in opened.by_key.items()})


def record_log(sink: EventSink, record: logging.LogRecord, step_key: str | None) -> bool:
    """Takes a log line as an event, and says whether the run has loggers, which have it then too."""
    error = record.exc_info[1] if record.exc_info else None
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError) as mistake:  # as in Python's logging, a bad format stops no one's work
        message = f"{record.msg} {record.args!r} (cannot be formatted: {mistake})"
    payload = LogMessageData(record.levelno, storable_text(message), None if error is None else error_info(error))
    sink.emit_log(payload, step_key, record)
    return sink.has_loggers
