"""What is left of a run: which of its steps an earlier attempt brought to a good end. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from segue.model.event import Event, StepOutputData, StepRestartedData, StepStartData, StepSuccessData
from segue.plan.dynamic import template_key
from segue.plan.plan import Plan
from segue.plan.state import FinishedStep


def finished_steps(plan: Plan, events: Iterable[Event]) -> dict[str, FinishedStep]:
    """The steps that need not run again.

    Args:
        plan: the plan of the earlier run (and of the retry: a retry keeps the plan).
        events: the earlier run's events, in order, and those of the runs it retried itself, run by run.

    Returns:
        The steps that ended well, each with the outputs it gave, the mapping keys of dynamic ones, and the run.
    """
    dynamic = {step.key: [output.name for output in step.outputs if output.is_dynamic] for step in plan.steps}
    required = {(step.key, output.name) for step in plan.steps for output in step.outputs if output.is_required}
    given: dict[str, dict[str, list[str]]] = {}
    done: dict[str, FinishedStep] = {}
    for event in events:
        key = event.step_key
        if key is None or template_key(key) not in dynamic:
            continue
        if isinstance(event.payload, StepOutputData):
            keys = given.setdefault(key, {}).setdefault(event.payload.output_name, [])
            if event.payload.mapping_key is not None:
                keys.append(event.payload.mapping_key)
        elif isinstance(event.payload, StepSuccessData):
            outputs = given.get(key, {})
            names = [*outputs, *(each for each in dynamic[template_key(key)] if (key, each) in required)]
            mapping_keys = {name: tuple(outputs.get(name, ())) for name in dynamic[template_key(key)] if name in names}
            done[key] = FinishedStep(frozenset(names), mapping_keys, event.run_id)
        elif isinstance(event.payload, (StepStartData, StepRestartedData)):
            given.pop(key, None)
    return done
