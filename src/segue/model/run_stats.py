"""What a run came to, added up from its events."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec

from segue.model.event import (
    Event,
    EventType,
    StepExpectationResultData,
    StepMaterializationData,
)
from segue.model.event_log import EventLogEntry
from segue.model.materialization import AssetMaterialization, ExpectationResult


class StepEventStatus(enum.Enum):
    """How a step stands."""

    SKIPPED = "SKIPPED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    IN_PROGRESS = "IN_PROGRESS"


class RunStats(msgspec.Struct, frozen=True):
    """Counts and times of a run; times are seconds since 1970, UTC, and None for what has not happened."""

    run_id: str
    steps_succeeded: int = 0
    steps_failed: int = 0
    materializations: int = 0
    expectations: int = 0
    enqueued_time: float | None = None
    launch_time: float | None = None
    start_time: float | None = None
    end_time: float | None = None


class RunStepStats(msgspec.Struct, frozen=True):
    """How a step of a run went; times are seconds since 1970, UTC, and None for what has not happened.

    Attributes:
        attempts: how often it was tried.
        attempts_list: when each attempt began and ended.
        materialization_events: the entries of the assets that it made.
        expectation_results: what it expected, and whether that held.
    """

    run_id: str
    step_key: str
    status: StepEventStatus | None = None
    start_time: float | None = None
    end_time: float | None = None
    attempts: int = 0
    attempts_list: tuple[tuple[float, float | None], ...] = ()
    materialization_events: tuple[EventLogEntry, ...] = ()
    expectation_results: tuple[ExpectationResult, ...] = ()

    @property
    def materializations(self) -> tuple[AssetMaterialization, ...]:
        """The assets that it made."""
        return tuple(each.event.materialization for each in self.materialization_events)


RUN_TIMES = {
    EventType.RUN_ENQUEUED: "enqueued_time",
    EventType.RUN_STARTING: "launch_time",
    EventType.RUN_START: "start_time",
    EventType.RUN_SUCCESS: "end_time",
    EventType.RUN_FAILURE: "end_time",
    EventType.RUN_CANCELED: "end_time",
}
COUNTED = {
    EventType.STEP_SUCCESS: "steps_succeeded",
    EventType.STEP_FAILURE: "steps_failed",
    EventType.ASSET_MATERIALIZATION: "materializations",
    EventType.STEP_EXPECTATION_RESULT: "expectations",
}
_ENDS = {
    EventType.STEP_SUCCESS: StepEventStatus.SUCCESS,
    EventType.STEP_FAILURE: StepEventStatus.FAILURE,
    EventType.STEP_UP_FOR_RETRY: StepEventStatus.IN_PROGRESS,
}
STEP_STATS_TYPES = frozenset(
    {
        EventType.STEP_START,
        EventType.STEP_RESTARTED,
        EventType.STEP_SKIPPED,
        EventType.ASSET_MATERIALIZATION,
        EventType.STEP_EXPECTATION_RESULT,
        *_ENDS,
    }
)


def run_stats(run_id: str, events: Iterable[Event]) -> RunStats:
    """What the events of a run add up to."""
    stats: dict[str, int | float] = {}
    for event in events:
        kind = event.event_type
        if kind in RUN_TIMES:
            stats[RUN_TIMES[kind]] = event.timestamp
        elif kind in COUNTED:
            stats[COUNTED[kind]] = stats.get(COUNTED[kind], 0) + 1
    return msgspec.convert({"run_id": run_id, **stats}, RunStats)


def step_stats(run_id: str, events: Iterable[Event], step_keys: Sequence[str] | None = None) -> list[RunStepStats]:
    """What the events of each step of a run add up to, in the order in which the steps began."""
    found: dict[str, RunStepStats] = {}
    for event in events:
        key = event.step_key
        if key is not None and event.event_type in STEP_STATS_TYPES and (step_keys is None or key in step_keys):
            found[key] = _after(found.get(key) or RunStepStats(run_id, key), event)
    return list(found.values())


def _after(stats: RunStepStats, event: Event) -> RunStepStats:
    """The state of a step after one more event."""
    change, kind, payload = msgspec.structs.replace, event.event_type, event.payload
    if kind in (EventType.STEP_START, EventType.STEP_RESTARTED):
        return change(
            stats,
            status=StepEventStatus.IN_PROGRESS,
            start_time=event.timestamp if stats.start_time is None else stats.start_time,
            attempts=stats.attempts + 1,
            attempts_list=(*stats.attempts_list, (event.timestamp, None)),
        )
    if kind is EventType.STEP_SKIPPED:
        return change(stats, status=StepEventStatus.SKIPPED)
    if isinstance(payload, StepMaterializationData):
        return change(stats, materialization_events=(*stats.materialization_events, EventLogEntry.of(event)))
    if isinstance(payload, StepExpectationResultData):
        return change(stats, expectation_results=(*stats.expectation_results, payload.expectation_result))
    *earlier, (began, _) = stats.attempts_list or ((event.timestamp, None),)
    return change(
        stats,
        status=_ENDS[kind],
        end_time=event.timestamp if _ENDS[kind] is not StepEventStatus.IN_PROGRESS else None,
        attempts_list=(*earlier, (began, event.timestamp)),
    )
