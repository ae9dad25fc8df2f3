"""What must hold of runs whatever was killed, read from the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from segue.model.claims import ClaimFilter
from segue.model.event import EventType
from segue.model.event_log import EventLogRecord
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store

STEP_ENDS = (EventType.STEP_SUCCESS, EventType.STEP_FAILURE)
OF_A_SUCCESS = {EventType.STEP_START: 1, EventType.STEP_OUTPUT: 1, EventType.ASSET_MATERIALIZATION: 1}
CHECK_STEP = "both_both_is_four"


def broken_rules(store: Store) -> Iterator[str]:
    """Everything that does not hold, in words."""
    for run in store.list_runs(RunsFilter(), None, None):
        if not run.is_finished:
            yield f"run {run.run_id} has not ended: {run.status.value}"
        yield from _broken_in(run, store.events(EventFilter(run_id=run.run_id), None))
    for claim in store.claim_records(ClaimFilter()):
        yield f"a claim is left: {claim}"


def _broken_in(run: Run, events: Sequence[EventLogRecord]) -> Iterator[str]:
    by_step: dict[str, list[EventType]] = {}
    for record in events:
        kind = record.event_type
        step_key = record.event.step_key
        if step_key is not None:
            by_step.setdefault(step_key, []).append(kind)
    ends = [each.event_type for each in events]
    finals = [kind for kind in ends if kind in (EventType.RUN_SUCCESS, EventType.RUN_FAILURE, EventType.RUN_CANCELED)]
    if len(finals) != 1:
        yield f"run {run.run_id} has {len(finals)} ends"
    for step_key, kinds in by_step.items():
        yield from _broken_in_step(run, step_key, kinds)
    if run.is_success and Counter(kind for kinds in by_step.values() for kind in kinds)[EventType.STEP_SUCCESS] != 5:
        yield f"run {run.run_id} succeeded without the success of all of its steps"


def _broken_in_step(run: Run, step_key: str, kinds: Sequence[EventType]) -> Iterator[str]:
    where = f"run {run.run_id}, step {step_key}"
    successes = [index for index, kind in enumerate(kinds) if kind is EventType.STEP_SUCCESS]
    if len(successes) > 1:
        yield f"{where}: {len(successes)} successes"
    if not successes:
        return
    if any(kind in STEP_ENDS or kind is EventType.STEP_UP_FOR_RETRY for kind in kinds[successes[0] + 1 :]):
        yield f"{where}: something happened after its success"
    # Of an attempt after the first, the start bears another name; the first may have been killed before it had begun.
    counts = Counter(EventType.STEP_START if kind is EventType.STEP_RESTARTED else kind for kind in kinds)
    for kind, number in OF_A_SUCCESS.items():
        if kind is EventType.ASSET_MATERIALIZATION and step_key == CHECK_STEP:
            kind = EventType.ASSET_CHECK_EVALUATION
        if counts[kind] < number:
            yield f"{where}: succeeded without {kind.value}"
