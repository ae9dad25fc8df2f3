"""Approvals, as they stand in a store: who waits for a person, and what the person said, which lets the run go on.

An answer is an event of the run. A run that is suspended goes back into the queue with it, in one transaction; one that goes on
meanwhile finds it when it is suspended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from segue.errors import InvalidInvocationError, InvalidSubsetError, InvariantViolationError, RunNotFoundError
from segue.model.approval import ApprovalAnswer, ApprovalWanted
from segue.model.event import AnyPayload, Event, EventType, RunCanceledData, RunEnqueuedData
from segue.model.run import Run, RunStatus
from segue.model.run_events import ApprovalGivenData, ApprovalRefusedData, RunSuspendedData
from segue.model.stores import EventFilter, Store
from segue.model.tags import APPROVAL_GIVEN, APPROVAL_TAG

_TYPES = (EventType.RUN_SUSPENDED, EventType.APPROVAL_GIVEN, EventType.APPROVAL_REFUSED)


def needs_approval(run: Run) -> bool:
    """Whether a run may not start before a person lets it."""
    return run.tags.get(APPROVAL_TAG, APPROVAL_GIVEN) != APPROVAL_GIVEN


def answers_of(store: Store, run_id: str) -> Mapping[str, ApprovalAnswer]:
    """What people said of the steps of a run; the first answer for a step stands."""
    return _answers(_payloads(store, run_id))


def _payloads(store: Store, run_id: str) -> Sequence[AnyPayload]:
    return [record.event.payload for record in store.events(EventFilter(run_id=run_id, types=_TYPES), None)]


def _answers(payloads: Sequence[AnyPayload]) -> Mapping[str, ApprovalAnswer]:
    found: dict[str, ApprovalAnswer] = {}
    for payload in payloads:
        if isinstance(payload, (ApprovalGivenData, ApprovalRefusedData)):
            answer = ApprovalAnswer(isinstance(payload, ApprovalGivenData), payload.by, payload.text)
            for key in payload.steps:
                found.setdefault(key, answer)
    return found


def awaiting_steps(store: Store, run_id: str) -> Sequence[ApprovalWanted]:
    """The steps of a run that wait for a person: those for which it was suspended last, without those that were answered."""
    return _wanted_and_awaiting(store, run_id)[1]


def answer_approval(
    store: Store, run_id: str, answer: ApprovalAnswer, steps: Sequence[str], now: float
) -> Sequence[str]:
    """Records what a person said, and lets the run go on.

    Args:
        store: where it is recorded.
        run_id: the run.
        answer: what the person said.
        steps: the steps that are meant; all that wait, or the run itself, when there are none.
        now: seconds since 1970, UTC.

    Returns:
        The steps that were meant; none where it was the run.

    Raises:
        RunNotFoundError: there is no such run.
        InvalidInvocationError: it waits for nobody.
        InvalidSubsetError: a step that does not wait.
    """
    while True:
        run = store.get_run(run_id)
        if run is None:
            raise RunNotFoundError(f"There is no run {run_id!r}: `segue runs` lists them.", run_id)
        if needs_approval(run) and not run.is_finished and not steps:
            _answer_run(store, run, answer, now)
            return ()
        meant = _meant(store, run, steps)
        kind = ApprovalGivenData if answer.is_given else ApprovalRefusedData
        payloads: list[AnyPayload] = [kind(answer.by, meant, answer.text)] if meant else []
        if run.status is RunStatus.SUSPENDED:
            payloads.append(RunEnqueuedData())
        with suppress(InvariantViolationError):  # it went on meanwhile: look again
            store.append([Event(now, payload, None, run.run_id, run.job_name) for payload in payloads])
            return meant


def go_on_if_answered(store: Store, run: Run, now: float) -> None:
    """Puts a run that was just suspended back into the queue, where a person had answered before it was."""
    if run.status is not RunStatus.SUSPENDED:
        return
    wanted, awaiting = _wanted_and_awaiting(store, run.run_id)
    if len(awaiting) < len(wanted):
        with suppress(InvariantViolationError):  # whoever answered has done so
            store.append([Event(now, RunEnqueuedData(), None, run.run_id, run.job_name)])


def _wanted_and_awaiting(store: Store, run_id: str) -> tuple[Sequence[ApprovalWanted], Sequence[ApprovalWanted]]:
    """The steps for which a run was suspended last, and those of them that nobody has answered for."""
    payloads = _payloads(store, run_id)
    suspended = [payload for payload in payloads if isinstance(payload, RunSuspendedData)]
    wanted, answered = suspended[-1].steps if suspended else (), _answers(payloads)
    return wanted, [each for each in wanted if each.step_key not in answered]


def _meant(store: Store, run: Run, steps: Sequence[str]) -> tuple[str, ...]:
    waiting = [] if run.is_finished else [each.step_key for each in awaiting_steps(store, run.run_id)]
    if not waiting and run.status is not RunStatus.SUSPENDED:
        raise InvalidInvocationError(
            f"Run {run.run_id} is not waiting for approval: its status is {run.status.value}. 'segue queue' "
            "lists the runs that are."
        )
    unknown = [each for each in steps if each not in waiting]
    if unknown:
        raise InvalidSubsetError(
            f"Of run {run.run_id}, {', '.join(unknown)} is not waiting for approval; waiting: "
            f"{', '.join(waiting) or 'none'}."
        )
    return tuple(steps or waiting)


def _answer_run(store: Store, run: Run, answer: ApprovalAnswer, now: float) -> None:
    """Lets a run that waits in the queue start, or ends it."""
    payloads: list[AnyPayload] = [ApprovalGivenData(answer.by, (), answer.text)]
    if not answer.is_given:
        why = f": {answer.text}" if answer.text else "."
        canceled = RunCanceledData(f"{answer.by} rejected the run{why}")
        payloads = [ApprovalRefusedData(answer.by, (), answer.text), canceled]
    store.append([Event(now, payload, None, run.run_id, run.job_name) for payload in payloads])
    if answer.is_given:
        store.add_run_tags(run.run_id, {APPROVAL_TAG: APPROVAL_GIVEN}, now)
