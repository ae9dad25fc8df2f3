"""Trigger rules: when a step starts, by how the steps before it ended. By table, and on random graphs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.model.step_policy import StepPolicy, TriggerRule
from segue.model.steps import FanInSource, OutputSource
from segue.plan.instructions import (
    AbandonStep,
    FinishRun,
    Instruction,
    SkipStep,
    StartStep,
    StepFailed,
    StepSucceeded,
    SuspendRun,
)
from segue.plan.plan import Plan, PlanStep, StepInput, decode_plan, encode_plan
from segue.plan.state import RunProgress, StepStatus

S, F, K = "succeeded", "failed", "skipped"
TABLE: list[tuple[TriggerRule, dict[tuple[str, ...], str]]] = [
    (TriggerRule.ALL_SUCCESS, {(S, S): "start", (S, F): "abandon", (S, K): "skip", (F, K): "abandon", (): "start"}),
    (TriggerRule.ALL_DONE, {(S, S): "start", (S, F): "start", (K, K): "start", (F, F): "start", (): "start"}),
    (TriggerRule.ALWAYS, {(S, F): "start", (K, F): "start", (): "start"}),
    (TriggerRule.ONE_SUCCESS, {(S, F): "start", (S, K): "start", (F, K): "abandon", (K, K): "skip", (): "start"}),
    (TriggerRule.ONE_FAILED, {(S, F): "start", (F, K): "start", (S, S): "skip", (S, K): "skip", (): "skip"}),
    (TriggerRule.ALL_FAILED, {(F, F): "start", (S, F): "skip", (F, K): "skip", (S, S): "skip", (): "skip"}),
    (TriggerRule.NONE_FAILED, {(S, K): "start", (K, K): "start", (S, F): "abandon", (F, K): "abandon", (): "start"}),
    (TriggerRule.NONE_SKIPPED, {(S, F): "start", (F, F): "start", (S, K): "skip", (F, K): "skip", (): "start"}),
]
KINDS = {"start": StartStep, "abandon": AbandonStep, "skip": SkipStep}


def step(key: str, rule: TriggerRule, upstream: Sequence[str], policy: StepPolicy | None = None) -> PlanStep:
    return PlanStep(
        key,
        key,
        inputs=tuple(StepInput(each, None, "io", source=OutputSource(each, "result")) for each in upstream),
        depends_on=tuple(upstream),
        needs=tuple((each, "result") for each in upstream),
        policy=policy if rule is TriggerRule.ALL_SUCCESS else StepPolicy(trigger_rule=rule),
    )


def ended(progress: RunProgress, key: str, how: str) -> list[Instruction]:
    """What follows when a step ends in one of three ways; one that is to be skipped gives nothing to what needs it."""
    if how == F:
        return progress.handle(StepFailed(key))
    return progress.handle(StepSucceeded(key, frozenset(["result"] if how == S else [])))


@pytest.mark.parametrize(
    ("rule", "ends", "expected"), [(rule, ends, end) for rule, rows in TABLE for ends, end in rows.items()]
)
def test_each_rule(rule: TriggerRule, ends: tuple[str, ...], expected: str) -> None:
    names = [f"up{number}" for number in range(len(ends))]
    plan = Plan(
        job_name="job", steps=(*(step(each, TriggerRule.ALL_SUCCESS, ()) for each in names), step("x", rule, names))
    )
    progress = RunProgress(decode_plan(encode_plan(plan)))
    instructions = list(progress.begin())
    for name, how in zip(names, ends, strict=True):
        instructions = ended(progress, name, how)
    (found,) = [each for each in instructions if not isinstance(each, FinishRun | SuspendRun) and each.step_key == "x"]
    assert type(found) is KINDS[expected]
    if isinstance(found, SkipStep) and rule is not TriggerRule.ALL_SUCCESS:
        assert repr(rule.value) in found.reason
    if isinstance(found, StartStep):
        missing = [each.name for each in progress.steps["x"].inputs if each.is_missing]
        assert missing == [name for name, how in zip(names, ends, strict=True) if how != S]


def test_a_list_holds_what_was_given() -> None:
    source = FanInSource((OutputSource("a", "result"), OutputSource("b", "result")))
    collecting = PlanStep(
        "x",
        "x",
        inputs=(StepInput("parts", None, "", source=source),),
        depends_on=("a", "b"),
        needs_any=((("a", "result"), ("b", "result")),),
        policy=StepPolicy(trigger_rule="all_done"),
    )
    plan = Plan(
        job_name="job",
        steps=(step("a", TriggerRule.ALL_SUCCESS, ()), step("b", TriggerRule.ALL_SUCCESS, ()), collecting),
    )
    for ends, left in (((F, S), ["b"]), ((F, F), []), ((S, S), ["a", "b"])):
        progress = RunProgress(plan)
        progress.begin()
        ended(progress, "a", ends[0])
        assert StartStep("x") in ended(progress, "b", ends[1])
        given_source = progress.steps["x"].inputs[0].source
        assert isinstance(given_source, FanInSource)
        assert [each.step for each in given_source.sources if isinstance(each, OutputSource)] == left


def test_a_template_never_starts_whatever_its_rule() -> None:
    template = PlanStep(
        "each[?]",
        "each",
        depends_on=("source",),
        needs=(("source", "values"),),
        origin=("source", "values"),
        policy=StepPolicy(trigger_rule="always"),
    )
    plan = Plan(job_name="job", steps=(step("source", TriggerRule.ALL_SUCCESS, ()), template))
    progress = RunProgress(plan)
    progress.begin()
    assert AbandonStep("each[?]", ("source",)) in ended(progress, "source", F)


graphs = st.lists(
    st.tuples(st.sampled_from(list(TriggerRule)), st.sets(st.integers(0, 8), max_size=3), st.sampled_from([S, F, K])),
    max_size=9,
)
Graph = list[tuple[TriggerRule, set[int], str]]


def executed(graph: Graph, seed: int, policy: StepPolicy | None = None) -> tuple[RunProgress, Mapping[str, list[str]]]:
    """Runs a graph to its end, steps ending in a random order; what was instructed of each step. `policy` is that of steps
    with the usual rule."""
    steps = [
        step(f"s{number}", rule, [f"s{each}" for each in sorted(upstream) if each < number], policy)
        for number, (rule, upstream, _) in enumerate(graph)
    ]
    progress = RunProgress(Plan(job_name="job", steps=tuple(steps)))
    chance, told, running = random.Random(seed), dict[str, list[str]](), list[str]()
    instructions, finished = list(progress.begin()), 0
    while True:
        for each in instructions:
            assert not isinstance(each, SuspendRun)
            if isinstance(each, FinishRun):
                finished += 1
                continue
            told.setdefault(each.step_key, []).append(type(each).__name__)
            if isinstance(each, StartStep):
                running.append(each.step_key)
        if not running:
            break
        assert finished == 0
        key = running.pop(chance.randrange(len(running)))
        instructions = ended(progress, key, graph[int(key[1:])][2])
    assert finished == 1
    return progress, told


@given(graphs, st.integers())
def test_every_step_ends_once_and_every_run_finishes(graph: Graph, seed: int) -> None:
    progress, told = executed(graph, seed)
    ends = {StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.ABANDONED}
    assert set(progress.status.values()) <= ends
    assert set(told) == set(progress.steps)
    assert all(len(each) == (2 if each == ["StartStep", "FailStep"] else 1) for each in told.values())
    failed = [f"s{number}" for number, (_, _, how) in enumerate(graph) if how == F and "FailStep" in told[f"s{number}"]]
    assert list(progress.failed_steps) == failed


@given(graphs, st.integers(), st.integers())
def test_the_order_in_which_steps_end_does_not_matter(graph: Graph, seed: int, other: int) -> None:
    assert executed(graph, seed)[0].status == executed(graph, other)[0].status


@given(graphs, st.integers())
def test_saying_the_usual_rule_changes_nothing(graph: Graph, seed: int) -> None:
    usual: Graph = [(TriggerRule.ALL_SUCCESS, upstream, how) for _, upstream, how in graph]
    progress, told = executed(usual, seed)
    said, told_then = executed(usual, seed, StepPolicy(timeout=5, trigger_rule="all_success"))
    assert (said.status, told_then) == (progress.status, told)


def test_of_the_steps_that_could_start_the_one_of_highest_priority_ranks_first() -> None:
    first, second = step("a", TriggerRule.ALL_SUCCESS, ()), step("b", TriggerRule.ALL_SUCCESS, ())
    urgent = msgspec.structs.replace(second, priority=3)
    progress = RunProgress(Plan(job_name="job", steps=(first, urgent)))
    assert sorted(["a", "b"], key=progress.rank) == ["b", "a"]
