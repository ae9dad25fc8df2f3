"""What a process recorded that did not live to tell of it."""

from __future__ import annotations

from segue.execute.run_scope import RunScope
from segue.execute.step import StepOutcome
from segue.model.event import EventType
from segue.model.stores import EventFilter


def outputs_on_record(scope: RunScope, step_key: str) -> StepOutcome:
    """The outcome of a step that has recorded its success, as its events tell it."""
    which = EventFilter(run_id=scope.run.run_id, types=(EventType.STEP_OUTPUT, EventType.STEP_RESTARTED))
    outputs: set[str] = set()
    keys: dict[str, list[str]] = {}
    for record in scope.instance.store.events(which, None):
        if record.event.step_key != step_key:
            continue
        if record.event.is_step_restarted:  # what an earlier attempt gave does not count
            outputs, keys = set(), {}
        else:
            data = record.event.step_output_data
            outputs.add(data.output_name)
            if data.mapping_key is not None:
                keys.setdefault(data.output_name, []).append(data.mapping_key)
    return StepOutcome(frozenset(outputs), {name: tuple(found) for name, found in keys.items()})
