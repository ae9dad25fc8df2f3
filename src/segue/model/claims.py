"""Claims: the right of a run or a step to some of what there is not enough of, and who is given it. Pure.

A *resource* is a name with a *capacity*: a pool of slots, the runs that may have a tag, one partition of an asset. Who
wants some of it asks for it, is given all that it asks for at once, or waits and holds nothing:

    claimant --asks for--> claims  --granted--> holds them until it ends
                                   --blocked--> waits: by priority, then by arrival

Nobody waits for ever behind lighter ones: what one who waits asks for is kept for it from those behind. Nobody blocks in
a circle: a step that waits for slots holds none, and a run takes its own claims before its first step.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from segue.errors import ResourceBusyError

POOL = "pool:"
PARTITION = "partition:"
CLAIM_PATIENCE = 2.0  # seconds


class PartitionLocks(enum.Enum):
    """What a run does that is to make a partition of an asset which another run is making."""

    WAIT = "wait"
    SKIP = "skip"
    FAIL = "fail"
    ALLOW = "allow"


class Claim(msgspec.Struct, frozen=True):
    """Some of a resource.

    Attributes:
        resource: its name: `pool_resource` or `partition_resource`.
        weight: how many slots; one that asks for more than there are gets all of them.
        capacity: how many there are, where no limit is kept for the resource; None for any number.
    """

    resource: str
    weight: int = 1
    capacity: int | None = None


class Claimant(msgspec.Struct, frozen=True):
    """Who claims: a step, or a run as a whole.

    Attributes:
        run_id, step_key: who; no step for the run.
        worker: the process that carries it out, as the store names workers.
        priority: those with a higher one go first.
    """

    run_id: str
    step_key: str | None
    worker: str
    priority: int = 0

    def __str__(self) -> str:
        return f"run {self.run_id}" if self.step_key is None else f"step {self.step_key} of run {self.run_id}"


class ClaimRequest(msgspec.Struct, frozen=True):
    """All that one claimant asks for.

    Attributes:
        claimant: who.
        claims: what, each resource once.
        waits: whether it gets in line when it is not given them.
    """

    claimant: Claimant
    claims: tuple[Claim, ...]
    waits: bool = True


class HeldClaim(msgspec.Struct, frozen=True):
    """What somebody holds."""

    claimant: Claimant
    resource: str
    weight: int


class Block(msgspec.Struct, frozen=True):
    """Why somebody is not given a claim.

    Attributes:
        resource: of what there is too little.
        weight: how much is asked for.
        capacity: how much there is.
        used: how much is held.
        reserved: how much is kept for those who came before.
        holders: who holds some.
    """

    resource: str
    weight: int
    capacity: int
    used: int
    reserved: int
    holders: tuple[Claimant, ...]

    def __str__(self) -> str:
        free = f"{self.used} of {self.capacity} in use" if self.capacity else "it has no slots"
        held = f" by {_listed(self.holders)}" if self.holders else ""
        ahead = f", {self.reserved} reserved for earlier requests" if self.reserved else ""
        return f"{resource_words(self.resource)} ({free}{held}{ahead}; {self.weight} requested)"


class ClaimAnswer(msgspec.Struct, frozen=True):
    """What became of a request: granted, or what blocks it."""

    blocks: tuple[Block, ...] = ()

    @property
    def is_granted(self) -> bool:
        """Whether the claimant holds all it asked for."""
        return not self.blocks

    def __str__(self) -> str:
        return "granted" if self.is_granted else "; ".join(map(str, self.blocks))


class ClaimRecord(msgspec.Struct, frozen=True):
    """A claim as the store keeps it, of a holder or of one who waits.

    Attributes:
        claimant: whose.
        resource, weight: on what.
        is_granted: whether it is held.
        since: from when, in seconds since 1970, UTC; for people to read.
    """

    claimant: Claimant
    resource: str
    weight: int
    is_granted: bool
    since: float


class ClaimFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which claims; None means any.

    Attributes:
        prefix: on resources whose names begin so.
        resource: on this one.
        run_id, step_key: of this run, of this step of it.
    """

    prefix: str | None = None
    resource: str | None = None
    run_id: str | None = None
    step_key: str | None = None


GRANTED: Final = ClaimAnswer()


def pool_resource(name: str) -> str:
    """The slots of a pool."""
    return POOL + name


def partition_resource(asset: str, partition: str | None) -> str:
    """The right to make a partition of an asset (its key as users write it), or an asset without partitions."""
    # No database keeps a NUL in a text; two keys that differ in this alone would only wait for each other.
    return f"{PARTITION}{asset}|{partition or ''}".replace("\0", "\\0")


def resource_words(resource: str) -> str:
    """A resource as people call it: `the pool 'db'`, `the asset 'orders'`, `partition '2026-01-01' of 'orders'`."""
    if resource.startswith(POOL):
        return f"the pool {resource.removeprefix(POOL)!r}"
    if resource.startswith(PARTITION):
        asset, _, partition = resource.removeprefix(PARTITION).partition("|")
        return f"partition {partition!r} of {asset!r}" if partition else f"the asset {asset!r}"
    return resource


def decide_claims(
    limits: Mapping[str, int], held: Iterable[HeldClaim], waiting: Sequence[ClaimRequest]
) -> list[ClaimAnswer]:
    """Who of those that wait is given what it asks for.

    They are served by priority, and among equals in the order given. One that cannot be served keeps what it asks for
    from all behind it; what it does not ask for, they may take.

    Args:
        limits: the capacities that are kept, by resource; they win over what a claim says of it.
        held: what is held, by holders that live.
        waiting: who waits, in order of arrival.

    Returns:
        One answer for each that waits, in the order given.
    """
    holders: dict[str, list[Claimant]] = {}
    used: dict[str, int] = {}
    for each in held:
        holders.setdefault(each.resource, []).append(each.claimant)
        used[each.resource] = used.get(each.resource, 0) + each.weight
    reserved: dict[str, int] = {}
    answers: dict[int, ClaimAnswer] = {}
    for index in sorted(range(len(waiting)), key=lambda at: -waiting[at].claimant.priority):
        request = waiting[index]
        blocks: list[Block] = []
        for claim in request.claims:
            name, capacity = claim.resource, limits.get(claim.resource, claim.capacity)
            if capacity is None:
                continue
            weight, taken, kept = fitting_weight(claim.weight, capacity), used.get(name, 0), reserved.get(name, 0)
            if taken + kept + weight > capacity:
                blocks.append(Block(name, claim.weight, capacity, taken, kept, tuple(holders.get(name, ()))))
        for claim in request.claims:
            if blocks:
                capacity = limits.get(claim.resource, claim.capacity)
                weight = claim.weight if capacity is None else fitting_weight(claim.weight, capacity)
                reserved[claim.resource] = reserved.get(claim.resource, 0) + weight
            else:
                holders.setdefault(claim.resource, []).append(request.claimant)
                used[claim.resource] = used.get(claim.resource, 0) + claim.weight
        answers[index] = ClaimAnswer(tuple(blocks)) if blocks else GRANTED
    return [answers[index] for index in range(len(waiting))]


def busy(request: ClaimRequest, answer: ClaimAnswer) -> ResourceBusyError:
    """The error for a request that is not granted and shall not wait."""
    who = str(request.claimant)
    return ResourceBusyError(
        f"{who[:1].upper()}{who[1:]} cannot start because of a limit: {answer}. Try again when it is free.",
        [block.resource for block in answer.blocks],
        sorted({holder.run_id for block in answer.blocks for holder in block.holders}),
    )


def fitting_weight(weight: int, capacity: int) -> int:
    """How many slots a claim needs to be free: those it asks for, or all there are, and at least one."""
    return max(1, min(weight, capacity))


def _listed(claimants: Sequence[Claimant], most: int = 3) -> str:
    names = [str(each) for each in claimants[:most]]
    if len(claimants) > most:
        names.append(f"{len(claimants) - most} more")
    return ", ".join(names)
