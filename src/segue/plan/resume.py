"""What is left of a run: which of its steps an earlier attempt brought to a good end. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from segue.model.event import Event, StepOutputData, StepRestartedData, StepStartData, StepSuccessData
from segue.plan.plan import Plan


def finished_steps(plan: Plan, events: Iterable[Event]) -> dict[str, frozenset[str]]:
    """The steps that need not run again.

    Args:
        plan: the plan of the earlier run (and of the retry: a retry keeps the plan).
        events: the earlier run's events, in order, and those of the runs it retried itself, run by run.

    Returns:
        The steps that ended well, each with the outputs it gave.
    """
    known = {step.key for step in plan.steps}
    given: dict[str, set[str]] = {}
    done: dict[str, frozenset[str]] = {}
    for event in events:
        key = event.step_key
        if key is None or key not in known:
            continue
        if isinstance(event.payload, StepOutputData):
            given.setdefault(key, set()).add(event.payload.output_name)
        elif isinstance(event.payload, StepSuccessData):
            done[key] = frozenset(given.get(key, ()))
        elif isinstance(event.payload, (StepStartData, StepRestartedData)):
            given.pop(key, None)
    return done
