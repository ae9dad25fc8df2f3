"""Gates before resources, as steps meet them: which a step has to pass, taking tokens in user code, saying how it went."""

from __future__ import annotations

import time
from collections.abc import Sequence

from segue.defs.resource_order import resource_order
from segue.errors import CircuitOpenError, InvalidInvocationError
from segue.execute.resources import managers_of
from segue.execute.run_scope import RunScope
from segue.model.claim_stores import GateStore
from segue.model.failure_class import FailureClass
from segue.model.gates import OPEN, GatePass
from segue.plan.plan import PlanStep

REST_SECONDS = 0.25


def passes_of(scope: RunScope, step: PlanStep) -> tuple[GatePass, ...]:
    """The gates that a step has to pass before an attempt: those of the limited resources that its function asks for, that
    store and load its values, and that any of these is made from."""
    limits = scope.described.resource_limits
    if not limits:
        return ()
    declared = scope.described.resources
    named = {*scope.described.ops[step.computation].resource_keys, *managers_of(step)}
    keys = frozenset(resource_order(named & declared.keys(), declared))
    return tuple([GatePass(key, limits[key]) for key in sorted(limits) if key in keys])


def require_closed(store: GateStore, passes: Sequence[GatePass]) -> None:
    """Refuses to begin an attempt while a breaker is open that says so.

    Raises:
        CircuitOpenError: one is.
    """
    strict = [each for each in passes if each.breaker is not None and each.breaker.when_open == "fail"]
    if not strict:
        return
    states = store.gate_states([each.name for each in strict])
    for name, state in states.by_name.items():
        if state.breaker.state(states.now) == OPEN:
            raise _open(name, state.breaker.due_at - states.now)


def take_tokens(scope: RunScope, key: str, tokens: int) -> None:
    """Takes tokens of a resource, and waits until they are there and its breaker lets calls through.

    Raises:
        InvalidInvocationError: there is no such resource, or less than one token is asked for.
        CircuitOpenError: its breaker is open, and says that callers fail meanwhile.
        StorageError: the store cannot be used.
    """
    if tokens < 1:
        raise InvalidInvocationError(f"{tokens} tokens of {key!r} were requested: request at least 1.")
    limits = scope.described.resource_limits.get(key)
    if limits is None:
        if key not in scope.described.resources:
            known = ", ".join(sorted(scope.described.resource_limits)) or "none"
            raise InvalidInvocationError(
                f"The resource {key!r} has no limits to take tokens from; resources with limits: {known}."
            )
        return
    wanted = [GatePass(key, limits, tokens)]
    while True:
        entry = scope.instance.store.enter_gates(wanted)
        if entry.fails:
            raise _open(key, entry.wait)
        _rest(entry.wait)
        if entry.is_in:
            return


def report_calls(scope: RunScope, passes: Sequence[GatePass], failure_class: FailureClass | None) -> None:
    """Tells breakers how what was done behind their gates ended.

    Args:
        scope: the run.
        passes: the gates.
        failure_class: of the failure; None where it went well.
    """
    for each in passes:
        if each.breaker is not None:
            failed = False if failure_class is None else (each.breaker.counts(failure_class) or None)
            scope.instance.store.report_to_gates([each], failed)


def pass_of(scope: RunScope, key: str) -> Sequence[GatePass]:
    """The gate of one resource; none where it has no limits."""
    limits = scope.described.resource_limits.get(key)
    return () if limits is None else [GatePass(key, limits)]


def _rest(seconds: float) -> None:
    """Waits in small parts, so that whoever wants to stop the thread does not have to wait as well."""
    end = time.monotonic() + seconds
    while seconds > 0:
        time.sleep(min(seconds, REST_SECONDS))
        seconds = end - time.monotonic()


def _open(name: str, seconds: float) -> CircuitOpenError:
    return CircuitOpenError(
        f"The resource {name!r} failed too often and will not be called for another {max(seconds, 0.0):.1f} s. "
        "'segue pools --limits' shows it; CircuitBreaker(when_open='wait') makes steps wait instead.",
        [name],
        max(seconds, 0.0),
    )
