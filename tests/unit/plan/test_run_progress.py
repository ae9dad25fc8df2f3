"""The state of a run's steps, as instructions that follow from facts. No clock, no process."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.model.policies import Backoff, Jitter, RetryPolicy, retry_delay
from segue.plan.instructions import (
    AbandonStep,
    FailStep,
    FinishedStep,
    FinishRun,
    Instruction,
    SkipStep,
    StartStep,
    StepFailed,
    StepSucceeded,
    SuspendRun,
)
from segue.plan.plan import Plan, PlanStep
from segue.plan.state import RunProgress, StepStatus


def plan_of(edges: Mapping[str, tuple[str, ...]], retry: RetryPolicy | None = None) -> Plan:
    """A plan in which each step needs the output `result` of those it depends on."""
    return Plan(
        job_name="job",
        steps=tuple(
            PlanStep(
                key, key, depends_on=upstream, needs=tuple((each, "result") for each in upstream), retry_policy=retry
            )
            for key, upstream in edges.items()
        ),
    )


def succeeded(key: str, *outputs: str) -> StepSucceeded:
    return StepSucceeded(key, frozenset(outputs or ("result",)))


RESULT = FinishedStep(frozenset({"result"}))
DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def test_steps_start_when_all_they_depend_on_has_ended_well() -> None:
    progress = RunProgress(plan_of(DIAMOND))
    assert progress.begin() == [StartStep("a")]
    assert progress.handle(succeeded("a")) == [StartStep("b"), StartStep("c")]
    assert progress.handle(succeeded("b")) == []
    assert progress.handle(succeeded("c")) == [StartStep("d")]
    assert progress.handle(succeeded("d")) == [FinishRun(())]


def test_a_failed_step_abandons_what_is_downstream_while_other_branches_go_on() -> None:
    progress = RunProgress(plan_of({**DIAMOND, "e": ("d",), "other": ()}))
    assert progress.begin() == [StartStep("a"), StartStep("other")]
    progress.handle(succeeded("a"))
    assert progress.handle(StepFailed("b")) == [FailStep("b", 1)]
    assert progress.handle(succeeded("c")) == [AbandonStep("d", ("b",)), AbandonStep("e", ("d",))]
    assert progress.handle(succeeded("other")) == [FinishRun(("b",))]
    assert progress.status["e"] is StepStatus.ABANDONED


def test_a_step_without_the_output_it_needs_is_skipped_and_so_is_what_follows() -> None:
    progress = RunProgress(plan_of({"a": (), "b": ("a",), "c": ("b",)}))
    progress.begin()
    instructions = progress.handle(StepSucceeded("a", frozenset()))
    assert [type(each) for each in instructions] == [SkipStep, SkipStep, FinishRun]
    assert instructions[-1] == FinishRun(())


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (RetryPolicy(max_retries=2, delay=3), [3, 3]),
        (RetryPolicy(max_retries=3, delay=2, backoff=Backoff.LINEAR), [2, 4, 6]),
        (RetryPolicy(max_retries=3, delay=2, backoff=Backoff.EXPONENTIAL), [2, 6, 14]),
        (RetryPolicy(max_retries=1, delay=10, jitter=Jitter.FULL), [5]),
        (RetryPolicy(max_retries=1, delay=10, jitter=Jitter.PLUS_MINUS), [10]),
        (RetryPolicy(max_retries=1), [0]),
        (RetryPolicy(max_retries=0), []),
    ],
)
def test_a_failing_step_is_retried_as_its_policy_says(policy: RetryPolicy, delays: list[float]) -> None:
    progress = RunProgress(plan_of({"a": ()}, policy))
    progress.begin()
    for retry, delay in enumerate(delays, start=1):
        assert progress.handle(StepFailed("a", chance=0.5)) == [StartStep("a", retry + 1, delay)]
    assert progress.handle(StepFailed("a", chance=0.5)) == [FailStep("a", len(delays) + 1), FinishRun(("a",))]


def test_a_failure_may_refuse_retries_or_ask_for_its_own() -> None:
    progress = RunProgress(plan_of({"a": (), "b": ()}, RetryPolicy(max_retries=5)))
    progress.begin()
    assert progress.handle(StepFailed("a", retryable=False)) == [FailStep("a", 1)]
    asked = RetryPolicy(max_retries=1, delay=7)
    assert progress.handle(StepFailed("b", requested=asked)) == [StartStep("b", 2, 7)]
    assert progress.handle(StepFailed("b", requested=asked)) == [FailStep("b", 2), FinishRun(("a", "b"))]


def test_a_retry_of_a_run_starts_where_the_earlier_one_stopped() -> None:
    progress = RunProgress(plan_of(DIAMOND), finished={"a": RESULT, "b": RESULT})
    assert progress.begin() == [StartStep("c")]
    assert progress.handle(succeeded("c")) == [StartStep("d")]
    assert RunProgress(plan_of(DIAMOND), finished=dict.fromkeys(DIAMOND, RESULT)).begin() == [FinishRun(())]


def test_a_retry_of_a_run_still_skips_what_gets_nothing_from_a_finished_step() -> None:
    gave_nothing = FinishedStep(frozenset())
    plan = plan_of({"a": (), "b": ("a",), "c": ("b",), "d": ()})
    progress = RunProgress(plan, finished={"a": gave_nothing})
    assert [
        (type(each), each.step_key) for each in progress.begin() if not isinstance(each, FinishRun | SuspendRun)
    ] == [
        (SkipStep, "b"),
        (StartStep, "d"),
        (SkipStep, "c"),
    ]
    assert progress.handle(succeeded("d")) == [FinishRun(())]
    assert RunProgress(plan, finished={"a": gave_nothing, "d": RESULT}).begin()[-1] == FinishRun(())


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 8), st.sampled_from(list(Backoff)))
def test_jitter_stays_within_its_bounds(chance: float, retry: int, backoff: Backoff) -> None:
    base = RetryPolicy(max_retries=9, delay=4, backoff=backoff)
    full = RetryPolicy(max_retries=9, delay=4, backoff=backoff, jitter=Jitter.FULL)
    plus_minus = RetryPolicy(max_retries=9, delay=4, backoff=backoff, jitter=Jitter.PLUS_MINUS)
    plain = retry_delay(base, retry, chance)
    assert 0 <= retry_delay(full, retry, chance) <= plain
    assert plain - 4 <= retry_delay(plus_minus, retry, chance) <= plain + 4


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    count = draw(st.integers(1, 9))
    return {
        f"s{n}": tuple(sorted(draw(st.sets(st.sampled_from([f"s{m}" for m in range(n)]), max_size=3)))) if n else ()
        for n in range(count)
    }


@given(graphs(), st.randoms(use_true_random=False), st.integers(0, 2))
def test_every_run_ends_once_with_each_step_ended(
    graph: dict[str, tuple[str, ...]], chance: object, retries: int
) -> None:
    """Whatever fails, is retried or gives nothing: one end, no step twice at once, nothing started before its time."""
    random = chance.random  # type: ignore[attr-defined]
    progress = RunProgress(plan_of(graph, RetryPolicy(max_retries=retries)))
    todo: list[Instruction] = progress.begin()
    running: set[str] = set()
    attempts: dict[str, int] = {}
    ends = 0
    while True:
        for each in todo:
            if isinstance(each, StartStep):
                assert each.step_key not in running
                assert all(progress.status[up] is StepStatus.SUCCEEDED for up in graph[each.step_key])
                attempts[each.step_key] = attempts.get(each.step_key, 0) + 1
                assert each.attempt == attempts[each.step_key] <= retries + 1
                running.add(each.step_key)
            ends += isinstance(each, FinishRun)
        if not running:
            break
        key = sorted(running)[int(random() * len(running))]
        running.remove(key)
        roll = random()
        fact = (
            StepFailed(key) if roll < 0.3 else StepSucceeded(key, frozenset() if roll < 0.4 else frozenset({"result"}))
        )
        todo = progress.handle(fact)
    assert ends == 1
    ended = {StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.ABANDONED}
    assert set(progress.status.values()) <= ended
