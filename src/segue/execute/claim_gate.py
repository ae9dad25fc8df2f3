"""The gate before the steps of a run: a step starts when it has the slots of its pool and the tokens of its resources, and
waits for them outside."""

from __future__ import annotations

import time
from collections.abc import Iterable

from segue.execute.gates import passes_of
from segue.execute.run_claims import CLAIM_SECONDS, release_abandoned, within
from segue.execute.run_scope import RunScope
from segue.model.claims import Claim, ClaimAnswer, Claimant, ClaimRequest, pool_resource
from segue.model.concurrency import run_priority
from segue.model.event import EngineEventData
from segue.plan.plan import PlanStep

TOLD_SECONDS = 1.0
"""A step that waits for less than this for a token says nothing of it."""


class ClaimGate:
    """Takes the tokens and slots of steps before they start: a `StartGate`. Slots are given back with the event that ends the
    attempt.

    Of several steps of the run that wait for the same pool or resources only the next one stands in line, so that runs take
    turns.

    Args:
        scope: what the steps of the run share.
    """

    def __init__(self, scope: RunScope) -> None:
        self._scope = scope
        self._store = scope.instance.store
        self._worker = self._store.worker()
        self._priority = run_priority(scope.run.tags)
        self._around = within.get()[:-1]
        self._blocked: dict[str, tuple[float, ClaimAnswer, str]] = {}  # pool -> until when, why, and which step asked
        self._told: set[str] = set()
        self._holding: set[str] = set()
        self._tokens_due: dict[str, float] = {}  # step -> when the tokens that it has taken may be used
        self._first_at: dict[
            tuple[str, ...], tuple[str, float, str]
        ] = {}  # gates -> which step waits, until when, for which

    def ask(self, step: PlanStep, attempt: int) -> float | None:
        """See `StartGate.ask`."""
        del attempt  # one at a time
        now = time.monotonic()
        wait = self._pass_gates(step, now)
        return self._take_slots(step, now) if wait <= 0 else wait

    def _pass_gates(self, step: PlanStep, now: float) -> float:
        """Takes the tokens that a step needs; gives back for how long it has to wait for them."""
        passes = passes_of(self._scope, step)
        if not passes:
            return 0.0
        names = tuple([each.name for each in passes])
        due = self._tokens_due.get(step.key)
        if due is None:
            first, until, name = self._first_at.get(names, ("", 0.0, ""))
            if first in ("", step.key) or now >= until:
                entry = self._store.enter_gates(passes)
                if entry.fails:
                    return 0.0  # it starts, and its attempt fails at once with an error that says so
                until, name = now + entry.wait, entry.name or names[0]
                self._first_at[names] = (step.key, until, name)
                if entry.is_in:
                    self._tokens_due[step.key] = until
            due = until
            if due - now >= TOLD_SECONDS:
                self._tell(step, f"Waits for the resource {name!r}: it cannot be called for another {due - now:.1f} s.")
        return due - now

    def _take_slots(self, step: PlanStep, now: float) -> float | None:
        """Takes the slots of the pool that a step names; gives back in how many seconds to ask again."""
        if step.pool is None:
            return None
        until, answer, first = self._blocked.get(step.pool, (0.0, None, step.key))
        if answer is None or now >= until:
            answer = self._claim(step, step.pool)
            if answer.is_granted or self._is_held_around(answer):
                self._blocked.pop(step.pool, None)
                return None
            until, first = now + CLAIM_SECONDS, step.key
            self._blocked[step.pool] = (until, answer, first)
        self._tell(
            step,
            f"Waits for slots: {answer}."
            if first == step.key
            else f"Waits for slots of the pool {step.pool!r}, after the step {first!r} of this run.",
        )
        return max(until - now, 0.0)

    def _tell(self, step: PlanStep, text: str) -> None:
        """Says once in an attempt of a step what it waits for."""
        if step.key not in self._told:
            self._told.add(step.key)
            self._scope.sink.emit(EngineEventData(text, is_waiting=True), step.key)

    def ended(self, step: PlanStep, attempt: int) -> None:
        """See `StartGate.ended`."""
        del attempt  # one at a time
        self._told.discard(step.key)
        self._tokens_due.pop(step.key, None)
        if step.key in self._holding:
            self._holding.discard(step.key)
            self._blocked.clear()  # what it held may be free now, or as soon as its end is recorded
            self._scope.sink.flush()

    def _claim(self, step: PlanStep, pool: str) -> ClaimAnswer:
        # The end of an attempt that is not recorded yet would give back what is given now.
        self._scope.sink.flush()
        default = self._scope.instance.concurrency.default_pool_limit
        claimant = Claimant(self._scope.run.run_id, step.key, self._worker, self._priority + step.priority)
        claim = Claim(pool_resource(pool), step.pool_weight, default)
        (answer,) = self._store.claim([ClaimRequest(claimant, (claim,))], time.time())
        if release_abandoned(self._store, answer):
            (answer,) = self._store.claim([ClaimRequest(claimant, (claim,))], time.time())
        if answer.is_granted:
            self._holding.add(step.key)
        return answer

    def _is_held_around(self, answer: ClaimAnswer) -> bool:
        """Whether a run holds the slots in one of whose steps this run is executed: it works under them."""
        holders = {holder.run_id for block in answer.blocks for holder in block.holders}
        return bool(self._around) and not holders.isdisjoint(self._around)


def gate_of(scope: RunScope, steps: Iterable[PlanStep]) -> ClaimGate | None:
    """The gate before these steps; None where none of them needs one."""
    needed = any(step.pool is not None or passes_of(scope, step) for step in steps)
    return ClaimGate(scope) if needed else None
