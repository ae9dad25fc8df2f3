"""Steps that a person lets start: the run is suspended when nothing else goes on, and goes on where it stood."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.model.approval import ApprovalAnswer
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy
from segue.plan.instructions import (
    AbandonStep,
    AwaitApproval,
    FailStep,
    FinishedStep,
    FinishRun,
    Instruction,
    RefuseStep,
    StartStep,
    StepFailed,
    StepSucceeded,
    SuspendRun,
)
from segue.plan.plan import Plan, PlanStep, decode_plan, encode_plan
from segue.plan.state import RunProgress, StepStatus

GIVEN, REFUSED = ApprovalAnswer(True, "anna"), ApprovalAnswer(False, "bo", "totals are wrong")
RESULT = FinishedStep(frozenset({"result"}))


def plan_of(edges: Mapping[str, tuple[str, ...]], *asking: str, retry: RetryPolicy | None = None) -> Plan:
    """A plan in which some steps need an approval, read as it was written down."""
    steps = [
        PlanStep(
            key,
            key,
            depends_on=upstream,
            needs=tuple((each, "result") for each in upstream),
            retry_policy=retry,
            policy=StepPolicy(approval=f"May {key}?") if key in asking else None,
        )
        for key, upstream in edges.items()
    ]
    return decode_plan(encode_plan(Plan(job_name="job", steps=tuple(steps))))


def succeeded(key: str) -> StepSucceeded:
    return StepSucceeded(key, frozenset({"result"}))


def test_a_run_is_suspended_when_all_that_is_left_waits_for_people() -> None:
    progress = RunProgress(plan_of({"a": (), "b": ("a",), "c": ("b",), "other": ()}, "b"), answers={})
    assert progress.begin() == [StartStep("a"), StartStep("other")]
    assert progress.handle(succeeded("a")) == [AwaitApproval("b", "May b?")]
    assert progress.status["b"] is StepStatus.AWAITING
    assert progress.handle(succeeded("other")) == [SuspendRun(("b",))]


def test_it_goes_on_where_it_stood_once_a_person_has_answered() -> None:
    plan = plan_of({"a": (), "b": ("a",), "c": ("b",), "bad": (), "d": ("bad",)}, "b")
    progress = RunProgress(plan, {"a": RESULT}, failed={"bad"}, answers={"b": GIVEN})
    assert progress.begin() == [StartStep("b"), AbandonStep("d", ("bad",))]
    assert progress.handle(succeeded("b")) == [StartStep("c")]
    assert progress.handle(succeeded("c")) == [FinishRun(("bad",))]


def test_a_step_that_is_refused_fails_and_what_does_not_depend_on_it_goes_on() -> None:
    plan = plan_of({"b": (), "c": ("b",), "other": ()}, "b", retry=RetryPolicy(max_retries=3))
    progress = RunProgress(plan, answers={"b": REFUSED})
    assert progress.begin() == [RefuseStep("b", REFUSED), StartStep("other"), AbandonStep("c", ("b",))]
    assert progress.handle(succeeded("other")) == [FinishRun(("b",))]


def test_one_answer_at_a_time() -> None:
    plan = plan_of({"a": (), "b": ()}, "a", "b")
    assert RunProgress(plan, answers={}).begin()[-1] == SuspendRun(("a", "b"))
    progress = RunProgress(plan, answers={"a": GIVEN})
    assert progress.begin() == [StartStep("a"), AwaitApproval("b", "May b?")]
    assert progress.handle(succeeded("a")) == [SuspendRun(("b",))]


def test_a_step_that_was_let_start_is_tried_again_without_asking() -> None:
    progress = RunProgress(plan_of({"a": ()}, "a", retry=RetryPolicy(max_retries=1)), answers={"a": GIVEN})
    progress.begin()
    assert progress.handle(StepFailed("a")) == [StartStep("a", 2)]
    assert progress.handle(StepFailed("a")) == [FailStep("a", 2), FinishRun(("a",))]


def test_nobody_is_asked_where_nobody_answers() -> None:
    assert RunProgress(plan_of({"a": ()}, "a")).begin() == [StartStep("a")]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    count = draw(st.integers(1, 9))
    return {
        f"s{n}": tuple(sorted(draw(st.sets(st.sampled_from([f"s{m}" for m in range(n)]), max_size=3)))) if n else ()
        for n in range(count)
    }


@given(graphs(), st.integers(0, 2**32), st.data())
def test_a_run_that_is_suspended_again_and_again_ends_as_one_that_asks_nobody(
    graph: dict[str, tuple[str, ...]], seed: int, data: st.DataObject
) -> None:
    """Whoever asks, answers and fails: refusing a step is its failure, and nothing is done twice."""
    keys = sorted(graph)
    asking = data.draw(st.sets(st.sampled_from(keys)))
    refused = data.draw(st.sets(st.sampled_from(sorted(asking)))) if asking else set[str]()
    failing = data.draw(st.sets(st.sampled_from(keys)))
    expected = _run(RunProgress(plan_of(graph)), failing | refused, set(), random.Random(seed))[1]
    plan, chance = plan_of(graph, *asking), random.Random(seed)
    finished, answers, statuses = dict[str, FinishedStep](), dict[str, ApprovalAnswer](), dict[str, StepStatus]()
    failed, started = set[str](), set[str]()
    for _ in range(len(asking) + 1):
        progress = RunProgress(plan, finished, failed=failed, answers=answers)
        last, statuses = _run(progress, failing, started, chance)
        if isinstance(last, FinishRun):
            break
        assert isinstance(last, SuspendRun)
        finished = {key: RESULT for key, status in statuses.items() if status is StepStatus.SUCCEEDED}
        failed = {key for key, status in statuses.items() if status is StepStatus.FAILED}
        for key in chance.sample(last.step_keys, chance.randint(1, len(last.step_keys))):
            answers[key] = REFUSED if key in refused else GIVEN
    else:
        raise AssertionError("It was suspended more often than there are steps that ask.")
    assert statuses == expected


def _run(
    progress: RunProgress, failing: set[str], started: set[str], chance: random.Random
) -> tuple[Instruction, dict[str, StepStatus]]:
    """Runs until the end or the suspension; gives the last instruction, and where the steps stand."""
    instructions, running = progress.begin(), list[str]()
    while True:
        for each in instructions:
            if isinstance(each, StartStep):
                assert each.step_key not in started
                started.add(each.step_key)
                running.append(each.step_key)
        if not running:
            return instructions[-1], dict(progress.status)
        key = running.pop(chance.randrange(len(running)))
        instructions = progress.handle(StepFailed(key) if key in failing else succeeded(key))


@pytest.mark.parametrize("question", ["", "  ", 3])
def test_what_a_person_is_asked_is_a_text(question: object) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="approval"):
        sg.StepPolicy(approval=question)  # pyright: ignore[reportArgumentType] reason: a wrong argument
