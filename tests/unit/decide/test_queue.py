"""Which queued runs start: limits, priorities, turns."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.decide.queue import QueuedRun, decide_queue
from segue.model.queueing import QueueLimits, TagLimit


def run(name: str, *, priority: int = 0, location: str = "main", **tags: str) -> QueuedRun:
    return QueuedRun(name, location, {key.replace("__", "/"): value for key, value in tags.items()}, priority)


A, B, C = run("a"), run("b"), run("c")
TEAM_LIMIT = QueueLimits(tags=(TagLimit("team", 1, is_per_value=True),))


@pytest.mark.parametrize(
    ("queued", "in_progress", "limits", "start", "blocked"),
    [
        ([A, B], [], QueueLimits(), ("a", "b"), {}),
        ([A, B], [], QueueLimits(max_runs=1), ("a",), {"b": "1 of 1 runs are in progress"}),
        ([A, B], [C], QueueLimits(max_runs=1), (), dict.fromkeys("ab", "1 of 1 runs are in progress")),
        (
            [A, run("x", location="other")],
            [],
            QueueLimits(per_location={"main": 0}),
            ("x",),
            {"a": "0 of 0 runs of code location 'main' are in progress"},
        ),
        (
            [run("a", team="red"), run("b", team="red"), run("c", team="blue"), run("d")],
            [],
            TEAM_LIMIT,
            ("a", "c", "d"),
            {"b": "1 of 1 runs with the tag team=red are in progress"},
        ),
        (
            [run("a", team="red"), run("b", team="blue")],
            [],
            QueueLimits(tags=(TagLimit("team", 1),)),
            ("a",),
            {"b": "1 of 1 runs with the tag team are in progress"},
        ),
        (
            [run("a", team="red"), run("b", team="red"), run("c", team="blue"), run("d", team="blue")],
            [],
            QueueLimits(tags=(TagLimit("team", 1, value="red"),)),
            ("a", "c", "d"),
            {"b": "1 of 1 runs with the tag team=red are in progress"},
        ),
    ],
)
def test_limits_say_which_runs_start_and_what_holds_the_others(
    queued: list[QueuedRun],
    in_progress: list[QueuedRun],
    limits: QueueLimits,
    start: tuple[str, ...],
    blocked: dict[str, str],
) -> None:
    decision = decide_queue(queued, in_progress, limits)
    assert decision.start == start
    assert decision.blocked == blocked


def test_a_run_that_is_held_lets_the_next_one_pass() -> None:
    held = QueuedRun("held", "main", held_by="code location 'main' does not load")
    decision = decide_queue([held, A], [], QueueLimits(max_runs=1))
    assert decision.start == ("a",)
    assert decision.blocked == {"held": "code location 'main' does not load"}


def test_a_higher_priority_goes_first() -> None:
    assert decide_queue([run("high", priority=5), A], [], QueueLimits(max_runs=1)).start == ("high",)


def test_backfills_and_other_runs_take_turns() -> None:
    first = [run(f"x{number}", dagster__backfill="x") for number in range(3)]
    second = [run(f"y{number}", dagster__backfill="y") for number in range(3)]
    others = [run(f"r{number}") for number in range(2)]
    assert decide_queue([*first, *second, *others], [], QueueLimits()).start == (
        "x0", "y0", "r0", "x1", "y1", "r1", "x2", "y2",
    )  # fmt: skip


def test_ten_runs_are_in_progress_unless_another_number_is_set_or_none() -> None:
    many = [run(f"r{number:02}") for number in range(12)]
    decision = decide_queue(many, [], QueueLimits())
    assert len(decision.start) == 10
    assert set(decision.blocked.values()) == {"10 of 10 runs are in progress"}
    assert len(decide_queue(many, [], QueueLimits(max_runs="unlimited")).start) == 12


def test_a_round_starts_no_more_than_it_may() -> None:
    decision = decide_queue([A, B], [], QueueLimits(), most=1)
    assert decision.start == ("a",)
    assert "next" in decision.blocked["b"]


RUNS = st.lists(
    st.builds(
        QueuedRun,
        run_id=st.uuids().map(str),
        location=st.sampled_from(["main", "other"]),
        tags=st.dictionaries(st.sampled_from(["team", "dagster/backfill"]), st.sampled_from(["1", "2"])),
        priority=st.integers(-1, 1),
    ),
    max_size=12,
)
LIMITS = st.builds(
    QueueLimits,
    max_runs=st.just("unlimited") | st.integers(0, 6),
    per_location=st.dictionaries(st.just("main"), st.integers(0, 3)),
    tags=st.lists(
        st.builds(
            TagLimit,
            key=st.just("team"),
            limit=st.integers(0, 3),
            value=st.none() | st.just("1"),
            is_per_value=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
)


@given(RUNS, RUNS, LIMITS)
def test_no_limit_is_passed_by_a_start_and_no_run_waits_without_a_limit_that_holds_it(
    queued: list[QueuedRun], in_progress: list[QueuedRun], limits: QueueLimits
) -> None:
    decision = decide_queue(sorted(queued, key=lambda each: -each.priority), in_progress, limits)
    by_id = {each.run_id: each for each in queued}
    assert {*decision.start} | {*decision.blocked} == {*by_id}
    started = [by_id[each] for each in decision.start]
    after = [*in_progress, *started]
    for each in queued:
        if each.run_id in decision.start:
            continue
        assert any(used >= limit for limit, used in _uses(each, after, limits)), "a run waits that fits"
    for position, each in enumerate(started):
        before = [*in_progress, *started[:position]]
        assert all(used < limit for limit, used in _uses(each, before, limits))


def _uses(run: QueuedRun, others: list[QueuedRun], limits: QueueLimits) -> list[tuple[int, int]]:
    """Each limit that a run counts for, with how many of the other runs count for it: counted anew, one by one."""
    found: list[tuple[int, int]] = []
    if limits.max_runs != "unlimited":
        found.append((limits.max_runs, len(others)))
    if run.location in limits.per_location:
        locations = Counter(other.location for other in others)
        found.append((limits.per_location[run.location], locations[run.location]))
    for limit in limits.tags:
        value = run.tags.get(limit.key)
        if value is None or (limit.value is not None and value != limit.value):
            continue
        same = [
            other
            for other in others
            if limit.key in other.tags
            and (limit.value is None or other.tags[limit.key] == limit.value)
            and (not limit.is_per_value or other.tags[limit.key] == value)
        ]
        found.append((limit.limit, len(same)))
    return found
