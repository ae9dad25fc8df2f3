"""What runs and steps claim, worked out from settings and tags. Pure; `segue.model.claims` says who is given it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from segue.errors import InvalidDefinitionError, InvalidInvocationError
from segue.model.claims import PartitionLocks
from segue.model.step_policy import StepPolicy
from segue.model.tags import CONCURRENCY_KEY_TAG, PARTITION_LOCK_TAG, POOL_WEIGHT_TAG, PRIORITY_TAG


class Concurrency(msgspec.Struct, frozen=True):
    """The settings for what may happen at once.

    Attributes:
        partition_locks: what a run does that is to make what another run is making.
        default_pool_limit: the slots of pools that no limit is kept for; None for any number.
    """

    partition_locks: PartitionLocks = PartitionLocks.WAIT
    default_pool_limit: int | None = None


class StepSlots(NamedTuple):
    """What a step takes while it runs.

    Attributes:
        pool: the pool it takes slots of; None for none.
        weight: how many.
        priority: those with a higher one go first.
    """

    pool: str | None
    weight: int
    priority: int


def step_slots(pool: str | None, tags: Mapping[str, str], policy: StepPolicy | None, step: str) -> StepSlots:
    """What a step takes, from its pool, its tags and its policy.

    Args:
        pool: the one that is declared; without one, the tag `dagster/concurrency_key` names it.
        tags: of the step.
        policy: its priority, where it has one, wins over the tag `dagster/priority`.
        step: its key, for errors.

    Raises:
        InvalidDefinitionError: a weight or priority that is not a whole number, or a weight below 1.
    """
    priority = 0 if policy is None else policy.priority
    if not tags:
        return StepSlots(pool, 1, priority)
    weight = _whole_number(tags, POOL_WEIGHT_TAG, f"Step {step!r}", 1)
    if weight < 1:
        raise InvalidDefinitionError(f"Step {step!r}: the tag {POOL_WEIGHT_TAG} must be at least 1, got {weight}.")
    return StepSlots(
        tags.get(CONCURRENCY_KEY_TAG) if pool is None else pool,
        weight,
        priority or _whole_number(tags, PRIORITY_TAG, f"Step {step!r}", 0),
    )


def run_priority(tags: Mapping[str, str]) -> int:
    """The priority of a run, from its tags.

    Raises:
        InvalidInvocationError: it is not a whole number.
    """
    text = tags.get(PRIORITY_TAG, "0")
    try:
        return int(text)
    except ValueError:
        raise InvalidInvocationError(f"The run tag {PRIORITY_TAG} must be a whole number, got {text!r}.") from None


def _whole_number(tags: Mapping[str, str], key: str, what: str, default: int) -> int:
    """The number in a tag; the default where there is no such tag.

    Raises:
        InvalidDefinitionError: it is not a whole number.
    """
    text = tags.get(key)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise InvalidDefinitionError(f"{what}: the tag {key} must be a whole number, got {text!r}.") from None


def partition_lock(default: PartitionLocks, asset: str, *tags: Mapping[str, str]) -> PartitionLocks:
    """What a run does where another one is making the same partition of an asset.

    Args:
        default: what it does where nothing says it.
        asset: the asset, for errors.
        tags: those of the run, of the asset and of its step; the first that say it count.

    Raises:
        InvalidDefinitionError: a tag that says none of it.
    """
    text = None
    for each in tags:
        text = text or each.get(PARTITION_LOCK_TAG)
    if not text:
        return default
    try:
        return PartitionLocks(text)
    except ValueError:
        known = ", ".join(each.value for each in PartitionLocks)
        raise InvalidDefinitionError(
            f"Asset {asset}: the tag {PARTITION_LOCK_TAG} must be one of {known}, got {text!r}."
        ) from None
