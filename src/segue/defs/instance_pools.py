"""What an instance answers about pools: their limits, who holds their slots and who waits for some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from segue.errors import InvalidInvocationError
from segue.model.claims import POOL, ClaimFilter, ClaimRecord, pool_resource
from segue.model.concurrency import Concurrency
from segue.model.gates import OPEN
from segue.model.stores import Store

MOST_SLOTS = 1000


class PoolLimit(NamedTuple):
    """How many slots a pool has.

    Attributes:
        name: of the pool.
        limit: how many; None for any number.
        from_default: whether that is the `default_pool_limit` of the settings.
    """

    name: str
    limit: int | None
    from_default: bool


class ClaimedSlotInfo(NamedTuple):
    """A step that holds slots of a pool."""

    run_id: str
    step_key: str


class PendingStepInfo(NamedTuple):
    """A step that waits for slots of a pool, since when (seconds since 1970, UTC), and with which priority.

    A step is given its slots when it starts, so that none is assigned to one that waits.
    """

    run_id: str
    step_key: str
    enqueued_timestamp: float
    assigned_timestamp: float | None
    priority: int


class ConcurrencyKeyInfo(NamedTuple):
    """How a pool stands.

    Attributes:
        concurrency_key: its name.
        slot_count: how many slots it has; 0 where there may be any number.
        claimed_slots: one for each slot that is held.
        pending_steps: who waits.
        limit: how many slots it has; None for any number.
        using_default_limit: whether no limit is set for it.
    """

    concurrency_key: str
    slot_count: int
    claimed_slots: Sequence[ClaimedSlotInfo]
    pending_steps: Sequence[PendingStepInfo]
    limit: int | None
    using_default_limit: bool

    @property
    def active_slot_count(self) -> int:
        """How many slots are held."""
        return len(self.claimed_slots)

    @property
    def active_run_ids(self) -> set[str]:
        """The runs whose steps hold slots."""
        return {each.run_id for each in self.claimed_slots}

    @property
    def pending_step_count(self) -> int:
        """How many steps wait."""
        return len(self.pending_steps)

    @property
    def pending_run_ids(self) -> set[str]:
        """The runs whose steps wait."""
        return {each.run_id for each in self.pending_steps}

    @property
    def assigned_step_count(self) -> int:
        """How many steps that wait have been assigned a slot: none ever."""
        return 0

    @property
    def assigned_run_ids(self) -> set[str]:
        """The runs of steps that wait and have been assigned a slot: none ever."""
        return set()


class TokensInfo(NamedTuple):
    """The tokens of one rate limit: how many there are (less than none: taken in advance), how many there can be, how many
    come in a second."""

    available: float
    capacity: int
    per_second: float


class ResourceLimitsInfo(NamedTuple):
    """How a resource with limits stands.

    Attributes:
        circuit: `closed`, `open` (it is left alone) or `half_open` (one may try).
        seconds: for how many seconds it is still left alone.
        failures: how many failures count while it is closed.
        tokens: of each rate limit.
    """

    circuit: str
    seconds: float
    failures: int
    tokens: Sequence[TokensInfo]


class InstancePools:
    """Pools: a limit is set for a name, and the steps that name it are held to it, in whatever process they run."""

    store: Store
    concurrency: Concurrency

    def pool_limits(self) -> Mapping[str, int | None]:
        """The slots of every pool that has a limit or is in use, by name; None for any number."""
        return {each.name: each.limit for each in PoolStorage(self.store, self.concurrency).get_pool_limits()}

    def set_pool_limit(self, name: str, limit: int | None) -> None:
        """Sets how many slots a pool has; None leaves it to the settings. What is held stays held, also where it is more.

        Raises:
            InvalidInvocationError: less than 0 slots (0 holds all its steps back), or more than 1,000.
        """
        if limit is not None and not 0 <= limit <= MOST_SLOTS:
            raise InvalidInvocationError(
                f"The limit of pool {name!r} must be between 0 and {MOST_SLOTS:,}, or None, got {limit}."
            )
        self.store.set_claim_limit(pool_resource(name), limit)

    def pool_claims(self, name: str | None = None) -> Sequence[ClaimRecord]:
        """Who holds slots of a pool and who waits for some, of all pools when None: holders first, then those who wait, in
        order of arrival. Of a run's steps that wait for the same pool, the next one stands for all."""
        resource = None if name is None else pool_resource(name)
        return self.store.claim_records(ClaimFilter(prefix=POOL, resource=resource))

    def free_claims(self, run_id: str, step_key: str | None = None) -> int:
        """Takes back by hand what a step holds and waits for, or, without a step, a run with all its steps.

        What is taken back is given to others while its holder, should it still work, goes on. Claims of processes that
        are gone need no hand: they are free.

        Returns:
            How many claims were held.
        """
        return self.store.release_claims(run_id, step_key)

    def resource_limits(self) -> Mapping[str, ResourceLimitsInfo]:
        """How the resources with limits stand that were ever called, sorted by their keys."""
        states = self.store.gate_states()
        found: dict[str, ResourceLimitsInfo] = {}
        for name, state in states.by_name.items():
            circuit = state.breaker.state(states.now)
            seconds = state.breaker.due_at - states.now if circuit == OPEN else 0.0
            buckets = state.buckets.values()
            tokens = [TokensInfo(each.tokens_at(states.now), each.capacity, each.rate) for each in buckets]
            found[name] = ResourceLimitsInfo(circuit, seconds, len(state.breaker.failures), tokens)
        return found


class PoolStorage:
    """The slots of pools, as `instance.event_log_storage` offers them.

    Args:
        store: where they are kept.
        concurrency: the settings for what may happen at once.
    """

    def __init__(self, store: Store, concurrency: Concurrency) -> None:
        self._store = store
        self._default = concurrency.default_pool_limit

    @property
    def supports_global_concurrency_limits(self) -> bool:
        """Whether limits hold across runs: they do."""
        return True

    def set_concurrency_slots(self, concurrency_key: str, num: int) -> None:
        """Sets how many slots a pool has.

        Raises:
            InvalidInvocationError: less than 0, or more than 1,000.
        """
        if not 0 <= num <= MOST_SLOTS:
            raise InvalidInvocationError(
                f"The limit of pool {concurrency_key!r} must be between 0 and {MOST_SLOTS:,}, got {num}."
            )
        self._store.set_claim_limit(pool_resource(concurrency_key), num)

    def delete_concurrency_limit(self, concurrency_key: str) -> None:
        """Leaves the slots of a pool to the settings."""
        self._store.set_claim_limit(pool_resource(concurrency_key), None)

    def initialize_concurrency_limit_to_default(self, concurrency_key: str) -> bool:
        """Sets the limit that the settings have for pools without one of their own; says whether there is such a limit."""
        if self._default is not None and pool_resource(concurrency_key) not in self._store.claim_limits(POOL):
            self.set_concurrency_slots(concurrency_key, self._default)
        return self._default is not None

    def get_concurrency_keys(self) -> set[str]:
        """The pools that have a limit of their own."""
        return {resource.removeprefix(POOL) for resource in self._store.claim_limits(POOL)}

    def get_pool_limits(self) -> Sequence[PoolLimit]:
        """The slots of every pool that has a limit or is in use, sorted by name."""
        limits = self._store.claim_limits(POOL)
        used = {record.resource for record in self._store.claim_records(ClaimFilter(prefix=POOL))}
        return [
            PoolLimit(each.removeprefix(POOL), limits.get(each, self._default), each not in limits)
            for each in sorted({*limits, *used})
        ]

    def get_concurrency_info(self, concurrency_key: str) -> ConcurrencyKeyInfo:
        """How a pool stands."""
        resource = pool_resource(concurrency_key)
        own = self._store.claim_limits(resource).get(resource)
        limit = self._default if own is None else own
        claimed: list[ClaimedSlotInfo] = []
        pending: list[PendingStepInfo] = []
        for record in self._store.claim_records(ClaimFilter(resource=resource)):
            run_id, step_key = record.claimant.run_id, record.claimant.step_key or ""
            if record.is_granted:
                claimed.extend([ClaimedSlotInfo(run_id, step_key)] * record.weight)
            else:
                pending.append(PendingStepInfo(run_id, step_key, record.since, None, record.claimant.priority))
        return ConcurrencyKeyInfo(concurrency_key, limit or 0, claimed, pending, limit, own is None)

    def get_concurrency_infos(self, concurrency_keys: Sequence[str]) -> Mapping[str, ConcurrencyKeyInfo]:
        """How these pools stand."""
        return {key: self.get_concurrency_info(key) for key in concurrency_keys}

    def get_concurrency_run_ids(self) -> set[str]:
        """The runs whose steps hold slots of any pool or wait for some."""
        return {record.claimant.run_id for record in self._store.claim_records(ClaimFilter(prefix=POOL))}

    def free_concurrency_slots_for_run(self, run_id: str) -> None:
        """Takes back what a run and its steps hold and wait for."""
        self._store.release_claims(run_id, None)

    def free_concurrency_slot_for_step(self, run_id: str, step_key: str) -> None:
        """Takes back what a step holds and waits for."""
        self._store.release_claims(run_id, step_key)
