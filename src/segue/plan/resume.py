"""What is left of earlier runs: which steps they brought to a good end, and which are to be run again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from segue.errors import ExecutionStepNotFoundError, InvalidSubsetError
from segue.model.event import (
    Event,
    StepFailureData,
    StepOutputData,
    StepRestartedData,
    StepStartData,
    StepSuccessData,
)
from segue.model.step_policy import TriggerRule
from segue.model.steps import CollectSource
from segue.plan.dynamic import TEMPLATE, template_key
from segue.plan.instructions import FinishedStep
from segue.plan.plan import Plan, PlanStep
from segue.plan.reach import Clause, reach
from segue.plan.state import RunProgress


class EarlierRun(msgspec.Struct, frozen=True):
    """A run that came before, as far as it matters to those after it.

    Attributes:
        run_id: the run.
        plan: its plan.
        is_resumed: whether it did only what the run before it had left; otherwise it did its whole plan.
        events: its events, in order.
    """

    run_id: str
    plan: Plan
    is_resumed: bool
    events: Sequence[Event]


def finished_in_chain(runs: Iterable[EarlierRun]) -> dict[str, FinishedStep]:
    """The steps that a chain of runs, each of which ran the one before again, brought to a good end, and that stand: what was made
    of a step that failed (after it gave some outputs) is made again with it.

    Args:
        runs: the runs, the oldest first.
    """
    done: dict[str, FinishedStep] = {}
    for run in runs:
        if not run.is_resumed:
            again = {step.key for step in run.plan.steps}
            done = {key: each for key, each in done.items() if key not in again and template_key(key) not in again}
        done |= finished_steps(run.plan, run.events)
        failures = [event for event in run.events if isinstance(event.payload, StepFailureData)]
        failed = {event.step_key for event in failures if event.step_key is not None} - done.keys()
        if failed:
            done = _standing(run.plan, done, failed)
    return done


def _standing(plan: Plan, done: Mapping[str, FinishedStep], failed: Set[str]) -> dict[str, FinishedStep]:
    """The finished steps that depend on no step that failed."""
    steps = {step.key: step for step in plan.steps}
    standing, gone = dict(done), set(failed)
    while gone:
        fallen = {key for key in standing if gone.intersection(_upstream_of(key, steps))}
        for key in fallen:
            del standing[key]
        gone = fallen
    return standing


def _upstream_of(key: str, steps: Mapping[str, PlanStep]) -> list[str]:
    """What a step depends on; one that a template made, on those of the same value."""
    step = steps.get(key) or steps.get(template_key(key))
    mapping_key = key.partition("[")[2].removesuffix("]")
    return [] if step is None else [each.replace(TEMPLATE, f"[{mapping_key}]") for each in step.depends_on]


def failed_steps(events: Iterable[Event]) -> frozenset[str]:
    """The steps that failed for good in one run, by its events."""
    failed = (event.step_key for event in events if isinstance(event.payload, StepFailureData))
    return frozenset(key for key in failed if key is not None)


def finished_steps(plan: Plan, events: Iterable[Event]) -> dict[str, FinishedStep]:
    """The steps that one run brought to a good end.

    Args:
        plan: its plan.
        events: its events, in order.

    Returns:
        The steps that ended well, each with the outputs it gave, the mapping keys of dynamic ones, and the run.
    """
    steps = {step.key: step for step in plan.steps}
    given: dict[str, dict[str, list[str]]] = {}
    done: dict[str, FinishedStep] = {}
    for event in events:
        key = event.step_key
        step = None if key is None else steps.get(key) or steps.get(template_key(key))
        if key is None or step is None:
            continue
        if isinstance(event.payload, StepOutputData):
            keys = given.setdefault(key, {}).setdefault(event.payload.output_name, [])
            if event.payload.mapping_key is not None:
                keys.append(event.payload.mapping_key)
        elif isinstance(event.payload, StepSuccessData):
            done[key] = _finished(step, given.get(key, {}), event.run_id)
        elif isinstance(event.payload, (StepStartData, StepRestartedData)):
            given.pop(key, None)
    return done


def _finished(step: PlanStep, given: Mapping[str, Sequence[str]], run_id: str | None) -> FinishedStep:
    """A step that ended well, with the outputs that events name and those that it must have given."""
    outputs = frozenset([*given, *(each.name for each in step.outputs if each.is_required)])
    dynamic = [each.name for each in step.outputs if each.is_dynamic and each.name in outputs]
    return FinishedStep(outputs, {name: tuple(given.get(name, ())) for name in dynamic}, run_id)


class StepsAgain(msgspec.Struct, frozen=True):
    """Steps that are run again, and what the others left for them.

    Attributes:
        plan: these steps.
        finished: the steps they build on, which are not run again.
    """

    plan: Plan
    finished: Mapping[str, FinishedStep]


def select_again(plan: Plan, done: Mapping[str, FinishedStep], selection: Sequence[str]) -> StepsAgain:
    """The steps of a plan that a selection names, built on what earlier runs left of the others.

    Args:
        plan: all steps there are.
        done: the steps that earlier runs brought to a good end.
        selection: clauses as in an `op_selection`, with the keys of steps: `a`, `*a`, `graph.a+`, `a[key]` for one step
            made of a dynamic output, `a[?]` for all of them.

    Raises:
        ExecutionStepNotFoundError: a clause names a step that there is not: none at all, or one made of a value of a
            dynamic output that the selection makes anew.
        InvalidSubsetError: a clause of another form; or a step takes what no run left and the selection does not make.
    """
    clauses = [Clause.parse(each, "step_selection") for each in selection]
    before = _expanded(plan, done)
    wanted: set[str] = set()
    unknown: list[str] = []
    for clause in clauses:
        is_concrete = "[" in clause.name and not clause.name.endswith(TEMPLATE)
        steps = before if is_concrete else {step.key: step for step in plan.steps}
        edges = {key: [each for each in step.depends_on if each in steps] for key, step in steps.items()}
        names = [key for key in edges if _is_named(key, clause.name)]
        if not names:
            unknown.append(clause.name)
        wanted |= reach(names, edges, clause)
    _require_steps(unknown, [*before, *(step.key for step in plan.steps)])
    left = {key: each for key, each in done.items() if key not in wanted and template_key(key) not in wanted}
    now = _expanded(plan, left)
    known = {*now, *(template_key(key) for key in now)}
    _require_steps([key for key in sorted(wanted) if key not in known and not _is_spent(key, plan, left)], now)
    chosen = [step for key, step in now.items() if key in wanted or template_key(key) in wanted]
    _require_left(chosen, left)
    return StepsAgain(msgspec.structs.replace(plan, steps=tuple(chosen)), left)


def _expanded(plan: Plan, done: Mapping[str, FinishedStep]) -> dict[str, PlanStep]:
    """The steps of a plan, in order, with the templates replaced of whose values the keys are known."""
    progress = RunProgress(plan, {key: each for key, each in done.items() if each.mapping_keys})
    return {key: progress.steps[key] for key in sorted(progress.steps, key=progress.order.__getitem__)}


def _is_spent(key: str, plan: Plan, left: Mapping[str, FinishedStep]) -> bool:
    """Whether a template has no steps because its dynamic output gave no values."""
    origin = next((step.origin for step in plan.steps if step.key == key), None)
    return origin is not None and origin[0] in left


def _is_named(key: str, name: str) -> bool:
    return key == name or key == name + TEMPLATE or key.startswith(f"{name}.")


def _require_steps(unknown: Sequence[str], known: Iterable[str]) -> None:
    if unknown:
        raise ExecutionStepNotFoundError(
            f"step_selection: unknown steps {', '.join(unknown)}; available: "
            f"{', '.join(dict.fromkeys(known)) or 'none'}.",
            unknown,
        )


def _require_left(chosen: Sequence[PlanStep], left: Mapping[str, FinishedStep]) -> None:
    """Refuses steps that build on steps which are neither run again nor were ever brought to a good end."""
    keys = {step.key for step in chosen}
    for step in chosen:
        missing = [each for each in _sources(step) if each not in keys and each not in left]
        if missing:
            raise InvalidSubsetError(
                f"The step {step.key!r} depends on {', '.join(map(repr, missing))}, which did not succeed in "
                "any earlier run: select it too."
            )


def _sources(step: PlanStep) -> list[str]:
    """The steps without whose outputs a step has nothing to work on; none where its trigger rule lets it start all the same."""
    if step.policy is not None and step.policy.rule is not TriggerRule.ALL_SUCCESS:
        return []
    collected = [each.source.step for each in step.inputs if isinstance(each.source, CollectSource)]
    return list(dict.fromkeys([*(upstream for upstream, _ in step.needs), *collected]))
