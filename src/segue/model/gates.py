"""Gates: how often a resource may be called, and that it is left alone while it is out of order. Pure; time is an argument.

A *gate* stands before each resource that has limits, one for all processes. It hands out the tokens of a bucket, which fills
at a steady rate; and it has a circuit breaker:

    closed ──► open              `failures` of them came `within` so many seconds
    open ──► half open           after `reset_after` seconds: one may try
    half open ──► closed         it went well
    half open ──► open           it failed again

Tokens are handed out in advance: who comes when the bucket is empty is told how long to wait until its token is there, so
that all are served in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.failure_class import FailureClass, failure_class_of

CLOSED: Final = "closed"
OPEN: Final = "open"
HALF_OPEN: Final = "half_open"
_ASK_AGAIN = 1.0  # seconds, while another one tries whether the resource works again
_BLAMED = (FailureClass.NETWORK, FailureClass.RATE_LIMIT, FailureClass.TIMEOUT)


class RateLimit(msgspec.Struct, frozen=True, omit_defaults=True, tag="rate_limit"):
    """How often a resource may be called: `RateLimit(10, per=1.0)` is ten times a second.

    Attributes:
        limit: how many calls.
        per: in how many seconds.
        burst: how many may come at once after a pause; as many as `limit` when None.

    Raises:
        InvalidDefinitionError: a number that is not above nothing.
    """

    limit: int
    per: float = 1.0
    burst: int | None = None

    def __post_init__(self) -> None:
        _require_positive("RateLimit", limit=self.limit, per=self.per, burst=self.burst)

    @property
    def capacity(self) -> int:
        """How many tokens the full bucket holds."""
        return self.limit if self.burst is None else self.burst

    @property
    def rate(self) -> float:
        """How many tokens come in a second."""
        return self.limit / self.per


class CircuitBreaker(msgspec.Struct, frozen=True, omit_defaults=True, tag="circuit_breaker"):
    """When a resource is left alone because it is out of order.

    Attributes:
        failures: after how many failures.
        within: that came in so many seconds.
        reset_after: for how many seconds, until one call tries whether it works again.
        failure_classes: the failures that count, each a `FailureClass` or its value; None for those that blame who was
            called: `network`, `rate_limit` and `timeout`.
        when_open: what steps do meanwhile: `wait`, or `fail` with a `CircuitOpenError`.

    Raises:
        InvalidDefinitionError: a number that is not above nothing, no such failure class, or neither of the two.
    """

    failures: int = 5
    within: float = 60.0
    reset_after: float = 30.0
    failure_classes: tuple[str, ...] | None = None
    when_open: str = "wait"

    def __post_init__(self) -> None:
        _require_positive("CircuitBreaker", failures=self.failures, within=self.within, reset_after=self.reset_after)
        if self.when_open not in ("wait", "fail"):
            raise InvalidDefinitionError(f"CircuitBreaker: when_open must be 'wait' or 'fail', got {self.when_open!r}.")
        if self.failure_classes is not None:
            found = tuple([failure_class_of(each, "CircuitBreaker").value for each in self.failure_classes])
            msgspec.structs.force_setattr(self, "failure_classes", found)

    def counts(self, failure_class: FailureClass) -> bool:
        """Whether a failure of this class counts."""
        return failure_class in (_BLAMED if self.failure_classes is None else self.failure_classes)


AnyLimit = RateLimit | CircuitBreaker


class GatePass(msgspec.Struct, frozen=True):
    """What somebody asks of one gate.

    Attributes:
        name: the key of the resource.
        limits: its limits.
        tokens: how many calls are to be made.
    """

    name: str
    limits: tuple[AnyLimit, ...]
    tokens: int = 1

    @property
    def breaker(self) -> CircuitBreaker | None:
        """The circuit breaker of the gate."""
        return next((each for each in self.limits if isinstance(each, CircuitBreaker)), None)


class GateEntry(msgspec.Struct, frozen=True):
    """What a gate answers.

    Attributes:
        is_in: the tokens are taken, and may be used after `wait` seconds; if not, to be asked again after them.
        wait: how many seconds, 0 for at once.
        name: the gate that has to be waited for.
        fails: whether not to wait: a breaker is open whose calls fail meanwhile.
    """

    is_in: bool
    wait: float
    name: str | None = None
    fails: bool = False


class Bucket(msgspec.Struct, frozen=True):
    """A bucket at a time: how many tokens were in it (less than none: handed out in advance), what it holds, how it fills."""

    tokens: float
    at: float
    capacity: int
    rate: float

    def tokens_at(self, now: float) -> float:
        """How many tokens are in it; all of them when the time lies before the last one, since the clock began anew."""
        if now < self.at:
            return float(self.capacity)
        return min(float(self.capacity), self.tokens + (now - self.at) * self.rate)


class BreakerState(msgspec.Struct, frozen=True):
    """A breaker at a time.

    Attributes:
        failures: when the failures came that count.
        opened_at, due_at: since when it is open, and until when nobody may try; None while it is closed.
        tried_at: when the one began that tries.
    """

    failures: tuple[float, ...] = ()
    opened_at: float | None = None
    due_at: float = 0.0
    tried_at: float | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether only a failure changes anything."""
        return self.opened_at is None

    def state(self, now: float) -> str:
        """`closed`, `open` or `half_open`."""
        if self.opened_at is None:
            return CLOSED
        return OPEN if self.opened_at <= now < self.due_at else HALF_OPEN


class GateState(msgspec.Struct, frozen=True):
    """What is kept of a gate: a bucket for each of its rate limits, by what that says, and its breaker."""

    buckets: dict[str, Bucket] = {}
    breaker: BreakerState = BreakerState()


class GateStates(msgspec.Struct, frozen=True):
    """Gates as a store keeps them, by name, and what its clock showed when they were read."""

    now: float
    by_name: dict[str, GateState]


def enter_gates(
    states: Mapping[str, GateState], passes: Sequence[GatePass], now: float
) -> tuple[dict[str, GateState], GateEntry]:
    """Passes several gates at once: all of them, or none.

    Args:
        states: of the gates, by name; those that nobody has passed yet may be missing.
        passes: what is asked of which gate, each once.
        now: in seconds, by any clock that does not go back but when it begins anew.

    Returns:
        The states that changed, and the answer.
    """
    blocked: GateEntry | None = None
    for each in passes:
        breaker = each.breaker
        wait = 0.0 if breaker is None else _breaker_wait(states.get(each.name, GateState()).breaker, breaker, now)
        if breaker is not None and wait > 0 and (blocked is None or wait > blocked.wait):
            blocked = GateEntry(False, wait, each.name, fails=breaker.when_open == "fail")
    if blocked is not None:
        return {}, blocked
    changed: dict[str, GateState] = {}
    longest, slowest = 0.0, None
    for each in passes:
        state, wait = _enter(states.get(each.name, GateState()), each, now)
        changed[each.name] = state
        if wait > longest:
            longest, slowest = wait, each.name
    return changed, GateEntry(True, longest, slowest)


def report_to_gate(state: GateState, breaker: CircuitBreaker, failed: bool | None, now: float) -> GateState:
    """What becomes of a gate when a call behind it has ended.

    Args:
        state: of the gate.
        breaker: its breaker.
        failed: whether it failed so that it counts; None where it says nothing of the resource.
        now: see `enter_gates`.
    """
    before = state.breaker
    if before.opened_at is None:
        if not failed:
            return state
        failures = (*[each for each in before.failures if now - breaker.within <= each <= now], now)
        after = BreakerState(failures)
        if len(failures) >= breaker.failures:
            after = BreakerState((), now, now + breaker.reset_after)
    elif before.tried_at is None:  # an old call, from before it was opened
        return state
    elif failed is None:
        after = msgspec.structs.replace(before, tried_at=None)
    else:
        after = BreakerState((), now, now + breaker.reset_after) if failed else BreakerState()
    return msgspec.structs.replace(state, breaker=after)


def declared_limits(limits: Mapping[str, Iterable[AnyLimit]] | None) -> Mapping[str, tuple[AnyLimit, ...]]:
    """The limits of `Definitions(resource_limits=...)`.

    Raises:
        InvalidDefinitionError: a value that is not a limit, or duplicate circuit breakers for one resource.
    """
    return {key: _limits_of(key, each) for key, each in (limits or {}).items()}


def _limits_of(name: str, limits: Iterable[AnyLimit]) -> tuple[AnyLimit, ...]:
    """The limits of a resource, as they are declared.

    Raises:
        InvalidDefinitionError: something else, or two circuit breakers.
    """
    found = tuple(limits)
    for each in found:
        if not isinstance(each, (RateLimit, CircuitBreaker)):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code's value
            raise WrongDeclarationError(
                f"resource_limits of {name!r}: expected RateLimit and CircuitBreaker objects, got {each!r}."
            )
    if sum(isinstance(each, CircuitBreaker) for each in found) > 1:
        raise InvalidDefinitionError(f"resource_limits of {name!r}: duplicate CircuitBreaker; keep one.")
    return found


def _enter(state: GateState, wanted: GatePass, now: float) -> tuple[GateState, float]:
    """The state after tokens were taken, and how long to wait for them."""
    buckets: dict[str, Bucket] = {}
    longest = 0.0
    for limit in wanted.limits:
        if isinstance(limit, RateLimit):
            name = f"{limit.limit}/{limit.per}/{limit.capacity}"
            bucket = state.buckets.get(name)
            before = float(limit.capacity) if bucket is None else bucket.tokens_at(now)
            after = before - wanted.tokens
            buckets[name] = Bucket(after, now, limit.capacity, limit.rate)
            longest = max(longest, -after / limit.rate)
    breaker = state.breaker
    if breaker.opened_at is not None:
        breaker = msgspec.structs.replace(breaker, tried_at=now)
    return GateState(buckets, breaker), longest


def _breaker_wait(state: BreakerState, breaker: CircuitBreaker, now: float) -> float:
    """For how long nobody may call; 0 when one may."""
    kind = state.state(now)
    if kind == CLOSED:
        return 0.0
    if kind == OPEN:
        return min(state.due_at - now, breaker.reset_after)  # rounding makes the difference larger now and then
    # Who tries may have died with its process: after a while another one may.
    if state.tried_at is not None and 0 <= now - state.tried_at < breaker.reset_after:
        return min(_ASK_AGAIN, state.tried_at + breaker.reset_after - now)
    return 0.0


def _require_positive(what: str, **numbers: float | None) -> None:
    for name, number in numbers.items():
        if number is not None and not (isinstance(number, (int, float)) and number > 0):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code's value
            raise InvalidDefinitionError(f"{what}: {name} must be greater than 0, got {number!r}.")
