"""Rules about gates: tokens are handed out once, breakers open and are seen by everybody."""

from __future__ import annotations

import pytest

from segue.errors import InvariantViolationError
from segue.model.gates import CircuitBreaker, GatePass, RateLimit
from segue.model.stores import Store

# So long that the clock does not matter to a test.
_SLOW = RateLimit(2, per=1_000_000.0)
_BREAKER = CircuitBreaker(failures=2, within=1_000_000.0, reset_after=1_000_000.0)


def tokens_are_handed_out_once_and_then_in_advance(store: Store) -> None:
    entries = [store.enter_gates([GatePass("api", (_SLOW,))]) for _ in range(4)]
    assert all(entry.is_in for entry in entries)
    assert [round(entry.wait / 500_000.0) for entry in entries] == [0, 0, 1, 2]
    assert store.enter_gates([GatePass("other", (_SLOW,))]).wait == 0.0
    states = store.gate_states()
    assert list(states.by_name) == ["api", "other"]
    (bucket,) = states.by_name["api"].buckets.values()
    assert round(bucket.tokens_at(states.now)) == -2
    assert list(store.gate_states(["other", "nobody"]).by_name) == ["other"]


def a_breaker_opens_after_failures_and_takes_no_tokens(store: Store) -> None:
    behind = [GatePass("api", (_BREAKER, _SLOW))]
    assert store.enter_gates(behind).is_in
    for failed in (True, False, None, True):
        store.report_to_gates(behind, failed)
    for _ in range(5):
        entry = store.enter_gates(behind)
        assert (entry.is_in, entry.name, entry.fails) == (False, "api", False)
        assert 0 < entry.wait <= _BREAKER.reset_after
    states = store.gate_states()
    assert states.by_name["api"].breaker.state(states.now) == "open"


def a_breaker_closes_when_one_that_tries_succeeds(store: Store) -> None:
    at_once = CircuitBreaker(failures=1, within=1_000_000.0, reset_after=1e-9)
    behind = [GatePass("api", (at_once,))]
    store.report_to_gates(behind, True)
    assert store.enter_gates(behind).is_in
    store.report_to_gates(behind, False)
    states = store.gate_states()
    assert states.by_name["api"].breaker.state(states.now) == "closed"


def several_gates_are_passed_together_or_not_at_all(store: Store) -> None:
    store.report_to_gates([GatePass("b", (CircuitBreaker(failures=1, reset_after=1_000_000.0),))], True)
    passes = [GatePass("a", (_SLOW,)), GatePass("b", (CircuitBreaker(failures=1, when_open="fail"),))]
    entry = store.enter_gates(passes)
    assert (entry.is_in, entry.name, entry.fails) == (False, "b", True)
    assert list(store.gate_states().by_name) == ["b"]


def gates_without_a_breaker_take_no_reports(store: Store) -> None:
    store.report_to_gates([GatePass("api", (_SLOW,))], True)
    assert store.gate_states().by_name == {}


def names_of_gates_are_data(store: Store) -> None:
    for name in ("'; DROP TABLE gates; --", "%", "ü𝄞", "", "\n"):
        assert store.enter_gates([GatePass(name, (_SLOW,))]).is_in
        assert list(store.gate_states([name]).by_name) == [name]
    with pytest.raises(InvariantViolationError):
        store.enter_gates([GatePass("\0", (_SLOW,))])


RULES = (
    tokens_are_handed_out_once_and_then_in_advance,
    a_breaker_opens_after_failures_and_takes_no_tokens,
    a_breaker_closes_when_one_that_tries_succeeds,
    several_gates_are_passed_together_or_not_at_all,
    gates_without_a_breaker_take_no_reports,
    names_of_gates_are_data,
)
