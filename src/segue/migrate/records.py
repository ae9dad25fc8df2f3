"""Which runs and events of Segue follow from Dagster's rows. Nothing is read or written here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from segue.errors import SegueError
from segue.migrate import values
from segue.migrate.source import RunRow, Source
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    RunCanceledData,
    RunFailureData,
    RunStartData,
    RunSuccessData,
    StepMaterializationData,
)
from segue.model.keys import AssetKey
from segue.model.run import FailureReason, Run, RunStatus

FINISHED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
_FAILURE_REASON_TAG = "dagster/failure_reason"
_PARTITION_TAG = "dagster/partition"
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


Read = TypeVar("Read")


class Unreadable:
    """Takes note of what cannot be understood, one line each, so that the rest is moved all the same."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def read(self, what: str, function: Callable[[], Read]) -> Read | None:
        """What the function reads; None, and a line more, where the JSON of Dagster is not what it should be.

        Args:
            what: the row, for the line.
            function: reads it.
        """
        try:
            return function()
        except (ValueError, KeyError, TypeError, AttributeError, SegueError) as error:
            self.lines.append(f"{what}: {type(error).__name__}: {error}")
            return None


class RecordedRun(msgspec.Struct, frozen=True):
    """A run as it is created, what happened to it since, and whether it had ended in Dagster."""

    run: Run
    events: tuple[Event, ...]
    had_ended: bool


def recorded_run(row: RunRow) -> RecordedRun:
    """The run of a row. One that has not ended in Dagster is recorded as interrupted: it is not continued here."""
    body: Mapping[str, Any] = json.loads(row.body)
    tags: dict[str, str] = dict(body.get("tags") or {})
    start, end = (tags.get(each, tags.get(_PARTITION_TAG)) for each in _RANGE_TAGS)
    run = Run(
        run_id=row.run_id,
        job_name=body.get("pipeline_name") or body.get("job_name") or "",
        status=RunStatus.NOT_STARTED,
        tags=tags,
        run_config=dict(body.get("run_config") or {}),
        partition_start=start,
        partition_end=end,
        root_run_id=body.get("root_run_id"),
        parent_run_id=body.get("parent_run_id"),
        created_at=row.created_at,
    )
    events: list[Event] = []
    if row.started_at is not None:
        events.append(Event(row.started_at, RunStartData(), run_id=row.run_id))
    ended_at = row.ended_at or row.started_at or row.created_at
    events.append(Event(ended_at, _end(row, tags, started=bool(events)), run_id=row.run_id))
    if isinstance(events[-1].payload, RunSuccessData) and len(events) == 1:
        events.insert(0, Event(ended_at, RunStartData(), run_id=row.run_id))
    return RecordedRun(run, tuple(events), row.status in FINISHED)


def _end(row: RunRow, tags: Mapping[str, str], started: bool) -> AnyPayload:
    if row.status == "SUCCESS":
        return RunSuccessData()
    if row.status == "CANCELED" or (row.status not in FINISHED and not started):
        return RunCanceledData(
            "" if row.status == "CANCELED" else f"Its status in Dagster was {row.status} when it was migrated."
        )
    if row.status == "FAILURE":
        is_step = tags.get(_FAILURE_REASON_TAG) == "STEP_FAILURE"
        reason = FailureReason.STEP_FAILURE if is_step else FailureReason.PLATFORM
        return RunFailureData(reason, "It failed in Dagster; its events were not migrated.")
    return RunFailureData(FailureReason.INTERRUPTED, f"Its status in Dagster was {row.status} when it was migrated.")


def asset_events(source: Source, runs: Callable[[str], bool], unreadable: Unreadable) -> Iterator[Event]:
    """The last materialization and observation of each asset and partition that was not wiped since.

    Args:
        source: Dagster's rows.
        runs: whether a run with this id is recorded here; an event of another one is recorded without its run.
        unreadable: notes events that cannot be read.
    """
    wipes = source.wipes()
    for what, text in source.asset_events():
        read = unreadable.read(what, lambda text=text: _asset_event(text, runs))
        if read is not None and read[0].timestamp > wipes.get(tuple(read[1].path), 0.0):
            yield read[0]


def _asset_event(text: str, runs: Callable[[str], bool]) -> tuple[Event, AssetKey]:
    entry: Mapping[str, Any] = json.loads(text)
    data: Mapping[str, Any] = entry["dagster_event"]["event_specific_data"]
    if "asset_observation" in data:
        seen = AssetObservationData(values.observation(data["asset_observation"]))
        return _event(entry, seen, runs), seen.asset_observation.asset_key
    made = StepMaterializationData(values.materialization(data["materialization"]))
    return _event(entry, made, runs), made.materialization.asset_key


def check_events(source: Source, runs: Callable[[str], bool], unreadable: Unreadable) -> Iterator[Event]:
    """The last evaluation of each check; arguments as for `asset_events`."""
    for what, text in source.check_events():
        event = unreadable.read(what, lambda text=text: _check_event(text, runs))
        if event is not None:
            yield event


def _check_event(text: str, runs: Callable[[str], bool]) -> Event:
    entry: Mapping[str, Any] = json.loads(text)
    evaluation = values.evaluation(entry["dagster_event"]["event_specific_data"])
    return _event(entry, AssetCheckEvaluationData(evaluation), runs)


def _event(entry: Mapping[str, Any], payload: AnyPayload, runs: Callable[[str], bool]) -> Event:
    run_id = entry.get("run_id") or None
    known = run_id is not None and runs(run_id)
    return Event(entry["timestamp"], payload, run_id=run_id if known else None, step_key=entry.get("step_key"))
