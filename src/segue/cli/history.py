"""What a run did, step by step, as a fold over its events. Pure but for `read_run`, which gathers what that needs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from segue.cli.documents import (
    LogDocument,
    RunDetailsDocument,
    StepDocument,
    check_document,
    error_document,
    materialization_document,
    run_document,
)
from segue.host.earlier_runs import earlier_runs, stored_plan
from segue.model.event import (
    AssetCheckEvaluationData,
    EngineEventData,
    Event,
    LogMessageData,
    ResourceInitFailureData,
    RunCanceledData,
    RunFailureData,
    RunStartData,
    StepFailureData,
    StepMaterializationData,
    StepRestartedData,
    StepRetryData,
    StepSkippedData,
    StepStartData,
    StepSuccessData,
)
from segue.model.event_type import EventType
from segue.model.failure_class import FailureClass
from segue.model.run import Run
from segue.model.stores import EventFilter, Store
from segue.plan.dynamic import TEMPLATE
from segue.plan.plan import Plan
from segue.plan.resume import finished_in_chain


def read_run(store: Store, run: Run, *, with_logs: bool = False) -> RunDetailsDocument:
    """A run with all it did."""
    plan = stored_plan(store, run)
    events = [stored.event for stored in store.events(EventFilter(run_id=run.run_id), None)]
    before = frozenset[str]()
    if run.is_resume_retry and run.parent_run_id is not None:
        before = frozenset(finished_in_chain(earlier_runs(store, run.parent_run_id)))
    return run_details(run, plan, events, before, with_logs=with_logs)


def failure_class_of(store: Store, run: Run) -> FailureClass | None:
    """What sort of failure ended a run; None where it did not fail, or none is recorded."""
    if not run.is_failure:
        return None
    which = EventFilter(run_id=run.run_id, types=(EventType.RUN_FAILURE,))
    payloads = [stored.event.payload for stored in store.events(which, 1)]
    return next((each.failure_class for each in payloads if isinstance(each, RunFailureData)), None)


def run_details(
    run: Run, plan: Plan | None, events: Sequence[Event], finished_before: AbstractSet[str], *, with_logs: bool
) -> RunDetailsDocument:
    """A run as a document.

    Args:
        run: the run.
        plan: its plan; None where it is not kept any more, then the steps are those that events name.
        events: its events, oldest first.
        finished_before: steps that the runs it retries brought to a good end.
        with_logs: whether to give its log lines.
    """
    message, error, found = None, None, None
    for event in events:
        if isinstance(event.payload, RunFailureData):
            message, found = event.payload.message, event.payload.failure_class
            error = None if event.payload.failed_steps else event.payload.error  # each step that failed shows its own
        elif isinstance(event.payload, RunCanceledData):
            message = event.payload.message or None
        elif isinstance(event.payload, ResourceInitFailureData):
            error = event.payload.error
        elif isinstance(event.payload, EngineEventData) and event.step_key is None and not run.is_finished:
            message = event.payload.message if event.payload.is_waiting else None  # for another run
        elif isinstance(event.payload, StepStartData):
            message = None
    return RunDetailsDocument(
        run=run_document(run, found),
        run_config=run.run_config,
        message=message,
        error=error_document(error),
        steps=tuple(step_documents(run, plan, events, finished_before)),
        logs=tuple(log_lines(events)) if with_logs else None,
    )


def step_documents(
    run: Run, plan: Plan | None, events: Sequence[Event], finished_before: AbstractSet[str]
) -> list[StepDocument]:
    """The steps of a run in order of its plan."""
    untouched = _untouched(run, events)
    steps = {} if plan is None else {step.key: StepDocument(step=step.key, status=untouched) for step in plan.steps}
    for key in finished_before:
        if key in steps:
            steps[key] = StepDocument(step=key, status="succeeded before")
    for event in events:
        if event.step_key is not None:
            step = steps.get(event.step_key) or StepDocument(step=event.step_key, status=untouched)
            steps[event.step_key] = step_after(step, event)
    if run.is_finished:
        for key, step in steps.items():
            if step.status in ("running", "retrying"):
                steps[key] = msgspec.structs.replace(step, status="interrupted", ended_at=run.ended_at)
            elif step.waits is not None:
                steps[key] = msgspec.structs.replace(step, waits=None)
    return list(_copies_in_place(steps))


def _copies_in_place(steps: Mapping[str, StepDocument]) -> Iterator[StepDocument]:
    """The steps, with those that a dynamic output made where the one stands that stood for them; that one, where there are none."""
    of = {key: key.rpartition("[")[0] for key in steps}
    stand_ins = {of[key]: key for key in steps if key.endswith(TEMPLATE)}
    copies: dict[str, list[StepDocument]] = {}
    for key, step in steps.items():
        if key not in stand_ins.values() and of[key] in stand_ins:
            copies.setdefault(of[key], []).append(step)
    for key, step in steps.items():
        if key in stand_ins.values():
            yield from copies.get(of[key], [step])
        elif of[key] not in stand_ins:
            yield step


def _untouched(run: Run, events: Sequence[Event]) -> str:
    """The status of a step of which no event tells."""
    if not run.is_finished:
        return "waiting"
    is_known = run.started_at is None or any(isinstance(event.payload, RunStartData) for event in events)
    return "not started" if is_known else "unknown"


def step_after(step: StepDocument, event: Event) -> StepDocument:
    """A step after one more of its events."""
    payload, at, change = event.payload, event.timestamp, msgspec.structs.replace
    if isinstance(payload, StepStartData):
        return change(step, status="running", attempts=1, started_at=at, waits=None)
    if isinstance(payload, StepRestartedData):
        return change(step, status="running", attempts=payload.attempt, waits=None)
    if isinstance(payload, EngineEventData) and step.status in ("waiting", "retrying"):
        return change(step, waits=payload.message if payload.is_waiting else None)
    if isinstance(payload, StepRetryData):
        error = error_document(payload.error)
        return change(step, status="retrying", error=error, failure_class=payload.failure_class)
    if isinstance(payload, StepSuccessData):
        return _ended(change(step, status="succeeded", error=None, failure_class=None, usage=payload.usage), at)
    if isinstance(payload, StepFailureData):
        error = error_document(payload.raised)
        found = payload.failure_class
        return _ended(change(step, status="failed", error=error, failure_class=found, usage=payload.usage), at)
    if isinstance(payload, StepSkippedData):
        return change(step, status="skipped", ended_at=at)
    if isinstance(payload, StepMaterializationData):
        made = materialization_document(payload.materialization, at, event.run_id)
        return change(step, materializations=(*step.materializations, made))
    if isinstance(payload, AssetCheckEvaluationData):
        return change(step, checks=(*step.checks, check_document(payload.evaluation, at, event.run_id)))
    return step


def log_lines(events: Iterable[Event]) -> list[LogDocument]:
    """What user code logged and what Segue said of its own doing."""
    lines: list[LogDocument] = []
    for event in events:
        if isinstance(event.payload, LogMessageData):
            lines.append(_log_line(event, event.payload))
        elif isinstance(event.payload, EngineEventData):
            lines.append(LogDocument(event.timestamp, "SEGUE", event.step_key, event.payload.message))
    return lines


def _log_line(event: Event, payload: LogMessageData) -> LogDocument:
    message = payload.message if payload.error is None else f"{payload.message}\n{payload.error.to_string()}"
    return LogDocument(event.timestamp, logging.getLevelName(payload.level), event.step_key, message)


def _ended(step: StepDocument, at: float) -> StepDocument:
    duration = None if step.started_at is None else max(0.0, at - step.started_at)
    return msgspec.structs.replace(step, ended_at=at, duration=duration)
