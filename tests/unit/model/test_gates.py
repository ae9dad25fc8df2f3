"""Rate limits and circuit breakers: cases, and machines beside naive counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import InvalidDefinitionError
from segue.model.failure_class import FailureClass
from segue.model.gates import (
    AnyLimit,
    CircuitBreaker,
    GateEntry,
    GatePass,
    GateState,
    RateLimit,
    declared_limits,
    enter_gates,
    report_to_gate,
)

BREAKER = CircuitBreaker(failures=3, within=10.0, reset_after=30.0)


class Gates:
    """Gates with their states, as a store keeps them."""

    def __init__(self) -> None:
        self.states: dict[str, GateState] = {}

    def enter(self, now: float, *limits: AnyLimit, tokens: int = 1, name: str = "api") -> GateEntry:
        changed, entry = enter_gates(self.states, [GatePass(name, limits, tokens)], now)
        self.states.update(changed)
        return entry

    def report(self, now: float, failed: bool | None, breaker: CircuitBreaker = BREAKER) -> str:
        self.states["api"] = report_to_gate(self.states.get("api", GateState()), breaker, failed, now)
        return self.states["api"].breaker.state(now)


def test_tokens_come_at_a_steady_rate_and_in_order() -> None:
    gates, limit = Gates(), RateLimit(2, per=1.0)
    waits = [gates.enter(100.0, limit).wait for _ in range(5)]
    assert waits == [0.0, 0.0, 0.5, 1.0, 1.5]
    assert gates.enter(101.0, limit).wait == 1.0
    assert gates.enter(110.0, limit).wait == 0.0


def test_a_burst_and_several_limits_hold_together() -> None:
    gates, limits = Gates(), (RateLimit(1, per=1.0, burst=3), RateLimit(4, per=60.0))
    assert [gates.enter(0.0, *limits).wait for _ in range(5)] == [0.0, 0.0, 0.0, 1.0, 15.0]


def test_more_tokens_than_the_bucket_holds_are_waited_for() -> None:
    gates, limit = Gates(), RateLimit(10, per=1.0)
    assert gates.enter(0.0, limit, tokens=30).wait == 2.0
    assert gates.enter(0.0, limit).wait == 2.1


def test_a_clock_that_begins_anew_fills_the_bucket_and_lets_one_try() -> None:
    gates = Gates()
    for _ in range(20):
        gates.enter(1_000.0, RateLimit(1), BREAKER)
    assert [gates.report(1_000.0, True) for _ in range(3)][-1] == "open"
    assert gates.enter(5.0, RateLimit(1), BREAKER) == GateEntry(True, 0.0)


@given(
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 4)), max_size=60),
    limit=st.integers(1, 5),
    per=st.floats(0.1, 10),
    burst=st.integers(1, 8),
)
@settings(max_examples=100, deadline=None)
def test_no_window_ever_sees_more_calls_than_the_limit_allows(
    steps: list[tuple[float, int]], limit: int, per: float, burst: int
) -> None:
    gates, rate = Gates(), RateLimit(limit, per=per, burst=burst)
    now, calls = 0.0, list[tuple[float, int]]()
    for pause, tokens in steps:
        now += pause
        calls.append((now + gates.enter(now, rate, tokens=tokens).wait, tokens))
    assert [at for at, _ in calls] == sorted(at for at, _ in calls)
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            took = sum(tokens for _, tokens in calls[first + 1 : last + 1])
            seconds = calls[last][0] - calls[first][0]
            # Behind the first of them the bucket holds at most what it can.
            assert took <= burst + seconds * rate.rate + 1e-6


def test_a_breaker_opens_lets_one_try_and_closes() -> None:
    gates = Gates()
    assert gates.enter(0.0, BREAKER) == GateEntry(True, 0.0)
    assert [gates.report(at, True) for at in (0.0, 1.0, 2.0)] == ["closed", "closed", "open"]
    assert gates.enter(12.0, BREAKER) == GateEntry(False, 20.0, "api")
    assert gates.enter(32.0, BREAKER) == GateEntry(True, 0.0)
    assert gates.enter(32.0, BREAKER) == GateEntry(False, 1.0, "api")
    assert gates.report(33.0, True) == "open"
    assert gates.enter(62.5, BREAKER) == GateEntry(False, 0.5, "api")
    assert gates.enter(63.0, BREAKER).is_in
    assert gates.report(64.0, False) == "closed"
    assert gates.enter(64.0, BREAKER).is_in
    assert [gates.report(65.0, True) for _ in range(3)] == ["closed", "closed", "open"]


def test_failures_that_lie_apart_open_nothing() -> None:
    gates = Gates()
    assert {gates.report(at * 6.0, True) for at in range(20)} == {"closed"}
    assert [gates.report(200.0, failed) for failed in (True, False, True)][-1] == "closed"
    assert gates.report(201.0, True) == "open"


def test_who_began_before_it_opened_has_no_say_in_it() -> None:
    gates = Gates()
    for at in range(3):
        gates.report(float(at), True)
    assert gates.report(3.0, False) == "open"
    assert gates.report(4.0, True) == "open"
    assert gates.enter(31.0, BREAKER).wait == 1.0


def test_one_that_tries_and_says_nothing_is_followed_by_another() -> None:
    gates = Gates()
    for _ in range(3):
        gates.report(0.0, True)
    assert gates.enter(30.0, BREAKER).is_in
    assert not gates.enter(59.5, BREAKER).is_in
    assert gates.enter(60.0, BREAKER).is_in
    assert gates.report(61.0, None) == "half_open"
    assert gates.enter(61.0, BREAKER).is_in


def test_an_open_breaker_takes_no_tokens() -> None:
    gates = Gates()
    for _ in range(3):
        gates.report(0.0, True)
    for _ in range(50):
        assert not gates.enter(1.0, RateLimit(1), BREAKER).is_in
    assert gates.enter(30.0, RateLimit(1), BREAKER) == GateEntry(True, 0.0)


def test_several_gates_are_passed_together_or_not_at_all() -> None:
    opened = report_to_gate(GateState(), CircuitBreaker(failures=1, when_open="fail"), True, 0.0)
    passes = [GatePass("a", (RateLimit(1),)), GatePass("b", (CircuitBreaker(failures=1, when_open="fail"),))]
    assert enter_gates({"b": opened}, passes, 10.0) == ({}, GateEntry(False, 20.0, "b", fails=True))
    changed, entry = enter_gates({}, passes, 10.0)
    assert set(changed) == {"a", "b"}
    assert entry == GateEntry(True, 0.0)


@given(calls=st.lists(st.tuples(st.floats(0, 20), st.sampled_from([True, False, None])), max_size=80))
@settings(max_examples=100, deadline=None)
def test_a_breaker_never_stays_open_without_letting_one_try(calls: list[tuple[float, bool | None]]) -> None:
    gates, now = Gates(), 0.0
    for pause, failed in calls:
        now += pause
        entry = gates.enter(now, BREAKER)
        if entry.is_in:
            gates.report(now, failed)
        else:
            assert 0 < entry.wait <= BREAKER.reset_after
    assert gates.enter(now + 2 * BREAKER.reset_after, BREAKER).is_in


def test_which_failures_count() -> None:
    assert [each for each in FailureClass if CircuitBreaker().counts(each)] == [
        FailureClass.RATE_LIMIT,
        FailureClass.NETWORK,
        FailureClass.TIMEOUT,
    ]
    breaker = CircuitBreaker(failure_classes=("credentials", FailureClass.USER_CODE))
    assert breaker.failure_classes == ("credentials", "user_code")
    assert [each.value for each in FailureClass if breaker.counts(each)] == ["user_code", "credentials"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RateLimit(0), "RateLimit: limit must be greater than 0"),
        (lambda: RateLimit(1, per=-1.0), "per must be greater than 0"),
        (lambda: RateLimit(1, burst=0), "burst must be greater than 0"),
        (lambda: CircuitBreaker(failures=0), "failures must be greater than 0"),
        (lambda: CircuitBreaker(when_open="run"), "'wait' or 'fail'"),
        (lambda: CircuitBreaker(failure_classes=("bad luck",)), "'bad luck' is not a failure class"),
        (lambda: declared_limits({"api": [CircuitBreaker(), CircuitBreaker()]}), "duplicate CircuitBreaker"),
        (lambda: declared_limits({"api": [3]}), "expected RateLimit and CircuitBreaker objects, got 3"),  # type: ignore[list-item]
    ],
)
def test_limits_that_make_no_sense_are_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(InvalidDefinitionError, match=said):
        make()
