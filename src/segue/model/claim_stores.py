"""The storage of what runs and steps share and there is not enough of: claims, and gates before resources.

Parts of `segue.model.stores.Store`; what is said there of all protocols holds here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from segue.model.claims import ClaimAnswer, ClaimFilter, ClaimRecord, ClaimRequest
from segue.model.gates import GateEntry, GatePass, GateStates


class ClaimStore(Protocol):
    """Who holds some of what there is not enough of, and who waits for it: see `segue.model.claims`.

    Claims are leases. What is held by a worker that does not live any more is free, and those of its requests that wait
    are gone; so is what an event ends: the claims of a step with the event that ends its attempt, those of a run and
    all its steps with the event that ends the run, in the transaction in which `append` records it.
    """

    def claim(self, requests: Sequence[ClaimRequest], timestamp: float) -> Sequence[ClaimAnswer]:
        """Gives each request all it asks for, or says what blocks it and, where it waits, keeps its place in line.

        Whoever waits asks again and again; one who has not asked for `CLAIM_PATIENCE` seconds keeps the place and holds
        nobody up. What a claimant holds already is not given twice; it goes over to the worker that asks.

        Args:
            requests: at most one for each claimant.
            timestamp: now, in seconds since 1970, UTC, for people to read.

        Returns:
            One answer for each request, in order.

        Raises:
            InvariantViolationError: the name cannot be stored; nothing is claimed then.
            StorageUnavailableError: the store cannot be written.
        """
        ...

    def release_claims(self, run_id: str, step_key: str | None) -> int:
        """Takes back what a step holds and waits for, or, without a step, a run and all its steps; says how many claims."""
        ...

    def claim_records(self, which: ClaimFilter) -> Sequence[ClaimRecord]:
        """What is held and waited for by the living: first the holders, then those who wait, in order of arrival."""
        ...

    def claim_limits(self, prefix: str) -> Mapping[str, int]:
        """The capacities that are kept for the resources whose names begin so, sorted by name."""
        ...

    def set_claim_limit(self, resource: str, capacity: int | None) -> None:
        """Keeps the capacity of a resource; None keeps none. What is held stays held, also where it is more."""
        ...


class GateStore(Protocol):
    """How often resources may be called, and which are left alone: see `segue.model.gates`. The clock is the store's."""

    def enter_gates(self, passes: Sequence[GatePass]) -> GateEntry:
        """Passes several gates at once, taking their tokens; or none of them, while a circuit breaker is open.

        Raises:
            StorageUnavailableError: the store cannot be written.
        """
        ...

    def report_to_gates(self, passes: Sequence[GatePass], failed: bool | None) -> None:
        """Tells the breakers of some gates how a call behind them ended; None where that says nothing of the resource."""
        ...

    def gate_states(self, names: Sequence[str] | None = None) -> GateStates:
        """The gates that anybody ever passed, sorted by name; None asks for all."""
        ...
