"""The gate before the steps of a run: a step that names a pool starts when it has its slots, and waits for them outside."""

from __future__ import annotations

import time
from collections.abc import Iterable

from segue.execute.run_claims import CLAIM_SECONDS, within
from segue.execute.run_scope import RunScope
from segue.model.claims import Claim, ClaimAnswer, Claimant, ClaimRequest, pool_resource
from segue.model.concurrency import run_priority
from segue.model.event import EngineEventData
from segue.plan.plan import PlanStep


class ClaimGate:
    """Takes the slots of steps before they start: a `StartGate`. They are given back with the event that ends the attempt.

    Of several steps of the run that wait for the same pool only the next one stands in line for it, so that runs take turns.

    Args:
        scope: what the steps of the run share.
    """

    def __init__(self, scope: RunScope) -> None:
        self._scope = scope
        self._store = scope.instance.store
        self._worker = self._store.worker()
        self._priority = run_priority(scope.run.tags)
        self._around = within.get()[:-1]
        self._blocked: dict[str, tuple[float, ClaimAnswer]] = {}  # pool -> until when, and why
        self._told: set[str] = set()
        self._holding: set[str] = set()

    def ask(self, step: PlanStep, attempt: int) -> float | None:
        """See `StartGate.ask`."""
        del attempt  # one at a time
        if step.pool is None:
            return None
        now = time.monotonic()
        until, answer = self._blocked.get(step.pool, (0.0, None))
        if answer is None or now >= until:
            answer = self._claim(step, step.pool)
            if answer.is_granted or self._is_held_around(answer):
                self._blocked.pop(step.pool, None)
                return None
            until = now + CLAIM_SECONDS
            self._blocked[step.pool] = (until, answer)
        if step.key not in self._told:
            self._told.add(step.key)
            self._scope.sink.emit(EngineEventData(f"Waits for slots of the pool {step.pool!r}: {answer}."), step.key)
        return max(until - now, 0.0)

    def ended(self, step: PlanStep, attempt: int) -> None:
        """See `StartGate.ended`."""
        del attempt  # one at a time
        if step.key in self._holding:
            self._holding.discard(step.key)
            self._told.discard(step.key)
            self._blocked.clear()  # what it held may be free now, or as soon as its end is recorded
            self._scope.sink.flush()

    def _claim(self, step: PlanStep, pool: str) -> ClaimAnswer:
        # The end of an attempt that is not recorded yet would give back what is given now.
        self._scope.sink.flush()
        default = self._scope.instance.concurrency.default_pool_limit
        claimant = Claimant(self._scope.run.run_id, step.key, self._worker, self._priority + step.priority)
        claim = Claim(pool_resource(pool), step.pool_weight, default)
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
    return ClaimGate(scope) if any(step.pool is not None for step in steps) else None
